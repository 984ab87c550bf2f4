// SPDX-License-Identifier: BSD-2-Clause
/* The words that a filter can compare: ss's, bcc's, and the names of the JSON fields. */
#include <string.h>
#include <strings.h>

#include "model/filter_private.h"

#define ONE(name, aliases, kind, field, what)              \
	{                                                  \
		name, aliases, kind, 1, { field, 0 }, what \
	}
#define EITHER(name, aliases, kind, a, b, what)        \
	{                                              \
		name, aliases, kind, 2, { a, b }, what \
	}

#define A_NUMBER "a number"
#define A_SIZE "a size such as 4096, 64K or 1.5M"
#define A_TIME "a time with its unit, such as 10ms or 1.5s"
#define A_NAME "a name"
#define AN_OUTCOME                                                                                  \
	"an outcome (clean, refused, timed_out, unreachable, reset_sent, reset_received, aborted, " \
	"idle)"

const struct filter_field filter_fields[] = {
	ONE("sport", "lport,", FILTER_PORT, FIELD_LPORT, "a port"),
	ONE("dport", "rport,", FILTER_PORT, FIELD_RPORT, "a port"),
	EITHER("port", NULL, FILTER_PORT, FIELD_LPORT, FIELD_RPORT, "a port"),
	ONE("src", "laddr,saddr,", FILTER_ADDRESS, FIELD_LADDR, "an address"),
	ONE("dst", "raddr,daddr,", FILTER_ADDRESS, FIELD_RADDR, "an address"),
	EITHER("host", "addr,", FILTER_ADDRESS, FIELD_LADDR, FIELD_RADDR, "an address"),
	EITHER("pid", NULL, FILTER_NUMBER, FIELD_PID, FIELD_OPENER_PID, A_NUMBER),
	EITHER("comm", NULL, FILTER_COMM, FIELD_COMM, FIELD_OPENER_COMM, A_NAME),
	ONE("uid", "user,", FILTER_USER, FIELD_UID, "a user"),
	ONE("state", NULL, FILTER_STATE, FIELD_STATE, "a state"),
	ONE("proto", NULL, FILTER_NAME, FIELD_PROTO, "tcp or udp"),
	ONE("dir", "direction,", FILTER_NAME, FIELD_DIRECTION, "in or out"),
	ONE("event", NULL, FILTER_NAME, FIELD_EVENT, "an event"),
	ONE("outcome", NULL, FILTER_NAME, FIELD_OUTCOME, AN_OUTCOME),
	ONE("tx", "tx_bytes,", FILTER_SIZE, FIELD_TX_BYTES, A_SIZE),
	ONE("rx", "rx_bytes,", FILTER_SIZE, FIELD_RX_BYTES, A_SIZE),
	ONE("rtt", "srtt,srtt_us,", FILTER_TIME, FIELD_SRTT_US, A_TIME),
	ONE("retrans", NULL, FILTER_NUMBER, FIELD_RETRANS, A_NUMBER),
	ONE("duration", "duration_us,", FILTER_TIME, FIELD_DURATION_US, A_TIME),
	ONE("latency", "latency_us,", FILTER_TIME, FIELD_LATENCY_US, A_TIME),
	ONE("netns", NULL, FILTER_NUMBER, FIELD_NETNS, "a namespace's inode"),
	ONE("container", NULL, FILTER_CONTAINER, FIELD_CONTAINER, "a container's id or name"),

	ONE("family", NULL, FILTER_FAMILY, FIELD_FAMILY, "4 or 6"),
	ONE("id", NULL, FILTER_ID, FIELD_ID, "an id such as 1f-3a2"),
	ONE("owner", NULL, FILTER_NAME, FIELD_OWNER, "how the owner is known"),
	ONE("tid", NULL, FILTER_NUMBER, FIELD_TID, A_NUMBER),
	ONE("opener_pid", NULL, FILTER_NUMBER, FIELD_OPENER_PID, A_NUMBER),
	ONE("opener_comm", NULL, FILTER_COMM, FIELD_OPENER_COMM, A_NAME),
	ONE("cgroup", NULL, FILTER_STRING, FIELD_CGROUP, "a path"),
	ONE("unit", NULL, FILTER_STRING, FIELD_UNIT, A_NAME),
	ONE("old_state", NULL, FILTER_STATE, FIELD_OLD_STATE, "a state"),
	ONE("new_state", NULL, FILTER_STATE, FIELD_NEW_STATE, "a state"),
	ONE("last_state", NULL, FILTER_STATE, FIELD_LAST_STATE, "a state"),
	ONE("in_state", "in_state_us,", FILTER_TIME, FIELD_IN_STATE_US, A_TIME),
	ONE("queue", "queue_us,", FILTER_TIME, FIELD_QUEUE_US, A_TIME),
	ONE("rtt_min", "rtt_min_us,", FILTER_TIME, FIELD_RTT_MIN_US, A_TIME),
	ONE("errno", NULL, FILTER_ERRNO, FIELD_ERRNO, "an error's number or name"),
	ONE("kind", NULL, FILTER_NAME, FIELD_KIND, "a kind of retransmit"),
	ONE("by", NULL, FILTER_NAME, FIELD_BY, "local or remote"),
	ONE("closed_by", NULL, FILTER_NAME, FIELD_CLOSED_BY, "local or remote"),
	ONE("reason", NULL, FILTER_STRING, FIELD_REASON, A_NAME),
	ONE("tx_segs", NULL, FILTER_NUMBER, FIELD_TX_SEGS, A_NUMBER),
	ONE("rx_segs", NULL, FILTER_NUMBER, FIELD_RX_SEGS, A_NUMBER),
	ONE("tx_datagrams", NULL, FILTER_NUMBER, FIELD_TX_DATAGRAMS, A_NUMBER),
	ONE("rx_datagrams", NULL, FILTER_NUMBER, FIELD_RX_DATAGRAMS, A_NUMBER),
	ONE("drops", NULL, FILTER_NUMBER, FIELD_DROPS, A_NUMBER),
	ONE("backlog", NULL, FILTER_NUMBER, FIELD_BACKLOG, A_NUMBER),
	ONE("recv_q", NULL, FILTER_SIZE, FIELD_RECV_Q, A_SIZE),
	ONE("send_q", NULL, FILTER_SIZE, FIELD_SEND_Q, A_SIZE),
	ONE("inode", NULL, FILTER_NUMBER, FIELD_INODE, A_NUMBER),
	ONE("v4mapped", NULL, FILTER_BOOL, FIELD_V4MAPPED, "yes or no"),
	ONE("mptcp", NULL, FILTER_BOOL, FIELD_MPTCP, "yes or no"),
	ONE("reconciled", NULL, FILTER_BOOL, FIELD_RECONCILED, "yes or no"),
};
const size_t filter_field_count = sizeof(filter_fields) / sizeof(filter_fields[0]);

