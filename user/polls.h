/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracing without programs in the kernel (rung 4): passes over all sockets tell what is new, the kernel's notices of sockets that
 * go away what has ended. What begins and ends between two passes is known by its notice only: without its owner.
 */
#ifndef NETTRACE_POLLS_H
#define NETTRACE_POLLS_H

#include "pipeline.h"
#include "source/polling_pass.h"

/* Borrowed: pipeline. Owned: passes, cgroups. */
struct polls {
	struct pipeline *pipeline;
	struct selection selection; /* what belongs into the table: without states */
	struct polling_pass *passes;
	struct cgroup_cache *cgroups; /* rows of the table have their strings */
	uint64_t next_ns;	      /* when the next pass is due */
	uint64_t pass_ns,
		previous_ns; /* when the last one began, and the one before; 0: none yet */
	uint64_t lost;	     /* times that notices were lost */
};

/* 0 or -errno; polls_done releases it in either case. */
int polls_init(struct polls *p, struct pipeline *pipeline, uint64_t mono_ns);
void polls_done(struct polls *p);
/* Readable when the kernel gives notice; -1: it never does. */
int polls_fd(const struct polls *p);

/* Fills the table with what is there; shows nothing. 0 or -errno. */
int polls_snapshot(struct polls *p);
/* Tells what has ended, and what is new when a pass is due. 0, or what the pipeline returned. */
int polls_run(struct polls *p, uint64_t mono_ns);
/* A pass now. As polls_run. */
int polls_pass(struct polls *p);
/* Times that notices were lost since the last call: each stands for at least one. */
uint64_t polls_lost(struct polls *p);

#endif
