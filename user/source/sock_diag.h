/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of the calling thread's network namespace as the kernel lists them: NETLINK_SOCK_DIAG, or
 * /proc/net where that is not to be had. No owners: table_join.c and polling.c add them.
 */
#ifndef NETTRACE_SOCK_DIAG_H
#define NETTRACE_SOCK_DIAG_H

#include "model/event.h"

#include <linux/netlink.h>

/* One socket, compact: a table of 100 000 has to be held until it is known to be whole. */
struct socket_row {
	uint64_t cookie; /* of the kernel; from /proc/net a stand-in, stable for its life */
	uint64_t inode;	 /* 0: no process can hold it (TIME_WAIT, SYN_RECV, orphan) */
	uint64_t peer_inode;
	uint64_t cgroup_id;
	uint64_t tx_bytes, rx_bytes;
	uint8_t laddr[16], raddr[16]; /* network byte order; 4 or 16 bytes used */
	uint32_t name;		      /* where in socket_rows' names; 0: none */
	uint32_t netns;		      /* inode; 0: unknown */
	uint32_t uid, recv_q, send_q;
	uint32_t srtt_us, rtt_min_us; /* 0: not measured */
	uint32_t retrans, tx_segs, rx_segs;
	uint32_t timer_ms;
	uint32_t rttvar_us, rto_us, mss, pmtu, cwnd, ssthresh, unacked; /* where has_detail */
	uint16_t lport, rport;
	uint8_t proto, family;	      /* IPPROTO_*, PROTO_UNIX; AF_INET, AF_INET6, AF_UNIX */
	uint8_t state, type;	      /* enum tcp_state; enum socket_type of a unix socket */
	uint8_t timer, timer_retrans; /* enum socket_timer */
	bool has_bytes, has_segs, has_retrans; /* what the kernel told of the counters */
	bool has_uid, has_queues, has_detail;
	char congestion[16];
};

#define STAND_IN_COOKIE (1ULL << 63) /* in a cookie that is not the kernel's */

/*
 * An inet_diag answer (struct inet_diag_msg and attributes). 0, or -EBADMSG: too short, or not of
 * this family.
 */
int sock_diag_parse(const struct nlmsghdr *message, uint8_t proto, struct socket_row *row);
/* A unix_diag answer; *name, of *length bytes, is its path (NULL: none), within the message. 0 or -EBADMSG. */
int unix_diag_parse(const struct nlmsghdr *message, struct socket_row *row, const char **name,
		    size_t *length);
/* enum socket_type of SOCK_STREAM and the like. */
uint8_t socket_type_of(unsigned int type);

/* The row as a `socket` event with owner unknown. `name`: what it is bound to, or NULL; borrowed. `detail`: with what -e asks for. */
void socket_row_to_event(const struct socket_row *row, const char *name, bool detail,
			 uint64_t time_ns, uint64_t mono_ns, struct event *e);

/* What is asked for. */
struct sock_diag_query {
	bool tcp, udp, raw, unix_sockets;
	uint32_t tcp_states; /* bits 1 << enum tcp_state */
};

struct socket_rows;

/* Adds the sockets of the calling thread's namespace. 0, or -errno when neither netlink nor /proc/net tells of them. */
int sock_diag_read(const struct sock_diag_query *query, struct socket_rows *rows);

#endif
