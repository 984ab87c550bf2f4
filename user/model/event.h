/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one event type that every source yields and every view reads.
 *
 * An event is transient: the source owns it and everything it points to until the sink returns.
 * What is not known is not set: a member counts only while its bit is in `present`
 * (event_has, event_set). The field table (event_fields.h) drives JSON, CSV, replay and schema.
 */
#ifndef NETTRACE_EVENT_H
#define NETTRACE_EVENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EVENT_SCHEMA 1 /* `schema` in `start`: raised when a field changes its meaning */

enum event_type {
	EVENT_NONE,
	EVENT_START,
	EVENT_LISTEN,
	EVENT_UNLISTEN,
	EVENT_CONNECT,
	EVENT_ACCEPT,
	EVENT_FAIL,
	EVENT_RETRANSMIT,
	EVENT_RESET,
	EVENT_DROP,
	EVENT_CLOSE,
	EVENT_STATE,
	EVENT_SOCKET, /* a row of the inventory; also what a sweep tells of a living socket */
	EVENT_TOP,
	EVENT_LOST,
	EVENT_SUMMARY,
	EVENT_RECORDING, /* the head of a recording; no view shows it */
	EVENT_TYPE_COUNT
};

/* The kernel's own numbers (include/net/tcp_states.h). */
enum tcp_state {
	STATE_NONE,
	STATE_ESTABLISHED,
	STATE_SYN_SENT,
	STATE_SYN_RECV,
	STATE_FIN_WAIT1,
	STATE_FIN_WAIT2,
	STATE_TIME_WAIT,
	STATE_CLOSE,
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_LISTEN,
	STATE_CLOSING,
	STATE_COUNT
};

enum direction { DIRECTION_UNKNOWN, DIRECTION_OUT, DIRECTION_IN, DIRECTION_COUNT };

/* How the owner is known; CLI.md's words in this order. */
enum owner_kind {
	OWNER_NONE,
	OWNER_CONNECT,
	OWNER_ACCEPT,
	OWNER_LISTEN,
	OWNER_LISTENER,
	OWNER_SNAPSHOT,
	OWNER_HANDED,
	OWNER_KERNEL,
	OWNER_UNKNOWN,
	OWNER_COUNT
};

enum outcome {
	OUTCOME_NONE,
	OUTCOME_CLEAN,
	OUTCOME_REFUSED,
	OUTCOME_TIMED_OUT,
	OUTCOME_UNREACHABLE,
	OUTCOME_RESET_SENT,
	OUTCOME_RESET_RECEIVED,
	OUTCOME_ABORTED,
	OUTCOME_IDLE,
	OUTCOME_COUNT
};

enum side { SIDE_NONE, SIDE_LOCAL, SIDE_REMOTE, SIDE_COUNT };

enum retransmit_kind {
	RETRANSMIT_NONE,
	RETRANSMIT_DATA,
	RETRANSMIT_SYN,
	RETRANSMIT_SYNACK,
	RETRANSMIT_TLP,
	RETRANSMIT_KIND_COUNT
};

/* Transport protocols as IPPROTO_*, and what has no such number: unassigned ones, which no packet carries. */
enum { PROTO_UNIX = 254, PROTO_RAW = IPPROTO_RAW };

/* Of a unix socket. */
enum socket_type {
	SOCKET_TYPE_NONE,
	SOCKET_TYPE_STREAM,
	SOCKET_TYPE_DGRAM,
	SOCKET_TYPE_SEQPACKET,
	SOCKET_TYPE_COUNT
};

/* inet_diag's numbers (idiag_timer); ss's words. */
enum socket_timer {
	TIMER_NONE,
	TIMER_ON,
	TIMER_KEEPALIVE,
	TIMER_TIMEWAIT,
	TIMER_PERSIST,
	TIMER_COUNT
};

enum trace_mode { MODE_NONE, MODE_EBPF, MODE_POLLING, MODE_COUNT };

