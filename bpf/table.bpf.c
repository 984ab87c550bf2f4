// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The table of sockets alone: an object of its own without storage, ring and tracing, so that `nettrace -tanp` begins at
 * once and leaves nothing behind. The programs run when nettrace reads an iterator's file.
 */
#include "vmlinux.h"

#include "socket.bpf.h"
#include "table.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

/* include/net/inet_connection_sock.h */
#define ICSK_TIME_RETRANS 1
#define ICSK_TIME_PROBE0 3
#define ICSK_TIME_LOSS_PROBE 5
#define ICSK_TIME_REO_TIMEOUT 6

/* What iterators call their programs with: it has no members that move (include/linux/bpf.h, kernel/bpf/task_iter.c, net/ipv4/tcp_ipv4.c). */
struct iterator {
	struct seq_file *seq;
};

struct iterator_task_file {
	struct iterator *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct iterator_tcp {
	struct iterator *meta;
	struct sock_common *sk_common;
	__u32 uid;
};

/* Settings: written by user space before loading. */
const volatile __u32 wanted_kinds = ~0U; /* bits 1 << enum table_kind */
const volatile bool wanted_detail = false;

/*
 * The processes that were told last. Several iterators may run at once, each over processes of its own: where two
 * of those share a place, both are told more often than needed.
 */
__u32 told_pids[TABLE_TOLD] = {};
__u64 told_starts[TABLE_TOLD] = {}; /* ns */

/* A second pass looks for these only. Written by user space before it. */
__u32 wanted_count = 0;
__u64 wanted_inodes[TABLE_WANTED_MAX] = {};

static __always_inline unsigned long retransmit_expires(const struct tcp_sock *tp)
{
	const struct tcp_sock___varying *with = (const void *)tp;

	if (bpf_core_field_exists(with->inet_conn.icsk_timeout))
		return with->inet_conn.icsk_timeout;
	if (bpf_core_field_exists(with->inet_conn.icsk_retransmit_timer))
		return with->inet_conn.icsk_retransmit_timer.expires;
	if (bpf_core_field_exists(with->inet_conn.icsk_inet.sk.tcp_retransmit_timer))
		return with->inet_conn.icsk_inet.sk.tcp_retransmit_timer.expires;
	return 0;
}

/* 0: it is not running. */
static __always_inline unsigned long keepalive_expires(const struct tcp_sock *tp)
{
	const struct tcp_sock___varying *with = (const void *)tp;

	if (bpf_core_field_exists(with->inet_conn.icsk_keepalive_timer))
		return with->inet_conn.icsk_keepalive_timer.entry.pprev
			       ? with->inet_conn.icsk_keepalive_timer.expires
			       : 0;
	if (bpf_core_field_exists(with->inet_conn.icsk_inet.sk.sk_timer))
		return with->inet_conn.icsk_inet.sk.sk_timer.entry.pprev
			       ? with->inet_conn.icsk_inet.sk.sk_timer.expires
			       : 0;
	return 0;
}

/* As inet_sk_diag_fill has it. */
static __always_inline void fill_timer(struct table_socket *row, const struct tcp_sock *tp)
{
	__u8 pending = tp->inet_conn.icsk_pending;
	unsigned long expires;
	long left;

	if (pending == ICSK_TIME_RETRANS || pending == ICSK_TIME_REO_TIMEOUT ||
	    pending == ICSK_TIME_LOSS_PROBE) {
		row->timer = TABLE_TIMER_ON;
		row->timer_retrans = tp->inet_conn.icsk_retransmits;
		expires = retransmit_expires(tp);
	} else if (pending == ICSK_TIME_PROBE0) {
		row->timer = TABLE_TIMER_PERSIST;
		row->timer_retrans = tp->inet_conn.icsk_probes_out;
		expires = retransmit_expires(tp);
	} else {
		expires = keepalive_expires(tp);
		if (!expires)
			return;
		row->timer = TABLE_TIMER_KEEPALIVE;
		row->timer_retrans = tp->inet_conn.icsk_probes_out;
	}
	left = expires - bpf_jiffies64();
	row->timer_jiffies = left > 0 ? left : 0;
}

static __always_inline void fill_addresses(struct table_socket *row, const struct sock *sk)
{
	__u32 *l = (__u32 *)row->laddr, *r = (__u32 *)row->raddr;

	row->rport = bpf_ntohs(SOCK(sk)->__sk_common.skc_dport);
	if (SOCK(sk)->__sk_common.skc_family == AF_INET) {
		l[0] = SOCK(sk)->__sk_common.skc_rcv_saddr;
		r[0] = SOCK(sk)->__sk_common.skc_daddr;
		return;
	}
	l[0] = SOCK(sk)->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0];
	l[1] = SOCK(sk)->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1];
	l[2] = SOCK(sk)->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2];
	l[3] = SOCK(sk)->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3];
	r[0] = SOCK(sk)->__sk_common.skc_v6_daddr.in6_u.u6_addr32[0];
	r[1] = SOCK(sk)->__sk_common.skc_v6_daddr.in6_u.u6_addr32[1];
	r[2] = SOCK(sk)->__sk_common.skc_v6_daddr.in6_u.u6_addr32[2];
	r[3] = SOCK(sk)->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3];
}

