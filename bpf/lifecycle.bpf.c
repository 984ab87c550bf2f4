// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The life of a TCP socket: listen, connect, accept, fail, close, and every state between. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>

#include "attempt.bpf.h"
#include "owner.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool is_wanted_tcp(const struct sock *sk)
{
	__u16 family = GET(sk, __sk_common.skc_family);

	if (family != AF_INET && family != AF_INET6)
		return false;
	if (filter_family == AF_INET6 && family == AF_INET)
		return false;
	return GET(sk, sk_protocol) == IPPROTO_TCP;
}

/* A new connection or listener begins on this socket; what was before is over. */
static __always_inline void storage_begin(struct socket_storage *st, const struct sock *sk,
					  __u64 now, __u8 direction)
{
	storage_reset(st, now, direction);
	st->cookie = socket_cookie((struct sock *)sk);
}

/*
 * The storage was cloned from the listener (or is fresh): the child's life begins. Its cookie is not
 * taken here: the kernel overwrites it right after LISTEN → SYN_RECV (inet_csk_clone_lock).
 */
static __always_inline void storage_begin_child(struct socket_storage *st, __u64 now)
{
	storage_reset(st, now, DIRECTION_IN);
	st->cookie = 0;
	st->since_ns = now;
	if (st->owner != OWNER_KERNEL) /* what a kernel listener (NFS) takes, the kernel took */
		st->owner = st->pid ? OWNER_LISTENER : OWNER_UNKNOWN;
}

/* The owner of a socket at the moment it connects or listens. */
static __always_inline void storage_set_maker(struct socket_storage *st, const struct tcp_sock *tp,
					      const struct sock *sk, const struct task_struct *task,
					      __u8 kind)
{
	__u64 connection = mptcp_connection_of(tp);

	if (owner_is_kernel(tp, sk)) {
		owner_set_kernel(st);
		return;
	}
	if (current_operates(sk, task)) {
		owner_set_current(st, task, kind);
		mptcp_keep_owner(connection, st);
		return;
	}
	if (mptcp_find_owner(connection, st, kind))
		return;
	owner_set_kernel(st);
	if (!GET(sk, sk_lock.owned))
		st->owner = OWNER_UNKNOWN;
}

/*
 * A child is made by the last ACK of its handshake. When the SYN came, the kernel tells with its first round-trip sample,
 * from its SYN,ACK to that ACK (tcp_synack_rtt_meas); after a SYN,ACK was sent again it does not.
 */
static __always_inline void storage_set_child_start(struct socket_storage *st,
						    const struct tcp_sock *tp, __u64 now)
{
	__u64 handshake_ns = (GET(tp, srtt_us) >> 3) * 1000ULL;

	if (handshake_ns && !GET(tp, total_retrans))
		st->start_ns = now - handshake_ns;
	else
		st->flags |= SOCKET_NO_LATENCY;
}

static __always_inline void storage_established(const struct tcp_sock *tp, const struct sock *sk,
						struct socket_storage *st, __u64 now,
						__u8 old_state, __u8 flags)
{
	if (st->flags & SOCKET_OPENED) { /* Fast Open: a process has it already */
		st->established_ns = now;
		return;
	}
	st->flags |= SOCKET_OPENED;
	st->established_ns = now;
	if (st->direction == DIRECTION_IN)
		storage_set_child_start(st, tp, now);
	if (!st->cookie)
		st->cookie = socket_cookie((struct sock *)sk);
	if (st->owner == OWNER_KERNEL && st->direction == DIRECTION_IN) {
		record_tell(RECORD_ACCEPT, tp, sk, st, now, old_state, TCP_ESTABLISHED, flags, 0,
			    0);
		return;
	}
	if (st->direction == DIRECTION_OUT) {
		record_tell(RECORD_CONNECT, tp, sk, st, now, old_state, TCP_ESTABLISHED, flags, 0,
			    0);
		return;
	}
	/* Told once a process has taken it; until then only counted. */
	st->flags |= SOCKET_UNCONFIRMED;
	__sync_fetch_and_add(&unconfirmed, 1);
	owner_of_subflow(tp, sk, st, now);
}

/*
 * sk_err is 0 when connect() gave up before a SYN was sent; without a port in the end, the reason was that there is
 * none left (__inet_hash_connect has no other one then).
 */
static __always_inline __u32 failed_errno(const struct tcp_sock *tp, const struct sock *sk,
					  const struct socket_storage *st)
{
	/* A RST in SYN_SENT is a refusal (tcp_reset); its program may have fetched sk_err before the state changed. */
	if (!GET(sk, sk_err) && st->flags & SOCKET_RST_RECEIVED)
		return ECONNREFUSED;
	if (!GET(sk, sk_err) && !socket_lport(tp) && !GET(tp, segs_out))
		return EADDRNOTAVAIL;
	return GET(sk, sk_err);
}

