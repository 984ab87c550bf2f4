/* SPDX-License-Identifier: BSD-2-Clause */
/* One kernel record to one event. Pure: no state but the clock offset and the cgroup names. */
#ifndef NETTRACE_RECORD_EVENT_H
#define NETTRACE_RECORD_EVENT_H

#include "event.h"
#include "model/event.h"
#include "source/cgroup.h"

struct record_names {
	int64_t wall_offset_ns;
	struct cgroup_cache *cgroups; /* borrowed; NULL: cgroups stay unnamed */
	/* Borrowed: name of enum sk_rst_reason `number` on the running kernel, or NULL. May be NULL. */
	const char *(*reset_reason)(void *context, unsigned int number);
	void *context;
};

/* Addresses, owner, direction, identity and clocks; `type` as given. */
void record_to_common(const struct record *r, enum event_type type,
		      const struct record_names *names, struct event *e);

/* RECORD_LISTEN, UNLISTEN, CONNECT, ACCEPT, FAIL, RETRANSMIT, RESET, STATE. */
void record_to_event(const struct record *r, const struct record_names *names, struct event *e);

void record_to_close(const struct record_close *r, const struct record_names *names,
		     struct event *e);

/* A row of an iterator as `socket`; without holders, which the inventory gathers. */
void record_to_socket(const struct record_row *r, const struct record_names *names,
		      struct event *e);

/* A UDP flow: FLOW_CLOSE as `close`, anything else as `socket`. */
void record_to_flow(const struct record_flow *r, const struct record_names *names, struct event *e);

/* How a connection or an attempt ended, from the socket's error and the resets seen. */
enum outcome record_outcome(const struct record *r);

#endif
