/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sockets (-a, -l, --list) in ss's columns, or as JSON. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "view/json.h"
#include "view/list_text.h"
#include "view/view.h"

/* A row to print and what sorts it, gathered so that sorting seldom looks at the row itself. */
struct entry {
	uint64_t key;
	const struct connection *row;
};

struct list_view {
	struct view view;
	const struct view_options *options; /* borrowed, as the next two */
	const struct connection_table *table;
	const struct selection *selection;
	struct entry *entries; /* owned */
	size_t capacity;
	uint64_t printed; /* tables so far */
};

/* Waits for peers: a listener, or a datagram socket without a peer. */
static bool is_unconnected(const struct connection *c)
{
	return c->state == STATE_LISTEN ||
	       (c->proto == IPPROTO_UDP && c->state != STATE_ESTABLISHED);
}

static bool is_selected(const struct list_view *v, const struct connection *c, uint64_t time_ns,
			uint64_t mono_ns)
{
	const struct view_options *o = v->options;
	struct event e;

	if (o->listening != o->connected && is_unconnected(c) != o->listening)
		return false;
	connection_to_event(c, &e, time_ns, mono_ns);
	return selection_match(v->selection, &e) && filter_match(o->filter, &e);
}

static uint64_t sort_key(const struct connection *c)
{
	uint64_t address;

	memcpy(&address, c->laddr, sizeof(address));
	return (uint64_t)!is_unconnected(c) << 63 | (uint64_t)c->lport << 47 |
	       (uint64_t)(c->family == 6) << 46 | be64toh(address) >> 18;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *l = left, *r = right;
	const struct connection *a = l->row, *b = r->row;
	int d = compare_u64(l->key, r->key);

	if (!d)
		d = memcmp(a->laddr, b->laddr, sizeof(a->laddr));
	if (!d)
		d = compare_u64(a->rport, b->rport);
	if (!d)
		d = memcmp(a->raddr, b->raddr, sizeof(a->raddr));
	if (!d)
		d = compare_u64(a->proto, b->proto);
	if (!d)
		d = compare_u64(a->netns, b->netns);
	if (!d)
		d = compare_u64(a->cookie, b->cookie);
	return d ? d : compare_u64(a->start_ns, b->start_ns);
}

/* Appends those that were asked for of a list that begins with `c`; returns how many there are now. */
static size_t gather_from(struct list_view *v, const struct connection *c, size_t n,
			  uint64_t time_ns, uint64_t mono_ns)
{
	for (; c && n < v->capacity; c = c->next)
		if (is_selected(v, c, time_ns, mono_ns))
			v->entries[n++] = (struct entry){ sort_key(c), c };
	return n;
}

/* Fills v->entries. 0 or -ENOMEM. */
static int gather(struct list_view *v, uint64_t time_ns, uint64_t mono_ns, size_t *count)
{
	size_t rows = connection_table_count(v->table) + connection_table_closed_count(v->table);
	size_t n;

	if (rows > v->capacity) {
		struct entry *entries = realloc(v->entries, rows * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		v->entries = entries;
		v->capacity = rows;
	}
	n = gather_from(v, connection_table_first(v->table), 0, time_ns, mono_ns);
	if (selection_wants_closed(v->selection) || filter_wants_closed(v->options->filter))
		n = gather_from(v, connection_table_closed(v->table), n, time_ns, mono_ns);
	if (n)
		qsort(v->entries, n, sizeof(*v->entries), compare_entries);
	*count = n;
	return 0;
}

static int print_text(struct list_view *v, size_t count)
{
	struct list_widths w = list_widths_least();
	struct text *t = &v->view.output->text;
	int err = 0;

	for (size_t i = 0; i < count; i++)
		list_measure(&w, v->entries[i].row);
	if (v->printed)
		text_char(t, '\n');
	if (!v->options->no_header)
		list_put_header(t, &w);
	for (size_t i = 0; !err && i < count; i++) {
		list_put_row(t, v->entries[i].row, &w, v->options->extended, v->options->own_netns);
		err = output_line(v->view.output);
	}
	return err;
}

static int print_json(struct list_view *v, size_t count, uint64_t time_ns, uint64_t mono_ns)
{
	struct event e;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		connection_to_event(v->entries[i].row, &e, time_ns, mono_ns);
		json_write_event(&v->view.output->text, &e);
		err = output_line(v->view.output);
	}
	return err;
}

static int print_table(struct list_view *v, uint64_t time_ns, uint64_t mono_ns)
{
	size_t count;
	int err = gather(v, time_ns, mono_ns, &count);

	if (err)
		return err;
	err = v->options->json ? print_json(v, count, time_ns, mono_ns) : print_text(v, count);
	if (err)
		return err;
	v->printed++;
	return v->view.output->text.failed ? -ENOMEM : 0;
}

/* The table knows it already; a replay by its own time still needs its first tick. */
static int list_event(struct view *view, const struct event *e,
		      const struct connection_change *change)
{
	const struct list_view *v = (const struct list_view *)view;

	(void)change;
	if (v->options->interval_ns && !view->next_tick_ns)
		view->next_tick_ns = e->mono_ns + v->options->interval_ns;
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
	v->view.ops = &ops;
	v->view.output = o;
	v->view.wants_counters = true;
	v->options = options;
	v->table = t;
	v->selection = s;
	return &v->view;
}
