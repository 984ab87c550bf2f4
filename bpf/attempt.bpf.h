/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connect() that fails before it sends a SYN (no route, no port) makes no state change. Its beginning is noted by
 * cgroup/connect; → SYN_SENT forgets it; what is still noted when connect() returns, at the next connect() or when
 * the socket goes away, has failed.
 */
#ifndef NETTRACE_ATTEMPT_BPF_H
#define NETTRACE_ATTEMPT_BPF_H

#include "owner.bpf.h"

/* The socket has no peer, so the one it asked for is told. */
static __always_inline void attempt_tell_failed(const struct tcp_sock *tp, const struct sock *sk,
						struct socket_storage *st, __u64 when, __u8 flags,
						__u32 error)
{
	struct record *r;

	st->flags &= ~SOCKET_ATTEMPT;
	if (!attempt_wanted(tp, sk, st))
		return;
	r = record_reserve(sizeof(*r));
	if (!r)
		return;
	record_fill(r, RECORD_FAIL, tp, sk, st, when, TCP_CLOSE, TCP_CLOSE);
	r->flags |= flags;
	r->value = error;
	r->rport = st->attempt_port;
	__builtin_memcpy(r->raddr, st->attempt_addr, sizeof(r->raddr));
	record_submit(r);
}

/* → SYN_SENT: cgroup/connect has set the storage up for this connection, a moment ago and in the same process. */
static __always_inline void attempt_goes_on(struct socket_storage *st)
{
	st->flags = 0;
}

#endif
