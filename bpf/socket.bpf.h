/* SPDX-License-Identifier: BSD-2-Clause */
/* What a socket itself tells. No maps: the programs that trace and those that only list share it, in both ways to read memory. */
#ifndef NETTRACE_SOCKET_BPF_H
#define NETTRACE_SOCKET_BPF_H

#include "access.bpf.h"

#include <bpf/bpf_endian.h>

#include "event.h"

/* include/linux/net.h */
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3

/*
 * What begins a tcp_sock. For each type that a program starts from libbpf searches all of the kernel's, nearly 1 ms each;
 * so programs that have to begin at once name sockets of all kinds by this one.
 */
struct tcp_sock___begin {
	struct {
		struct {
			struct sock sk;
			__be16 inet_sport;
		} icsk_inet;
	} inet_conn;
} __attribute__((preserve_access_index));

#define INET_SOCK(sk) (&((const struct tcp_sock___begin *)(sk))->inet_conn.icsk_inet)
#define SOCK(sk) (&INET_SOCK(sk)->sk)

struct numa_drop_counters___two {
	atomic_t drops0;
	atomic_t drops1;
} __attribute__((preserve_access_index));

/* Members that not every kernel has. */
struct tcp_sock___varying {
	struct {
		struct {
			struct {
				/* Since 6.18 UDP and raw sockets count there, one counter for each NUMA node. */
				struct numa_drop_counters___two *sk_drop_counters;
				struct timer_list
					tcp_retransmit_timer; /* was icsk_retransmit_timer */
				struct timer_list
					sk_timer; /* keepalive; became icsk_keepalive_timer */
			} sk;
		} icsk_inet;
		unsigned long icsk_timeout; /* the deadline; since 6.19 it is the timer's */
		struct timer_list icsk_retransmit_timer;
		struct timer_list icsk_keepalive_timer;
	} inet_conn;
	bool is_mptcp; /* CONFIG_MPTCP */
} __attribute__((preserve_access_index));

static __always_inline __u8 compat_is_mptcp(const struct tcp_sock *tp)
{
	const struct tcp_sock___varying *with = (const void *)tp;

	if (!bpf_core_field_exists(with->is_mptcp))
		return 0;
	return GET(with, is_mptcp) ? 1 : 0;
}

static __always_inline __u16 socket_lport(const struct tcp_sock *tp)
{
	/* Not skc_num: that is already 0 at → CLOSE. */
	return bpf_ntohs(GET(tp, inet_conn.icsk_inet.inet_sport));
}

static __always_inline __u32 socket_drops(const struct sock *sk)
{
	const struct tcp_sock___varying *with = (const void *)sk;
	const struct numa_drop_counters___two *split;

	if (bpf_core_field_exists(with->inet_conn.icsk_inet.sk.sk_drop_counters)) {
		split = GET(with, inet_conn.icsk_inet.sk.sk_drop_counters);
		if (split)
			return GET(split, drops0.counter) + GET(split, drops1.counter);
	}
	return GET(SOCK(sk), sk_drops.counter);
}

static __always_inline void record_counters_fill(struct record_counters *c,
						 const struct tcp_sock *tp, const struct sock *sk)
{
	__u64 received = GET(tp, bytes_received);

	/* The FIN took one sequence number; SOCK_DONE says that it was received. */
	if (received && (GET(SOCK(sk), __sk_common.skc_flags) & (1UL << SOCK_DONE)))
		received--;
	c->tx_bytes = GET(tp, bytes_sent) - GET(tp, bytes_retrans);
	c->rx_bytes = received;
	c->srtt_us = GET(tp, srtt_us) >> 3;
	c->rtt_min_us = GET(tp, rtt_min.s[0].v);
	c->retrans = GET(tp, total_retrans);
	c->tx_segs = GET(tp, segs_out);
	c->rx_segs = GET(tp, segs_in);
	c->drops = GET(SOCK(sk), sk_drops.counter); /* TCP's are never split */
}

static __always_inline __u32 at_least_0(__u32 a, __u32 b)
{
	__s32 d = a - b;

	return d < 0 ? 0 : d;
}

/* As inet_diag and ss have them: unread bytes and unacknowledged ones; of a listener, who waits and how many may. */
static __always_inline __u32 tcp_recv_q(const struct tcp_sock *tp, const struct sock *sk)
{
	if (GET(SOCK(sk), __sk_common.skc_state) == TCP_LISTEN)
		return GET(SOCK(sk), sk_ack_backlog);
	return at_least_0(GET(tp, rcv_nxt), GET(tp, copied_seq));
}

static __always_inline __u32 tcp_send_q(const struct tcp_sock *tp, const struct sock *sk)
{
	if (GET(SOCK(sk), __sk_common.skc_state) == TCP_LISTEN)
		return GET(SOCK(sk), sk_max_ack_backlog);
	return at_least_0(GET(tp, write_seq), GET(tp, snd_una));
}

/* What the process has read counts until its share of the buffer is given back (udp_rqueue_get). */
static __always_inline __u32 udp_recv_q(const struct sock *sk)
{
	const struct udp_sock *up = (const struct udp_sock *)sk;

	return GET(SOCK(sk), sk_backlog.rmem_alloc.counter) - BPF_CORE_READ(up, forward_deficit);
}

static __always_inline __u32 datagram_send_q(const struct sock *sk)
{
	return GET(SOCK(sk), sk_wmem_alloc.refs.counter) - 1;
}

#endif
