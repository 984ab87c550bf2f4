/* SPDX-License-Identifier: BSD-2-Clause */
/* From a socket and its storage to a record: reserve, fill, submit. */
#ifndef NETTRACE_RECORD_BPF_H
#define NETTRACE_RECORD_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"
#include "select.bpf.h"

static __always_inline __u8 record_flags_of(const struct socket_storage *st)
{
	__u8 flags = 0;

	if (st->flags & SOCKET_RST_SENT)
		flags |= RECORD_RST_SENT;
	if (st->flags & SOCKET_RST_RECEIVED)
		flags |= RECORD_RST_RECEIVED;
	if (!st->state || st->flags & SOCKET_BEFORE)
		flags |= RECORD_BEFORE;
	if (st->flags & (SOCKET_UNCONFIRMED | SOCKET_HELD) && !st->taken)
		flags |= RECORD_UNCONFIRMED;
	if (st->flags & SOCKET_NO_LATENCY)
		flags |= RECORD_NO_LATENCY;
	return flags;
}

/* Network byte order, four words each. */
static __always_inline void socket_addresses(const struct sock *sk, __u32 *l, __u32 *p)
{
	if (GET(sk, __sk_common.skc_family) == AF_INET) {
		l[0] = GET(sk, __sk_common.skc_rcv_saddr);
		p[0] = GET(sk, __sk_common.skc_daddr);
		l[1] = l[2] = l[3] = 0;
		p[1] = p[2] = p[3] = 0;
		return;
	}
	l[0] = GET(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0]);
	l[1] = GET(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1]);
	l[2] = GET(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2]);
	l[3] = GET(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3]);
	p[0] = GET(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[0]);
	p[1] = GET(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[1]);
	p[2] = GET(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[2]);
	p[3] = GET(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[3]);
}

static __always_inline void record_addresses(struct record *r, const struct sock *sk)
{
	socket_addresses(sk, (__u32 *)r->laddr, (__u32 *)r->raddr);
}

/*
 * What of selection and filter the kernel can decide; user space checks all of it again. The owner of a connection not yet
 * taken is not known, so it decides nothing (`any_owner`). `attempt`: the peer is the one that connect() was given.
 */
static __noinline __attribute__((unused)) bool socket_fits(const struct tcp_sock *tp,
							   const struct sock *sk,
							   const struct socket_storage *st,
							   bool any_owner, bool attempt)
{
	struct filter_facts f = {};

	facts_set_owner(&f, st->pid, st->opener_pid, st->uid, st->owner, st->comm);
	f.any_owner = any_owner;
	f.lport = socket_lport(tp);
	f.rport = attempt ? st->attempt_port : bpf_ntohs(GET(sk, __sk_common.skc_dport));
	f.netns = GET(GET(sk, __sk_common.skc_net.net), ns.inum);
	socket_addresses(sk, f.laddr, f.raddr);
	if (attempt)
		__builtin_memcpy(f.raddr, st->attempt_addr, sizeof(f.raddr));
	filter_settle_addresses(&f, GET(sk, __sk_common.skc_family) == AF_INET6);
	return facts_wanted(&f);
}

static __always_inline bool socket_wanted(const struct tcp_sock *tp, const struct sock *sk,
					  const struct socket_storage *st, bool any_owner)
{
	return !filter_atom_count || socket_fits(tp, sk, st, any_owner, false);
}

static __always_inline bool attempt_wanted(const struct tcp_sock *tp, const struct sock *sk,
					   const struct socket_storage *st)
{
	return !filter_atom_count || socket_fits(tp, sk, st, false, true);
}

/* Every member but detail and value, which the caller sets. `r` may hold anything before. */
static __always_inline void record_fill(struct record *r, __u8 type, const struct tcp_sock *tp,
					const struct sock *sk, const struct socket_storage *st,
					__u64 now, __u8 old_state, __u8 new_state)
{
	r->type = type;
	r->flags = record_flags_of(st);
	r->owner = st->owner;
	r->direction = st->direction;
	r->old_state = old_state;
	r->new_state = new_state;
	r->family = GET(sk, __sk_common.skc_family);
	r->detail = 0;
	r->lport = socket_lport(tp);
	r->rport = bpf_ntohs(GET(sk, __sk_common.skc_dport));
	r->netns = GET(GET(sk, __sk_common.skc_net.net), ns.inum);
	r->mono_ns = now;
	r->cookie = st->cookie;
	r->start_ns = st->start_ns;
	r->since_ns = st->since_ns;
	r->established_ns = st->established_ns;
	r->cgroup_id = st->cgroup_id;
	r->pid = st->pid;
	r->tid = st->tid;
	r->uid = st->uid;
	r->opener_pid = st->opener_pid;
	__builtin_memcpy(r->comm, st->comm, sizeof(r->comm));
	__builtin_memcpy(r->opener_comm, st->opener_comm, sizeof(r->opener_comm));
	record_addresses(r, sk);
	r->value = 0;
	r->protocol = IPPROTO_TCP;
	r->mptcp = compat_is_mptcp(tp);
	r->fin_received = !!(GET(sk, __sk_common.skc_flags) & (1UL << SOCK_DONE));
}

/* No wakeup for each record (it costs more than all the rest): one when a quarter of the ring is full. */
static __always_inline void record_submit(void *r)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!wakeup_pending && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= wakeup_bytes) {
		wakeup_pending = 1;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(r, flags);
}

/* Room in the ring for `size` bytes, a constant; NULL, and the loss counted, where there is none. */
static __always_inline void *record_reserve(__u64 size)
{
	void *room = bpf_ringbuf_reserve(&ring, size, 0);

	if (!room)
		count(COUNTER_RING_FULL);
	return room;
}

/* Whether or not it is wanted: for iterators, whose rows leave no room on the stack for the question. */
static __always_inline void record_tell_anyway(__u8 type, const struct tcp_sock *tp,
					       const struct sock *sk,
					       const struct socket_storage *st, __u64 now,
					       __u8 old_state, __u8 new_state, __u8 flags,
					       __u8 detail, __u32 value)
{
	struct record *r = record_reserve(sizeof(*r));

	if (!r)
		return;
	record_fill(r, type, tp, sk, st, now, old_state, new_state);
	r->flags |= flags;
	r->detail = detail;
	r->value = value;
	record_submit(r);
}

static __always_inline void record_tell(__u8 type, const struct tcp_sock *tp, const struct sock *sk,
					const struct socket_storage *st, __u64 now, __u8 old_state,
					__u8 new_state, __u8 flags, __u8 detail, __u32 value)
{
	if (socket_wanted(tp, sk, st, flags & RECORD_UNCONFIRMED))
		record_tell_anyway(type, tp, sk, st, now, old_state, new_state, flags, detail,
				   value);
}

static __always_inline void record_tell_close(const struct tcp_sock *tp, const struct sock *sk,
					      const struct socket_storage *st, __u64 now,
					      __u8 old_state, __u8 flags)
{
	struct record_close *r;

	if (!socket_wanted(tp, sk, st, flags & RECORD_UNCONFIRMED))
		return;
	r = record_reserve(sizeof(*r));
	if (!r)
		return;
	record_fill(&r->head, RECORD_CLOSE, tp, sk, st, now, old_state, TCP_CLOSE);
	r->head.flags |= flags;
	r->head.detail = st->closed_by;
	r->head.value = GET(sk, sk_err);
	record_counters_fill(&r->counters, tp, sk);
	record_submit(r);
}

#endif
