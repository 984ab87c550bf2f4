// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Connects that fail before they send a SYN; see attempt.bpf.h. */
#include "vmlinux.h"

#include "attempt.bpf.h"

/* `st` is what the socket had before; a connection of its own begins here. */
static __always_inline void attempt_begin(struct socket_storage *st, struct tcp_sock *tp, __u64 now)
{
	struct sock *sk = (struct sock *)tp;

	if (st->flags & SOCKET_ATTEMPT)
		attempt_tell_failed(tp, sk, st, st->start_ns, RECORD_NO_LATENCY, 0);
	storage_reset(st, now, DIRECTION_OUT);
	st->cookie = GET(sk, __sk_common.skc_cookie.counter);
	st->flags = SOCKET_ATTEMPT;
	st->state = TCP_CLOSE;
	if (owner_is_kernel(tp, sk))
		owner_set_kernel(st);
	else
		owner_set_current(st, task_current(), OWNER_CONNECT);
}

static __always_inline struct socket_storage *attempt_of(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *bsk = ctx->sk;
	struct socket_storage *st;
	struct tcp_sock *tp;

	if (!bsk || ctx->protocol != IPPROTO_TCP || GET(task_current(), flags) & PF_KTHREAD)
		return 0;
	bpf_get_socket_cookie(ctx); /* makes one, if there is none */
	st = socket_make(bsk);
	tp = tcp_of(bsk);
	if (!st || !tp)
		return 0;
	attempt_begin(st, tp, bpf_ktime_get_ns());
	return st;
}

/*
 * connect() runs these in the caller's context, with the socket locked and closed, before it looks for a route. They always
 * let the call through.
 */
SEC("cgroup/connect4")
int connect_began4(struct bpf_sock_addr *ctx)
{
	struct socket_storage *st = attempt_of(ctx);

	if (!st)
		return 1;
	st->attempt_port = bpf_ntohs((__u16)ctx->user_port);
	st->attempt_addr[0] = ctx->user_ip4;
	st->attempt_addr[1] = st->attempt_addr[2] = st->attempt_addr[3] = 0;
	return 1;
}

SEC("cgroup/connect6")
int connect_began6(struct bpf_sock_addr *ctx)
{
	struct socket_storage *st = attempt_of(ctx);

	if (!st)
		return 1;
	st->attempt_port = bpf_ntohs((__u16)ctx->user_port);
	st->attempt_addr[0] = ctx->user_ip6[0];
	st->attempt_addr[1] = ctx->user_ip6[1];
	st->attempt_addr[2] = ctx->user_ip6[2];
	st->attempt_addr[3] = ctx->user_ip6[3];
	return 1;
}

static __always_inline int connect_returned(struct sock *sk, int err)
{
	struct socket_storage *st;
	struct tcp_sock *tp;

	if (err >= 0 || !sk)
		return 0;
	st = socket_find(sk);
	tp = tcp_of(sk);
	if (st && tp && st->flags & SOCKET_ATTEMPT)
		attempt_tell_failed(tp, sk, st, bpf_ktime_get_ns(), 0, -err);
	return 0;
}

/* What connect() answers, in the caller's context. Only where fexit programs may be loaded; elsewhere without errno. */
SEC("fexit/tcp_v4_connect")
int BPF_PROG(connect_returned4, struct sock *sk, struct sockaddr *addr, int length, int err)
{
	return connect_returned(sk, err);
}

SEC("fexit/tcp_v6_connect")
int BPF_PROG(connect_returned6, struct sock *sk, struct sockaddr *addr, int length, int err)
{
	return connect_returned(sk, err);
}