/* → CLOSE: a listener that ends, an attempt that failed, or the end of a connection. */
static __always_inline void storage_closed(const struct tcp_sock *tp, const struct sock *sk,
					   struct socket_storage *st, __u64 now, __u8 old_state,
					   __u8 flags)
{
	if (old_state == TCP_LISTEN) {
		record_tell(RECORD_UNLISTEN, tp, sk, st, now, old_state, TCP_CLOSE, flags, 0,
			    GET(sk, sk_drops.counter));
		return;
	}
	if (!(st->flags & (SOCKET_OPENED | SOCKET_BEFORE))) {
		/* A child that the kernel gave up before it was established was never anybody's. */
		if (st->direction != DIRECTION_IN)
			record_tell(RECORD_FAIL, tp, sk, st, now, old_state, TCP_CLOSE, flags, 0,
				    failed_errno(tp, sk, st));
		return;
	}
	if (owner_unconfirmed(st) && (st->flags & SOCKET_UNCONFIRMED)) {
		owner_settled(st);
		st->flags |= SOCKET_HELD;
		flags |= RECORD_UNCONFIRMED;
	}
	record_tell_close(tp, sk, st, now, old_state, flags);
}

/* The storage does not know what must have happened before `old_state`: catch up with it. */
static __always_inline void storage_catch_up(const struct tcp_sock *tp, const struct sock *sk,
					     struct socket_storage *st, __u64 now, __u8 old_state)
{
	if (!st->state) { /* older than nettrace, or its first change was not seen */
		st->cookie = socket_cookie((struct sock *)sk);
		if (st->owner == OWNER_NONE)
			st->owner = OWNER_UNKNOWN;
		if (old_state != TCP_CLOSE && old_state != TCP_SYN_SENT)
			st->flags |= SOCKET_BEFORE;
		if (old_state == TCP_SYN_SENT) {
			st->direction = DIRECTION_OUT;
			st->flags |= SOCKET_NO_LATENCY;
		}
		return;
	}
	if (st->state == TCP_LISTEN && old_state != TCP_LISTEN) {
		storage_begin_child(st, now); /* a child whose LISTEN → SYN_RECV was not seen */
		st->flags |= SOCKET_NO_LATENCY;
	}
	count(COUNTER_TRANSITIONS_MISSED);
	if (old_state != TCP_SYN_SENT && old_state != TCP_SYN_RECV && old_state != TCP_LISTEN &&
	    old_state != TCP_CLOSE && !(st->flags & (SOCKET_OPENED | SOCKET_BEFORE))) {
		storage_established(tp, sk, st, now, old_state, RECORD_RECONCILED);
		st->flags |= SOCKET_NO_LATENCY;
	}
}

/* `ss -K` ends a connection under its lock, and is not its owner for that (tcp_abort). */
static __always_inline bool is_aborted(const struct sock *sk, int new_state)
{
	return new_state == TCP_CLOSE && GET(sk, sk_err) == ECONNABORTED;
}

static __always_inline int state_changed(struct sock *sk, int old_state, int new_state, bool second)
{
	struct socket_storage *st;
	struct task_struct *task;
	struct tcp_sock *tp;
	__u64 now;

	if (old_state == new_state || !is_wanted_tcp(sk))
		return 0;
	st = socket_find(sk);
	if (second) {
		if (st && st->state == (__u32)new_state)
			return 0;
		count(COUNTER_SECOND_RAN);
	}
	if (old_state == TCP_LISTEN && new_state == TCP_SYN_RECV)
		st = socket_inherit(sk, st);
	if (!st) {
		st = socket_make(sk);
		if (!st) {
			count(COUNTER_STORAGE_FAILED);
			return 0;
		}
	}
	tp = tcp_of(sk);
	if (!tp)
		return 0;
	now = bpf_ktime_get_ns();
	task = task_current();

	if (new_state == TCP_SYN_SENT && st->flags & SOCKET_ATTEMPT) {
		attempt_goes_on(st);
		mptcp_keep_owner(mptcp_connection_of(tp), st);
	} else if (new_state == TCP_SYN_SENT) {
		storage_begin(st, sk, now, DIRECTION_OUT);
		storage_set_maker(st, tp, sk, task, OWNER_CONNECT);
	} else if (new_state == TCP_LISTEN) {
		storage_begin(st, sk, now, DIRECTION_UNKNOWN);
		storage_set_maker(st, tp, sk, task, OWNER_LISTEN);
		record_tell(RECORD_LISTEN, tp, sk, st, now, old_state, new_state, 0, 0,
			    GET(sk, sk_max_ack_backlog));
	} else if (old_state == TCP_LISTEN && new_state == TCP_SYN_RECV) {
		storage_begin_child(st, now);
	} else {
		if (st->state != (__u32)old_state)
			storage_catch_up(tp, sk, st, now, old_state);
		if (old_state == TCP_SYN_RECV && new_state != TCP_ESTABLISHED &&
		    new_state != TCP_CLOSE)
			owner_open_early(st, sk, now);
		if (current_operates(sk, task) && !is_aborted(sk, new_state))
			owner_operated(tp, sk, st, task, now);
		else
			owner_of_subflow(tp, sk, st, now);
		if (st->closed_by == SIDE_NONE)
			st->closed_by = new_state == TCP_CLOSE_WAIT  ? SIDE_REMOTE
					: new_state == TCP_FIN_WAIT1 ? SIDE_LOCAL
								     : SIDE_NONE;
		if (new_state == TCP_ESTABLISHED)
			storage_established(tp, sk, st, now, old_state, 0);
		else if (new_state == TCP_CLOSE)
			storage_closed(tp, sk, st, now, old_state, 0);
	}
	/* The child of a listener has neither its ports nor its cookie yet: told with its next change. */
	if (tell_states && !(old_state == TCP_LISTEN && new_state == TCP_SYN_RECV))
		record_tell(RECORD_STATE, tp, sk, st, now, old_state, new_state, 0, 0, 0);
	st->since_ns = now;
	st->state = new_state;
	return 0;
}

