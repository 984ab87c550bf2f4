/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sockets (-a, -l, --list) in ss's columns, as JSON or as CSV. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/event_pack.h"
#include "view/csv.h"
#include "view/json.h"
#include "view/list_text.h"
#include "view/view.h"

#define ROWS_MAX (4u << 20)

/* Where the rest of a row is. */
enum row_kind {
	ROW_LENT,	/* with whoever tells list_view_row of it */
	ROW_CONNECTION, /* in the connection table */
	ROW_REPLAYED,	/* here: told by a recording, maybe more than once */
};

/* A row to print and what sorts it, gathered so that sorting seldom looks at the row itself. */
struct entry {
	uint64_t key, tie; /* local end, remote end */
	union {
		uint64_t row; /* list_view_rows's name for it */
		const struct connection *connection;
		const void *packed; /* in `replayed` */
	};
	uint32_t number; /* in the order in which they came */
	uint8_t kind;	 /* enum row_kind */
};

/* Owned: replayed, entries. */
struct list_view {
	struct view view;
	const struct view_options *options; /* borrowed, as the next two */
	const struct connection_table *table;
	const struct selection *selection;
	struct event_store *replayed;
	struct entry *entries;
	size_t count, capacity;
	struct list_widths widths;
	int (*lent)(void *context, uint64_t row, struct event *e); /* NULL: from the table */
	void *context;
	uint64_t printed; /* tables so far */
};

/* Waits for peers: a listener, or a datagram socket without a peer. */
static bool is_unconnected(const struct event *e)
{
	return e->state == STATE_LISTEN ||
	       (e->proto != IPPROTO_TCP && e->state != STATE_ESTABLISHED);
}

static bool is_selected(const struct list_view *v, const struct event *e)
{
	const struct view_options *o = v->options;

	if (o->listening != o->connected && is_unconnected(e) != o->listening)
		return false;
	return selection_match(v->selection, e) && filter_match(o->filter, e);
}

/* Unix sockets behind the others, by inode. */
static uint64_t sort_key(const struct event *e)
{
	uint64_t address;

	if (e->proto == PROTO_UNIX)
		return (uint64_t)!is_unconnected(e) << 63 | UINT64_MAX >> 1;
	memcpy(&address, e->laddr, sizeof(address));
	return (uint64_t)!is_unconnected(e) << 63 | (uint64_t)e->lport << 47 |
	       (uint64_t)(e->family == 6) << 46 | be64toh(address) >> 18;
}

