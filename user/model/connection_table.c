/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/connection_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/connection_index.h"
#include "model/connection_merge.h"
#include "model/connection_store.h"

#define RECENT_COUNT 16384 /* closed connections that are remembered by name only */

struct key {
	uint64_t cookie, start_ns;
};

struct connection_table {
	size_t max_rows;
	uint64_t refused;
	bool swept;

	struct connection_index index;
	struct connection_store store;
	struct row *closing; /* has ended and is not kept: released by the next apply */
	struct connection
		*cursor; /* the next row that a sweep's end looks at; moves on when that row goes */
	struct key *recent; /* by hash: a late word about a closed connection must not revive it */
};

struct connection_table *connection_table_new(size_t max_rows)
{
	struct connection_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->max_rows = max_rows;
	t->recent = calloc(RECENT_COUNT, sizeof(*t->recent));
	if (!t->recent || connection_index_init(&t->index)) {
		connection_table_free(t);
		return NULL;
	}
	return t;
}

void connection_table_free(struct connection_table *t)
{
	if (!t)
		return;
	if (t->closing)
		connection_store_release(&t->store, t->closing);
	connection_store_done(&t->store);
	connection_index_done(&t->index);
	free(t->recent);
	free(t);
}

void connection_table_keep_closed(struct connection_table *t, size_t max, uint64_t age_ns)
{
	t->store.closed_max = max;
	t->store.closed_age_ns = age_ns;
}

/* Living and closed rows share the room; what is over gives way. */
static bool has_room(struct connection_table *t)
{
	while (t->store.live.count + t->store.closed.count >= t->max_rows)
		if (!connection_store_evict(&t->store))
			return false;
	return true;
}

static struct row *row_add(struct connection_table *t, const struct event *e)
{
	struct connection *c;
	struct row *r;

	if (!has_room(t))
		return NULL;
	r = connection_store_take(&t->store);
	if (!r)
		return NULL;
	c = &r->connection;
	c->cookie = e->cookie;
	c->start_ns = e->start_ns;
	c->source = e->source;
	connection_index_add(&t->index, c);
	connection_list_append(&t->store.live, c);
	return r;
}

/* Out of all that is counted, iterated and found; only its id is remembered. */
static void row_unlink(struct connection_table *t, struct row *r)
{
	struct connection *c = &r->connection;

	if (r->connection.listens)
		listener_index_remove(&t->index, r, c->netns, c->lport);
	if (t->cursor == c)
		t->cursor = c->next;
	connection_list_remove(&t->store.live, c);
	connection_index_remove(&t->index, c);
	t->recent[connection_hash(c->cookie, c->start_ns) % RECENT_COUNT] =
		(struct key){ c->cookie, c->start_ns };
}

static void row_drop(struct connection_table *t, struct row *r)
{
	row_unlink(t, r);
	connection_store_release(&t->store, r);
}

/* The row of a connection that this event ended; it can be read until the next apply at least. */
static void row_end(struct connection_table *t, struct row *r, const struct event *e)
{
	struct connection *c = &r->connection;

	row_unlink(t, r);
	c->closed_ns = e->mono_ns;
	if (event_has(e, FIELD_OUTCOME)) {
		c->outcome = e->outcome;
		connection_set(c, FIELD_OUTCOME);
	}
	if (e->type == EVENT_UNLISTEN || !connection_store_keep(&t->store, r))
		t->closing = r;
}

static void drop_closing(struct connection_table *t)
{
	if (!t->closing)
		return;
	connection_store_release(&t->store, t->closing);
	t->closing = NULL;
}

static struct key *recent_find(const struct connection_table *t, uint64_t cookie, uint64_t start_ns)
{
	struct key *k = &t->recent[connection_hash(cookie, start_ns) % RECENT_COUNT];

	return k->cookie == cookie && k->start_ns == start_ns && k->cookie ? k : NULL;
}

/*
 * From before us, and outgoing for what its socket keeps of its beginning; a listener with a backlog of 0 leaves the same
 * in its children. Where somebody listens on its local end, it came in there.
 */
static bool guessed_outgoing(const struct connection *c)
{
	return !c->start_ns && c->proto == IPPROTO_TCP && c->owner == OWNER_SNAPSHOT &&
	       c->direction == DIRECTION_OUT;
}

/*
 * An incoming connection that nobody was caught accepting is its listener's. Where several processes
 * listen equally well it is not said which: an owner is never guessed.
 */
static void row_inherit(const struct connection_table *t, struct connection *c)
{
	const struct connection *listener;
	bool several;

	if (c->state == STATE_LISTEN || !connection_has(c, FIELD_LPORT))
		return;
	if (guessed_outgoing(c) && listener_index_fit(&t->index, c, &several))
		c->direction = DIRECTION_IN;
	if (connection_has(c, FIELD_DIRECTION) &&
	    (c->direction == DIRECTION_OUT || connection_has(c, FIELD_PID)))
		return;
	listener = listener_index_fit(&t->index, c, &several);
	if (listener)
		connection_inherit(c, several ? NULL : listener);
}

