/* SPDX-License-Identifier: BSD-2-Clause */
/* Time as a recording tells it: drives the ticks of a view, and with --speed waits until it is time. */
#ifndef NETTRACE_REPLAY_CLOCK_H
#define NETTRACE_REPLAY_CLOCK_H

#include "pipeline.h"

/* Borrowed: view, output. */
struct replay_clock {
	struct view *view;
	struct output *output;
	double speed;		   /* 0: never waits */
	uint64_t mono_ns, time_ns; /* of the last event; 0: there was none */
	uint64_t began_ns;	   /* the recording's monotonic time that .. */
	uint64_t real_began_ns;	   /* .. this is here */
};

/*
 * The clock goes on to mono_ns: every tick of the view that lies before it, each at its time. Times may step back a
 * little; then nothing happens. 0, PIPELINE_ENOUGH, or -errno of the view; signals_stop ends waiting.
 */
int replay_clock_advance(struct replay_clock *c, uint64_t time_ns, uint64_t mono_ns);

#endif
