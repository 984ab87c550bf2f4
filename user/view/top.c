/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is busiest, each interval: plain tables, JSON, or redrawn in place on a terminal. */
#include <errno.h>
#include <stdlib.h>

#include "model/ranking.h"
#include "view/columns.h"
#include "view/json.h"
#include "view/screen.h"
#include "view/stamp.h"
#include "view/view.h"

#define INTERVAL_DEFAULT_NS 1000000000ULL
#define PASSED_ON (1u << EVENT_START | 1u << EVENT_LOST | 1u << EVENT_SUMMARY)

struct top_view {
	struct view view;
	const struct view_options *options; /* borrowed, as the next */
	const struct connection_table *table;
	struct ranking *ranking; /* owned */
	struct stamp stamp;
	struct screen screen;
	bool on_screen;
	uint64_t interval_ns;
	uint64_t ended_ns; /* mono: when the last interval ended */
	uint64_t printed;  /* tables so far */
	uint64_t lost;	   /* records, so far */
	bool news;	   /* something happened since the last interval */

	/* what the last interval brought: drawn again when the size changes */
	const struct ranking_row *rows; /* borrowed from the ranking */
	size_t row_count;
	uint64_t time_ns, mono_ns;
};

/* `3 opens/s`, with `tx 1.2MB/s` where the name comes first. */
static void put_flow(struct text *t, const char *name, double rate)
{
	text_puts(t, "  ");
	text_puts(t, name);
	text_char(t, ' ');
	columns_put_size_rate(t, rate);
	text_puts(t, "/s");
}

static void put_pace(struct text *t, const char *separator, double rate, const char *name)
{
	text_puts(t, separator);
	columns_put_rate(t, rate);
	text_char(t, ' ');
	text_puts(t, name);
}

static void put_title(struct top_view *v, struct text *t)
{
	struct ranking_row total;

	ranking_totals(v->ranking, &total);
	text_puts(t, "nettrace top");
	if (v->options->time_format != TIME_FORMAT_NONE) {
		text_puts(t, "  ");
		stamp_write(&v->stamp, t, v->time_ns, v->mono_ns, false);
	}
	text_puts(t, "  by ");
	text_puts(t, ranking_by_name((enum ranking_by)v->options->by));
	text_puts(t, "  ");
	text_u64(t, total.connections);
	text_puts(t, total.connections == 1 ? " connection" : " connections");
	put_pace(t, "  ", total.open_rate, "opens/s");
	put_pace(t, " ", total.close_rate, "closes/s");
	put_pace(t, " ", total.fail_rate, "fails/s");
	put_flow(t, "tx", total.tx_rate);
	put_flow(t, "rx", total.rx_rate);
	if (v->lost) {
		text_puts(t, "  ");
		text_u64(t, v->lost);
		text_puts(t, " lost");
	}
}

static size_t rows_shown(const struct top_view *v)
{
	size_t n = v->row_count;

	if (v->options->rows && n > v->options->rows)
		n = v->options->rows;
	return n;
}

static int print_json(struct top_view *v)
{
	size_t n = rows_shown(v);
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		columns_put_json(&v->view.output->text, (enum ranking_by)v->options->by,
				 &v->rows[i], v->time_ns, v->mono_ns);
		err = output_line(v->view.output);
	}
	return err;
}

static int print_table(struct top_view *v)
{
	struct text *t = &v->view.output->text;
	enum ranking_by by = (enum ranking_by)v->options->by;
	size_t widths[COLUMNS_MAX], n = rows_shown(v);
	int err = 0;

	if (v->printed)
		text_char(t, '\n');
	columns_measure(by, v->rows, n, widths);
	if (!v->options->no_header) {
		put_title(v, t);
		text_char(t, '\n');
		columns_put_header(t, by, widths);
		text_char(t, '\n');
	}
	for (size_t i = 0; !err && i < n; i++) {
		columns_put_row(t, by, &v->rows[i], widths);
		text_char(t, '\n');
		err = output_line(v->view.output);
	}
	return err;
}

static int draw(struct top_view *v)
{
	struct screen *s = &v->screen;
	struct text *t = &v->view.output->text;
	enum ranking_by by = (enum ranking_by)v->options->by;
	size_t widths[COLUMNS_MAX], n = rows_shown(v), from;

	screen_begin(s);
	from = t->length;
	put_title(v, t);
	screen_end_line(s, from, false);
	if (n > screen_room(s))
		n = screen_room(s);
	columns_measure(by, v->rows, n, widths);
	if (screen_room(s)) {
		from = t->length;
		columns_put_header(t, by, widths);
		screen_end_line(s, from, true);
	}
	for (size_t i = 0; i < n && screen_room(s); i++) {
		from = t->length;
		columns_put_row(t, by, &v->rows[i], widths);
		screen_end_line(s, from, false);
	}
	return screen_end(s);
}

