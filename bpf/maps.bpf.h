/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps, the settings and the counters that all programs share. */
#ifndef NETTRACE_MAPS_BPF_H
#define NETTRACE_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>

#include "event.h"
#include "storage.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define PF_KTHREAD 0x00200000
#define EADDRNOTAVAIL 99
#define ECONNABORTED 103
#define ECONNREFUSED 111

/* user/model/event.h's numbers; those of the TCP states are the kernel's own. */
enum { DIRECTION_UNKNOWN, DIRECTION_OUT, DIRECTION_IN };
enum {
	OWNER_NONE,
	OWNER_CONNECT,
	OWNER_ACCEPT,
	OWNER_LISTEN,
	OWNER_LISTENER,
	OWNER_SNAPSHOT,
	OWNER_HANDED,
	OWNER_KERNEL,
	OWNER_UNKNOWN
};
enum { SIDE_NONE, SIDE_LOCAL, SIDE_REMOTE };
enum { RETRANSMIT_NONE, RETRANSMIT_DATA, RETRANSMIT_SYN, RETRANSMIT_SYNACK, RETRANSMIT_TLP };

enum storage_flags {
	SOCKET_RST_SENT = 1 << 0,
	SOCKET_RST_RECEIVED = 1 << 1,
	SOCKET_BEFORE = 1 << 2, /* was there before nettrace */
	SOCKET_UNCONFIRMED =
		1 << 3,	      /* incoming, established, not yet taken: counted in `unconfirmed` */
	SOCKET_HELD = 1 << 4, /* closed while unconfirmed: user space waits for accept or destroy */
	SOCKET_OPENED = 1 << 5,	    /* established: connect was told, or accept is or will be */
	SOCKET_NO_LATENCY = 1 << 6, /* start_ns is not the moment of the SYN */
	SOCKET_ATTEMPT = 1 << 7,    /* connect() began and no SYN was sent yet: peer in attempt_* */
};

/* What the kernel side keeps of a TCP socket: its connection now, and who owns it. */
struct socket_storage {
	__u64 cookie;
	__u64 start_ns;
	__u64 since_ns;
	__u64 established_ns;
	__u64 cgroup_id;
	__u64 tx_told; /* what the storage iterator last told of, so that it can leave out the rest */
	__u64 rx_told;
	__u64 holder_start_ns; /* of the holder that iter/task_file chose; 0: the owner was seen at work */
	__u32 state;	       /* the last one seen; 0: nothing was seen yet */
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 opener_pid;
	__u32 taken; /* set by iter/task_file, which holds no lock: it found and told the acceptor */
	__u8 owner;
	__u8 direction;
	__u8 closed_by;
	__u8 flags; /* enum storage_flags; written under the socket's lock only */
	char comm[16];
	char opener_comm[16];
	__u32 attempt_addr[4]; /* network byte order */
	__u32 attempt_port;    /* host byte order */
	__u32 unused;
};

/*
 * Inserted by the state programs (→ SYN_SENT, → LISTEN, or the first transition of a socket older than
 * nettrace) and by iter/task_file; cloned by the kernel from a listener to its child; freed with the
 * socket; read by every program and by iter/bpf_sk_storage_map.
 */
STORAGE(socket, sockets, struct socket_storage, true)

/* Filled by every program, drained by user space; its size is set before loading (--buffer). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} ring SEC(".maps") __weak;

/* Settings: written by user space before loading. */
const volatile __u32 wakeup_bytes __weak = 2 * 1024 * 1024; /* a wakeup is forced from here on */
const volatile __u32 own_tgid __weak = 0;		    /* nettrace itself */
const volatile bool tell_states __weak = false;		    /* --states */
const volatile __u32 filter_family __weak = 0;		    /* AF_INET or AF_INET6 only; 0: both */

/* The inode of the program file that nettrace runs from: of this one, as the iterator finds it. 0: not known yet. */
__u64 own_program __weak = 0;

/* Counted by the programs, read by user space. */
__u64 counters[COUNTER_COUNT] __weak = {};
__s64 unconfirmed __weak = 0; /* established incoming sockets that nobody was seen to take */
__u32 wakeup_pending __weak =
	0; /* set here with a forced wakeup, cleared by user space as it drains */
__u32 sweep_mode __weak = SWEEP_ALL; /* set by user space before it runs the storage iterator */

static __always_inline void count(enum kernel_counter counter)
{
	__sync_fetch_and_add(&counters[counter], 1);
}

#endif
