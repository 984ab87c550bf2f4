/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a grouping in order. Only as many as are wanted are sorted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/ranking_private.h"

#define ENTRIES_FIRST 64
#define STEADY_BAND 0.1 /* a number that changes by less keeps its row where it is */
#define STEADY_FALL 0.5 /* a number that falls is followed by half each interval */

/* One row: a group by its id, or a connection by its address. */
struct ranking_entry {
	double value, second, rate, total;
	const struct connection *connection; /* NULL: a group */
	uint32_t id;
	uint32_t turn; /* connections: their place in the table */
};

void ranking_list_done(struct ranking_list *l)
{
	if (!l)
		return;
	free(l->entries);
	*l = (struct ranking_list){ 0 };
}

static void group_row(const struct ranking *r, enum ranking_by by, uint32_t id,
		      struct ranking_row *row)
{
	const struct connection *c;

	*row = grouping_at(r->groupings[by], id)->row;
	if (by != BY_CONNECTION || id == GROUP_OTHER)
		return;
	/* what no event told, as the queues and the age */
	c = connection_table_find(r->table, row->cookie, row->start_ns);
	row->connections = c != NULL;
	row->fading = row->idle && !c;
	row->since_ns = row->start_ns;
	if (c) {
		row->queue = c->recv_q;
		row->backlog = c->send_q;
		row->state = c->state;
	}
}

static void entry_row(const struct ranking_list *l, const struct ranking_entry *e,
		      struct ranking_row *row)
{
	if (e->connection)
		ranking_row_of(e->connection, row);
	else
		group_row(l->ranking, l->by, e->id, row);
}

struct sorting {
	const struct ranking_list *list;
	const struct ranking_query *query;
};

