/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What crosses from the kernel to user space: ring records and iterator rows, the same head in both.
 * Fixed-width members only; every byte is written. Addresses are in network byte order, ports in the
 * host's, times in ns of CLOCK_MONOTONIC. Included by bpf/ (after vmlinux.h) and by user/source/.
 */
#ifndef NETTRACE_BPF_EVENT_H
#define NETTRACE_BPF_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum record_type {
	RECORD_NONE,
	RECORD_LISTEN,
	RECORD_UNLISTEN,
	RECORD_CONNECT,
	RECORD_ACCEPT,
	RECORD_FAIL,
	RECORD_RETRANSMIT,
	RECORD_RESET,
	RECORD_CLOSE,
	RECORD_STATE,
	RECORD_DESTROY, /* a socket whose close waits for its acceptor is gone: nobody took it */
	RECORD_SOCKET,	/* iterators only; RECORD_CLOSE too, for an end that was not seen */
	RECORD_FOLLOW, /* --follow: `pid`, forked by `opener_pid`, is followed (value 1) or no more (0) */
	RECORD_FLOW_CLOSE, /* UDP: a socket's first flow ends, with the socket or by its silence */
};

enum record_flags {
	RECORD_RECONCILED = 1 << 0,   /* its own transition was not seen, a later one told of it */
	RECORD_UNCONFIRMED = 1 << 1,  /* incoming, and no process has been seen to take it */
	RECORD_RST_SENT = 1 << 2,     /* on this connection, up to now */
	RECORD_RST_RECEIVED = 1 << 3, /* likewise */
	RECORD_BEFORE = 1 << 4,	      /* the connection was there before nettrace */
	RECORD_ACCEPT_TIMED = 1 << 5, /* ACCEPT: mono_ns is the moment of accept() itself */
	RECORD_NO_LATENCY = 1 << 6,   /* start_ns is not the moment of the SYN */
	RECORD_QUEUED =
		1 << 7, /* SOCKET: has no struct socket: waits for accept, or is an orphan */
};

/* Every record and row begins with it. */
struct record {
	__u8 type;	/* enum record_type */
	__u8 flags;	/* enum record_flags */
	__u8 owner;	/* enum owner_kind (user/model/event.h) */
	__u8 direction; /* enum direction */
	__u8 old_state; /* kernel's TCP states; RETRANSMIT, RESET, SOCKET: the state now is in new_state */
	__u8 new_state;
	__u8 family; /* AF_INET, AF_INET6 */
	__u8 detail; /* RESET: enum side; CLOSE: enum side closed_by; RETRANSMIT: enum retransmit_kind */
	__u16 lport;
	__u16 rport;
	__u32 netns;
	__u64 mono_ns;
	__u64 cookie;
	__u64 start_ns;	      /* SYN, SYN received, listen; 0: before nettrace */
	__u64 since_ns;	      /* when the old state began; 0: unknown */
	__u64 established_ns; /* 0: not yet, or unknown */
	__u64 cgroup_id;      /* of the owner, in cgroup v2; 0: unknown */
	__u32 pid;	      /* of the owner: process; 0: none known */
	__u32 tid;
	__u32 uid;
	__u32 opener_pid; /* 0: the owner opened it */
	char comm[16];
	char opener_comm[16];
	__u8 laddr[16];
	__u8 raddr[16];
	__u32 value; /* FAIL, CLOSE: sk_err; LISTEN: backlog; UNLISTEN: drops; RETRANSMIT: segments so far; RESET: reason + 1 */
	__u16 protocol;
	__u8 mptcp;	   /* 1: a subflow of an MPTCP connection */
	__u8 fin_received; /* CLOSE: 1: the peer had ended its side */
};
_Static_assert(sizeof(struct record) == 152, "no padding");

struct record_counters {
	__u64 tx_bytes;
	__u64 rx_bytes;
	__u32 srtt_us;	  /* 0: no sample */
	__u32 rtt_min_us; /* ~0: no sample */
	__u32 retrans;
	__u32 tx_segs;
	__u32 rx_segs;
	__u32 drops; /* SOCKET: what the kernel did not queue on it; of a listener: attempts */
};
_Static_assert(sizeof(struct record_counters) == 40, "no padding");