const char *const filter_operator_names[FILTER_OPERATOR_COUNT] = {
	[FILTER_EQ] = "=", [FILTER_NE] = "!=", [FILTER_LT] = "<",   [FILTER_LE] = "<=",
	[FILTER_GT] = ">", [FILTER_GE] = ">=", [FILTER_GLOB] = "~", [FILTER_NOT_GLOB] = "!~",
};

static bool is_alias(const char *aliases, const char *name)
{
	size_t length = strlen(name);

	for (; *aliases; aliases += strcspn(aliases, ",") + 1)
		if (!strncasecmp(aliases, name, length) && aliases[length] == ',')
			return true;
	return false;
}

const struct filter_field *filter_field_find(const char *name)
{
	if (!*name || strchr(name, ','))
		return NULL;
	for (size_t i = 0; i < filter_field_count; i++) {
		const struct filter_field *f = &filter_fields[i];

		if (!strcasecmp(f->name, name) || (f->aliases && is_alias(f->aliases, name)))
			return f;
	}
	return NULL;
}

const char *filter_field_word(void *context, size_t i)
{
	(void)context;
	return filter_fields[i].name;
}

unsigned int filter_operators_of(enum filter_kind kind)
{
	const unsigned int equal = 1u << FILTER_EQ | 1u << FILTER_NE;
	const unsigned int order = equal | 1u << FILTER_LT | 1u << FILTER_LE | 1u << FILTER_GT |
				   1u << FILTER_GE;
	const unsigned int glob = equal | 1u << FILTER_GLOB | 1u << FILTER_NOT_GLOB;

	switch (kind) {
	case FILTER_NUMBER:
	case FILTER_SIZE:
	case FILTER_TIME:
	case FILTER_PORT:
		return order;
	case FILTER_NAME:
	case FILTER_STATE:
	case FILTER_STRING:
	case FILTER_COMM:
	case FILTER_CONTAINER:
		return glob;
	default:
		return equal;
	}
}