static uint64_t sort_tie(const struct event *e)
{
	uint64_t address;

	if (e->proto == PROTO_UNIX)
		return e->inode;
	memcpy(&address, e->raddr, sizeof(address));
	return (uint64_t)e->rport << 48 | be64toh(address) >> 16;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The whole row; false when out of memory. */
static bool entry_event(const struct list_view *v, const struct entry *entry, uint64_t time_ns,
			uint64_t mono_ns, struct event *e)
{
	switch (entry->kind) {
	case ROW_LENT:
		if (v->lent(v->context, entry->row, e))
			return false;
		e->time_ns = time_ns;
		e->mono_ns = mono_ns;
		break;
	case ROW_CONNECTION:
		connection_to_event(entry->connection, e, time_ns, mono_ns);
		break;
	default:
		event_unpack(entry->packed, time_ns, mono_ns, e);
	}
	return true;
}

/* What the keys leave open: seldom, so that it may take its time. */
static int compare_rows(const struct list_view *v, const struct entry *l, const struct entry *r)
{
	struct event a, b;
	int d;

	if (!entry_event(v, l, 0, 0, &a) || !entry_event(v, r, 0, 0, &b))
		return compare_u64(l->number, r->number);
	d = memcmp(a.laddr, b.laddr, sizeof(a.laddr));
	if (!d)
		d = memcmp(a.raddr, b.raddr, sizeof(a.raddr));
	if (!d)
		d = compare_u64(a.proto, b.proto);
	if (!d)
		d = compare_u64(a.netns, b.netns);
	if (!d)
		d = compare_u64(a.cookie, b.cookie);
	if (!d)
		d = compare_u64(a.start_ns, b.start_ns);
	return d ? d : compare_u64(l->number, r->number);
}

static int compare_entries(const void *left, const void *right, void *view)
{
	const struct entry *l = left, *r = right;
	int d = compare_u64(l->key, r->key);

	if (!d)
		d = compare_u64(l->tie, r->tie);
	return d ? d : compare_rows(view, l, r);
}

/* The entry of this row where it was asked for, or NULL; *err: out of memory. */
static struct entry *add_entry(struct list_view *v, const struct event *e, enum row_kind kind,
			       int *err)
{
	struct entry *entries;

	if (!is_selected(v, e) || v->count == ROWS_MAX)
		return NULL;
	if (v->count == v->capacity) {
		size_t capacity = v->capacity ? v->capacity * 2 : 256;

		entries = realloc(v->entries, capacity * sizeof(*entries));
		if (!entries) {
			*err = -ENOMEM;
			return NULL;
		}
		v->entries = entries;
		v->capacity = capacity;
	}
	list_measure(&v->widths, e);
	v->entries[v->count] = (struct entry){ .key = sort_key(e),
					       .tie = sort_tie(e),
					       .number = (uint32_t)v->count,
					       .kind = (uint8_t)kind };
	return &v->entries[v->count++];
}

/* 0 or -ENOMEM. */
static int gather_from(struct list_view *v, const struct connection *c, uint64_t time_ns,
		       uint64_t mono_ns)
{
	struct entry *entry;
	struct event e;
	int err = 0;

	for (; c && !err; c = c->next) {
		if (c->proto == PROTO_UNIX) /* list_event has more of it */
			continue;
		connection_to_event(c, &e, time_ns, mono_ns);
		entry = add_entry(v, &e, ROW_CONNECTION, &err);
		if (entry)
			entry->connection = c;
	}
	return err;
}

static int add_replayed(struct list_view *v, const struct event *e)
{
	const void *packed = event_pack(v->replayed, e);
	struct entry *entry;
	int err = packed ? 0 : -ENOMEM;

	entry = err ? NULL : add_entry(v, e, ROW_REPLAYED, &err);
	if (entry)
		entry->packed = packed;
	return err;
}

static int gather(struct list_view *v, uint64_t time_ns, uint64_t mono_ns)
{
	int err = gather_from(v, connection_table_first(v->table), time_ns, mono_ns);

	if (!err &&
	    (selection_wants_closed(v->selection) || filter_wants_closed(v->options->filter)))
		err = gather_from(v, connection_table_closed(v->table), time_ns, mono_ns);
	return err;
}

/* Of what a recording told several times the last word counts; it is at the end of its equals. */
static bool is_told_again(const struct list_view *v, size_t i)
{
	const struct entry *one = &v->entries[i], *next = one + 1;
	struct event a, b;

	if (one->kind != ROW_REPLAYED || i + 1 == v->count || next->kind != ROW_REPLAYED ||
	    one->tie != next->tie || one->key != next->key)
		return false;
	event_unpack(one->packed, 0, 0, &a);
	event_unpack(next->packed, 0, 0, &b);
	return a.cookie == b.cookie && a.proto == b.proto;
}

static void put_heading(struct list_view *v)
{
	struct text *t = &v->view.output->text;

	if (v->options->json)
		return;
	if (v->options->csv) {
		if (!v->options->no_header && !v->printed)
			csv_write_header(t, CSV_ROWS);
		return;
	}
	if (v->printed)
		text_char(t, '\n');
	if (!v->options->no_header)
		list_put_header(t, &v->widths);
}

static int print_rows(struct list_view *v, uint64_t time_ns, uint64_t mono_ns)
{
	const struct view_options *o = v->options;
	const struct list_details details = { o->timers, o->extended, o->own_netns };
	struct text *t = &v->view.output->text;
	struct event e;
	int err = 0;

	for (size_t i = 0; !err && i < v->count; i++) {
		if (is_told_again(v, i))
			continue;
		if (!entry_event(v, &v->entries[i], time_ns, mono_ns, &e))
			return -ENOMEM;
		if (o->json)
			json_write_event(t, &e);
		else if (o->csv)
			csv_write_event(t, CSV_ROWS, &e);
		else
			list_put_row(t, &e, &v->widths, &details);
		err = output_line(v->view.output);
	}
	return err;
}

static int print_table(struct list_view *v, uint64_t time_ns, uint64_t mono_ns)
{
	int err = v->lent ? 0 : gather(v, time_ns, mono_ns);

	if (err)
		return err;
	if (v->count)
		qsort_r(v->entries, v->count, sizeof(*v->entries), compare_entries, v);
	put_heading(v);
	err = print_rows(v, time_ns, mono_ns);
	event_store_clear(v->replayed);
	v->count = 0;
	v->widths = list_widths_least();
	if (err)
		return err;
	v->printed++;
	return v->view.output->text.failed ? -ENOMEM : 0;
}

void list_view_lend(struct view *view, int (*lent)(void *context, uint64_t row, struct event *e),
		    void *context)
{
	struct list_view *v = (struct list_view *)view;

	v->lent = lent;
	v->context = context;
}

int list_view_row(struct view *view, const struct event *e, uint64_t row)
{
	struct list_view *v = (struct list_view *)view;
	struct entry *entry;
	int err = 0;

	entry = add_entry(v, e, ROW_LENT, &err);
	if (entry)
		entry->row = row;
	return err;
}

/* The table knows it already; a replay by its own time still needs its first tick. */
static int list_event(struct view *view, const struct event *e,
		      const struct connection_change *change)
{
	struct list_view *v = (struct list_view *)view;

	(void)change;
	if (v->options->interval_ns && !view->next_tick_ns)
		view->next_tick_ns = e->mono_ns + v->options->interval_ns;
	/* No connection: the table has no room for what only a row of a list knows. */
	if (e->type == EVENT_SOCKET && e->proto == PROTO_UNIX)
		return add_replayed(v, e);
	return 0;
}

static int list_tick(struct view *view, uint64_t time_ns, uint64_t mono_ns)
{
	struct list_view *v = (struct list_view *)view;
	int err = print_table(v, time_ns, mono_ns);

	view->next_tick_ns = mono_ns + v->options->interval_ns;
	if (err)
		return err;
	return v->options->count && v->printed >= v->options->count;
}

static int list_finish(struct view *view, uint64_t time_ns, uint64_t mono_ns)
{
	struct list_view *v = (struct list_view *)view;

	return v->printed ? 0 : print_table(v, time_ns, mono_ns);
}

static void list_free(struct view *view)
{
	struct list_view *v = (struct list_view *)view;

	event_store_free(v->replayed);
	free(v->entries);
	free(v);
}

struct view *list_view_new(struct output *o, const struct view_options *options,
			   const struct connection_table *t, const struct selection *s)
{
	static const struct view_ops ops = {
		.event = list_event, .tick = list_tick, .finish = list_finish, .free = list_free
	};
	struct list_view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->replayed = event_store_new();
	if (!v->replayed) {
		free(v);
		return NULL;
	}
	v->widths = list_widths_least();
	v->view.ops = &ops;
	v->view.output = o;
	v->view.wants_counters = true;
	v->options = options;
	v->table = t;
	v->selection = s;
	return &v->view;
}