/* CLOSE */
struct record_close {
	struct record head;
	struct record_counters counters;
};

/* SOCKET: a row of an iterator: a socket and, from iter/task_file, one process that holds it. */
struct record_row {
	struct record head;
	struct record_counters counters;
	__u64 inode;
	__u32 recv_q;
	__u32 send_q;
	__u32 holder_pid; /* 0: from the storage iterator */
	__s32 holder_fd;
	__u64 holder_start_ns; /* boot clock: tells the older process */
	char holder_comm[16];
	__u32 syn_queue; /* of a listener: half-open requests */
	__u32 holder_uid;
};
_Static_assert(sizeof(struct record_row) == 248, "no padding");

/* What SWEEP_ALIVE tells of each socket: as little as possible, so that one read takes in a whole bucket. */
struct record_alive {
	__u64 cookie;
	__u64 start_ns;
	__u8 state;
	__u8 ended; /* it is closed, and no program saw that */
	__u8 unused[6];
};
_Static_assert(sizeof(struct record_alive) == 24, "no padding");

/*
 * UDP: a flow is a socket and a peer. The first one of a socket lives in the socket's storage, the others in a hash map
 * that user space empties. CONNECT, ACCEPT, DESTROY and FLOW_CLOSE with protocol 17 are about flows.
 */
#define FLOWS_MAX 65536		    /* beyond the first ones */
#define FLOW_IDLE_NS 60000000000ULL /* a flow that is silent for so long has ended */

/* In `detail`. */
enum flow_detail {
	FLOW_FURTHER = 1 << 0, /* not the socket's first: user space has to read and delete it */
	FLOW_IDLE = 1 << 1,    /* ends by its silence; the socket lives on */
};

struct flow_counters {
	__u64 tx_bytes; /* payload */
	__u64 rx_bytes;
	__u64 tx_datagrams;
	__u64 rx_datagrams; /* without drops */
	__u64 drops;	    /* received, but there was no room in the socket's buffer */
	__u64 last_ns;	    /* the last datagram, by the coarse clock */
};
_Static_assert(sizeof(struct flow_counters) == 48, "no padding");

/* Key of the hash map. The addresses are as in a record: an IPv4 peer of an AF_INET6 socket is mapped. */
struct flow_key {
	__u64 cookie;
	__u8 raddr[16];
	__u16 rport;
	__u16 family; /* the socket's */
	__u32 zero;
};
_Static_assert(sizeof(struct flow_key) == 32, "no padding");

struct flow {
	__u64 start_ns; /* 0: the flow was there before nettrace */
	struct flow_counters counters;
	__u8 laddr[16];
	__u16 lport;
	__u8 direction;
	__u8 zero[5];
};
_Static_assert(sizeof(struct flow) == 80, "no padding");

/* FLOW_CLOSE; from the iterator also SOCKET (a flow that lives) and NONE (a socket without a first flow). */
struct record_flow {
	struct record
		head; /* FLOW_CLOSE, NONE, and DESTROY alone: value is the number of further flows so far */
	struct flow_counters counters;
};
_Static_assert(sizeof(struct record_flow) == 200, "no padding");

/* Slots of the counters that user space reads and turns into `lost` events and -v output. */
enum kernel_counter {
	COUNTER_RING_FULL,	    /* records that found no room */
	COUNTER_STORAGE_FAILED,	    /* socket storage that could not be made */
	COUNTER_TRANSITIONS_MISSED, /* state changes that no program saw, told by a later one */
	COUNTER_SECOND_RAN,    /* transitions that the first program did not see, but another */
	COUNTER_FLOWS_FULL,    /* UDP flows that found no room in the map */
	COUNTER_FOLLOWED_FULL, /* processes that --follow had no room for */
	COUNTER_COUNT
};

/* What iter/bpf_sk_storage_map is to tell of. */
enum sweep_mode {
	SWEEP_ALL,
	SWEEP_CHANGED, /* whose byte counters moved since the last sweep */
	SWEEP_TAKEN,   /* in a process's hands, and it is not known in whose */
	SWEEP_LISTENERS,
	SWEEP_ALIVE, /* struct record_alive instead of rows */
};

#endif
