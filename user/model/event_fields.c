/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event_fields.h"

#include <string.h>

#define PLAIN(field, json, kind, member, text)                \
	[field] = { .name = json,                             \
		    .type = kind,                             \
		    .offset = offsetof(struct event, member), \
		    .description = text }
#define NAMED(field, json, member, names, text)               \
	[field] = { .name = json,                             \
		    .type = FIELD_TYPE_NAME,                  \
		    .offset = offsetof(struct event, member), \
		    .to_name = names##_name,                  \
		    .from_name = names##_from_name,           \
		    .description = text }

#define U8(field, json, member, text) PLAIN(field, json, FIELD_TYPE_U8, member, text)
#define U16(field, json, member, text) PLAIN(field, json, FIELD_TYPE_U16, member, text)
#define U32(field, json, member, text) PLAIN(field, json, FIELD_TYPE_U32, member, text)
#define U64(field, json, member, text) PLAIN(field, json, FIELD_TYPE_U64, member, text)
#define BOOL(field, json, member, text) PLAIN(field, json, FIELD_TYPE_BOOL, member, text)
#define COMM(field, json, member, text) PLAIN(field, json, FIELD_TYPE_COMM, member, text)
#define STRING(field, json, member, text) PLAIN(field, json, FIELD_TYPE_STRING, member, text)
#define ADDRESS(field, json, member, text) PLAIN(field, json, FIELD_TYPE_ADDRESS, member, text)