/* `row` is zeroed. */
static __always_inline void fill_common(struct table_socket *row, struct sock *sk, __u8 kind)
{
	row->record = TABLE_SOCKET;
	row->kind = kind;
	row->family = SOCK(sk)->__sk_common.skc_family;
	row->state = SOCK(sk)->__sk_common.skc_state;
	row->netns = SOCK(sk)->__sk_common.skc_net.net->ns.inum;
	row->cookie = bpf_get_socket_cookie(sk);
	row->rtt_min_us = ~0U;
	row->fd = -1;
}

static __always_inline void fill_tcp(struct table_socket *row, const struct tcp_sock *tp,
				     const struct sock *sk)
{
	struct record_counters counters = {};

	fill_addresses(row, sk);
	row->lport = socket_lport(tp);
	row->recv_q = tcp_recv_q(tp, sk);
	row->send_q = tcp_send_q(tp, sk);
	if (compat_is_mptcp(tp))
		row->flags |= TABLE_MPTCP;
	record_counters_fill(&counters, tp, sk);
	row->drops = counters.drops;
	if (row->state == TCP_LISTEN) {
		row->syn_queue = tp->inet_conn.icsk_accept_queue.qlen.counter;
		return;
	}
	/* A child keeps its listener's backlog, a socket that connected has none (sk_clone_lock copies it). */
	if (SOCK(sk)->sk_max_ack_backlog)
		row->flags |= TABLE_CHILD;
	row->flags |= TABLE_COUNTED;
	row->tx_bytes = counters.tx_bytes;
	row->rx_bytes = counters.rx_bytes;
	row->srtt_us = counters.srtt_us;
	row->rtt_min_us = counters.rtt_min_us;
	row->retrans = counters.retrans;
	row->tx_segs = counters.tx_segs;
	row->rx_segs = counters.rx_segs;
	fill_timer(row, tp);
}

static __always_inline void fill_detail(struct table_detail *detail, const struct tcp_sock *tp)
{
	const struct tcp_congestion_ops *ops = tp->inet_conn.icsk_ca_ops;

	__builtin_memset(detail, 0, sizeof(*detail));
	detail->record = TABLE_DETAIL;
	detail->rttvar_us = tp->mdev_us >> 2;
	detail->rto_jiffies = tp->inet_conn.icsk_rto;
	detail->mss = tp->mss_cache;
	detail->pmtu = tp->inet_conn.icsk_pmtu_cookie;
	detail->cwnd = tp->snd_cwnd;
	detail->ssthresh = tp->snd_ssthresh;
	detail->unacked = tp->packets_out;
	bpf_probe_read_kernel(detail->congestion, sizeof(detail->congestion), ops->name);
}

/* 0, or not where the buffer is full: the kernel then drops what the program wrote for this socket and runs it again. */
static __always_inline long tell_tcp(struct seq_file *seq, const struct table_socket *row,
				     const struct tcp_sock *tp)
{
	struct table_detail detail;
	long err = bpf_seq_write(seq, (void *)row, sizeof(*row));

	if (err || !wanted_detail || row->state == TCP_LISTEN)
		return err;
	fill_detail(&detail, tp);
	return bpf_seq_write(seq, &detail, sizeof(detail));
}

static __always_inline long tell_process(struct seq_file *seq, const struct task_struct *task)
{
	__u32 place = (__u32)task->tgid % TABLE_TOLD;
	__u64 start_ns = task->group_leader->start_time;
	struct table_process process;
	long err;

	if (told_pids[place] == (__u32)task->tgid && told_starts[place] == start_ns)
		return 0;
	__builtin_memset(&process, 0, sizeof(process));
	process.record = TABLE_PROCESS;
	process.pid = task->tgid;
	process.uid = BPF_CORE_READ(task, cred, uid.val);
	process.start_ns = start_ns;
	process.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_probe_read_kernel(process.comm, sizeof(process.comm), task->group_leader->comm);
	err = bpf_seq_write(seq, &process, sizeof(process));
	if (!err) {
		told_pids[place] = task->tgid;
		told_starts[place] = start_ns;
	}
	return err;
}

static __always_inline bool is_wanted(enum table_kind kind)
{
	return wanted_kinds & 1U << kind;
}

