// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What is there now: passes over all sockets, run by reading an iterator's file. They hold no socket lock, so they
 * write to the storage only what the programs under the lock do not (see socket_storage).
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>

#include "datagram.bpf.h"
#include "owner.bpf.h"

static __always_inline void row_queues(struct record_row *row, const struct tcp_sock *tp,
				       const struct sock *sk)
{
	row->recv_q = tcp_recv_q(tp, sk);
	row->send_q = tcp_send_q(tp, sk);
	if (GET(sk, __sk_common.skc_state) == TCP_LISTEN) {
		row->head.value = row->send_q;
		row->syn_queue = GET(tp, inet_conn.icsk_accept_queue.qlen.counter);
	}
}

static __always_inline void row_fill_tcp(struct record_row *row, const struct tcp_sock *tp,
					 const struct sock *sk, const struct socket_storage *st,
					 __u64 now)
{
	__u8 state = GET(sk, __sk_common.skc_state);

	record_fill(&row->head, RECORD_SOCKET, tp, sk, st, now, 0, state);
	record_counters_fill(&row->counters, tp, sk);
	row_queues(row, tp, sk);
	/* A child keeps its listener's backlog, a socket that connected has none (sk_clone_lock copies it). */
	if (!st->state && state != TCP_LISTEN)
		row->head.direction = GET(sk, sk_max_ack_backlog) ? DIRECTION_IN : DIRECTION_OUT;
	if (!GET(sk, sk_socket))
		row->head.flags |= RECORD_QUEUED;
}

/* UDP: no storage; owner and name are the holder's. */
static __always_inline void row_fill_udp(struct record_row *row, struct sock *sk, __u64 now)
{
	struct inet_sock *inet = (struct inet_sock *)sk;

	row->head.type = RECORD_SOCKET;
	row->head.flags = RECORD_BEFORE;
	row->head.new_state = GET(sk, __sk_common.skc_state);
	row->head.family = GET(sk, __sk_common.skc_family);
	row->head.lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	row->head.rport = bpf_ntohs(GET(sk, __sk_common.skc_dport));
	row->head.netns = GET(GET(sk, __sk_common.skc_net.net), ns.inum);
	row->head.mono_ns = now;
	row->head.protocol = IPPROTO_UDP;
	row->counters.drops = socket_drops(sk);
	record_addresses(&row->head, sk);
	row->counters.rtt_min_us = ~0U;
	row->recv_q = udp_recv_q(sk);
	row->send_q = datagram_send_q(sk);
}

static __always_inline __u32 task_uid(const struct task_struct *task)
{
	return BPF_CORE_READ(task, cred, uid.val);
}

