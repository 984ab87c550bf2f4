/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns an MPTCP connection. Programs see its subflows, TCP sockets that change in kernel workers or softirq; the
 * process holds a socket of another kind, which tracing programs can't look into. So whoever is seen to connect or
 * accept is kept under the address of that socket, and its other subflows find their owner there.
 */
#ifndef NETTRACE_MPTCP_BPF_H
#define NETTRACE_MPTCP_BPF_H

#include "record.bpf.h"

struct mptcp_owner {
	__u64 cgroup_id;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 unused;
	char comm[16];
};

/*
 * Key: address of the MPTCP socket. Inserted by whoever sees a process connect or accept, read for subflows without an
 * owner. LRU: a connection whose entry went only has later subflows without an owner.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct mptcp_owner);
} mptcp_owners SEC(".maps") __weak;

/* The MPTCP socket of a subflow; 0: not a subflow. Its address only, not to be looked into. */
static __always_inline __u64 mptcp_connection_of(const struct tcp_sock *tp)
{
	struct mptcp_subflow_context___conn *subflow;

	if (!compat_is_mptcp(tp))
		return 0;
	subflow = (void *)GET(tp, inet_conn.icsk_ulp_data);
	return subflow ? (__u64)BPF_CORE_READ(subflow, conn) : 0;
}

static __always_inline void mptcp_keep_owner(__u64 connection, const struct socket_storage *st)
{
	struct mptcp_owner owner = {};

	if (!connection || !st->pid)
		return;
	owner.cgroup_id = st->cgroup_id;
	owner.pid = st->pid;
	owner.tid = st->tid;
	owner.uid = st->uid;
	__builtin_memcpy(owner.comm, st->comm, sizeof(owner.comm));
	bpf_map_update_elem(&mptcp_owners, &connection, &owner, BPF_ANY);
}

/* False when it is not known either. */
static __always_inline bool mptcp_find_owner(__u64 connection, struct socket_storage *st, __u8 kind)
{
	struct mptcp_owner *owner = connection ? bpf_map_lookup_elem(&mptcp_owners, &connection)
					       : 0;

	if (!owner)
		return false;
	st->pid = owner->pid;
	st->tid = owner->tid;
	st->uid = owner->uid;
	st->cgroup_id = owner->cgroup_id;
	__builtin_memcpy(st->comm, owner->comm, sizeof(st->comm));
	st->owner = kind;
	st->holder_start_ns = 0;
	return true;
}

#endif
