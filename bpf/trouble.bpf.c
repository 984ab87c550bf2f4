// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What goes wrong on a connection: retransmits and resets. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>

#include "compat.bpf.h"
#include "owner.bpf.h"

static __always_inline bool is_address_family(__u16 family)
{
	return (family == AF_INET && filter_family != AF_INET6) || family == AF_INET6;
}

static __always_inline struct socket_storage *storage_of(struct sock *sk)
{
	__u8 state;

	if (!sk)
		return 0;
	state = GET(sk, __sk_common.skc_state);
	if (!is_address_family(GET(sk, __sk_common.skc_family)))
		return 0;
	/* Minisockets have no storage, nor the members after sock_common. */
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0;
	return socket_find(sk);
}

static __always_inline void tell_trouble(__u8 type, struct sock *sk, struct socket_storage *st,
					 __u8 detail, __u32 value)
{
	struct tcp_sock *tp = tcp_of(sk);

	if (!tp)
		return;
	if (!st->cookie)
		st->cookie = socket_cookie(sk);
	record_tell(type, tp, sk, st, bpf_ktime_get_ns(), 0, GET(sk, __sk_common.skc_state), 0,
		    detail, value);
}

/* A segment was sent again; softirq (timer, ACK) or process context; the count includes it already. */
TRACEPOINT("tcp_retransmit_skb")
int BPF_PROG(segment_retransmitted, struct sock *sk)
{
	struct socket_storage *st = storage_of(sk);
	struct tcp_sock *tp;
	__u8 state, kind;

	if (!st || compat_retransmit_failed(ctx))
		return 0;
	tp = tcp_of(sk);
	if (!tp)
		return 0;
	state = GET(sk, __sk_common.skc_state);
	kind = state == TCP_SYN_SENT	  ? RETRANSMIT_SYN
	       : state == TCP_SYN_RECV	  ? RETRANSMIT_SYNACK
	       : compat_is_loss_probe(tp) ? RETRANSMIT_TLP
					  : RETRANSMIT_DATA;
	tell_trouble(RECORD_RETRANSMIT, sk, st, kind, GET(tp, total_retrans));
	return 0;
}

/* A record without a socket of its own: all but type, addresses, netns, detail and value is unknown. */
static __always_inline void record_fill_bare(struct record *r, __u8 type, __u8 state)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->type = type;
	r->owner = OWNER_UNKNOWN;
	r->new_state = state;
	r->mono_ns = bpf_ktime_get_ns();
	r->protocol = IPPROTO_TCP;
}

/* The members that full sockets, request sockets and TIME_WAIT minisockets share. */
static __always_inline void record_ends_of(struct record *r, const struct sock *sk)
{
	r->family = GET(sk, __sk_common.skc_family);
	r->lport = GET(sk, __sk_common.skc_num);
	r->rport = bpf_ntohs(GET(sk, __sk_common.skc_dport));
	r->netns = GET(GET(sk, __sk_common.skc_net.net), ns.inum);
	record_addresses(r, sk);
}

/* The listener's owner stands for an attempt that is no connection yet. */
static __always_inline void record_owner_of(struct record *r, const struct socket_storage *st)
{
	if (!st->pid)
		return;
	r->owner = OWNER_LISTENER;
	r->pid = st->pid;
	r->tid = st->tid;
	r->uid = st->uid;
	r->cgroup_id = st->cgroup_id;
	__builtin_memcpy(r->comm, st->comm, sizeof(r->comm));
}

static __noinline bool bare_fits(const struct socket_storage *st)
{
	struct filter_facts f = {};

	if (st && st->pid)
		facts_set_owner(&f, st->pid, 0, st->uid, st->owner, st->comm);
	else
		f.no_owner = 1;
	return facts_wanted(&f);
}

static __always_inline struct record *record_reserve_bare(const struct socket_storage *st)
{
	if (filter_atom_count && !bare_fits(st))
		return 0;
	return record_reserve(sizeof(struct record));
}

