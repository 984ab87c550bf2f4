// SPDX-License-Identifier: BSD-2-Clause
#include "table_run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/report.h"
#include "model/listeners.h"
#include "signals.h"
#include "source/clock.h"
#include "source/descendants.h"
#include "source/ladder.h"
#include "source/table_source.h"
#include "start.h"

/* Owned: source, listeners. */
struct table_run {
	struct pipeline *pipeline;
	struct pid_set *followed; /* borrowed; NULL without --follow */
	struct table_source *source;
	struct listeners *listeners;
	bool told_gaps;
	struct selection selection; /* what is recorded: without states */
	uint64_t began_ns;	    /* mono: of the recording's `start` */
	bool started;		    /* the recording has its `start`, and with it the first table */
};

static void record(struct table_run *t, const struct event *e)
{
	if (t->started && selection_match(&t->selection, e) && filter_match(t->pipeline->filter, e))
		recording_event(t->pipeline->recording, e);
}

/* What of a row is worth a line in the recording. */
static bool has_changed(const struct connection *a, const struct connection *b)
{
	struct connection c = *a;

	c.seen_ns = b->seen_ns;
	c.holders = b->holders; /* may have moved; their number tells */
	return memcmp((const void *)&c, (const void *)b, sizeof(c)) !=
	       0; /* rows are zeroed, padding too */
}

/* A recording is made from what changes in the table of connections. */
static void keep_row(struct table_run *t, struct event *e)
{
	struct connection_change change;
	struct connection before, *row;

	row = t->started ? connection_table_find(t->pipeline->table, e->cookie, e->start_ns) : NULL;
	if (row)
		before = *row;
	connection_table_apply(t->pipeline->table, e, &change);
	if (!row || has_changed(&before, row))
		record(t, e);
}

static int add_row(void *context, struct event *e, struct table_row row)
{
	struct table_run *t = context;
	int err = listeners_add(t->listeners, e);

	if (err)
		return err;
	listeners_complete(t->listeners, e);
	err = list_view_row(t->pipeline->view, e, (uint64_t)row.part << 32 | row.index);
	if (!err && t->pipeline->recording && e->proto != PROTO_UNIX)
		keep_row(t, e);
	return err;
}

static int lend_row(void *context, uint64_t row, struct event *e)
{
	struct table_run *t = context;
	int err = table_source_row(t->source, (struct table_row){ row >> 32, (uint32_t)row }, e);

	if (!err)
		listeners_complete(t->listeners, e);
	return err;
}

/* Once is enough, also of a table that is shown again and again. */
static void tell_gaps(struct table_run *t)
{
	const struct table_gaps gaps = table_source_gaps(t->source);

	if (!gaps.networks || t->told_gaps)
		return;
	t->told_gaps = true;
	report("can't look into %u network namespace%s (net:[%u]: %s): %s", gaps.networks,
	       gaps.networks > 1 ? "s" : "", gaps.first, strerror(-gaps.error),
	       table_source_has_ebpf(t->source) ? "of these only what processes hold is shown"
						: "their sockets are not shown");
}

static int on_gone(void *context, struct event *e)
{
	record(context, e);
	return 0;
}

/* Those go from the table without a word; a recording must have it. */
static void record_lingering(struct table_run *t, uint64_t since_ns, uint64_t time_ns)
{
	struct event e;

	for (const struct connection *c = connection_table_first(t->pipeline->table); c;
	     c = c->next) {
		if (c->seen_ns >= since_ns || c->state != STATE_TIME_WAIT)
			continue;
		connection_to_event(c, &e, time_ns, since_ns);
		event_unset(&e, FIELD_STATE);
		e.type = EVENT_CLOSE;
		e.last_state = STATE_TIME_WAIT;
		event_set(&e, FIELD_LAST_STATE);
		e.reconciled = true;
		event_set(&e, FIELD_RECONCILED);
		record(t, &e);
	}
}

/* The first table is what the recording begins with, of the others it has what changed. */
static void record_table(struct table_run *t)
{
	uint64_t mono = clock_mono_ns(), time = mono + (uint64_t)clock_wall_offset_ns();
	struct pipeline *p = t->pipeline;
	struct utsname uts;
	struct event e;

	if (!p->recording)
		return;
	if (!t->started) {
		start_event(&e, time, mono, &uts,
			    table_source_has_ebpf(t->source) ? MODE_EBPF : MODE_POLLING, NULL, 0,
			    connection_table_count(p->table));
		recording_event(p->recording, &e);
		t->started = true;
		t->began_ns = mono;
	}
	recording_tick(p->recording, time, mono);
}

