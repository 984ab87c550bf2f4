/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heals the live table from passes over all sockets: what began unseen appears, what ended unseen is closed (both
 * marked reconciled), states, counters and holders are brought up to date, and acceptors and heirs that did nothing yet
 * are found. Each pass is paid for: it is not run again before fifty times of what it took, that over all open files
 * not before a hundred times.
 */
#ifndef NETTRACE_SWEEPS_H
#define NETTRACE_SWEEPS_H

#include "model/suspects.h"
#include "pipeline.h"
#include "source/kernel.h"

/* Borrowed: kernel, pipeline. Owned: suspects. */
struct sweeps {
	struct kernel_source *kernel;
	struct pipeline *pipeline;
	struct selection selection; /* what belongs into the table: without states */
	uint64_t next_full_ns, next_taken_ns, next_holders_ns;
	uint64_t previous_full_ns; /* when the last full pass began */
	struct suspects suspects;
	bool unavailable; /* this kernel has no such iterators */
};

/* sweeps_done releases it. */
void sweeps_init(struct sweeps *s, struct kernel_source *kernel, struct pipeline *p,
		 uint64_t mono_ns);

void sweeps_done(struct sweeps *s);

/* Fills the table with what is there before the first event; does not show anything. 0 or -errno. */
int sweeps_snapshot(struct sweeps *s);
/* Runs what is due at mono_ns. 0, or what the pipeline returned. */
int sweeps_run(struct sweeps *s, uint64_t mono_ns);
/* Something was lost: a full pass as soon as possible. */
void sweeps_hurry(struct sweeps *s, uint64_t mono_ns);
/* Brings the counters of what moved up to date. 0, or what the pipeline returned. */
int sweeps_counters(struct sweeps *s);
/* The same of the queues of what listens. */
int sweeps_listeners(struct sweeps *s);
/* The last pass; the programs are taken off in it, so the table is exact afterwards. */
int sweeps_finish(struct sweeps *s);

#endif