/* The kind of an internet socket; TABLE_KINDS: none of the table's, or not asked for. The type decides: raw sockets may carry any protocol. */
static __always_inline enum table_kind inet_kind(const struct socket *socket, const struct sock *sk)
{
	enum table_kind kind = TABLE_KINDS;

	if (socket->type == SOCK_STREAM && SOCK(sk)->sk_protocol == IPPROTO_TCP)
		kind = TABLE_TCP;
	else if (socket->type == SOCK_DGRAM && SOCK(sk)->sk_protocol == IPPROTO_UDP)
		kind = TABLE_UDP;
	else if (socket->type == SOCK_RAW)
		kind = TABLE_RAW;
	return kind != TABLE_KINDS && is_wanted(kind) ? kind : TABLE_KINDS;
}

static __always_inline void fill_datagram(struct table_socket *row, struct sock *sk, __u8 kind)
{
	fill_addresses(row, sk);
	row->lport = bpf_ntohs(BPF_CORE_READ(INET_SOCK(sk), inet_sport));
	row->recv_q = kind == TABLE_UDP ? udp_recv_q(sk)
					: (__u32)SOCK(sk)->sk_backlog.rmem_alloc.counter;
	row->send_q = datagram_send_q(sk);
	row->drops = socket_drops(sk);
}

/* Costs less than to look at the socket: most files are not what a second pass is for. */
static __always_inline bool is_looked_for(const struct file *file)
{
	__u64 inode;

	if (!wanted_count)
		return true;
	inode = file->f_inode->i_ino;
	for (__u32 i = 0; i < TABLE_WANTED_MAX; i++) {
		if (i >= wanted_count)
			break;
		if (wanted_inodes[i] == inode)
			return true;
	}
	return false;
}

/*
 * Every open file of every process, once for each thread group; process context. A file is held by the iterator, so its
 * socket is whole and stays. Misses what no file table has: orphans, the accept queue, files on their way between
 * processes, io_uring's own.
 */
SEC("iter/task_file")
int table_holders(struct iterator_task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct tcp_sock *tp = NULL;
	struct table_socket row;
	struct socket *socket;
	enum table_kind kind;
	struct sock *sk;
	__u16 family;

	if (!task || !file || !is_looked_for(file))
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	family = SOCK(sk)->__sk_common.skc_family;
	if (family == AF_INET || family == AF_INET6)
		kind = inet_kind(socket, sk);
	else if (family == AF_UNIX && is_wanted(TABLE_UNIX))
		kind = TABLE_UNIX;
	else
		return 0;
	if (kind == TABLE_KINDS)
		return 0;
	if (kind == TABLE_TCP) {
		if (SOCK(sk)->__sk_common.skc_state == TCP_CLOSE)
			return 0; /* neither bound to a peer nor listening: ss has none of these */
		tp = bpf_skc_to_tcp_sock(sk);
		if (!tp)
			return 0;
	}
	__builtin_memset(&row, 0, sizeof(row));
	fill_common(&row, sk, kind);
	row.fd = ctx->fd;
	row.type = socket->type;
	row.inode = file->f_inode->i_ino;
	if (tp)
		fill_tcp(&row, tp, (struct sock *)tp);
	else if (kind != TABLE_UNIX)
		fill_datagram(&row, sk, kind);
	if (kind == TABLE_UDP && !row.lport)
		return 0; /* not bound: nothing reaches it, and the kernel's own list has none of these */
	if (tell_process(seq, task))
		goto again;
	if (tp ? tell_tcp(seq, &row, tp) : bpf_seq_write(seq, &row, sizeof(row)))
		goto again;
	return 0;
again:
	told_pids[(__u32)task->tgid % TABLE_TOLD] = 0; /* that record is dropped too */
	return 0;
}

static __always_inline bool has_file(const struct sock *sk)
{
	const struct socket *socket = SOCK(sk)->sk_socket;

	return socket && socket->file;
}

/*
 * Every TCP socket of the network namespace that the reader is in, from the hash tables; process context, under the
 * socket's lock. Tells in full of what has no file: the accept queue, orphans, the kernel's own, MPTCP subflows (their file is
 * another socket's). Of the others only that they are there, so that user space sees what the pass over files missed.
 * Leaves out the small sockets of SYN_RECV and TIME_WAIT: sock_diag tells of those, with their timers.
 */
SEC("iter/tcp")
int table_unheld(struct iterator_tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct table_known known = { .record = TABLE_KNOWN };
	struct table_socket row;
	struct tcp_sock *tp;
	struct sock *sk;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	if (has_file(sk) && !compat_is_mptcp(tp)) {
		known.cookie = bpf_get_socket_cookie(sk);
		known.inode = SOCK(sk)->sk_socket->file->f_inode->i_ino;
		bpf_seq_write(ctx->meta->seq, &known, sizeof(known));
		return 0;
	}
	__builtin_memset(&row, 0, sizeof(row));
	fill_common(&row, sk, TABLE_TCP);
	row.type = SOCK_STREAM;
	row.uid = ctx->uid;
	fill_tcp(&row, tp, sk);
	if (SOCK(sk)->sk_socket)
		row.flags |= TABLE_IN_USE;
	tell_tcp(ctx->meta->seq, &row, tp);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
