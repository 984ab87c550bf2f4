/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of the caller's network namespace as the kernel lists them: NETLINK_SOCK_DIAG, or
 * /proc/net where that is not to be had. No owners: polling.c adds them.
 */
#ifndef NETTRACE_SOCK_DIAG_H
#define NETTRACE_SOCK_DIAG_H

#include "model/event.h"

#include <linux/netlink.h>

/* One socket, compact: a table of 100 000 has to be held until it is known to be whole. */
struct socket_row {
	uint64_t cookie; /* of the kernel; from /proc/net a stand-in, stable for its life */
	uint64_t inode;	 /* 0: no process can hold it (TIME_WAIT, SYN_RECV, orphan) */
	uint64_t cgroup_id;
	uint64_t tx_bytes, rx_bytes;
	uint8_t laddr[16], raddr[16]; /* network byte order; 4 or 16 bytes used */
	uint32_t uid, recv_q, send_q;
	uint32_t srtt_us, rtt_min_us; /* 0: not measured */
	uint32_t retrans, tx_segs, rx_segs;
	uint16_t lport, rport;
	uint8_t proto, family; /* IPPROTO_*, AF_INET or AF_INET6 */
	uint8_t state;
	bool has_bytes, has_segs, has_retrans; /* what the kernel told of the counters */
	bool has_uid;
};

/*
 * An inet_diag answer (struct inet_diag_msg and attributes). 0, or -EBADMSG: too short, or not of
 * this family.
 */
int sock_diag_parse(const struct nlmsghdr *message, uint8_t proto, struct socket_row *row);

/* The row as a `socket` event with owner unknown. `netns`: inode, 0 unknown. */
void socket_row_to_event(const struct socket_row *row, uint32_t netns, uint64_t time_ns,
			 uint64_t mono_ns, struct event *e);

/*
 * One `socket` event for each TCP and UDP socket, IPv4 and IPv6: the TCP listeners first. 0, what
 * the sink returned, or -errno when neither netlink nor /proc/net tells of TCP.
 */
int sock_diag_dump(event_sink *sink, void *context);

#endif
