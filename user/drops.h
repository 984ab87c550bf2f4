/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connection attempts that a listener dropped, once an interval with their number. No tracepoint tells of them, so the
 * counters of each namespace that has a listener are looked at, and only when one of them moved those of its listeners.
 */
#ifndef NETTRACE_DROPS_H
#define NETTRACE_DROPS_H

#include "pipeline.h"
#include "source/kernel.h"
#include "source/netstat.h"

#define DROPS_NAMESPACES 1024 /* those of the first listeners met are watched, the rest is not */

struct drops_namespace {
	uint32_t netns, pid; /* pid: of a process in it, whose /proc entry shows its counters */
	bool grown;
	bool seen; /* in this round */
	struct netstat before, growth;
};

/* Borrowed: kernel, pipeline. Owned: namespaces. */
struct drops {
	struct kernel_source *kernel;
	struct pipeline *pipeline;
	uint64_t next_ns;
	struct drops_namespace *namespaces;
	size_t count;
};

/* The state now is where counting begins. drops_done releases it. 0 or -ENOMEM. */
int drops_init(struct drops *d, struct kernel_source *kernel, struct pipeline *p, uint64_t mono_ns);
void drops_done(struct drops *d);
/*
 * Before the kernel's event is told: a `listen` begins the counting in its namespace, an `unlisten` tells of the drops since
 * the last time. 0, or what the pipeline returned.
 */
int drops_event(struct drops *d, const struct event *e);
/* Tells what has come since the last time, when it is due at mono_ns. 0, or what the pipeline returned. */
int drops_run(struct drops *d, uint64_t mono_ns);

#endif
