// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What goes wrong on a connection: retransmits and resets. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>

#include "compat.bpf.h"
#include "owner.bpf.h"

static __always_inline struct socket_storage *storage_of(struct sock *sk)
{
	__u16 family;
	__u8 state;

	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	state = sk->__sk_common.skc_state;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	/* Minisockets have no storage, nor the members after sock_common. */
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0;
	if (filter_family == AF_INET6 && family == AF_INET)
		return 0;
	return bpf_sk_storage_get(&sockets, sk, 0, 0);
}

static __always_inline void tell_trouble(__u8 type, struct sock *sk, struct socket_storage *st, __u8 detail,
					 __u32 value)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!tp)
		return;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(sk);
	record_tell(type, tp, sk, st, bpf_ktime_get_ns(), 0, sk->__sk_common.skc_state, 0, detail, value);
}

/* A segment was sent again; softirq (timer, ACK) or process context; the count includes it already. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(segment_retransmitted, struct sock *sk)
{
	struct socket_storage *st = storage_of(sk);
	struct tcp_sock *tp;
	__u8 state;

	if (!st || compat_retransmit_failed(ctx))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	state = sk->__sk_common.skc_state;
	tell_trouble(RECORD_RETRANSMIT, sk, st,
		     state == TCP_SYN_SENT   ? RETRANSMIT_SYN :
		     state == TCP_SYN_RECV ? RETRANSMIT_SYNACK :
					       RETRANSMIT_DATA,
		     tp->total_retrans);
	return 0;
}

/* A RST arrived, in softirq or as backlog; before the socket's → CLOSE. */
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received, struct sock *sk)
{
	struct socket_storage *st = storage_of(sk);

	if (!st)
		return 0;
	st->flags |= SOCKET_RST_RECEIVED;
	if (!st->state || st->flags & (SOCKET_OPENED | SOCKET_BEFORE))
		tell_trouble(RECORD_RESET, sk, st, SIDE_REMOTE, 0);
	return 0;
}

/*
 * A RST is sent for a socket: before its → CLOSE (ss -K) or right after it (close with unread data, linger 0),
 * so user space holds an unexplained end back for a moment. Answers without a socket have sk NULL.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent, struct sock *sk)
{
	struct socket_storage *st = storage_of(sk);

	if (!st || st->state == TCP_LISTEN)
		return 0;
	st->flags |= SOCKET_RST_SENT;
	if (!st->state || st->flags & (SOCKET_OPENED | SOCKET_BEFORE))
		tell_trouble(RECORD_RESET, sk, st, SIDE_LOCAL, compat_reset_reason(ctx));
	return 0;
}
