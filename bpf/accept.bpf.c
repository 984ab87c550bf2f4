// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Who accepts: hooks inside accept() itself. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>

#include "owner.bpf.h"

static __always_inline int peer_asked(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *bsk = ctx->sk;
	struct socket_storage *st;
	struct tcp_sock *tp;

	if (!bsk || unconfirmed <= 0)
		return 1;
	st = bpf_sk_storage_get(&sockets, bsk, 0, 0);
	if (!st || !owner_unconfirmed(st))
		return 1;
	tp = bpf_skc_to_tcp_sock(bsk);
	if (!tp)
		return 1;
	owner_set_current(st, bpf_get_current_task_btf(), OWNER_ACCEPT);
	owner_tell_accept(tp, (struct sock *)tp, st, bpf_ktime_get_ns(), RECORD_ACCEPT_TIMED);
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
