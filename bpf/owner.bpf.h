/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns a socket. State changes often run in softirq, on top of whatever process happens to be there, so
 * `current` counts only while the socket's lock is held by a process (owned) and that is no kernel thread.
 */
#ifndef NETTRACE_OWNER_BPF_H
#define NETTRACE_OWNER_BPF_H

#include "mptcp.bpf.h"
#include "record.bpf.h"

/*
 * Does `current` operate this socket? `owned` is set by lock_sock() and only there; softirqs and timers put
 * their work off while it is set, and what release_sock() then does, it does in the owner's context. Not nettrace itself:
 * while its iterator holds a file that is being closed, the last close falls to it.
 */
static __always_inline bool current_operates(const struct sock *sk, const struct task_struct *task)
{
	return GET(sk, sk_lock.owned) && !(GET(task, flags) & PF_KTHREAD) &&
	       (__u32)GET(task, tgid) != own_tgid;
}

static __always_inline __u64 program_of(const struct task_struct *task)
{
	return (__u64)BPF_CORE_READ(task, mm, exe_file, f_inode);
}

/* Another nettrace on this host: its iterators hold files for a moment too, and no nettrace uses anybody's socket. */
static __always_inline bool is_nettrace(const struct task_struct *task)
{
	return own_program && program_of(task) == own_program;
}

static __always_inline void owner_set(struct socket_storage *st, const struct task_struct *task,
				      __u8 kind)
{
	/* The process's name, not the thread's: io_uring and thread pools name their threads. */
	bpf_probe_read_kernel(st->comm, sizeof(st->comm), GET(task, group_leader)->comm);
	st->pid = GET(task, tgid);
	st->tid = GET(task, pid);
	st->owner = kind;
	st->holder_start_ns = 0;
}

/* Credentials and cgroup of `current`; for the iterators see inventory.bpf.c. */
static __always_inline void owner_set_current(struct socket_storage *st,
					      const struct task_struct *task, __u8 kind)
{
	owner_set(st, task, kind);
	st->uid = bpf_get_current_uid_gid();
	st->cgroup_id = bpf_get_current_cgroup_id();
}

/* No process: NFS and the like. Also while a process runs the kernel's code (mount, modprobe), which is then gone. */
static __always_inline void owner_set_kernel(struct socket_storage *st)
{
	st->pid = st->tid = st->uid = 0;
	st->cgroup_id = 0;
	__builtin_memset(st->comm, 0, sizeof(st->comm));
	st->owner = OWNER_KERNEL;
	st->holder_start_ns = 0;
}

/* Made by the kernel for itself; the subflows of MPTCP are too, but a process has their connection. */
static __always_inline bool owner_is_kernel(const struct tcp_sock *tp, const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock) && !compat_is_mptcp(tp);
}

static __always_inline void owner_forget_opener(struct socket_storage *st)
{
	st->opener_pid = 0;
	__builtin_memset(st->opener_comm, 0, sizeof(st->opener_comm));
}

/* A new connection or listener begins on this socket: all but its owner and cookie, which the caller sets. */
static __always_inline void storage_reset(struct socket_storage *st, __u64 now, __u8 direction)
{
	st->start_ns = now;
	st->since_ns = 0; /* how long it was idle before is not known */
	st->established_ns = 0;
	st->tx_told = 0;
	st->rx_told = 0;
	st->direction = direction;
	st->closed_by = SIDE_NONE;
	st->flags = 0;
	st->taken = 0;
	st->holder_start_ns = 0;
	owner_forget_opener(st);
}

/* It waits for its acceptor no more. Under the lock. */
static __always_inline void owner_settled(struct socket_storage *st)
{
	if (st->flags & SOCKET_UNCONFIRMED)
		__sync_fetch_and_add(&unconfirmed, -1);
	st->flags &= ~(SOCKET_UNCONFIRMED | SOCKET_HELD);
}

/* The socket was accepted, and `st` names by whom: tell it. `flags`: RECORD_ACCEPT_TIMED or 0. */
static __always_inline void owner_tell_accept(const struct tcp_sock *tp, const struct sock *sk,
					      struct socket_storage *st, __u64 now, __u8 flags)
{
	/* User space waits for this one, whoever the acceptor is, when it holds the close back. */
	if (st->flags & SOCKET_HELD)
		flags |= RECORD_UNCONFIRMED;
	owner_settled(st);
	mptcp_keep_owner(mptcp_connection_of(tp), st);
	record_tell(RECORD_ACCEPT, tp, sk, st, now, 0, GET(sk, __sk_common.skc_state), flags, 0, 0);
}

/*
 * TCP Fast Open: a child can be accepted, read and closed before its handshake is complete. Then it counts as
 * established from the moment a process touches it.
 */
static __always_inline void owner_open_early(struct socket_storage *st, const struct sock *sk,
					     __u64 now)
{
	if (st->state != TCP_SYN_RECV || st->direction != DIRECTION_IN ||
	    st->flags & (SOCKET_OPENED | SOCKET_BEFORE))
		return;
	st->flags |= SOCKET_OPENED | SOCKET_UNCONFIRMED;
	st->established_ns = now;
	st->cookie = GET(sk, __sk_common.skc_cookie.counter);
	__sync_fetch_and_add(&unconfirmed, 1);
}

/* Waits for its acceptor: still open, or closed with user space holding the close back. Under the lock. */
static __always_inline bool owner_unconfirmed(struct socket_storage *st)
{
	if (!(st->flags & (SOCKET_UNCONFIRMED | SOCKET_HELD)))
		return false;
	if (!st->taken)
		return true;
	owner_settled(st);
	return false;
}

/* A subflow that nobody accepts itself: its connection's owner has it. */
static __always_inline void owner_of_subflow(const struct tcp_sock *tp, const struct sock *sk,
					     struct socket_storage *st, __u64 now)
{
	__u64 connection = mptcp_connection_of(tp);

	if (connection && owner_unconfirmed(st) && mptcp_find_owner(connection, st, OWNER_ACCEPT))
		owner_tell_accept(tp, sk, st, now, 0);
}

/* `current` operates the socket: confirm the owner, or note that it was handed on. */
static __always_inline void owner_operated(const struct tcp_sock *tp, const struct sock *sk,
					   struct socket_storage *st,
					   const struct task_struct *task, __u64 now)
{
	__u32 pid = GET(task, tgid);
	__u8 kind;

	if (pid != st->pid && is_nettrace(task))
		return;
	if (owner_unconfirmed(st)) {
		owner_set_current(st, task, OWNER_ACCEPT);
		owner_tell_accept(tp, sk, st, now, 0);
		return;
	}
	kind = st->owner;
	if (kind == OWNER_UNKNOWN || kind == OWNER_NONE || kind == OWNER_LISTENER) {
		kind = OWNER_SNAPSHOT;
	} else if (kind == OWNER_KERNEL) {
		return;
	} else if (st->pid != pid && kind != OWNER_SNAPSHOT) {
		if (st->opener_pid == pid) { /* it came back */
			owner_forget_opener(st);
			kind = st->direction == DIRECTION_OUT  ? OWNER_CONNECT
			       : st->direction == DIRECTION_IN ? OWNER_ACCEPT
							       : OWNER_LISTEN;
		} else {
			if (!st->opener_pid) {
				st->opener_pid = st->pid;
				__builtin_memcpy(st->opener_comm, st->comm, sizeof(st->comm));
			}
			kind = OWNER_HANDED;
		}
	}
	owner_set_current(st, task, kind);
}

#endif
