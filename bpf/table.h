/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the passes of bpf/table.bpf.c write: records of these kinds one after the other, each told by its first byte.
 * Fixed-width members only; every byte is written. Addresses are in network byte order, ports in the host's.
 */
#ifndef NETTRACE_BPF_TABLE_H
#define NETTRACE_BPF_TABLE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum table_record {
	TABLE_NONE,
	TABLE_PROCESS, /* the sockets that follow are held by it, up to the next one */
	TABLE_SOCKET,
	TABLE_DETAIL, /* of the socket before it */
	TABLE_KNOWN,  /* a socket with a file: the pass over files tells of it */
};

enum table_kind { TABLE_TCP, TABLE_UDP, TABLE_RAW, TABLE_UNIX, TABLE_KINDS };

#define TABLE_WANTED_MAX \
	32 /* inodes that a second pass over files looks for; more: it tells of all */

#define TABLE_TOLD 64 /* places for processes that were told last, by their pid */

enum table_flags {
	TABLE_CHILD = 1 << 0,	/* keeps a listener's backlog: it came in */
	TABLE_MPTCP = 1 << 1,	/* a subflow */
	TABLE_IN_USE = 1 << 2,	/* has a struct socket: the kernel itself uses it (no file) */
	TABLE_COUNTED = 1 << 3, /* its counters are known */
};

/* ss's numbers (idiag_timer). */
enum table_timer {
	TABLE_TIMER_OFF,
	TABLE_TIMER_ON,
	TABLE_TIMER_KEEPALIVE,
	TABLE_TIMER_TIMEWAIT,
	TABLE_TIMER_PERSIST
};

struct table_process {
	__u8 record; /* TABLE_PROCESS */
	__u8 unused[3];
	__u32 pid;
	__u32 uid;
	__u32 unused2;
	__u64 start_ns;	 /* boot clock: tells the older process */
	__u64 cgroup_id; /* in cgroup v2; 0: unknown */
	char comm[16];
};
_Static_assert(sizeof(struct table_process) == 48, "no padding");

struct table_socket {
	__u8 record; /* TABLE_SOCKET */
	__u8 kind;   /* enum table_kind */
	__u8 family; /* AF_INET, AF_INET6, AF_UNIX */
	__u8 state;  /* the kernel's TCP states */
	__u8 flags;  /* enum table_flags */
	__u8 timer;  /* enum table_timer */
	__u8 timer_retrans;
	__u8 type;   /* SOCK_STREAM, … */
	__s32 fd;    /* -1: no process holds it */
	__u32 netns; /* inode */
	__u64 cookie;
	__u64 inode;	     /* 0: none */
	__u32 uid;	     /* who made it */
	__u32 timer_jiffies; /* until it goes off */
	__u32 recv_q;
	__u32 send_q;
	__u16 lport;
	__u16 rport;
	__u32 syn_queue; /* of a listener: half-open requests */
	__u8 laddr[16];
	__u8 raddr[16];
	__u64 tx_bytes;
	__u64 rx_bytes;
	__u32 srtt_us;	  /* 0: no sample */
	__u32 rtt_min_us; /* ~0: no sample */
	__u32 retrans;
	__u32 tx_segs;
	__u32 rx_segs;
	__u32 drops;
};
_Static_assert(sizeof(struct table_socket) == 128, "no padding");

/* With -e: what ss -i tells of a connection. */
struct table_detail {
	__u8 record; /* TABLE_DETAIL */
	__u8 unused[3];
	__u32 rttvar_us;
	__u32 rto_jiffies;
	__u32 mss;
	__u32 pmtu;
	__u32 cwnd;
	__u32 ssthresh;
	__u32 unacked;
	char congestion[16];
};
_Static_assert(sizeof(struct table_detail) == 48, "no padding");

struct table_known {
	__u8 record; /* TABLE_KNOWN */
	__u8 unused[3];
	__u32 inode;
	__u64 cookie;
};
_Static_assert(sizeof(struct table_known) == 16, "no padding");

#endif
