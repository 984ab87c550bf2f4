/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel side keeps of a UDP socket: who operates it, and its first flow. */
#ifndef NETTRACE_DATAGRAM_BPF_H
#define NETTRACE_DATAGRAM_BPF_H

#include "compat.bpf.h"
#include "record.bpf.h"

enum datagram_flags {
	DATAGRAM_BEFORE = 1 << 0, /* connected before nettrace looked: its flow has no beginning */
	DATAGRAM_CLOSED = 1 << 1, /* nobody holds it any more: what still arrives is nobody's */
};

/* An address as records have it: 4 bytes of it used, or 16; network byte order. The port is the host's. */
struct peer {
	__u32 address[4];
	__u16 port;
};

struct datagram_socket {
	__u64 cookie;
	/*
	 * 0: no first flow. Else a hash of its peer; whoever sets it opens the flow, and who comes meanwhile with the
	 * same peer counts already. Cleared when the flow ended by its silence.
	 */
	__u64 claim;
	__u64 last_start_ns; /* of the flows opened so far: no two begin at the same time */
	__u64 holder_start_ns; /* of the holder that iter/task_file chose; 0: the owner was seen at work */
	__u64 cgroup_id;
	__u64 told; /* bytes of the first flow that the iterator last told of */
	struct flow first;
	struct peer peer; /* of the first flow: valid while `opened` */
	__u16 family;
	__u32 opened;  /* the first flow is filled in */
	__u32 further; /* flows opened in `flows` so far */
	__u32 netns;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 opener_pid;
	/* Where the thread that is sending said that it goes: a destination NAT changes the packet before it is counted. */
	__u32 sent_tid;
	__u32 sent_check; /* over the next and the thread: two threads may write at the same time */
	struct peer sent;
	__u8 owner;
	__u8 flags; /* enum datagram_flags */
	char comm[16];
	char opener_comm[16];
};

/*
 * Inserted by cgroup/sock_create, iter/task_file (what was there before) and whatever meets a socket without one
 * (the kernel's own); freed with the socket; read by all datagram programs and by iter/bpf_sk_storage_map.
 */
STORAGE(datagram, datagram_sockets, struct datagram_socket, false)

const volatile bool follow_datagrams __weak =
	false; /* iter/task_file gives UDP sockets their storage */
__u32 datagrams_on __weak =
	0; /* set by user space once what was there before has its storage: counting begins */

__u32 further_flows __weak = 0; /* set here once the map of further flows is used at all */

static __always_inline void datagram_owner_set(struct datagram_socket *st,
					       const struct task_struct *task, __u8 kind)
{
	bpf_probe_read_kernel(st->comm, sizeof(st->comm), GET(task, group_leader)->comm);
	st->pid = GET(task, tgid);
	st->tid = GET(task, pid);
	st->owner = kind;
	st->holder_start_ns = 0;
}

static __always_inline void datagram_owner_current(struct datagram_socket *st,
						   const struct task_struct *task, __u8 kind)
{
	datagram_owner_set(st, task, kind);
	st->uid = bpf_get_current_uid_gid();
	st->cgroup_id = bpf_get_current_cgroup_id();
}

/*
 * `current` operates the socket; only from where that is sure, so never while a packet is on its way. As
 * owner_operated does for TCP.
 */
static __always_inline void datagram_operated(struct datagram_socket *st)
{
	struct task_struct *task = task_current();
	__u32 pid = GET(task, tgid);
	__u8 kind = st->owner;

	if (GET(task, flags) & PF_KTHREAD || kind == OWNER_KERNEL)
		return;
	if (kind == OWNER_UNKNOWN || kind == OWNER_NONE) {
		kind = OWNER_SNAPSHOT;
	} else if (st->pid != pid && kind != OWNER_SNAPSHOT) {
		if (st->opener_pid == pid) { /* it came back */
			st->opener_pid = 0;
			__builtin_memset(st->opener_comm, 0, sizeof(st->opener_comm));
			kind = OWNER_CONNECT;
		} else {
			if (!st->opener_pid) {
				st->opener_pid = st->pid;
				__builtin_memcpy(st->opener_comm, st->comm, sizeof(st->comm));
			}
			kind = OWNER_HANDED;
		}
	}
	datagram_owner_current(st, task, kind);
}

/* The storage of a socket that was not seen to be opened. */
static __always_inline struct datagram_socket *datagram_met(struct bpf_sock *sk)
{
	struct datagram_socket *st = datagram_make(sk);
	struct socket *socket;
	struct sock *address;

	if (!st) {
		count(COUNTER_STORAGE_FAILED);
		return 0;
	}
	address = sock_of(sk);
	socket = BPF_CORE_READ(address, sk_socket);
	st->family = sk->family;
	st->netns = BPF_CORE_READ(address, __sk_common.skc_net.net, ns.inum);
	if (st->owner == OWNER_NONE) {
		st->owner = socket && !BPF_CORE_READ(socket, file) ? OWNER_KERNEL : OWNER_UNKNOWN;
		if (st->owner == OWNER_UNKNOWN && sk->dst_port)
			st->flags |= DATAGRAM_BEFORE;
	}
	return st;
}

/* The local address may be a wildcard still: it decides nothing. */
static __noinline __attribute__((unused)) bool datagram_fits(const struct datagram_socket *st,
							     __u16 lport, const struct peer *peer)
{
	struct filter_facts f = {};

	facts_set_owner(&f, st->pid, st->opener_pid, st->uid, st->owner, st->comm);
	f.lport = lport;
	f.rport = peer->port;
	f.netns = st->netns;
	__builtin_memcpy(f.raddr, peer->address, sizeof(f.raddr));
	filter_settle_addresses(&f, st->family == AF_INET6);
	return facts_wanted(&f);
}

static __always_inline bool datagram_wanted(const struct datagram_socket *st, __u16 lport,
					    const struct peer *peer)
{
	if (filter_family == AF_INET6 && st->family == AF_INET)
		return false;
	return !filter_atom_count || datagram_fits(st, lport, peer);
}

/* Every member; those that the caller must set differently are detail and value. */
static __always_inline void datagram_record(struct record *r, __u8 type,
					    const struct datagram_socket *st,
					    const struct flow *flow, const struct peer *peer,
					    __u64 now)
{
	r->type = type;
	r->flags = RECORD_NO_LATENCY | (flow->start_ns ? 0 : RECORD_BEFORE);
	/* The same act opens a flow whichever side began it. */
	r->owner = st->owner == OWNER_CONNECT && flow->direction == DIRECTION_IN ? OWNER_ACCEPT
										 : st->owner;
	r->direction = flow->direction;
	r->old_state = 0;
	r->new_state = 0;
	r->family = st->family;
	r->detail = 0;
	r->lport = flow->lport;
	r->rport = peer->port;
	r->netns = st->netns;
	r->mono_ns = now;
	r->cookie = st->cookie;
	r->start_ns = flow->start_ns;
	r->since_ns = 0;
	r->established_ns = 0;
	r->cgroup_id = st->cgroup_id;
	r->pid = st->pid;
	r->tid = st->tid;
	r->uid = st->uid;
	r->opener_pid = st->opener_pid;
	__builtin_memcpy(r->comm, st->comm, sizeof(r->comm));
	__builtin_memcpy(r->opener_comm, st->opener_comm, sizeof(r->opener_comm));
	__builtin_memcpy(r->laddr, flow->laddr, sizeof(r->laddr));
	__builtin_memcpy(r->raddr, peer->address, sizeof(r->raddr));
	r->value = 0;
	r->protocol = IPPROTO_UDP;
}

#endif
