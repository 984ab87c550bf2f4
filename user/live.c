// SPDX-License-Identifier: BSD-2-Clause
#include "live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/report.h"
#include "drops.h"
#include "keyboard.h"
#include "polls.h"
#include "signals.h"
#include "source/clock.h"
#include "source/descendants.h"
#include "source/kernel.h"
#include "source/ladder.h"
#include "source/namespaces.h"
#include "start.h"
#include "sweeps.h"

#define POLL_BUSY_NS 20000000ULL
#define POLL_IDLE_NS 100000000ULL
#define PRIORITY (-10)
#define RECORD_COUNTERS_NS 1000000000ULL
#define OUTPUT_PATIENCE (32u << 20) /* what `| jq` may lag behind before records wait in the ring */

/* Owned: kernel, polls. */
struct live {
	const struct options *options;
	struct pipeline *pipeline;
	struct output *output;
	struct kernel_source *kernel; /* NULL: polling */
	struct polls polls;
	struct sweeps sweeps;
	struct drops drops;
	uint64_t began_ns, end_ns; /* end_ns: 0 for none */
	uint64_t next_counters_ns; /* mono: when a recording wants them */
	bool busy;
};

/* What the kernel tells. */
static int on_event(void *context, struct event *e)
{
	struct live *l = context;
	int err = drops_event(&l->drops, e);

	return err ? err : pipeline_event(l->pipeline, e);
}

static int tell_start(struct live *l)
{
	uint64_t mono = clock_mono_ns();
	const char *const *hooks = NULL;
	uint32_t hook_count = 0;
	struct utsname uts;
	struct event e;

	if (l->kernel)
		hooks = kernel_source_hooks(l->kernel, &hook_count);
	start_event(&e, clock_wall_ns(mono), mono, &uts, l->kernel ? MODE_EBPF : MODE_POLLING,
		    hooks, hook_count, connection_table_count(l->pipeline->table));
	e.rung = l->kernel ? (uint8_t)kernel_source_rung(l->kernel) : RUNG_POLLING;
	event_set(&e, FIELD_RUNG);
	if (!l->options->view.json && l->options->mode == RUN_STREAM && l->kernel)
		report("tracing %llu sockets with %u hooks on rung %u; Ctrl-C ends",
		       (unsigned long long)e.sockets, e.hook_count, e.rung);
	return pipeline_event(l->pipeline, &e);
}

/* Of one kind, since the last call; *where says which. */
static uint64_t take_lost(struct live *l, const char **where)
{
	*where = "notices";
	return l->kernel ? kernel_source_lost(l->kernel, where) : polls_lost(&l->polls);
}

static int tell_lost(struct live *l)
{
	const char *where;
	uint64_t lost, mono;
	struct event e;
	int err = 0;

	while (!err && (lost = take_lost(l, &where))) {
		mono = clock_mono_ns();
		event_init(&e, EVENT_LOST, clock_wall_ns(mono), mono);
		e.count = lost;
		e.where = where;
		event_set(&e, FIELD_COUNT_LOST);
		event_set(&e, FIELD_WHERE);
		err = pipeline_event(l->pipeline, &e);
		l->pipeline->gaps = true;
		if (l->kernel)
			sweeps_hurry(&l->sweeps, mono);
	}
	return err;
}

/* Nanoseconds until something is to be done without a wakeup. */
static uint64_t pause_ns(const struct live *l, uint64_t now)
{
	uint64_t pause = l->busy ? POLL_BUSY_NS : POLL_IDLE_NS;
	uint64_t tick = l->pipeline->view->next_tick_ns;

	if (tick && tick < now + pause)
		pause = tick > now ? tick - now : 0;
	if (l->end_ns && l->end_ns < now + pause)
		pause = l->end_ns > now ? l->end_ns - now : 0;
	return pause;
}

static void wait_for_work(struct live *l)
{
	struct pollfd fds[] = {
		{ .fd = signals_fd(), .events = POLLIN },
		{ .fd = l->kernel ? kernel_source_fd(l->kernel) : polls_fd(&l->polls),
		  .events = POLLIN },
		{ .fd = keyboard_fd(l->pipeline->view), .events = POLLIN },
		/* Its reader takes more, or went away: no need to wait for the next line to notice. */
		{ .fd = l->output->fd, .events = output_waiting(l->output) ? POLLOUT : 0 },
	};
	uint64_t pause = pause_ns(l, clock_mono_ns());
	struct timespec t = { (time_t)(pause / 1000000000ULL), (long)(pause % 1000000000ULL) };

	if (ppoll(fds, 4, &t, NULL) <= 0)
		return;
	if (fds[0].revents)
		signals_clear();
	if (fds[3].revents & POLLERR)
		l->output->error = -EPIPE;
}