static int compare_doubles(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_entries(const struct sorting *s, const struct ranking_entry *a,
			   const struct ranking_entry *b)
{
	struct ranking_row one, two;
	int d = compare_doubles(a->value, b->value);

	if (!d && !s->query->value) {
		entry_row(s->list, a, &one);
		entry_row(s->list, b, &two);
		d = ranking_compare_identity(&one, &two);
	}
	if (!d)
		d = compare_doubles(a->second, b->second);
	if (s->query->reverse)
		d = -d;
	if (!d)
		d = compare_doubles(a->rate, b->rate);
	if (!d)
		d = compare_doubles(a->total, b->total);
	if (d)
		return d;
	if (a->connection && b->connection)
		return (a->turn > b->turn) - (a->turn < b->turn);
	entry_row(s->list, a, &one);
	entry_row(s->list, b, &two);
	return ranking_compare_identity(&one, &two);
}

static int compare_sorted(const void *a, const void *b, void *context)
{
	return compare_entries(context, a, b);
}

static void swap(struct ranking_entry *a, struct ranking_entry *b)
{
	struct ranking_entry kept = *a;

	*a = *b;
	*b = kept;
}

/* Brings the first `limit` of entries [0, n) to the front, in no order: quickselect. */
static void select_first(struct sorting *s, size_t n, size_t limit)
{
	struct ranking_entry *e = s->list->entries;
	size_t low = 0, high = n;

	while (high - low > 1 && limit > low && limit < high) {
		size_t store = low;

		swap(&e[low + (high - low) / 2], &e[high - 1]);
		for (size_t i = low; i < high - 1; i++) {
			if (compare_entries(s, &e[i], &e[high - 1]) < 0)
				swap(&e[i], &e[store++]);
		}
		swap(&e[store], &e[high - 1]);
		if (store < limit)
			low = store + 1;
		else
			high = store;
	}
}

/* All of them are not kept: when there are twice as many as are wanted, the last half goes. */
static int entry_add(struct ranking_list *l, const struct ranking_query *q,
		     const struct ranking_entry *entry)
{
	size_t most = q->limit > ENTRIES_FIRST / 2 ? 2 * q->limit : ENTRIES_FIRST;

	if (q->limit && l->count >= most) {
		select_first(&(struct sorting){ l, q }, l->count, q->limit);
		l->count = q->limit;
	}
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : ENTRIES_FIRST;
		struct ranking_entry *entries = realloc(l->entries, capacity * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		l->entries = entries;
		l->capacity = capacity;
	}
	l->entries[l->count++] = *entry;
	l->matched++;
	return 0;
}

/* Rises at once, falls gently, and does not move for little. */
static double steady_value(struct ranking *r, struct grouping *g, struct group *group, int key,
			   double value)
{
	double before = group->steady;

	if (g->steady_key != key || !group->steady_serial) {
		group->steady = value;
	} else if (group->steady_serial != r->serial) {
		if (value > before * (1 + STEADY_BAND) || value < 0)
			group->steady = value;
		else if (value < before * (1 - STEADY_BAND))
			group->steady = value + (before - value) * STEADY_FALL;
	}
	group->steady_serial = r->serial;
	return group->steady;
}

static int put_group(struct ranking *r, const struct ranking_query *q, uint32_t id,
		     struct ranking_list *l)
{
	struct grouping *g = r->groupings[q->by];
	struct group *group = grouping_at(g, id);
	const struct ranking_row *row = &group->row;
	struct ranking_entry entry = { .rate = row->tx_rate + row->rx_rate,
				       .total = (double)(row->tx_bytes + row->rx_bytes),
				       .id = id };

	if (q->match && !q->match(q->match_context, row, NULL))
		return 0;
	entry.value = q->value ? q->value(q->context, row) : 0;
	entry.second = q->second ? q->second(q->context, row) : 0;
	if (q->steady && q->value)
		entry.value = steady_value(r, g, group, q->key, entry.value);
	return entry_add(l, q, &entry);
}

static bool other_is_shown(const struct ranking_row *row)
{
	return row->connections ||
	       row->tx_rate + row->rx_rate + row->open_rate + row->close_rate + row->fail_rate > 0;
}

static int put_groups(struct ranking *r, const struct ranking_query *q, struct ranking_list *l)
{
	struct grouping *g = r->groupings[q->by];
	int err = 0;

	for (uint32_t id = GROUP_OTHER; !err && id < g->ids; id++) {
		const struct group *group = grouping_at(g, id);

		if (id == GROUP_OTHER ? other_is_shown(&group->row) : group->used)
			err = put_group(r, q, id, l);
	}
	if (q->steady)
		g->steady_key = q->key;
	return err;
}

static int put_connection(const struct ranking_query *q, const struct connection *c,
			  struct ranking_list *l)
{
	struct ranking_row row;
	struct ranking_entry entry = { .total = (double)(c->tx_bytes + c->rx_bytes),
				       .connection = c,
				       .turn = (uint32_t)l->matched };

	ranking_row_of(c, &row);
	if (q->match && !q->match(q->match_context, &row, c))
		return 0;
	entry.value = q->value ? q->value(q->context, &row) : 0;
	entry.second = q->second ? q->second(q->context, &row) : 0;
	return entry_add(l, q, &entry);
}

/* Those with groups are there already: put_groups. */
static int put_connections(struct ranking *r, const struct ranking_query *q, struct ranking_list *l)
{
	struct ranking_row k = { .by = BY_CONNECTION };
	int err = 0;

	for (struct connection *c = connection_table_first(r->table); !err && c; c = c->next)
		if (c->group == MARK_OURS && (c->state != STATE_LISTEN || q->listening))
			err = put_connection(q, c, l);
	if (!q->closed)
		return err;
	for (struct connection *c = connection_table_closed(r->table); !err && c; c = c->next) {
		k.cookie = c->cookie;
		k.start_ns = c->start_ns;
		if (!grouping_find(r->groupings[BY_CONNECTION], &k))
			err = put_connection(q, c, l);
	}
	return err;
}

int ranking_list(struct ranking *r, const struct ranking_query *q, struct ranking_list *l)
{
	struct sorting sorting = { l, q };
	int err;

	l->ranking = r;
	l->by = q->by;
	l->matched = l->count = 0;
	err = put_groups(r, q, l);
	if (!err && q->by == BY_CONNECTION)
		err = put_connections(r, q, l);
	if (err)
		return err;
	if (q->limit && q->limit < l->count) {
		select_first(&sorting, l->count, q->limit);
		l->count = q->limit;
	}
	if (l->count)
		qsort_r(l->entries, l->count, sizeof(*l->entries), compare_sorted, &sorting);
	return 0;
}

void ranking_list_row(const struct ranking_list *l, size_t i, struct ranking_row *row)
{
	entry_row(l, &l->entries[i], row);
}

void ranking_mark(struct ranking *r, enum ranking_by by,
		  bool (*passes)(void *context, const struct connection *c), void *context)
{
	struct grouping *g = r->groupings[by];
	struct ranking_row k;

	if (!g)
		return;
	for (uint32_t id = GROUP_OTHER; id < g->ids; id++)
		grouping_at(g, id)->row.marked = false;
	for (struct connection *c = connection_table_first(r->table); c; c = c->next) {
		uint32_t id;

		if (!c->group || !passes(context, c) ||
		    !ranking_identify(by, r->table, NULL, c, &k))
			continue;
		id = grouping_find(g, &k);
		if (id)
			grouping_at(g, id)->row.marked = true;
	}
}

bool ranking_find(const struct ranking *r, const struct ranking_row *identity,
		  struct ranking_row *row)
{
	enum ranking_by by = (enum ranking_by)identity->by;
	uint32_t id = r->groupings[by] ? grouping_find(r->groupings[by], identity) : GROUP_NONE;
	const struct connection *c;

	if (id) {
		group_row(r, by, id, row);
		return true;
	}
	if (by != BY_CONNECTION)
		return false;
	c = connection_table_find(r->table, identity->cookie, identity->start_ns);
	if (c)
		ranking_row_of(c, row);
	return c != NULL;
}

bool ranking_row_within(const struct ranking *r, const struct ranking_row *connection,
			const struct ranking_row *group)
{
	struct ranking_row k = *connection;
	const struct connection *c;
	struct event e;

	k.by = group->by;
	switch (group->by) {
	case BY_REMOTE:
		if (k.direction == DIRECTION_IN)
			k.rport = 0;
		return ranking_row_same(&k, group);
	case BY_LISTENER:
		c = connection_table_find(r->table, k.cookie, k.start_ns);
		if (c)
			return ranking_identify(BY_LISTENER, r->table, NULL, c, &k) &&
			       ranking_row_same(&k, group);
		event_init(&e, EVENT_CLOSE, 0, 0);
		e.proto = k.proto;
		e.family = k.family;
		e.direction = k.direction;
		e.lport = k.lport;
		e.netns = k.netns;
		memcpy(e.laddr, k.laddr, sizeof(e.laddr));
		event_set(&e, FIELD_LADDR);
		event_set(&e, FIELD_LPORT);
		return ranking_identify(BY_LISTENER, r->table, &e, NULL, &k) &&
		       ranking_row_same(&k, group);
	default:
		return ranking_row_same(&k, group);
	}
}