const struct field event_fields[FIELD_COUNT] = {
	PLAIN(FIELD_EVENT, "event", FIELD_TYPE_EVENT, type, "What happened."),
	PLAIN(FIELD_TIME, "time", FIELD_TYPE_TIME, time_ns,
	      "When, by the wall clock: RFC 3339, UTC, nanoseconds."),
	U64(FIELD_MONO_NS, "mono_ns", mono_ns, "When, by the monotonic clock, in nanoseconds."),

	U32(FIELD_SCHEMA, "schema", schema, "Version of these records' meaning."),
	STRING(FIELD_VERSION, "version", version, "Version of nettrace."),
	STRING(FIELD_KERNEL, "kernel", kernel, "Release of the kernel."),
	STRING(FIELD_HOST, "host", host, "Name of the host."),
	STRING(FIELD_BOOT, "boot", boot, "The host's boot, as the kernel names it."),
	STRING(FIELD_RUN, "run", run, "The run of nettrace that recorded this."),
	U64(FIELD_PART, "part", part, "Number of this part of the run's recording."),
	NAMED(FIELD_MODE, "mode", mode, trace_mode,
	      "How connections are seen: by kernel hooks or by polling."),
	U8(FIELD_RUNG, "rung", rung,
	   "How much the kernel lets us do: 1 most, 2 and 3 on older kernels, 4 polling."),
	PLAIN(FIELD_HOOKS, "hooks", FIELD_TYPE_STRINGS, hooks,
	      "The kernel hooks that are attached."),
	U64(FIELD_SOCKETS, "sockets", sockets, "Sockets that were there before."),

	PLAIN(FIELD_ID, "id", FIELD_TYPE_ID, cookie,
	      "The connection, the same in all its events: cookie and start, in hexadecimal."),
	NAMED(FIELD_PROTO, "proto", proto, proto, "Transport protocol."),
	U8(FIELD_FAMILY, "family", family, "Version of IP of the addresses: 4 or 6."),
	BOOL(FIELD_V4MAPPED, "v4mapped", v4mapped,
	     "The socket is an IPv6 one, its addresses are IPv4."),
	BOOL(FIELD_MPTCP, "mptcp", mptcp, "It is a subflow of an MPTCP connection."),
	NAMED(FIELD_DIRECTION, "direction", direction, direction,
	      "Who began it: out, this end; in, the remote end."),
	U32(FIELD_PID, "pid", pid, "Process that owns the socket at that moment."),
	U32(FIELD_TID, "tid", tid, "Thread that acted."),
	COMM(FIELD_COMM, "comm", comm, "Name of that process."),
	U32(FIELD_UID, "uid", uid, "User of that process."),
	NAMED(FIELD_OWNER, "owner", owner, owner_kind, "How the owner is known."),
	U32(FIELD_OPENER_PID, "opener_pid", opener_pid,
	    "Process that opened a socket which another operates now."),
	COMM(FIELD_OPENER_COMM, "opener_comm", opener_comm, "Name of the process that opened it."),
	ADDRESS(FIELD_LADDR, "laddr", laddr, "Local address."),
	U16(FIELD_LPORT, "lport", lport, "Local port."),
	ADDRESS(FIELD_RADDR, "raddr", raddr, "Remote address."),
	U16(FIELD_RPORT, "rport", rport, "Remote port."),
	U32(FIELD_NETNS, "netns", netns, "Network namespace, by its inode."),
	STRING(FIELD_CGROUP, "cgroup", cgroup, "Path of the owner's cgroup."),
	STRING(FIELD_UNIT, "unit", unit, "systemd unit of the owner."),
	STRING(FIELD_CONTAINER, "container", container, "Container of the owner."),

	NAMED(FIELD_STATE, "state", state, tcp_state, "TCP state at that moment."),
	NAMED(FIELD_OLD_STATE, "old_state", old_state, tcp_state, "TCP state that was left."),
	NAMED(FIELD_NEW_STATE, "new_state", new_state, tcp_state, "TCP state that was entered."),
	U64(FIELD_IN_STATE_US, "in_state_us", in_state_us,
	    "Time spent in the state that was left, in microseconds."),
	U32(FIELD_BACKLOG, "backlog", backlog, "Connections that may wait to be accepted."),
	U64(FIELD_LATENCY_US, "latency_us", latency_us,
	    "From SYN to established or failed, in microseconds."),
	U64(FIELD_QUEUE_US, "queue_us", queue_us, "Time in the accept queue, in microseconds."),
	NAMED(FIELD_OUTCOME, "outcome", outcome, outcome, "How it ended."),
	U32(FIELD_ERRNO, "errno", error, "The socket's error number."),
	NAMED(FIELD_KIND, "kind", kind, retransmit_kind, "What was sent again."),
	NAMED(FIELD_BY, "by", by, side,
	      "Who reset it: local sent the RST, remote made us receive one."),
	STRING(FIELD_REASON, "reason", reason, "The kernel's own reason, by name."),
	U64(FIELD_DURATION_US, "duration_us", duration_us, "How long it lasted, in microseconds."),
	U64(FIELD_TX_BYTES, "tx_bytes", tx_bytes,
	    "Payload sent, retransmissions not counted, in bytes."),
	U64(FIELD_RX_BYTES, "rx_bytes", rx_bytes, "Payload received in order, in bytes."),
	U32(FIELD_SRTT_US, "srtt_us", srtt_us, "Smoothed round-trip time, in microseconds."),
	U32(FIELD_RTT_MIN_US, "rtt_min_us", rtt_min_us,
	    "Shortest round-trip time, in microseconds."),
	U32(FIELD_RETRANS, "retrans", retrans, "Segments sent again so far."),
	U32(FIELD_TX_SEGS, "tx_segs", tx_segs, "Segments sent."),
	U32(FIELD_RX_SEGS, "rx_segs", rx_segs, "Segments received."),
	U64(FIELD_TX_DATAGRAMS, "tx_datagrams", tx_datagrams, "Datagrams sent."),
	U64(FIELD_RX_DATAGRAMS, "rx_datagrams", rx_datagrams, "Datagrams received."),
	U64(FIELD_DROPS, "drops", drops,
	    "What found no room: datagrams, or connection attempts at a listener."),
	NAMED(FIELD_CLOSED_BY, "closed_by", closed_by, side, "Which end closed first."),
	NAMED(FIELD_LAST_STATE, "last_state", last_state, tcp_state, "TCP state before the end."),
	U32(FIELD_RECV_Q, "recv_q", recv_q,
	    "Bytes not yet read by the process; of a listener: waiting connections."),
	U32(FIELD_SEND_Q, "send_q", send_q,
	    "Bytes not yet acknowledged; of a listener: its backlog."),
	U64(FIELD_INODE, "inode", inode, "The socket's inode."),
	PLAIN(FIELD_HOLDERS, "holders", FIELD_TYPE_HOLDERS, holders,
	      "Processes that hold it open, the owner first."),
	NAMED(FIELD_SOCKET_TYPE, "socket_type", socket_type, socket_type, "Type of a unix socket."),
	STRING(FIELD_PATH, "path", path,
	       "What a unix socket is bound to; of an abstract name each NUL is written as @."),
	U64(FIELD_PEER_INODE, "peer_inode", peer_inode,
	    "Inode of the unix socket at the other end."),
	NAMED(FIELD_TIMER, "timer", timer, socket_timer,
	      "The timer that runs: on is for retransmission."),
	U64(FIELD_TIMER_US, "timer_us", timer_us, "Until it goes off, in microseconds."),
	U32(FIELD_TIMER_RETRANS, "timer_retrans", timer_retrans,
	    "How often it went off without an answer."),
	U32(FIELD_RTTVAR_US, "rttvar_us", rttvar_us,
	    "How far round-trip times are spread, in microseconds."),
	U32(FIELD_RTO_US, "rto_us", rto_us, "Retransmission timeout, in microseconds."),
	U32(FIELD_MSS, "mss", mss, "Payload that a segment may have, in bytes."),
	U32(FIELD_PMTU, "pmtu", pmtu, "Packet size that the path takes, in bytes."),
	U32(FIELD_CWND, "cwnd", cwnd, "Congestion window, in segments."),
	U32(FIELD_SSTHRESH, "ssthresh", ssthresh,
	    "Slow start threshold, in segments; absent before the first loss."),
	U32(FIELD_UNACKED, "unacked", unacked, "Segments sent and not yet acknowledged."),
	STRING(FIELD_CONGESTION, "congestion", congestion, "Congestion control in use."),
	U64(FIELD_COUNT_LOST, "count", count, "Records that were lost."),
	STRING(FIELD_WHERE, "where", where, "Where they were lost."),

	U64(FIELD_EVENTS, "events", events, "Events in all."),
	U64(FIELD_LOST, "lost", lost, "Records lost in all."),
	U64(FIELD_HEALED, "healed", healed, "Events that a sweep brought back."),
	U64(FIELD_UNATTRIBUTED, "unattributed", unattributed, "Events whose owner is not known."),
	U64(FIELD_CONNECTIONS, "connections", connections, "Connections seen in all."),
	BOOL(FIELD_RECONCILED, "reconciled", reconciled,
	     "Brought back by a sweep: its own event could not be seen."),
};

