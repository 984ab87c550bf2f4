// SPDX-License-Identifier: BSD-2-Clause
#include "replay_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "keyboard.h"
#include "replay_clock.h"
#include "signals.h"
#include "source/replay.h"
#include "view/top_screen.h"

/* Events are told in the order of their ends, not of their times: some come a little late. */
#define LATE_NS 5000000000ULL
#define SOURCES 256

/* A `start` that is told once there is something to show. Owned: hooks. */
struct held {
	struct event start;
	const char **hooks;
};

/* Owned: replay, held. */
struct replay_run {
	struct options *options;
	struct pipeline *pipeline;
	struct replay *replay;
	struct replay_clock clock;
	uint64_t from_ns, to_ns; /* 0: none */
	uint64_t end_ns;	 /* mono: of --for; 0: none */
	bool showing;		 /* from_ns has come */
	int bad;		 /* -EBADMSG once something could not be read */
	struct held *held;	 /* by source; NULL: none is held */
};

static void report_error(const struct replay_error *error)
{
	const char *name = strcmp(error->path, "-") != 0 ? error->path : "standard input";

	if (error->line)
		report("%s: line %lu: %s", name, error->line, error->what);
	else
		report("%s: %s", name, error->what);
}

static int show(struct replay_run *r, struct event *e)
{
	int err = replay_clock_advance(&r->clock, e->time_ns, e->mono_ns);

	return err ? err : pipeline_event(r->pipeline, e);
}

/* --- before --from --- */

static int hold_start(struct replay_run *r, const struct event *start)
{
	struct held *h;

	if (!r->held)
		r->held = calloc(SOURCES, sizeof(*r->held));
	if (!r->held)
		return -ENOMEM;
	h = &r->held[start->source];
	free(h->hooks);
	*h = (struct held){ .start = *start };
	h->hooks = calloc(start->hook_count + 1UL, sizeof(*h->hooks));
	if (!h->hooks)
		return -ENOMEM;
	if (start->hook_count)
		memcpy(h->hooks, start->hooks, start->hook_count * sizeof(*h->hooks));
	h->start.hooks = h->hooks;
	return 0;
}

/* What was passed over is how things stand at the beginning: `start` is told with that time. */
static int begin_showing(struct replay_run *r)
{
	int err = 0;

	r->showing = true;
	for (unsigned int i = 0; r->held && i < SOURCES && !err; i++) {
		struct event *start = &r->held[i].start;

		if (!r->held[i].hooks)
			continue;
		start->mono_ns += r->from_ns - start->time_ns;
		start->time_ns = r->from_ns;
		if (event_has(start, FIELD_SOCKETS))
			start->sockets = connection_table_count(r->pipeline->table);
		err = show(r, start);
	}
	return err;
}

static int pass_over(struct replay_run *r, struct event *e)
{
	struct connection_change change;

	if (e->type == EVENT_START)
		return hold_start(r, e);
	connection_table_apply(r->pipeline->table, e, &change);
	return 0;
}

static void free_held(struct replay_run *r)
{
	for (unsigned int i = 0; r->held && i < SOURCES; i++)
		free(r->held[i].hooks);
	free(r->held);
}

/* --- events --- */

static bool is_over(const struct replay_run *r, const struct event *e)
{
	return (r->to_ns && e->time_ns > r->to_ns + LATE_NS) ||
	       (r->end_ns && e->mono_ns > r->end_ns && e->type != EVENT_SUMMARY);
}

static int take_event(struct replay_run *r, struct event *e)
{
	int err = 0;

	if (e->type == EVENT_START) {
		r->options->view.own_netns = replay_own_netns(r->replay);
		if (e->snapshot)
			connection_table_forget(r->pipeline->table, e->source);
	}
	if (!r->showing && e->time_ns >= r->from_ns)
		err = begin_showing(r);
	if (err)
		return err;
	if (r->from_ns && e->time_ns < r->from_ns)
		return pass_over(r, e);
	if (r->to_ns && e->time_ns > r->to_ns)
		return 0;
	if (r->options->for_ns && !r->end_ns)
		r->end_ns = e->mono_ns + r->options->for_ns;
	return show(r, e);
}

