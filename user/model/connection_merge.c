/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/connection_merge.h"

#include <stdlib.h>
#include <string.h>

/* Of one socket; a listener of more workers than that is shown with these. */
#define HOLDERS_MAX 65536

/* One member of the same name on both sides, with its bit. */
#define TAKE(field, member)                       \
	do {                                      \
		if (event_has(e, field)) {        \
			(c)->member = e->member;  \
			connection_set(c, field); \
		}                                 \
	} while (0)

#define TAKE_BYTES(field, member)                                            \
	do {                                                                 \
		if (event_has(e, field)) {                                   \
			memcpy((c)->member, e->member, sizeof((c)->member)); \
			connection_set(c, field);                            \
		}                                                            \
	} while (0)

#define FILL(field, member)                                             \
	do {                                                            \
		if (!event_has(e, field) && connection_has(c, field)) { \
			e->member = (c)->member;                        \
			event_set(e, field);                            \
		}                                                       \
	} while (0)

#define FILL_BYTES(field, member)                                          \
	do {                                                               \
		if (!event_has(e, field) && connection_has(c, field)) {    \
			memcpy(e->member, (c)->member, sizeof(e->member)); \
			event_set(e, field);                               \
		}                                                          \
	} while (0)

/* How much a word about the owner is worth; caught in the act beats what was found later. */
static unsigned int owner_strength(unsigned int owner)
{
	switch (owner) {
	case OWNER_CONNECT:
	case OWNER_ACCEPT:
	case OWNER_LISTEN:
	case OWNER_HANDED:
		return 4;
	case OWNER_KERNEL:
		return 3;
	case OWNER_SNAPSHOT: /* it really holds the socket, where a listener is only presumed to accept it */
		return 2;
	case OWNER_LISTENER:
		return 1;
	default:
		return 0;
	}
}

/* The kernel side learns of an heir by what it does; until then it names who opened the socket. */
static bool is_behind(const struct connection *c, const struct event *e)
{
	return c->heir && e->type != EVENT_SOCKET && event_has(e, FIELD_PID) &&
	       !event_has(e, FIELD_OPENER_PID) && connection_has(c, FIELD_OPENER_PID) &&
	       e->pid == c->opener_pid;
}

static void take_owner(struct connection *c, const struct event *e, bool stale)
{
	unsigned int theirs = event_has(e, FIELD_OWNER) ? e->owner : OWNER_NONE;
	unsigned int ours = connection_has(c, FIELD_OWNER) ? c->owner : OWNER_NONE;
	bool same = event_has(e, FIELD_PID) && connection_has(c, FIELD_PID) && e->pid == c->pid;

	if (is_behind(c, e))
		return;
	if (theirs == OWNER_NONE && event_has(e, FIELD_PID))
		theirs = OWNER_SNAPSHOT;
	if (owner_strength(theirs) < owner_strength(ours) || (stale && ours)) {
		/* a weaker word about the same process still tells its name after an exec */
		if (same && !stale)
			TAKE_BYTES(FIELD_COMM, comm);
		return;
	}
	if (theirs == OWNER_NONE || (theirs == OWNER_UNKNOWN && ours == OWNER_UNKNOWN))
		return;
	if (!same) {
		connection_unset(c, FIELD_PID);
		connection_unset(c, FIELD_TID);
		connection_unset(c, FIELD_COMM);
		connection_unset(c, FIELD_UID);
	}
	TAKE(FIELD_PID, pid);
	TAKE(FIELD_TID, tid);
	TAKE(FIELD_UID, uid);
	TAKE_BYTES(FIELD_COMM, comm);
	c->owner = theirs;
	c->heir = e->heir;
	connection_set(c, FIELD_OWNER);
}

