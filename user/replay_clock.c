/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay_clock.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "keyboard.h"
#include "signals.h"
#include "source/clock.h"

#define GAP_TICKS 100

/* Until a signal, a key, or the time. 0 or -errno of a screen. */
static int pause_ns(const struct replay_clock *c, uint64_t ns)
{
	struct pollfd fds[] = {
		{ .fd = signals_fd(), .events = POLLIN },
		{ .fd = keyboard_fd(c->view), .events = POLLIN },
	};
	struct timespec t = { (time_t)(ns / 1000000000ULL), (long)(ns % 1000000000ULL) };
	int err;

	if (ppoll(fds, 2, &t, NULL) < 0)
		return 0;
	if (fds[0].revents)
		signals_clear();
	err = keyboard_run(c->view);
	if (err > 0)
		signals_stop = 1;
	return err < 0 ? err : 0;
}

/* Until that time of the recording has come here. 0, PIPELINE_ENOUGH when it shall end, or -errno of the output. */
static int wait_until(struct replay_clock *c, uint64_t mono_ns)
{
	uint64_t due, now;
	int err;

	if (c->speed <= 0 || !c->began_ns || mono_ns <= c->began_ns)
		return 0;
	due = c->real_began_ns + (uint64_t)((double)(mono_ns - c->began_ns) / c->speed);
	now = clock_mono_ns();
	if (now >= due)
		return 0;
	err = output_flush(c->output);
	for (; !err && !signals_stop && now < due; now = clock_mono_ns())
		err = pause_ns(c, due - now);
	return err ? err : signals_stop ? PIPELINE_ENOUGH : 0;
}

/*
 * Every tick that lies before this time. A gap in a recording (a host that slept, files put together) is not filled
 * with tables that say nothing: after a few of them time jumps, unless it runs as it ran.
 */
static int tick_until(struct replay_clock *c, uint64_t mono_ns)
{
	struct view *v = c->view;
	int err = 0, ticks = 0;
	uint64_t at;

	while (!err && v->next_tick_ns && v->next_tick_ns <= mono_ns) {
		at = v->next_tick_ns;
		err = wait_until(c, at);
		if (!err)
			err = v->ops->tick(v, c->time_ns + (at - c->mono_ns), at);
		if (!err && v->next_tick_ns <= at)
			break; /* it wants no more */
		if (!err)
			err = output_line(c->output);
		if (++ticks == GAP_TICKS && c->speed <= 0 && v->next_tick_ns < mono_ns)
			v->next_tick_ns = mono_ns;
	}
	return err > 0 ? PIPELINE_ENOUGH : err;
}

int replay_clock_advance(struct replay_clock *c, uint64_t time_ns, uint64_t mono_ns)
{
	int err = 0;

	if (c->mono_ns && mono_ns <= c->mono_ns)
		return 0;
	if (c->mono_ns && c->view->ops->tick)
		err = tick_until(c, mono_ns);
	if (!err)
		err = wait_until(c, mono_ns);
	if (!c->began_ns) {
		c->began_ns = mono_ns;
		c->real_began_ns = clock_mono_ns();
	}
	c->mono_ns = mono_ns;
	c->time_ns = time_ns;
	return err;
}