/* Presence bits, in the order in which JSON prints the fields. */
enum event_field {
	FIELD_EVENT,
	FIELD_TIME,
	FIELD_MONO_NS,
	/* start */
	FIELD_SCHEMA,
	FIELD_VERSION,
	FIELD_KERNEL,
	FIELD_HOST,
	FIELD_BOOT,
	FIELD_RUN,
	FIELD_PART,
	FIELD_MODE,
	FIELD_RUNG,
	FIELD_HOOKS,
	FIELD_SOCKETS,
	/* who and what */
	FIELD_ID,
	FIELD_PROTO,
	FIELD_FAMILY,
	FIELD_V4MAPPED,
	FIELD_MPTCP,
	FIELD_DIRECTION,
	FIELD_PID,
	FIELD_TID,
	FIELD_COMM,
	FIELD_UID,
	FIELD_OWNER,
	FIELD_OPENER_PID,
	FIELD_OPENER_COMM,
	FIELD_LADDR,
	FIELD_LPORT,
	FIELD_RADDR,
	FIELD_RPORT,
	FIELD_NETNS,
	FIELD_CGROUP,
	FIELD_UNIT,
	FIELD_CONTAINER,
	/* what happened */
	FIELD_STATE,
	FIELD_OLD_STATE,
	FIELD_NEW_STATE,
	FIELD_IN_STATE_US,
	FIELD_BACKLOG,
	FIELD_LATENCY_US,
	FIELD_QUEUE_US,
	FIELD_OUTCOME,
	FIELD_ERRNO,
	FIELD_KIND,
	FIELD_BY,
	FIELD_REASON,
	FIELD_DURATION_US,
	FIELD_TX_BYTES,
	FIELD_RX_BYTES,
	FIELD_SRTT_US,
	FIELD_RTT_MIN_US,
	FIELD_RETRANS,
	FIELD_TX_SEGS,
	FIELD_RX_SEGS,
	FIELD_TX_DATAGRAMS,
	FIELD_RX_DATAGRAMS,
	FIELD_DROPS,
	FIELD_CLOSED_BY,
	FIELD_LAST_STATE,
	FIELD_RECV_Q,
	FIELD_SEND_Q,
	FIELD_INODE,
	FIELD_HOLDERS,
	/* rows of lists only */
	FIELD_SOCKET_TYPE,
	FIELD_PATH,
	FIELD_PEER_INODE,
	FIELD_TIMER,
	FIELD_TIMER_US,
	FIELD_TIMER_RETRANS,
	FIELD_RTTVAR_US,
	FIELD_RTO_US,
	FIELD_MSS,
	FIELD_PMTU,
	FIELD_CWND,
	FIELD_SSTHRESH,
	FIELD_UNACKED,
	FIELD_CONGESTION,
	FIELD_COUNT_LOST, /* `count` */
	FIELD_WHERE,
	/* summary */
	FIELD_EVENTS,
	FIELD_LOST,
	FIELD_HEALED,
	FIELD_UNATTRIBUTED,
	FIELD_CONNECTIONS,
	FIELD_RECONCILED,
	FIELD_COUNT
};
_Static_assert(FIELD_COUNT <= 128, "present[] has 128 bits");

/* One process that holds the socket open. */
struct holder {
	uint32_t pid;
	int32_t fd;
	char comm[16]; /* NUL-terminated */
};

struct event {
	uint64_t present[2];
	enum event_type type;

	uint64_t time_ns; /* wall clock, ns since 1970 UTC */
	uint64_t mono_ns; /* CLOCK_MONOTONIC */

	/* `id`: the socket's cookie and the start (mono ns; 0: began before us). */
	uint64_t cookie;
	uint64_t start_ns;

	uint8_t proto;	/* IPPROTO_TCP, IPPROTO_UDP, PROTO_RAW, PROTO_UNIX */
	uint8_t family; /* 4 or 6: of the addresses below */
	bool v4mapped;	/* the socket is AF_INET6, the addresses are IPv4 */
	bool mptcp;	/* a subflow of an MPTCP connection */
	uint8_t direction;
	uint8_t owner;
	bool reconciled;
	uint16_t lport, rport; /* host byte order; both 0 allowed */
	uint8_t laddr[16];     /* network byte order; 4 or 16 bytes used */
	uint8_t raddr[16];
	uint32_t netns; /* inode of the network namespace */

	uint32_t pid, tid, uid;
	uint32_t opener_pid;
	char comm[16]; /* raw bytes as the kernel has them, NUL-terminated */
	char opener_comm[16];
	bool heir; /* SOCKET; not a field: the owner was found among the holders, the one seen at work had let go */
	uint64_t cgroup_id;    /* not a field of its own: `cgroup` is its path; 0: unknown */
	const char *cgroup;    /* borrowed, raw bytes */
	const char *unit;      /* borrowed */
	const char *container; /* borrowed */

	uint8_t state, old_state, new_state, last_state; /* enum tcp_state */
	uint8_t outcome;				 /* enum outcome */
	uint8_t kind;					 /* enum retransmit_kind */
	uint8_t by, closed_by;				 /* enum side */
	uint32_t error;					 /* `errno` */
	uint32_t backlog;
	const char *reason; /* borrowed */
	uint64_t in_state_us, latency_us, queue_us, duration_us;