static __always_inline __u64 task_cgroup(const struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline void owner_set_holder(struct socket_storage *st,
					     const struct task_struct *task, __u8 kind,
					     __u64 start_ns)
{
	owner_set(st, task, kind);
	st->uid = task_uid(task);
	st->cgroup_id = task_cgroup(task);
	st->holder_start_ns = start_ns;
}

/*
 * The owner of a socket that was there before us. Of several holders: of a listener the oldest process
 * (workers inherit it), of a connection the youngest (it is handed to a child).
 */
static __always_inline void seed_owner(struct socket_storage *st, struct sock *sk,
				       const struct task_struct *task)
{
	__u64 start = GET(GET(task, group_leader), start_time);
	bool listener = GET(sk, __sk_common.skc_state) == TCP_LISTEN;

	if (!st->cookie && !st->state)
		st->cookie = socket_cookie(sk);
	if (st->owner == OWNER_NONE || st->owner == OWNER_UNKNOWN)
		owner_set_holder(st, task, OWNER_SNAPSHOT, start);
	else if (st->owner == OWNER_SNAPSHOT && st->holder_start_ns &&
		 (listener ? start < st->holder_start_ns : start > st->holder_start_ns))
		owner_set_holder(st, task, OWNER_SNAPSHOT, start);
}

/* Accepted by a process that has done nothing with it yet and did not ask for the peer's address. */
static __always_inline void confirm_holder(const struct tcp_sock *tp, const struct sock *sk,
					   struct socket_storage *st,
					   const struct task_struct *task, __u64 now)
{
	if (!(st->flags & SOCKET_UNCONFIRMED) || st->taken)
		return;
	owner_set_holder(st, task, OWNER_ACCEPT, 0);
	st->taken = 1;
	record_tell_anyway(RECORD_ACCEPT, tp, sk, st, now, 0, GET(sk, __sk_common.skc_state), 0, 0,
			   0);
}

/*
 * A UDP socket that was there before us: of several holders the oldest of a bound one, the youngest of a connected one.
 * Only until counting begins; after that a process that uses it is caught in the act.
 */
static __always_inline void seed_datagrams(struct sock *sk, const struct task_struct *task)
{
	__u64 start = GET(GET(task, group_leader), start_time);
	bool connected = GET(sk, __sk_common.skc_dport) != 0;
	struct datagram_socket *st;

	if (datagrams_on)
		return;
	st = datagram_make(sk);
	if (!st) {
		count(COUNTER_STORAGE_FAILED);
		return;
	}
	if (st->owner == OWNER_NONE) {
		st->family = GET(sk, __sk_common.skc_family);
		st->netns = GET(GET(sk, __sk_common.skc_net.net), ns.inum);
		if (connected)
			st->flags |= DATAGRAM_BEFORE;
	} else if (st->owner != OWNER_UNKNOWN &&
		   (st->owner != OWNER_SNAPSHOT || !st->holder_start_ns ||
		    (connected ? start <= st->holder_start_ns : start >= st->holder_start_ns))) {
		return;
	}
	datagram_owner_set(st, task, OWNER_SNAPSHOT);
	st->uid = task_uid(task);
	st->cgroup_id = task_cgroup(task);
	st->holder_start_ns = start;
}

/*
 * Every open file of every process, once for each thread group; process context (nettrace reads it). Tells
 * TCP and UDP sockets with their holders and gives a storage with an owner to those that have none.
 * Misses what has no file: orphans, the accept queue, minisockets.
 */
SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct record_row row;
	struct socket_storage *st;
	struct socket *socket;
	struct tcp_sock *tp;
	struct sock *sk;
	__u16 family, type, protocol;
	__u64 now;

	if (!task || !file)
		return 0;
	if (!own_program)
		own_program = program_of(task_current());
	socket = socket_of(file);
	if (!socket)
		return 0;
	sk = GET(socket, sk);
	if (!sk)
		return 0;
	family = GET(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	now = bpf_ktime_get_ns();
	__builtin_memset(&row, 0, sizeof(row));
	type = GET(socket, type);
	protocol = GET(sk, sk_protocol);
	/* The type decides: a raw socket may carry any protocol, and is neither struct tcp_sock nor udp_sock. */
	if (type == SOCK_STREAM && protocol == IPPROTO_TCP) {
		if (GET(sk, __sk_common.skc_state) == TCP_CLOSE)
			return 0;
		tp = tcp_of(sk);
		if (!tp)
			return 0;
		st = socket_make(sk);
		if (!st) {
			count(COUNTER_STORAGE_FAILED);
			return 0;
		}
		seed_owner(st, sk, task);
		confirm_holder(tp, (struct sock *)tp, st, task, now);
		row_fill_tcp(&row, tp, (struct sock *)tp, st, now);
	} else if (type == SOCK_DGRAM && protocol == IPPROTO_UDP) {
		if (follow_datagrams)
			seed_datagrams(sk, task);
		row_fill_udp(&row, sk, now);
		row.head.cookie = socket_cookie(sk);
		row.head.cgroup_id = task_cgroup(task);
	} else {
		return 0;
	}
	row.inode = GET(GET(file, f_inode), i_ino);
	row.holder_pid = GET(task, tgid);
	row.holder_fd = ctx->fd;
	row.holder_start_ns = GET(GET(task, group_leader), start_time);
	row.holder_uid = task_uid(task);
	bpf_probe_read_kernel(row.holder_comm, sizeof(row.holder_comm),
			      GET(task, group_leader)->comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

/* Its → CLOSE was not seen, and it is not gone yet. */
static __always_inline bool ended_unseen(const struct socket_storage *st, const struct sock *sk)
{
	return GET(sk, __sk_common.skc_state) == TCP_CLOSE && st->state && st->state != TCP_CLOSE &&
	       st->state != TCP_LISTEN && st->state != TCP_SYN_RECV;
}

static __always_inline bool row_asked_for(const struct socket_storage *st, const struct sock *sk)
{
	__u8 state = GET(sk, __sk_common.skc_state);

	/* A child that is not established has no cookie of its own yet. */
	if (!st->cookie || (st->state == TCP_LISTEN && state != TCP_LISTEN))
		return false;
	if (sweep_mode == SWEEP_LISTENERS)
		return state == TCP_LISTEN;
	if (sweep_mode == SWEEP_TAKEN)
		return st->flags & SOCKET_UNCONFIRMED && !st->taken && GET(sk, sk_socket);
	return state != TCP_CLOSE || ended_unseen(st, sk);
}

static __always_inline int tell_alive(struct seq_file *seq, const struct socket_storage *st,
				      const struct sock *sk)
{
	struct record_alive alive = { .cookie = st->cookie, .start_ns = st->start_ns };

	alive.state = GET(sk, __sk_common.skc_state);
	alive.ended = ended_unseen(st, sk);
	bpf_seq_write(seq, &alive, sizeof(alive));
	return 0;
}

/* The pass over files does not meet subflows: no file is theirs. */
static __always_inline void confirm_subflow(const struct tcp_sock *tp, const struct sock *sk,
					    struct socket_storage *st)
{
	if (st->taken || !mptcp_find_owner(mptcp_connection_of(tp), st, OWNER_ACCEPT))
		return;
	st->taken = 1;
	record_tell_anyway(RECORD_ACCEPT, tp, sk, st, bpf_ktime_get_ns(), 0,
			   GET(sk, __sk_common.skc_state), 0, 0, 0);
}

/* A function of its own: together with what socket_wanted() needs its row would be too much for the stack. */
static __noinline int tell_row(struct seq_file *seq, const struct tcp_sock *tp,
			       const struct sock *sk, struct socket_storage *st)
{
	struct record_row row;

	__builtin_memset(&row, 0, sizeof(row));
	record_counters_fill(&row.counters, tp, sk);
	if (sweep_mode == SWEEP_CHANGED && row.counters.tx_bytes == st->tx_told &&
	    row.counters.rx_bytes == st->rx_told)
		return 0;
	st->tx_told = row.counters.tx_bytes;
	st->rx_told = row.counters.rx_bytes;
	row_fill_tcp(&row, tp, sk, st, bpf_ktime_get_ns());
	if (ended_unseen(st, sk)) {
		row.head.type = RECORD_CLOSE;
		row.head.flags |= RECORD_RECONCILED;
		row.head.old_state = st->state;
		row.head.detail = st->closed_by;
		row.head.value = GET(sk, sk_err);
	}
	bpf_seq_write(seq, &row, sizeof(row));
	return 0;
}

/*
 * Every socket that has a storage, in all namespaces, with or without a file; process context. Cheaper than the
 * pass over files: for rates (only what moved since the last time) and for telling the living from the dead.
 * Misses: between two reads the kernel goes on by counting entries of a bucket, so it may pass over some while others
 * come and go (bpf_sk_storage_map_seq_find_next).
 */
SEC(STORAGE_ITERATOR)
int tracked(struct STORAGE_CONTEXT *ctx)
{
	struct socket_storage *st = ctx->value;
	struct sock *sk = storage_socket(ctx);
	struct tcp_sock *tp;

	if (!sk || !st || !row_asked_for(st, sk))
		return 0;
	tp = tcp_of(sk);
	if (!tp || !socket_wanted(tp, (struct sock *)tp, st, st->flags & SOCKET_UNCONFIRMED))
		return 0;
	if (sweep_mode == SWEEP_TAKEN)
		confirm_subflow(tp, (struct sock *)tp, st);
	if (sweep_mode == SWEEP_ALIVE)
		return tell_alive(ctx->meta->seq, st, sk);
	return tell_row(ctx->meta->seq, tp, (struct sock *)tp, st);
}