/*
 * Every state change of every TCP socket, in process context or in softirq, always with the socket locked.
 * Two programs, because the kernel skips one that is already running on this CPU (a softirq on top of
 * it, or a preempted task from 7.0 on): the second acts only where the storage shows that the first did not run.
 * Misses: changes while both are interrupted on one CPU; told by the next change or by tcp_destroy_sock.
 */
TRACEPOINT("inet_sock_set_state")
int BPF_PROG(state_first, struct sock *sk, int old_state, int new_state)
{
	return state_changed(sk, old_state, new_state, false);
}

TRACEPOINT("inet_sock_set_state")
int BPF_PROG(state_second, struct sock *sk, int old_state, int new_state)
{
	return state_changed(sk, old_state, new_state, true);
}

/* Where programs are preempted (since 7.0) preempted tasks can keep both from running: these are loaded there only. */
TRACEPOINT("inet_sock_set_state")
int BPF_PROG(state_third, struct sock *sk, int old_state, int new_state)
{
	return state_changed(sk, old_state, new_state, true);
}

TRACEPOINT("inet_sock_set_state")
int BPF_PROG(state_fourth, struct sock *sk, int old_state, int new_state)
{
	return state_changed(sk, old_state, new_state, true);
}

static __always_inline int socket_gone(struct sock *sk)
{
	struct socket_storage *st;
	struct task_struct *task;
	struct tcp_sock *tp;
	__u64 now;

	if (!is_wanted_tcp(sk))
		return 0;
	st = socket_find(sk);
	if (!st)
		return 0;
	if (!(st->flags & (SOCKET_HELD | SOCKET_ATTEMPT)) && (!st->state || st->state == TCP_CLOSE))
		return 0;
	tp = tcp_of(sk);
	if (!tp)
		return 0;
	now = bpf_ktime_get_ns();
	task = task_current();
	if (st->flags & SOCKET_ATTEMPT) { /* its connect() had failed before a SYN was sent */
		attempt_tell_failed(tp, sk, st, st->start_ns, RECORD_NO_LATENCY, 0);
		return 0;
	}
	if (st->state == TCP_LISTEN && st->cookie != socket_cookie(sk))
		storage_catch_up(tp, sk, st, now, TCP_SYN_RECV);
	if (current_operates(sk, task) && owner_unconfirmed(st))
		owner_operated(tp, sk, st, task, now);
	if (st->state != TCP_CLOSE &&
	    !(st->direction == DIRECTION_IN && st->state == TCP_SYN_RECV)) {
		count(COUNTER_TRANSITIONS_MISSED);
		storage_closed(tp, sk, st, now, st->state, RECORD_RECONCILED);
		st->state = TCP_CLOSE;
	}
	if (st->flags & SOCKET_HELD)
		record_tell(RECORD_DESTROY, tp, sk, st, now, 0, TCP_CLOSE, RECORD_UNCONFIRMED, 0,
			    0);
	return 0;
}

/*
 * The socket goes away: in process context (close, exit; the lock is then owned) or in softirq. Ends what was not
 * seen to end, and names the acceptor of a connection that its peer reset before anything else could.
 */
TRACEPOINT("tcp_destroy_sock")
int BPF_PROG(socket_destroyed, struct sock *sk)
{
	socket_gone(sk);
	socket_drop(sk);
	return 0;
}

/*
 * The first read of an incoming connection is its acceptor's: recvmsg calls this in process context with
 * the lock held. On the data path, so it leaves at once unless some connection still waits for its owner.
 */
TRACEPOINT("tcp_rcv_space_adjust")
int BPF_PROG(socket_read, struct sock *sk)
{
	struct socket_storage *st;
	struct task_struct *task;
	struct tcp_sock *tp;
	__u64 now;

	if (unconfirmed <= 0 && GET(sk, __sk_common.skc_state) != TCP_SYN_RECV)
		return 0;
	st = socket_find(sk);
	if (!st || !is_wanted_tcp(sk))
		return 0;
	task = task_current();
	if (!current_operates(sk, task))
		return 0;
	now = bpf_ktime_get_ns();
	owner_open_early(st, sk, now);
	tp = tcp_of(sk);
	if (tp && owner_unconfirmed(st))
		owner_operated(tp, sk, st, task, now);
	return 0;
}