/* Up to when it was watched. */
static void end_recording(struct table_run *t)
{
	uint64_t mono = clock_mono_ns();
	struct event e;

	pipeline_summary(t->pipeline, &e, mono + (uint64_t)clock_wall_offset_ns(), mono,
			 t->began_ns);
	recording_event(t->pipeline->recording, &e);
	recording_finish(t->pipeline->recording);
}

static int fill(struct table_run *t)
{
	uint64_t began = clock_mono_ns(), time = began + (uint64_t)clock_wall_offset_ns();
	long gone;
	int err = t->followed ? descendants_add(t->followed) : 0;

	if (err)
		return err;
	listeners_clear(t->listeners);
	err = table_source_read(t->source, add_row, t);
	if (err)
		return err;
	tell_gaps(t);
	if (!t->pipeline->recording)
		return 0;
	if (t->started)
		record_lingering(t, began, time);
	gone = connection_table_expire(t->pipeline->table, began, time, began, on_gone, t);
	record_table(t);
	return gone < 0 ? (int)gone : 0;
}

/* Until the next table is due, or a signal comes. */
static void wait_until(uint64_t until_ns)
{
	struct pollfd wake = { .fd = signals_fd(), .events = POLLIN };
	uint64_t now = clock_mono_ns();
	uint64_t pause = until_ns > now ? until_ns - now : 0;
	struct timespec t = { (time_t)(pause / 1000000000ULL), (long)(pause % 1000000000ULL) };

	if (ppoll(&wake, 1, &t, NULL) > 0)
		signals_clear();
}

static int repeat(struct table_run *t, const struct options *o, struct output *out)
{
	struct view *v = t->pipeline->view;
	uint64_t end = o->for_ns ? clock_mono_ns() + o->for_ns : UINT64_MAX;
	uint64_t next = clock_mono_ns(), now;
	int err;

	do {
		err = fill(t);
		now = clock_mono_ns();
		if (!err)
			err = v->ops->tick(v, clock_wall_ns(now), now);
		if (err < 0)
			return err;
		if (err > 0)
			break;
		err = output_flush(out);
		next += o->view.interval_ns;
		if (next < now)
			next = now;
		if (!err && next < end)
			wait_until(next);
	} while (!err && next < end && !signals_stop);
	return err < 0 ? err : output_flush(out);
}

static int once(struct table_run *t, struct output *out)
{
	struct view *v = t->pipeline->view;
	uint64_t now;
	int err = fill(t);

	if (err)
		return err;
	now = clock_mono_ns();
	err = v->ops->finish(v, clock_wall_ns(now), now);
	return err ? err : output_flush(out);
}

/* TCP and UDP unless kinds are named. */
static struct table_options options_of(const struct options *o)
{
	const struct selection *s = &o->selection;
	bool any = s->tcp || s->udp || s->raw || s->unix_sockets;

	return (struct table_options){ .tcp = s->tcp || !any,
				       .udp = s->udp || !any,
				       .raw = s->raw,
				       .unix_sockets = s->unix_sockets,
				       .detail = o->view.extended,
				       .netns = &s->netns,
				       .without_ebpf = o->rung == RUNG_POLLING,
				       .btf_path = o->btf_path };
}

int table_run(const struct options *o, struct pipeline *p, struct output *out)
{
	const struct table_options options = options_of(o);
	struct table_run t = { .pipeline = p,
			       .listeners = listeners_new(),
			       .selection = o->selection,
			       .followed = o->followed };
	struct kernel_error error = { 0 };
	int err = t.listeners ? table_source_open(&options, &t.source, &error) : -ENOMEM;

	t.selection.states = 0;
	if (!err) {
		list_view_lend(p->view, lend_row, &t);
		if (*error.what)
			report("%s: reading /proc instead%s", error.what,
			       geteuid() ? "; as root it shows every process" : "");
		t.told_gaps = *error.what && geteuid(); /* that says it all */
		err = o->view.interval_ns ? repeat(&t, o, out) : once(&t, out);
		if (p->recording)
			end_recording(&t);
	}
	table_source_close(t.source);
	listeners_free(t.listeners);
	if (err && err != -EPIPE && !out->error)
		report("can't read the sockets: %s", strerror(-err));
	return err;
}