static int show(struct top_view *v)
{
	int err;

	if (v->options->json)
		err = print_json(v);
	else
		err = v->on_screen ? draw(v) : print_table(v);
	if (err)
		return err;
	v->printed++;
	return v->view.output->text.failed ? -ENOMEM : 0;
}

static int end_interval(struct top_view *v, uint64_t time_ns, uint64_t mono_ns)
{
	v->rows = ranking_interval(v->ranking, v->table, mono_ns,
				   (enum ranking_key)v->options->sort, &v->row_count);
	v->time_ns = time_ns;
	v->mono_ns = mono_ns;
	v->ended_ns = mono_ns;
	v->news = false;
	return show(v);
}

static bool is_enough(const struct top_view *v)
{
	return v->options->count && v->printed >= v->options->count;
}

/* A recording, or --for, may end within an interval: the rates are those of the part that there was. */
static int top_finish(struct view *view, uint64_t time_ns, uint64_t mono_ns)
{
	struct top_view *v = (struct top_view *)view;

	if (v->on_screen || is_enough(v) || (v->printed && (!v->news || mono_ns <= v->ended_ns)))
		return 0;
	return end_interval(v, time_ns, mono_ns);
}

/* What was there before the first event is counted too. */
static int adopt_table(struct top_view *v, const struct event *start)
{
	struct connection_change change = { 0 };
	struct event e;
	int err = 0;

	for (struct connection *c = connection_table_first(v->table); c && !err; c = c->next) {
		if (c->group)
			continue;
		connection_to_event(c, &e, start->time_ns, start->mono_ns);
		if (!filter_match(v->options->filter, &e))
			continue;
		change.row = c;
		err = ranking_add(v->ranking, &e, &change);
	}
	return err;
}

/* A screen shows at once what is open; the rates come with the first interval. */
static int begin(struct top_view *v, const struct event *start)
{
	int err = adopt_table(v, start);

	if (err || !v->on_screen || v->printed)
		return err;
	err = end_interval(v, start->time_ns, start->mono_ns);
	v->printed = 0; /* not one of COUNT */
	return err;
}

static int top_event(struct view *view, const struct event *e,
		     const struct connection_change *change)
{
	static const struct connection_change nothing;
	struct top_view *v = (struct top_view *)view;
	int err = 0;

	stamp_begin(&v->stamp, e->mono_ns);
	if (!view->next_tick_ns && e->type != EVENT_SUMMARY)
		view->next_tick_ns = e->mono_ns + v->interval_ns;
	if (e->type == EVENT_SUMMARY &&
	    v->options->json) /* the last line: after the last interval */
		err = top_finish(view, e->time_ns, e->mono_ns);
	if (v->options->json && PASSED_ON >> e->type & 1)
		json_write_event(&view->output->text, e);
	if (e->type == EVENT_LOST)
		v->lost += e->count;
	if (e->type == EVENT_SUMMARY)
		return err ? err : output_line(view->output);
	v->news = true;
	err = ranking_add(v->ranking, e, change ? change : &nothing);
	if (!err && e->type == EVENT_START)
		err = begin(v, e);
	return err ? err : output_line(view->output);
}

static int top_tick(struct view *view, uint64_t time_ns, uint64_t mono_ns)
{
	struct top_view *v = (struct top_view *)view;
	int err;

	if (is_enough(v))
		return 1;
	err = end_interval(v, time_ns, mono_ns);
	/* in step with the first tick; what was missed is not made up for */
	view->next_tick_ns += v->interval_ns;
	if (view->next_tick_ns <= mono_ns)
		view->next_tick_ns = mono_ns + v->interval_ns;
	return err ? err : is_enough(v);
}

static void top_free(struct view *view)
{
	struct top_view *v = (struct top_view *)view;

	screen_done(&v->screen);
	ranking_free(v->ranking);
	free(v);
}

static const struct view_ops top_ops = { .event = top_event,
					 .tick = top_tick,
					 .finish = top_finish,
					 .free = top_free };

struct view *top_view_new(struct output *o, const struct view_options *options,
			  const struct connection_table *t)
{
	struct top_view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->ranking = ranking_new((enum ranking_by)options->by);
	if (!v->ranking) {
		free(v);
		return NULL;
	}
	v->view.ops = &top_ops;
	v->view.output = o;
	v->view.wants_counters = true;
	v->options = options;
	v->table = t;
	v->stamp.format = options->time_format;
	v->interval_ns = options->interval_ns ? options->interval_ns : INTERVAL_DEFAULT_NS;
	v->on_screen = !options->json && !options->batch && options->lines && options->columns;
	screen_init(&v->screen, o, options->lines, options->columns);
	return &v->view;
}

void top_view_resize(struct view *view, unsigned int lines, unsigned int columns)
{
	struct top_view *v = (struct top_view *)view;

	if (view->ops != &top_ops || !v->on_screen)
		return;
	v->screen.lines = lines;
	v->screen.columns = columns;
	if (v->rows)
		draw(v); /* an error of the output is found at the next tick */
}