static void take_identity(struct connection *c, const struct event *e, bool stale)
{
	TAKE(FIELD_PROTO, proto);
	TAKE(FIELD_FAMILY, family);
	TAKE(FIELD_V4MAPPED, v4mapped);
	TAKE(FIELD_MPTCP, mptcp);
	TAKE(FIELD_LPORT, lport);
	TAKE(FIELD_RPORT, rport);
	TAKE(FIELD_NETNS, netns);
	TAKE(FIELD_INODE, inode);
	TAKE_BYTES(FIELD_LADDR, laddr);
	TAKE_BYTES(FIELD_RADDR, raddr);
	if (event_has(e, FIELD_DIRECTION) && e->direction != DIRECTION_UNKNOWN) {
		c->direction = e->direction;
		connection_set(c, FIELD_DIRECTION);
	}
	take_owner(c, e, stale);
	TAKE(FIELD_OPENER_PID, opener_pid);
	TAKE_BYTES(FIELD_OPENER_COMM, opener_comm);
	TAKE(FIELD_CGROUP, cgroup);
	TAKE(FIELD_UNIT, unit);
	TAKE(FIELD_CONTAINER, container);
}

static void put_state(struct connection *c, unsigned int state)
{
	c->state = state;
	connection_set(c, FIELD_STATE);
}

static void put_direction(struct connection *c, unsigned int direction)
{
	if (connection_has(c, FIELD_DIRECTION))
		return;
	c->direction = direction;
	connection_set(c, FIELD_DIRECTION);
}

/* What the event's type alone says. */
static void take_state(struct connection *c, const struct event *e, bool stale)
{
	bool early = !connection_has(c, FIELD_STATE) || c->state == STATE_NONE ||
		     c->state == STATE_SYN_SENT || c->state == STATE_SYN_RECV;

	if (event_has(e, FIELD_STATE) && !stale)
		put_state(c, e->state);
	switch (e->type) {
	case EVENT_LISTEN:
		put_state(c, STATE_LISTEN);
		break;
	case EVENT_CONNECT:
	case EVENT_ACCEPT:
		if (early &&
		    !event_has(e, FIELD_STATE)) /* an accept can come after the peer's FIN */
			put_state(c, STATE_ESTABLISHED);
		put_direction(c, e->type == EVENT_ACCEPT ? DIRECTION_IN : DIRECTION_OUT);
		break;
	case EVENT_FAIL:
		put_state(c, STATE_CLOSE);
		put_direction(c, DIRECTION_OUT);
		break;
	case EVENT_CLOSE:
	case EVENT_UNLISTEN:
		put_state(c, STATE_CLOSE);
		break;
	case EVENT_STATE:
		if (event_has(e, FIELD_NEW_STATE))
			put_state(c, e->new_state);
		break;
	case EVENT_DROP: /* told of the listener that dropped it */
		if (early && !event_has(e, FIELD_STATE))
			put_state(c, STATE_LISTEN);
		break;
	default:
		break;
	}
	TAKE(FIELD_LAST_STATE, last_state);
	TAKE(FIELD_CLOSED_BY, closed_by);
}

/* A counter never goes backwards: a smaller value is an older one. */
static uint64_t grow64(uint64_t *counter, uint64_t value, bool known, bool baseline)
{
	uint64_t before = known ? *counter : 0;

	if (known && value <= before)
		return 0;
	*counter = value;
	return !known && baseline ? 0 : value - before;
}

static uint32_t grow32(uint32_t *counter, uint32_t value, bool known, bool baseline)
{
	uint64_t wide = *counter;
	uint32_t growth = (uint32_t)grow64(&wide, value, known, baseline);

	*counter = (uint32_t)wide;
	return growth;
}

#define GROW(width, field, member)                                                        \
	(event_has(e, field)                                                              \
		 ? grow##width(&c->member, e->member, connection_has(c, field), baseline) \
		 : 0)

static void take_counters(struct connection *c, const struct event *e, bool baseline,
			  struct connection_change *change)
{
	static const enum event_field counters[] = {
		FIELD_TX_BYTES, FIELD_RX_BYTES,	    FIELD_RETRANS,	FIELD_TX_SEGS,
		FIELD_RX_SEGS,	FIELD_TX_DATAGRAMS, FIELD_RX_DATAGRAMS, FIELD_DROPS,
	};

