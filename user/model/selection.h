/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the selection flags (-t -4 -p --comm -P --state …) let through. The options fill it in, the kernel
 * decides what it can of it, and every event is checked again here, so live and replay agree.
 */
#ifndef NETTRACE_SELECTION_H
#define NETTRACE_SELECTION_H

#include "model/event.h"

#define SELECTION_MAX 64 /* values in one list */

struct pid_set;

struct u32_list {
	uint32_t count;
	uint32_t values[SELECTION_MAX];
};

struct selection {
	bool tcp, udp, raw, unix_sockets; /* none: the view's default */
	bool ipv4, ipv6;		  /* neither: both */
	struct u32_list pids;
	const struct pid_set *followed; /* borrowed; --follow: instead of `pids`; else NULL */
	struct u32_list uids;
	struct u32_list ports;	/* either side */
	struct u32_list lports; /* local */
	struct u32_list rports; /* remote */
	struct u32_list netns;	/* inodes; empty: all namespaces */
	const char *cgroup; /* borrowed: this one and what is below it, from the root; NULL: all */
	const char *container; /* borrowed: id, its first 12 digits, or name; NULL: all */
	uint32_t comm_count;
	const char *comms[SELECTION_MAX]; /* borrowed; exact, or a glob where it has * ? [ */
	uint32_t states;		  /* bit 1 << enum tcp_state; 0: all */
};

/*
 * Does the event pass? A field that the selection asks for and the event lacks does not match, but for
 * start, lost and summary, which always pass. A pid or comm matches the owner, the opener or
 * any holder.
 * `states` is checked against `state`, `new_state` or `last_state`, whichever the event has.
 */
bool selection_match(const struct selection *s, const struct event *e);

/* Was --state closed asked for? Then tables show connections that have ended, too. */
static inline bool selection_wants_closed(const struct selection *s)
{
	return s->states >> STATE_CLOSE & 1;
}

#endif