static int tick(struct live *l)
{
	struct view *view = l->pipeline->view;
	uint64_t now = clock_mono_ns();
	int err;

	if (!view->next_tick_ns || now < view->next_tick_ns)
		return 0;
	if (view->wants_counters) {
		err = l->kernel ? sweeps_counters(&l->sweeps) : polls_pass(&l->polls);
		if (!err && l->kernel && view->wants_listeners)
			err = sweeps_listeners(&l->sweeps);
		if (err)
			return err;
		now = clock_mono_ns();
		l->next_counters_ns = now + RECORD_COUNTERS_NS;
	}
	connection_table_age(l->pipeline->table, now);
	err = view->ops->tick ? view->ops->tick(view, clock_wall_ns(now), now) : 0;
	if (err > 0) {
		l->pipeline->enough = true;
		return PIPELINE_ENOUGH;
	}
	return err;
}

/* A recording has the counters of what moves at least once a second, also where the view has no need of them. */
static int record(struct live *l)
{
	struct recording *r = l->pipeline->recording;
	uint64_t now = clock_mono_ns();
	int err = 0;

	if (!r)
		return 0;
	if (now >= l->next_counters_ns) {
		err = l->kernel ? sweeps_counters(&l->sweeps) : polls_pass(&l->polls);
		l->next_counters_ns = clock_mono_ns() + RECORD_COUNTERS_NS;
	}
	if (signals_dump) {
		signals_dump = 0;
		if (l->options->record.flight_ns)
			recording_dump(r, clock_wall_ns(now), now, 0);
	}
	now = clock_mono_ns();
	recording_tick(r, clock_wall_ns(now), now);
	return err;
}

static int look(struct live *l)
{
	int err, n;

	if (!l->kernel)
		return polls_run(&l->polls, clock_mono_ns());
	n = kernel_source_drain(l->kernel);
	if (n < 0)
		return n;
	l->busy = n > 0;
	err = sweeps_run(&l->sweeps, clock_mono_ns());
	if (!err)
		err = drops_run(&l->drops, clock_mono_ns());
	return err;
}

static int turn(struct live *l)
{
	/* Before what comes after the gap. */
	int err = tell_lost(l);

	if (!err)
		err = look(l);
	if (!err)
		err = tick(l);
	if (!err)
		err = record(l);
	return err ? err : output_push(l->output);
}

static int loop(struct live *l)
{
	int err = 0;

	while (!err && !signals_stop) {
		wait_for_work(l);
		err = keyboard_run(l->pipeline->view);
		if (err)
			return err < 0 ? err : 0;
		if (l->output->error)
			return l->output->error;
		if (l->end_ns && clock_mono_ns() >= l->end_ns)
			break;
		if (!signals_stop)
			err = turn(l);
	}
	return err;
}

static int finish(struct live *l)
{
	struct view *view = l->pipeline->view;
	uint64_t now;
	int err;

	err = l->kernel ? sweeps_finish(&l->sweeps) : polls_run(&l->polls, UINT64_MAX);
	if (!err)
		err = tell_lost(l);
	if (err == PIPELINE_ENOUGH)
		err = 0;
	now = clock_mono_ns();
	if (!err && view->ops->finish)
		err = view->ops->finish(view, clock_wall_ns(now), now);
	return err;
}

static int tell_summary(struct live *l)
{
	uint64_t now = clock_mono_ns();
	int err = pipeline_tell_summary(l->pipeline, clock_wall_ns(now), now, l->began_ns);

	return err ? err : output_flush(l->output);
}