	change->tx_bytes += GROW(64, FIELD_TX_BYTES, tx_bytes);
	change->rx_bytes += GROW(64, FIELD_RX_BYTES, rx_bytes);
	change->retrans += GROW(32, FIELD_RETRANS, retrans);
	change->tx_segs += GROW(32, FIELD_TX_SEGS, tx_segs);
	GROW(32, FIELD_RX_SEGS, rx_segs);
	GROW(64, FIELD_TX_DATAGRAMS, tx_datagrams);
	GROW(64, FIELD_RX_DATAGRAMS, rx_datagrams);
	GROW(64, FIELD_DROPS, drops);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (event_has(e, counters[i]))
			connection_set(c, counters[i]);

	/* the event is one retransmission even where its count is missing or only our baseline */
	if (e->type == EVENT_RETRANSMIT && !change->retrans) {
		change->retrans = 1;
		if (!event_has(e, FIELD_RETRANS) && connection_has(c, FIELD_RETRANS) &&
		    c->retrans < UINT32_MAX)
			c->retrans++;
	}
}

static void take_holders(struct connection *c, const struct event *e)
{
	uint32_t count;
	struct holder *copy;

	if (!event_has(e, FIELD_HOLDERS))
		return;
	count = e->holder_count < HOLDERS_MAX ? e->holder_count : HOLDERS_MAX;
	if (count != c->holder_count) {
		if (!count) {
			free(c->holders);
			c->holders = NULL;
		} else {
			copy = realloc(c->holders, count * sizeof(*copy));
			if (!copy) /* the ones known before stay */
				return;
			c->holders = copy;
		}
		c->holder_count = count;
	}
	if (count)
		memcpy(c->holders, e->holders, count * sizeof(*c->holders));
	connection_set(c, FIELD_HOLDERS);
}

void connection_merge(struct connection *c, const struct event *e, bool baseline,
		      struct connection_change *change)
{
	bool stale = e->type == EVENT_SOCKET && e->mono_ns < c->seen_ns;

	take_identity(c, e, stale);
	take_state(c, e, stale);
	take_counters(c, e, baseline, change);
	TAKE(FIELD_SRTT_US, srtt_us);
	TAKE(FIELD_RTT_MIN_US, rtt_min_us);
	if (e->type == EVENT_LISTEN && event_has(e, FIELD_BACKLOG)) {
		c->send_q = e->backlog; /* what the queues of a listener mean */
		connection_set(c, FIELD_SEND_Q);
	}
	if (!stale) {
		TAKE(FIELD_RECV_Q, recv_q);
		TAKE(FIELD_SEND_Q, send_q);
		take_holders(c, e);
	}
	if (e->mono_ns > c->seen_ns)
		c->seen_ns = e->mono_ns;
}

void connection_inherit(struct connection *c, const struct connection *listener)
{
	put_direction(c, DIRECTION_IN);
	if (c->direction != DIRECTION_IN || !listener || !connection_has(listener, FIELD_PID))
		return;
	if (connection_has(c, FIELD_PID) ||
	    (connection_has(c, FIELD_OWNER) && c->owner != OWNER_UNKNOWN))
		return;
	c->pid = listener->pid;
	connection_set(c, FIELD_PID);
	connection_unset(c, FIELD_COMM);
	connection_unset(c, FIELD_UID);
	if (connection_has(listener, FIELD_COMM)) {
		memcpy(c->comm, listener->comm, sizeof(c->comm));
		connection_set(c, FIELD_COMM);
	}
	if (connection_has(listener, FIELD_UID)) {
		c->uid = listener->uid;
		connection_set(c, FIELD_UID);
	}
	c->owner = OWNER_LISTENER;
	connection_set(c, FIELD_OWNER);
}

