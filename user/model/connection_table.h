/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every connection that lives now, by (cookie, start). Events and inventory rows are merged into it: an
 * event beats a snapshot; what an event lacks and the table knows is filled into the event.
 */
#ifndef NETTRACE_CONNECTION_TABLE_H
#define NETTRACE_CONNECTION_TABLE_H

#include "model/event.h"

/* At most 400 bytes with its share of the index: it is the unit of nettrace's memory. */
struct connection {
	uint64_t cookie, start_ns; /* the key */
	uint64_t present[2]; /* which of the members below are known: bits of enum event_field */
	uint64_t seen_ns;    /* mono: last event or sweep that told of it */
	uint64_t closed_ns;  /* mono; 0: it lives */

	uint8_t proto, family, v4mapped, direction, owner, state, last_state, closed_by;
	uint8_t mptcp, outcome, source;
	uint8_t heir : 1;    /* see struct event; events that still name the opener are behind */
	uint8_t opened : 1;  /* its connect or accept was seen */
	uint8_t listens : 1; /* is in the index of listeners */
	uint8_t settled : 1; /* polling's own mark: the last pass met the rx_bytes of the one before */
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint32_t netns;
	uint32_t pid, tid, uid, opener_pid;
	char comm[16], opener_comm[16];
	uint32_t group;			       /* the ranking's own mark; 0: not counted */
	const char *cgroup, *unit, *container; /* borrowed: interned for the life of the program */

	uint64_t tx_bytes, rx_bytes;
	uint64_t tx_datagrams, rx_datagrams, drops;
	uint32_t srtt_us, rtt_min_us, retrans, tx_segs, rx_segs;
	uint32_t recv_q, send_q;
	uint32_t holder_count;
	uint64_t inode;
	struct holder *holders; /* owned; NULL where none are known */

	struct connection *next, *previous; /* all that live, or all closed ones; oldest first */
	struct connection *chain;	    /* index bucket */
};
_Static_assert(sizeof(struct connection) <= 384,
	       "with its index entry a row stays under 400 bytes");

static inline bool connection_has(const struct connection *c, enum event_field f)
{
	return c->present[f >> 6] >> (f & 63) & 1;
}

/* What an event changed, for rankings. */
struct connection_change {
	struct connection *row;	     /* borrowed, valid until the next apply; NULL: not kept */
	uint64_t tx_bytes, rx_bytes; /* growth since the last event of this connection */
	uint64_t retrans, tx_segs;
	bool opened, closed, failed; /* an end was opened (connect, accept), closed, or failed */
};

struct connection_table;

/*
 * `max_rows`: living and closed ones together; beyond it the oldest closed ones go first, then new connections are
 * counted, not kept. NULL when out of memory.
 */
struct connection_table *connection_table_new(size_t max_rows);
void connection_table_free(struct connection_table *t);

/* From now on connections that closed or failed are kept for that long, at most `max` of them; 0 (the default): none. */
void connection_table_keep_closed(struct connection_table *t, size_t max, uint64_t age_ns);

/*
 * Merges the event, fills what it lacks from its row, and tells what changed. A row is made by listen,
 * connect, accept, state and socket, and by any other event of a connection not seen before; close, fail and unlisten
 * end it: it is found no more, but `change->row` can still be read until the next apply.
 * Returns 1 when the event tells nothing new (a second open or close of the same connection) and should not
 * be shown, 0 otherwise.
 */
int connection_table_apply(struct connection_table *t, struct event *e,
			   struct connection_change *change);

struct connection *connection_table_find(const struct connection_table *t, uint64_t cookie,
					 uint64_t start_ns);
/* Is it known that its connect or accept was told? True also of one that has just ended. */
bool connection_table_opened(const struct connection_table *t, uint64_t cookie, uint64_t start_ns);
/* The listener that this incoming connection came through, as far as the table knows, or NULL. */
const struct connection *connection_table_listener_of(const struct connection_table *t,
						      const struct connection *c);
/* Calls `visit` for each listener, until it returns not 0; that is returned. */
int connection_table_listeners(const struct connection_table *t,
			       int (*visit)(void *context, const struct connection *listener),
			       void *context);

size_t connection_table_count(const struct connection_table *t);
/* No room for another row: what is not in it may well be known. */
bool connection_table_full(const struct connection_table *t);
uint64_t
connection_table_refused(const struct connection_table *t); /* rows not kept: the table was full */

/* Forgets the living ones of that source (struct event's), without a word: what lives now is told anew. */
void connection_table_forget(struct connection_table *t, unsigned int source);

/* Those that live, in order of insertion: for (c = first; c; c = c->next). */
struct connection *connection_table_first(const struct connection_table *t);

/* Those that are kept after their end (closed_ns), the same way; the one that closed first comes first. */
struct connection *connection_table_closed(const struct connection_table *t);
size_t connection_table_closed_count(const struct connection_table *t);
uint64_t connection_table_evicted(
	const struct connection_table *t); /* closed ones that went before their time */
/* Closed ones whose time is over go. Every apply does it too. */
void connection_table_age(struct connection_table *t, uint64_t mono_ns);

/* The row as a `socket` event (borrows from the row). */
void connection_to_event(const struct connection *c, struct event *e, uint64_t time_ns,
			 uint64_t mono_ns);
/* Fills whatever the event lacks and the row knows: its state and counters too. */
void connection_complete(const struct connection *c, struct event *e);

/* A sweep that began at mono_ns met this connection, in this state: notes it. False when the table does not know it. */
bool connection_table_touch(struct connection_table *t, uint64_t cookie, uint64_t start_ns,
			    uint64_t mono_ns, unsigned int state);
/* How many rows were last heard of before that. */
size_t connection_table_stale(const struct connection_table *t, uint64_t before_ns);

/*
 * After a sweep that began at `sweep_ns` and told of every living socket: each row not seen since then has
 * ended unseen. For each, `sink` gets a `close` (`unlisten` for a listener) marked reconciled with the last known
 * counters. Returns how many, or what the sink returned when that was not 0 (negative).
 */
long connection_table_expire(struct connection_table *t, uint64_t sweep_ns, uint64_t time_ns,
			     uint64_t mono_ns, event_sink *sink, void *context);

#endif