static int replay_all(struct replay_run *r)
{
	struct replay_error error;
	struct event e;
	int err = 0, n;

	while (!err && !signals_stop) {
		n = replay_next(r->replay, &e, &error);
		if (n == 0 || n == -ECANCELED)
			break;
		if (n < 0) {
			report_error(&error);
			if (n == REPLAY_NOTE)
				continue;
			r->bad = -EBADMSG;
			/* one of several that can't be read leaves the others */
			err = n == -EBADMSG || r->options->replay_count > 1 ? 0 : n;
			continue;
		}
		if (is_over(r, &e))
			break;
		err = take_event(r, &e);
	}
	if (!err && !r->showing) /* it all lies before --from: its tables show how things stood */
		err = begin_showing(r);
	if (err == PIPELINE_ENOUGH)
		err = 0;
	return err ? err : r->bad;
}

/* --- from where to where --- */

static int find_first(struct replay_run *r, uint64_t *first_ns)
{
	struct replay_error error;
	int n;

	while ((n = replay_first(r->replay, first_ns, &error)) < 0) {
		if (n == -ECANCELED)
			return PIPELINE_ENOUGH;
		report_error(&error);
		if (n != REPLAY_NOTE)
			r->bad = -EBADMSG;
		if (n != REPLAY_NOTE && n != -EBADMSG)
			return n;
	}
	return 0;
}

static bool counts_from(const struct options *o, enum moment_kind kind)
{
	return o->from.kind == kind || o->to.kind == kind;
}

/* Where it begins and ends must be known for those that count from there. 0 or -EBADMSG after having reported. */
static int find_times(struct replay_run *r)
{
	const struct options *o = r->options;
	uint64_t first_ns = 0, last_ns = 0;
	int err = 0;

	if (o->from.kind == MOMENT_NONE && o->to.kind == MOMENT_NONE)
		return 0;
	if (counts_from(o, MOMENT_LOCAL_CLOCK) || counts_from(o, MOMENT_UTC_CLOCK) ||
	    counts_from(o, MOMENT_AFTER_BEGIN))
		err = find_first(r, &first_ns);
	if (err)
		return err;
	if (counts_from(o, MOMENT_BEFORE_END) && !replay_last(r->replay, &last_ns)) {
		report("%s: where it ends is not known before it is read: give --from and --to as times",
		       o->replay_path);
		return -EBADMSG;
	}
	r->from_ns = moment_resolve(&o->from, first_ns, last_ns);
	r->to_ns = moment_resolve(&o->to, first_ns, last_ns);
	if (r->to_ns && r->to_ns < r->from_ns) {
		report("--to lies before --from: nothing is between them");
		return -EBADMSG;
	}
	return 0;
}

static int prepare(struct replay_run *r)
{
	const struct options *o = r->options;
	struct replay_error error = { .path = o->replay_path };
	int err = replay_open(o->replay_paths, o->replay_count, &signals_stop, &r->replay, &error);

	if (err) {
		report("can't read %s: %s", error.path, strerror(-err));
		return -EBADMSG;
	}
	err = find_times(r);
	if (!err && r->from_ns)
		err = replay_seek(r->replay, r->from_ns);
	r->showing = !r->from_ns;
	return err;
}

static int finish(struct replay_run *r)
{
	struct view *v = r->pipeline->view;
	int err = 0;

	if (v->ops->finish)
		err = v->ops->finish(v, r->clock.time_ns, r->clock.mono_ns);
	return err ? err : output_flush(r->clock.output);
}

int replay_run(struct options *o, struct pipeline *p, struct output *out)
{
	bool screen = o->speed_on_screen && top_view_screen(p->view);
	struct replay_run r = {
		.options = o,
		.pipeline = p,
		.clock = { .view = p->view, .output = out, .speed = screen ? 1 : o->speed }
	};
	int err = prepare(&r), end = 0;

	if (!err) {
		keyboard_open(p->view);
		err = replay_all(&r);
		if (!err || err == -EBADMSG || r.clock.mono_ns)
			end = finish(&r);
		/* What the recording came to stays to be looked at; with a COUNT it was asked for so many. */
		if ((!err || err == -EBADMSG) && !end && !o->view.count)
			end = keyboard_stay(p->view);
		keyboard_close();
	}
	free_held(&r);
	replay_close(r.replay);
	return end ? end : err == PIPELINE_ENOUGH ? 0 : err;
}