/* A SYN,ACK was sent again for a request that waits in the SYN queue; softirq. The count leaves this one out. */
TRACEPOINT("tcp_retransmit_synack")
int BPF_PROG(synack_retransmitted, struct sock *sk, struct request_sock *req)
{
	struct socket_storage *st = storage_of(sk);
	struct record *r;

	if (!is_address_family(GET(req, __req_common.skc_family)))
		return 0;
	r = record_reserve_bare(st);
	if (!r)
		return 0;
	record_fill_bare(r, RECORD_RETRANSMIT, TCP_SYN_RECV);
	record_ends_of(r, (struct sock *)req);
	if (st)
		record_owner_of(r, st);
	r->direction = DIRECTION_IN;
	r->detail = RETRANSMIT_SYNACK;
	r->value = BPF_CORE_READ_BITFIELD_PROBED(req, num_retrans) + 1;
	record_submit(r);
	return 0;
}

/* A RST arrived, in softirq or as backlog; before the socket's → CLOSE. What it refuses is told as `fail`. */
TRACEPOINT("tcp_receive_reset")
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

/* The packet that a RST answers: its source is our peer. False when it is neither IPv4 nor IPv6. */
static __always_inline bool record_ends_of_packet(struct record *r, const struct sk_buff *skb)
{
	const unsigned char *ip = GET(skb, head) + GET(skb, network_header);
	const unsigned char *tcp = GET(skb, head) + GET(skb, transport_header);
	struct dst_entry *dst;
	__u8 version = 0;
	__u16 ports[2];

	bpf_probe_read_kernel(&version, sizeof(version), ip);
	version >>= 4;
	if (version == 4) {
		r->family = AF_INET;
		bpf_probe_read_kernel(r->raddr, 4, ip + 12);
		bpf_probe_read_kernel(r->laddr, 4, ip + 16);
	} else if (version == 6) {
		r->family = AF_INET6;
		bpf_probe_read_kernel(r->raddr, 16, ip + 8);
		bpf_probe_read_kernel(r->laddr, 16, ip + 24);
	} else {
		return false;
	}
	bpf_probe_read_kernel(ports, sizeof(ports), tcp);
	r->rport = bpf_ntohs(ports[0]);
	r->lport = bpf_ntohs(ports[1]);
	dst = (struct dst_entry *)(GET(skb, _skb_refdst) & ~1UL); /* the lowest bit: not counted */
	r->netns = BPF_CORE_READ(dst, dev, nd_net.net, ns.inum);
	return true;
}

/*
 * A RST that no connection sends: for no socket (closed port), a TIME_WAIT minisocket, or a listener. `sk` is NULL or one
 * of those.
 */
static __always_inline void tell_bare_reset(const struct sock *sk, const struct sk_buff *skb,
					    const struct socket_storage *st, __u32 reason)
{
	struct record *r;
	bool known = false;
	__u8 state = sk ? GET(sk, __sk_common.skc_state) : TCP_CLOSE;

	r = record_reserve_bare(st);
	if (!r)
		return;
	record_fill_bare(r, RECORD_RESET, state);
	r->detail = SIDE_LOCAL;
	r->value = reason;
	if (sk && state != TCP_LISTEN && is_address_family(GET(sk, __sk_common.skc_family))) {
		record_ends_of(r, sk);
		known = true;
	} else if (skb) {
		known = record_ends_of_packet(r, skb);
	}
	if (st)
		record_owner_of(r, st);
	if (known)
		record_submit(r);
	else
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
}

/*
 * A RST is sent: before the socket's → CLOSE (ss -K) or right after it (close with unread data, linger 0), so user
 * space holds an unexplained end back for a moment; process context or softirq. Kernels before 6.8 do not tell of those
 * without a socket.
 */
TRACEPOINT("tcp_send_reset")
int BPF_PROG(reset_sent, struct sock *sk, struct sk_buff *skb)
{
	struct socket_storage *st = storage_of(sk);

	if (!st || (sk && GET(sk, __sk_common.skc_state) == TCP_LISTEN)) {
		tell_bare_reset(sk, skb, st, compat_reset_reason(ctx));
		return 0;
	}
	st->flags |= SOCKET_RST_SENT;
	if (!st->state || st->flags & (SOCKET_OPENED | SOCKET_BEFORE))
		tell_trouble(RECORD_RESET, sk, st, SIDE_LOCAL, compat_reset_reason(ctx));
	return 0;
}