static void fill_owner(const struct connection *c, struct event *e)
{
	bool nobody =
		!event_has(e, FIELD_PID) &&
		(!event_has(e, FIELD_OWNER) || e->owner == OWNER_NONE || e->owner == OWNER_UNKNOWN);

	if (is_behind(c, e)) {
		event_unset(e, FIELD_PID);
		event_unset(e, FIELD_TID);
		event_unset(e, FIELD_COMM);
		event_unset(e, FIELD_UID);
		nobody = true;
	}
	if (nobody && connection_has(c, FIELD_OWNER)) {
		e->owner = c->owner;
		event_set(e, FIELD_OWNER);
		FILL(FIELD_PID, pid);
		FILL(FIELD_TID, tid);
	} else if (!event_has(e, FIELD_PID) || !connection_has(c, FIELD_PID) || e->pid != c->pid) {
		return;
	}
	FILL(FIELD_UID, uid);
	FILL(FIELD_OWNER, owner);
	FILL_BYTES(FIELD_COMM, comm);
}

static void fill_identity(const struct connection *c, struct event *e)
{
	FILL(FIELD_PROTO, proto);
	if (!event_has(e, FIELD_FAMILY) || !connection_has(c, FIELD_FAMILY) ||
	    e->family == c->family) {
		FILL(FIELD_FAMILY, family);
		FILL(FIELD_V4MAPPED, v4mapped);
		FILL(FIELD_MPTCP, mptcp);
		FILL_BYTES(FIELD_LADDR, laddr);
		FILL_BYTES(FIELD_RADDR, raddr);
	}
	FILL(FIELD_LPORT, lport);
	FILL(FIELD_RPORT, rport);
	FILL(FIELD_NETNS, netns);
	if (event_has(e, FIELD_DIRECTION) && e->direction == DIRECTION_UNKNOWN)
		event_unset(e, FIELD_DIRECTION);
	FILL(FIELD_DIRECTION, direction);
	FILL(FIELD_OPENER_PID, opener_pid);
	FILL_BYTES(FIELD_OPENER_COMM, opener_comm);
	FILL(FIELD_CGROUP, cgroup);
	FILL(FIELD_UNIT, unit);
	FILL(FIELD_CONTAINER, container);
}

static void fill_counters(const struct connection *c, struct event *e)
{
	FILL(FIELD_TX_BYTES, tx_bytes);
	FILL(FIELD_RX_BYTES, rx_bytes);
	FILL(FIELD_SRTT_US, srtt_us);
	FILL(FIELD_RTT_MIN_US, rtt_min_us);
	FILL(FIELD_RETRANS, retrans);
	FILL(FIELD_TX_SEGS, tx_segs);
	FILL(FIELD_RX_SEGS, rx_segs);
	FILL(FIELD_TX_DATAGRAMS, tx_datagrams);
	FILL(FIELD_RX_DATAGRAMS, rx_datagrams);
	FILL(FIELD_DROPS, drops);
}

void connection_fill(const struct connection *c, struct event *e)
{
	fill_owner(c, e);
	fill_identity(c, e);
	if (e->type == EVENT_CLOSE && event_has(e, FIELD_RECONCILED) && e->reconciled)
		fill_counters(c, e);
}

void connection_complete(const struct connection *c, struct event *e)
{
	fill_owner(c, e);
	fill_identity(c, e);
	fill_counters(c, e);
	FILL(FIELD_STATE, state);
	FILL(FIELD_RECV_Q, recv_q);
	FILL(FIELD_SEND_Q, send_q);
	FILL(FIELD_INODE, inode);
}

void connection_to_event(const struct connection *c, struct event *e, uint64_t time_ns,
			 uint64_t mono_ns)
{
	event_init(e, EVENT_SOCKET, time_ns, mono_ns);
	e->cookie = c->cookie;
	e->start_ns = c->start_ns;
	event_set(e, FIELD_ID);
	connection_complete(c, e);
	if (connection_has(c, FIELD_HOLDERS)) {
		e->holders = c->holders;
		e->holder_count = c->holder_count;
		event_set(e, FIELD_HOLDERS);
	}
	if (c->closed_ns) {
		FILL(FIELD_OUTCOME, outcome);
		FILL(FIELD_CLOSED_BY, closed_by);
		FILL(FIELD_LAST_STATE, last_state);
		mono_ns = c->closed_ns;
	}
	if (c->start_ns && mono_ns >= c->start_ns) {
		e->duration_us = (mono_ns - c->start_ns) / 1000;
		event_set(e, FIELD_DURATION_US);
	}
}