	uint64_t tx_bytes, rx_bytes; /* payload */
	uint64_t tx_datagrams, rx_datagrams, drops;
	uint32_t srtt_us, rtt_min_us;
	uint32_t retrans, tx_segs, rx_segs;

	uint32_t recv_q, send_q;
	uint32_t
		syn_queue; /* not a field: half-open requests of a listener, with recv_q and send_q */
	uint64_t inode;
	const struct holder *holders; /* borrowed; the owner first */
	uint32_t holder_count;

	uint8_t socket_type; /* enum socket_type */
	uint8_t timer;	     /* enum socket_timer */
	uint32_t timer_retrans;
	uint64_t timer_us;
	const char *path; /* borrowed; of an abstract name each NUL is an @ */
	uint64_t peer_inode;
	uint32_t rttvar_us, rto_us, mss, pmtu, cwnd, ssthresh, unacked;
	const char *congestion; /* borrowed */

	/* start */
	uint32_t schema;
	uint8_t mode;
	uint8_t rung;			     /* of the ladder, 1 to 4 */
	const char *version, *kernel, *host; /* borrowed */
	const char *const *hooks;	     /* borrowed */
	uint32_t hook_count;
	uint64_t sockets;

	/* recording, with schema, version, host, netns and sockets */
	const char *boot, *run; /* borrowed */
	uint64_t part;

	/*
	 * Not fields; set by a replay only. `snapshot`: a row of how things stood, whose counters are where counting
	 * begins. `source`: of which of several hosts.
	 */
	bool snapshot;
	uint8_t source;

	/* lost, summary (its duration is duration_us) */
	uint64_t count;
	const char *where; /* borrowed */
	uint64_t events, lost, healed, unattributed, connections;
};

static inline bool event_has(const struct event *e, enum event_field f)
{
	return e->present[f >> 6] >> (f & 63) & 1;
}

static inline void event_set(struct event *e, enum event_field f)
{
	e->present[f >> 6] |= 1ULL << (f & 63);
}

static inline void event_unset(struct event *e, enum event_field f)
{
	e->present[f >> 6] &= ~(1ULL << (f & 63));
}

/* Clears *e and sets type, the two clocks and their bits. */
void event_init(struct event *e, enum event_type type, uint64_t time_ns, uint64_t mono_ns);

/*
 * Sets the addresses from what a socket holds: `socket_family` is AF_INET or AF_INET6, the
 * addresses are in network byte order (4 or 16 bytes). IPv4-mapped pairs become IPv4 with v4mapped.
 * A dual-stack socket with one side unspecified (::) follows the other side.
 */
void event_set_addresses(struct event *e, int socket_family, const void *laddr, const void *raddr);

/* Each where it is known (not NULL). Borrowed, as in the event. */
void event_set_cgroup(struct event *e, const char *path, const char *unit, const char *container);

/* Nobody is known to have done it, where somebody must have. */
bool event_is_unattributed(const struct event *e);

/* Names as CLI.md prints them; "?" for a number out of range. */
const char *event_type_name(enum event_type type);
const char *tcp_state_name(unsigned int state);
const char *direction_name(unsigned int direction);
const char *owner_kind_name(unsigned int owner);
const char *outcome_name(unsigned int outcome);
const char *side_name(unsigned int side);
const char *retransmit_kind_name(unsigned int kind);
const char *trace_mode_name(unsigned int mode);
const char *proto_name(unsigned int proto); /* "tcp", "udp", "raw", "unix"; "?" */
const char *socket_type_name(unsigned int type);
const char *socket_timer_name(unsigned int timer);

/* The reverse: the number, or -1 when there is no such name. Case does not matter. */
int event_type_from_name(const char *name);
/* Takes every family's spelling (ESTAB, SYN-RECV, syn_recv, time-wait, LISTENING, FIN-WAIT-1). */
int tcp_state_from_name(const char *name);
int direction_from_name(const char *name);
int owner_kind_from_name(const char *name);
int outcome_from_name(const char *name);
int side_from_name(const char *name);
int retransmit_kind_from_name(const char *name);
int trace_mode_from_name(const char *name);
int proto_from_name(const char *name);
int socket_type_from_name(const char *name);
int socket_timer_from_name(const char *name);

/*
 * Where events go. A source calls it for each event; not 0 tells the source to stop, and is what the
 * source then returns.
 */
typedef int event_sink(void *context, struct event *e);

#endif