static bool type_ends(enum event_type type)
{
	return type == EVENT_CLOSE || type == EVENT_FAIL || type == EVENT_UNLISTEN;
}

static bool type_opens(enum event_type type)
{
	return type == EVENT_CONNECT || type == EVENT_ACCEPT;
}

static bool type_has_row(enum event_type type)
{
	return (type >= EVENT_LISTEN && type <= EVENT_SOCKET);
}

static void tell_type(const struct event *e, struct connection_change *change)
{
	change->opened = type_opens(e->type);
	change->closed = e->type == EVENT_CLOSE;
	change->failed = e->type == EVENT_FAIL;
}

/* A connection that is not in the table: the row made for it, or NULL; *told: the event is old news. */
static struct row *meet(struct connection_table *t, struct event *e,
			struct connection_change *change, int *told)
{
	bool lingers = e->type == EVENT_SOCKET && event_has(e, FIELD_STATE) &&
		       e->state == STATE_TIME_WAIT;
	struct key *recent = recent_find(t, e->cookie, e->start_ns);
	struct row *r;

	*told = 0;
	if (recent && !lingers) {
		/* An id is used once: a pass over open files may tell an accept again, after the close. */
		if (e->start_ns || (!type_opens(e->type) && e->type != EVENT_LISTEN)) {
			*told = type_ends(e->type) || type_opens(e->type) ||
				e->type == EVENT_LISTEN || e->type == EVENT_SOCKET;
			return NULL;
		}
		*recent = (struct key){ 0, 0 };
	}
	/* with --states the last transition may come after the close it belongs to */
	if (e->type == EVENT_STATE && event_has(e, FIELD_NEW_STATE) && e->new_state == STATE_CLOSE)
		return NULL;
	r = row_add(t, e);
	if (r)
		return r;

	if (type_opens(e->type) || e->type == EVENT_LISTEN ||
	    (e->type == EVENT_SOCKET && !t->swept && !e->start_ns))
		t->refused++;
	tell_type(e, change);
	if (e->type == EVENT_CLOSE &&
	    (e->start_ns || event_has(e, FIELD_DURATION_US) || e->proto == IPPROTO_UDP)) {
		change->tx_bytes = event_has(e, FIELD_TX_BYTES) ? e->tx_bytes : 0;
		change->rx_bytes = event_has(e, FIELD_RX_BYTES) ? e->rx_bytes : 0;
		change->retrans = event_has(e, FIELD_RETRANS) ? e->retrans : 0;
		change->tx_segs = event_has(e, FIELD_TX_SEGS) ? e->tx_segs : 0;
	}
	return NULL;
}

/* Keeps the index of listeners in step with what the row has become. */
static void reindex(struct connection_table *t, struct row *r, uint32_t netns, uint16_t lport)
{
	const struct connection *c = &r->connection;
	bool listens = c->state == STATE_LISTEN && connection_has(c, FIELD_LPORT);

	if (r->connection.listens && (!listens || c->netns != netns || c->lport != lport))
		listener_index_remove(&t->index, r, netns, lport);
	if (listens && !r->connection.listens)
		listener_index_add(&t->index, r);
}

/* The inventory comes in no order: connections may have been told of before their listener. */
static void inherit_all(struct connection_table *t)
{
	for (struct connection *c = t->store.live.first; c; c = c->next)
		row_inherit(t, c);
}

int connection_table_apply(struct connection_table *t, struct event *e,
			   struct connection_change *change)
{
	struct connection *c;
	struct row *r;
	bool baseline, again;
	uint32_t netns;
	uint16_t lport;
	int told;

	memset(change, 0, sizeof(*change));
	drop_closing(t);
	connection_store_age(&t->store, e->mono_ns);
	if (e->type == EVENT_START)
		inherit_all(t);
	if (!type_has_row(e->type))
		return 0;
	if (!event_has(e, FIELD_ID) || !e->cookie) {
		tell_type(e, change);
		return 0;
	}

	r = (struct row *)connection_table_find(t, e->cookie, e->start_ns);
	if (!r) {
		r = meet(t, e, change, &told);
		if (!r)
			return told;
	}
	c = &r->connection;
	netns = c->netns;
	lport = c->lport;
	again = type_opens(e->type) && c->opened;
	c->opened |= type_opens(e->type);
	/* What the kernel counts of UDP begins with us. */
	baseline = e->snapshot || (!e->start_ns && !c->opened && !event_has(e, FIELD_DURATION_US) &&
				   e->proto != IPPROTO_UDP);
	connection_merge(c, e, baseline, change);
	reindex(t, r, netns, lport);
	row_inherit(t, c);
	connection_fill(c, e);
	change->row = c;
	if (again)
		return 1;
	tell_type(e, change);
	if (type_ends(e->type))
		row_end(t, r, e);
	return 0;
}

struct connection *connection_table_find(const struct connection_table *t, uint64_t cookie,
					 uint64_t start_ns)
{
	return connection_index_find(&t->index, cookie, start_ns);
}

