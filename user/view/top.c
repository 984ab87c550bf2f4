/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is busiest, each interval: plain tables, JSON, or a screen. */
#include <errno.h>
#include <stdlib.h>

#include "view/json.h"
#include "view/top_private.h"
#include "view/top_screen.h"

#define INTERVAL_DEFAULT_NS 1000000000ULL
#define PASSED_ON (1u << EVENT_START | 1u << EVENT_LOST | 1u << EVENT_SUMMARY)
#define SILENT_BATCH 2	 /* intervals that what is over stays */
#define SILENT_SCREEN 10 /* there it fades */
#define HISTORY_EVENTS 10000
#define GROUPS_SCREEN (1u << BY_PROCESS | 1u << BY_REMOTE | 1u << BY_LISTENER | 1u << BY_CONTAINER)

static int show(struct top *v)
{
	struct ranking_query q = { .by = (enum ranking_by)v->options->by,
				   .closed = v->options->closed,
				   .limit = v->options->rows };
	int err;

	if (v->screen)
		return top_screen_interval(v->screen);
	column_sorts(top_sort(v, q.by), &q);
	err = ranking_list(v->ranking, &q, &v->list);
	return err ? err : top_batch_show(v);
}

static int end_interval(struct top *v, uint64_t time_ns, uint64_t mono_ns)
{
	uint64_t since = v->ended_ns;

	ranking_interval(v->ranking,
			 v->screen ? top_screen_by(v->screen) : (enum ranking_by)v->options->by,
			 mono_ns);
	ranking_totals(v->ranking, &v->total);
	sparkline_add(&v->tx_line, since, mono_ns, v->total.tx_rate);
	sparkline_add(&v->rx_line, since, mono_ns, v->total.rx_rate);
	v->time_ns = time_ns;
	v->mono_ns = mono_ns;
	v->ended_ns = mono_ns;
	v->news = false;
	return show(v);
}

static bool is_enough(const struct top *v)
{
	return v->options->count && v->printed >= v->options->count;
}

/* A recording, or --for, may end within an interval: the rates are those of the part that there was. */
static int top_finish(struct view *view, uint64_t time_ns, uint64_t mono_ns)
{
	struct top *v = (struct top *)view;

	if (is_enough(v) || (v->printed && (!v->news || mono_ns <= v->ended_ns)))
		return 0;
	return end_interval(v, time_ns, mono_ns);
}

/* `ebpf, rung 1`: how connections are seen. */
static void take_start(struct top *v, const struct event *e)
{
	struct text t = { 0 };
	size_t length;

	if (event_has(e, FIELD_HOST) && e->host)
		text_escaped(&t, e->host, strnlen(e->host, 64));
	length = t.length < sizeof(v->host) ? t.length : sizeof(v->host) - 1;
	if (length)
		memcpy(v->host, t.data, length);
	v->host[length] = '\0';
	t.length = 0;
	if (event_has(e, FIELD_MODE))
		text_puts(&t, trace_mode_name(e->mode));
	if (event_has(e, FIELD_RUNG))
		text_printf(&t, ", rung %u", e->rung);
	length = t.length < sizeof(v->mode) ? t.length : sizeof(v->mode) - 1;
	if (length)
		memcpy(v->mode, t.data, length);
	v->mode[length] = '\0';
	text_done(&t);
}

/* A screen shows at once what is open; the rates come with the first interval. */
static int begin(struct top *v, const struct event *start)
{
	int err = ranking_adopt(v->ranking, v->selection, v->options->filter, start->time_ns,
				start->mono_ns);

	take_start(v, start);
	if (err || !v->screen || v->printed)
		return err;
	return end_interval(v, start->time_ns, start->mono_ns);
}

static void keep(struct top *v, const struct event *e)
{
	v->news = true;
	if (e->type == EVENT_LOST)
		v->lost += e->count;
	if (event_has(e, FIELD_RECONCILED) && e->reconciled && e->type != EVENT_SOCKET)
		v->healed++;
	v->unattributed += event_is_unattributed(e);
	if (v->history && e->type != EVENT_SOCKET && e->type != EVENT_START)
		history_add(v->history, e);
}

static int top_event(struct view *view, const struct event *e,
		     const struct connection_change *change)
{
	static const struct connection_change nothing;
	struct top *v = (struct top *)view;
	int err = 0;

	stamp_begin(&v->stamp, e->mono_ns);
	if (!view->next_tick_ns && e->type != EVENT_SUMMARY)
		view->next_tick_ns = e->mono_ns + v->interval_ns;
	if (e->type == EVENT_SUMMARY &&
	    v->options->json) /* the last line: after the last interval */
		err = top_finish(view, e->time_ns, e->mono_ns);
	if (v->options->json && PASSED_ON >> e->type & 1)
		json_write_event(&view->output->text, e);
	if (e->type == EVENT_SUMMARY)
		return err ? err : output_line(view->output);
	keep(v, e);
	err = ranking_add(v->ranking, e, change ? change : &nothing);
	if (!err && e->type == EVENT_START)
		err = begin(v, e);
	return err ? err : output_line(view->output);
}

static int top_tick(struct view *view, uint64_t time_ns, uint64_t mono_ns)
{
	struct top *v = (struct top *)view;
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
	struct top *v = (struct top *)view;

	top_screen_free(v->screen);
	history_free(v->history);
	ranking_list_done(&v->list);
	ranking_free(v->ranking);
	free(v);
}

static const struct view_ops top_ops = { .event = top_event,
					 .tick = top_tick,
					 .finish = top_finish,
					 .free = top_free };

struct view *top_view_new(struct output *o, const struct view_options *options,
			  const struct connection_table *t, const struct selection *s)
{
	bool on_screen = !options->json && !options->csv && !options->batch && !options->chart &&
			 options->lines;
	struct top *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->view.ops = &top_ops;
	v->view.output = o;
	v->view.wants_counters = true;
	v->view.wants_listeners = options->by == BY_LISTENER;
	v->options = options;
	v->table = t;
	v->selection = s;
	v->stamp.format = options->time_format;
	v->interval_ns = options->interval_ns ? options->interval_ns : INTERVAL_DEFAULT_NS;
	v->ranking = ranking_new(t, on_screen ? GROUPS_SCREEN : 1u << options->by,
				 on_screen ? SILENT_SCREEN : SILENT_BATCH);
	if (on_screen) {
		v->history = history_new(HISTORY_EVENTS);
		v->screen = top_screen_new(v);
	}
	if (!v->ranking || (on_screen && (!v->history || !v->screen))) {
		top_free(&v->view);
		return NULL;
	}
	return &v->view;
}

struct top_screen *top_view_screen(struct view *view)
{
	return view && view->ops == &top_ops ? ((struct top *)view)->screen : NULL;
}
