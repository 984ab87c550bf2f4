// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Who accepts: hooks inside accept() itself. */
#include "vmlinux.h"

#include "owner.bpf.h"

static __always_inline void accepted(struct tcp_sock *tp, struct socket_storage *st)
{
	struct sock *sk = (struct sock *)tp;
	__u64 now = bpf_ktime_get_ns();

	owner_open_early(st, sk, now);
	if (!owner_unconfirmed(st))
		return;
	owner_set_current(st, task_current(), OWNER_ACCEPT);
	owner_tell_accept(tp, sk, st, now, RECORD_ACCEPT_TIMED);
}

/* Its subflows find their owner here; the first one when it changes next, or when a sweep finds it. */
static __always_inline void connection_asked(struct bpf_sock *bsk)
{
	struct socket_storage owner = {};

	owner_set_current(&owner, task_current(), OWNER_ACCEPT);
	mptcp_keep_owner((__u64)bsk, &owner);
}

static __always_inline int peer_asked(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *bsk = ctx->sk;
	struct socket_storage *st;
	struct tcp_sock *tp;

	if (!bsk)
		return 1;
	if (ctx->protocol == IPPROTO_MPTCP) {
		connection_asked(bsk);
		return 1;
	}
	if (ctx->protocol != IPPROTO_TCP)
		return 1;
	st = socket_find(bsk);
	if (!st || st->direction != DIRECTION_IN)
		return 1;
	tp = tcp_of(bsk);
	if (tp)
		accepted(tp, st);
	return 1;
}

/*
 * accept() runs these in the acceptor's context when the caller asks for the peer's address, and so does
 * getpeername(), which on a connection not yet taken can only be the acceptor's. Always lets the call through.
 */
SEC("cgroup/getpeername4")
int peer_asked4(struct bpf_sock_addr *ctx)
{
	return peer_asked(ctx);
}

SEC("cgroup/getpeername6")
int peer_asked6(struct bpf_sock_addr *ctx)
{
	return peer_asked(ctx);
}

static __always_inline int accept_returned(struct sock *sk)
{
	struct socket_storage *st;
	struct tcp_sock *tp;

	if (!sk)
		return 0;
	st = socket_find(sk);
	tp = tcp_of(sk);
	/* Not locked here: a child may be taken while its → ESTABLISHED still runs elsewhere; told by the next hook then. */
	if (st && tp && st->state != TCP_SYN_RECV && !(GET(task_current(), flags) & PF_KTHREAD))
		accepted(tp, st);
	return 0;
}

/*
 * Every accept(), in the acceptor's context, whether or not it asks for the address; also for the subflows of MPTCP.
 * Only where fexit programs may be loaded. Since 6.10 the function has two arguments; user space loads the one that fits.
 */
SEC("fexit/inet_csk_accept")
int BPF_PROG(accept_returned2, struct sock *listener, void *argument, struct sock *sk)
{
	return accept_returned(sk);
}

SEC("fexit/inet_csk_accept")
int BPF_PROG(accept_returned4, struct sock *listener, int flags, int *err, bool kern,
	     struct sock *sk)
{
	return accept_returned(sk);
}
