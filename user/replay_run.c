// SPDX-License-Identifier: BSD-2-Clause
#include "replay_run.h"

#include <errno.h>
#include <string.h>

#include "base/report.h"
#include "signals.h"
#include "source/replay.h"

#define GAP_TICKS 100

/* Time as the recording tells it. */
struct virtual_clock {
	uint64_t first_mono_ns, last_mono_ns, last_time_ns;
};

/*
 * Every tick that lies before this event's time. A gap in a recording (a host that slept, files put together) is
 * not filled with tables that say nothing: after a few of them time jumps.
 */
static int tick_until(struct pipeline *p, struct output *out, const struct virtual_clock *clock,
		      uint64_t mono_ns)
{
	struct view *v = p->view;
	int err = 0, ticks = 0;
	uint64_t at;

	if (!v->ops->tick || !clock->first_mono_ns)
		return 0;
	while (!err && v->next_tick_ns && v->next_tick_ns <= mono_ns) {
		at = v->next_tick_ns;
		err = v->ops->tick(v, clock->last_time_ns + (at - clock->last_mono_ns), at);
		if (!err && v->next_tick_ns <= at)
			break; /* it wants no more */
		if (!err)
			err = output_line(out);
		if (++ticks == GAP_TICKS && v->next_tick_ns < mono_ns)
			v->next_tick_ns = mono_ns;
	}
	return err;
}

static int replay_event(struct pipeline *p, struct output *out, struct virtual_clock *clock,
			struct event *e)
{
	/* A summary or start has no place in the interval's order of its own; times may step back a little. */
	int err = e->mono_ns > clock->last_mono_ns ? tick_until(p, out, clock, e->mono_ns) : 0;

	if (err)
		return err > 0 ? PIPELINE_ENOUGH : err;
	if (!clock->first_mono_ns)
		clock->first_mono_ns = e->mono_ns;
	if (e->mono_ns > clock->last_mono_ns) {
		clock->last_mono_ns = e->mono_ns;
		clock->last_time_ns = e->time_ns;
	}
	return pipeline_event(p, e);
}

static void report_bad_line(const char *path, const struct replay_error *error)
{
	const char *name = strcmp(path, "-") ? path : "standard input";

	if (error->line)
		report("%s: line %lu: %s", name, error->line, error->what);
	else
		report("%s: %s", name, error->what);
}

static int replay_all(const struct options *o, struct replay *r, struct pipeline *p,
		      struct output *out, struct virtual_clock *clock)
{
	uint64_t end_ns = 0;
	struct replay_error error;
	struct event e;
	int bad = 0, err = 0, n;

	while (!err && !signals_stop) {
		n = replay_next(r, &e, &error);
		if (n == 0)
			break;
		if (n < 0) {
			report_bad_line(o->replay_path, &error);
			bad = -EBADMSG;
			err = n == -EBADMSG ? 0 : n;
			continue;
		}
		if (o->for_ns && !end_ns)
			end_ns = e.mono_ns + o->for_ns;
		if (end_ns && e.mono_ns > end_ns && e.type != EVENT_SUMMARY)
			break;
		err = replay_event(p, out, clock, &e);
	}
	if (err == PIPELINE_ENOUGH)
		err = 0;
	return err ? err : bad;
}

int replay_run(const struct options *o, struct pipeline *p, struct output *out)
{
	struct virtual_clock clock = { 0 };
	struct replay *r;
	int err, end;

	err = replay_open(o->replay_path, &r);
	if (err) {
		report("can't read %s: %s", o->replay_path, strerror(-err));
		return -EBADMSG;
	}
	err = replay_all(o, r, p, out, &clock);
	end = 0;
	if (!err || err == -EBADMSG) {
		if (p->view->ops->finish)
			end = p->view->ops->finish(p->view, clock.last_time_ns, clock.last_mono_ns);
		if (!end)
			end = output_flush(out);
	}
	replay_close(r);
	return end ? end : err;
}