bool connection_table_opened(const struct connection_table *t, uint64_t cookie, uint64_t start_ns)
{
	const struct row *r = (const struct row *)connection_table_find(t, cookie, start_ns);

	return r ? r->connection.opened : recent_find(t, cookie, start_ns) != NULL;
}

const struct connection *connection_table_listener_of(const struct connection_table *t,
						      const struct connection *c)
{
	bool several;

	return listener_index_fit(&t->index, c, &several);
}

int connection_table_listeners(const struct connection_table *t,
			       int (*visit)(void *context, const struct connection *listener),
			       void *context)
{
	return listener_index_visit(&t->index, visit, context);
}

size_t connection_table_count(const struct connection_table *t)
{
	return t->store.live.count;
}

size_t connection_table_closed_count(const struct connection_table *t)
{
	return t->store.closed.count;
}

bool connection_table_full(const struct connection_table *t)
{
	return t->store.live.count >= t->max_rows;
}

uint64_t connection_table_refused(const struct connection_table *t)
{
	return t->refused;
}

uint64_t connection_table_evicted(const struct connection_table *t)
{
	return t->store.evicted;
}

struct connection *connection_table_first(const struct connection_table *t)
{
	return t->store.live.first;
}

struct connection *connection_table_closed(const struct connection_table *t)
{
	return t->store.closed.first;
}

void connection_table_age(struct connection_table *t, uint64_t mono_ns)
{
	connection_store_age(&t->store, mono_ns);
}

void connection_table_forget(struct connection_table *t, unsigned int source)
{
	struct connection *next;

	drop_closing(t);
	for (struct connection *c = t->store.live.first; c; c = next) {
		struct key key = { c->cookie, c->start_ns }, *recent;

		next = c->next;
		if (c->source != source)
			continue;
		row_drop(t, (struct row *)c);
		/* it has not ended: it may be told again */
		recent = recent_find(t, key.cookie, key.start_ns);
		if (recent)
			*recent = (struct key){ 0, 0 };
	}
}

bool connection_table_touch(struct connection_table *t, uint64_t cookie, uint64_t start_ns,
			    uint64_t mono_ns, unsigned int state)
{
	struct connection *c = connection_table_find(t, cookie, start_ns);

	if (!c)
		return false;
	if (c->seen_ns >= mono_ns)
		return true;
	c->seen_ns = mono_ns;
	/* What listens is indexed, and an end comes with more than its state: both are told by events. */
	if (state != STATE_CLOSE && state != STATE_LISTEN && c->state != STATE_LISTEN) {
		c->state = state;
		connection_set(c, FIELD_STATE);
	}
	return true;
}

size_t connection_table_stale(const struct connection_table *t, uint64_t before_ns)
{
	size_t stale = 0;

	for (const struct connection *c = t->store.live.first; c; c = c->next)
		stale += c->seen_ns < before_ns;
	return stale;
}

/* How a row that no sweep finds any more ended, as far as that is known. */
static void unseen_end(const struct connection *c, struct event *e, uint64_t time_ns,
		       uint64_t mono_ns)
{
	static const enum event_field moot[] = {
		FIELD_STATE,   FIELD_RECV_Q,	  FIELD_SEND_Q,
		FIELD_HOLDERS, FIELD_DURATION_US, FIELD_TID,
	};

	connection_to_event(c, e, time_ns, mono_ns);
	for (size_t i = 0; i < sizeof(moot) / sizeof(moot[0]); i++)
		event_unset(e, moot[i]);
	e->type = c->state == STATE_LISTEN ? EVENT_UNLISTEN : EVENT_CLOSE;
	if (e->type == EVENT_CLOSE && connection_has(c, FIELD_STATE) && c->proto != IPPROTO_UDP) {
		e->last_state = c->state;
		event_set(e, FIELD_LAST_STATE);
	}
	e->reconciled = true;
	event_set(e, FIELD_RECONCILED);
}

long connection_table_expire(struct connection_table *t, uint64_t sweep_ns, uint64_t time_ns,
			     uint64_t mono_ns, event_sink *sink, void *context)
{
	struct connection *c;
	struct event e;
	struct key key;
	long expired = 0;
	int error;

	t->swept = true;
	drop_closing(t);
	inherit_all(t);
	for (t->cursor = t->store.live.first; t->cursor;) {
		c = t->cursor;
		t->cursor = c->next;
		if (c->seen_ns >= sweep_ns)
			continue;
		if (c->state == STATE_TIME_WAIT) { /* closed long ago: nothing to tell */
			row_drop(t, (struct row *)c);
			continue;
		}
		key = (struct key){ c->cookie, c->start_ns };
		unseen_end(c, &e, time_ns, mono_ns);
		error = sink(context, &e);
		/* the sink may have applied it, or more than that */
		c = connection_table_find(t, key.cookie, key.start_ns);
		if (c)
			row_drop(t, (struct row *)c);
		expired++;
		if (error) {
			t->cursor = NULL;
			return error < 0 ? error : expired;
		}
	}
	return expired;
}