static int run(struct live *l)
{
	int err = l->kernel ? sweeps_snapshot(&l->sweeps) : polls_snapshot(&l->polls);

	if (err) {
		report("can't read the sockets that are there: %s", strerror(-err));
		return err;
	}
	if (l->kernel && l->sweeps.unavailable && networks_may_enter())
		report("rung 3: what was there before is known of this network namespace only; to enter others takes CAP_SYS_ADMIN");
	l->began_ns = clock_mono_ns();
	err = !l->kernel ? 0 : drops_init(&l->drops, l->kernel, l->pipeline, l->began_ns);
	if (err)
		return err;
	if (l->options->for_ns)
		l->end_ns = l->began_ns + l->options->for_ns;
	err = tell_start(l);
	if (!err)
		err = output_flush(l->output);
	if (!err)
		err = loop(l);
	if (!err || err == PIPELINE_ENOUGH)
		err = finish(l);
	return err ? err : tell_summary(l);
}

static void describe(struct live *l)
{
	char text[300];

	if (!l->kernel)
		return;
	kernel_source_describe(l->kernel, text, sizeof(text));
	report_debug("%s", text);
}

/* Where nothing may be loaded, or as --rung 4 asks. 0, or -ENOTSUP after having reported. */
static int open_poll(struct live *l, const struct kernel_error *error, bool tcp)
{
	int err;

	if (!tcp) {
		report("%s%spolling does not follow UDP flows; 'nettrace -au' shows the sockets%s%s",
		       error->what, *error->what ? ": " : "", *error->advice ? "; " : "",
		       error->advice);
		return -ENOTSUP;
	}
	err = polls_init(&l->polls, l->pipeline, clock_mono_ns());
	if (err) {
		report("can't poll: %s", strerror(-err));
		return -ENOTSUP;
	}
	report("%s%spolling (rung 4): short connections can be missed, UDP is not followed%s%s%s",
	       error->what, *error->what ? ": " : "",
	       networks_may_enter() ? ", nor other network namespaces" : "",
	       *error->advice ? "; " : "", error->advice);
	return 0;
}

/* Nobody tells of forks then. */
static int poll_instead(struct live *l, const struct kernel_error *error,
			const struct kernel_options *k)
{
	int err = k->followed ? descendants_add(k->followed) : 0;

	if (err)
		return err;
	if (k->followed)
		report("--follow: only the processes that are there now, for no programs run in the kernel");
	return open_poll(l, error, k->tcp);
}

/* 0, or -ENOTSUP after having reported. */
static int open_source(struct live *l, const struct kernel_options *k)
{
	struct kernel_error error = { 0 };
	int err = 0;

	if (k->rung == RUNG_POLLING)
		return poll_instead(l, &error, k);
	err = kernel_source_open(k, on_event, l, &l->kernel, &error);
	if (err && !k->rung && !k->btf_path && err != -ENOMEM)
		return poll_instead(l, &error, k);
	if (err) {
		report("%s%s%s", error.what, *error.advice ? "; " : "", error.advice);
		return -ENOTSUP;
	}
	if (k->udp && !kernel_source_follows_udp(l->kernel))
		report("this kernel refuses the programs for UDP: only TCP is followed; see 'nettrace -v' for its reasons");
	return 0;
}

int live_run(const struct options *o, struct pipeline *p, struct output *out)
{
	struct live l = { .options = o, .pipeline = p, .output = out };
	const bool any = !o->selection.tcp && !o->selection.udp;
	const struct kernel_options k = { .buffer_bytes = o->buffer_bytes,
					  .states = o->states,
					  .tcp = any || o->selection.tcp,
					  .udp = any || o->selection.udp,
					  .rung = o->rung,
					  .btf_path = o->btf_path,
					  .max_connections = o->max_connections,
					  .selection = &o->selection,
					  .pushdown = p->pushdown,
					  .followed = o->followed };
	int err = open_source(&l, &k);

	if (err)
		return err;
	/* On a host that is out of CPU the ring would fill while we wait for our turn; it takes little of it. */
	setpriority(PRIO_PROCESS, 0, PRIORITY);
	out->patience = OUTPUT_PATIENCE;
	sweeps_init(&l.sweeps, l.kernel, p, clock_mono_ns());
	keyboard_open(p->view);
	err = run(&l);
	keyboard_close();
	if (p->recording)
		recording_finish(p->recording);
	describe(&l);
	drops_done(&l.drops);
	sweeps_done(&l.sweeps);
	polls_done(&l.polls);
	kernel_source_close(l.kernel);
	return err;
}