/*
 * Open addressing over the names' hash, filled at the first call: a reader looks up each member of
 * each line. Not locked: nettrace reads recordings in one thread.
 */
#define SLOTS 256

static struct {
	bool filled;
	uint8_t field[SLOTS]; /* enum event_field + 1; 0: free */
	uint8_t length[FIELD_COUNT];
} lookup;

static unsigned int hash_name(const char *name, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return (hash ^ hash >> 15) % SLOTS;
}

static void fill_lookup(void)
{
	for (int f = 0; f < FIELD_COUNT; f++) {
		size_t length = strlen(event_fields[f].name);
		unsigned int slot = hash_name(event_fields[f].name, length);

		while (lookup.field[slot])
			slot = (slot + 1) % SLOTS;
		lookup.field[slot] = (uint8_t)(f + 1);
		lookup.length[f] = (uint8_t)length;
	}
	lookup.filled = true;
}

int event_field_from_name(const char *name, size_t length)
{
	unsigned int slot;

	if (!lookup.filled)
		fill_lookup();
	if (length > UINT8_MAX) /* a stranger's: not worth hashing */
		return -1;
	for (slot = hash_name(name, length); lookup.field[slot]; slot = (slot + 1) % SLOTS) {
		int f = lookup.field[slot] - 1;

		if (lookup.length[f] == length && !memcmp(event_fields[f].name, name, length))
			return f;
	}
	return -1;
}
