/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's UDP records and counters to events. The first flow of a socket comes complete with its records; of
 * the others the kernel keeps the counters in a map that has to be read and emptied, so their keys are kept here.
 * Needs no kernel: fed by hand in the unit tests.
 */
#ifndef NETTRACE_DATAGRAMS_H
#define NETTRACE_DATAGRAMS_H

#include <stddef.h>

#include "source/record_event.h"

struct datagrams;

/* The kernel's map of flows. `take` reads an entry and deletes it: 0, or -errno (-ENOENT: there is none). */
struct datagram_store {
	int (*take)(void *context, const struct flow_key *key, struct flow *flow);
	void *context;
};

/* Borrowed: names (its members may change between calls), contexts. NULL when out of memory. */
struct datagrams *datagrams_new(const struct record_names *names,
				const struct datagram_store *store, event_sink *sink,
				void *context);
void datagrams_free(struct datagrams *d);

/* One ring record of protocol UDP. 0, what the sink returned, or -EBADMSG for one that makes no sense (counted). */
int datagrams_record(struct datagrams *d, const void *data, size_t size);

/*
 * Tells how at most `max` flows ended with their sockets: those beyond a socket's first, which may be many thousand.
 * 0 or what the sink returned.
 */
int datagrams_turn(struct datagrams *d, size_t max);

/* What a pass over the kernel's counters brought. Rows are sorted by it. */
struct datagram_pass {
	struct record_flow *sockets; /* SOCKET, NONE, FLOW_CLOSE (idle) */
	size_t socket_count;
	const struct flow_key *keys; /* read before the sockets were */
	const struct flow *flows;
	size_t flow_count;
	uint64_t mono_ns;
	bool full; /* else only what moved is told and nothing ended */
};

/*
 * One `socket` event for each flow that lives, `close` for each that fell silent, and (marked reconciled) for each whose
 * socket full passes have not met for some seconds. 0 or what the sink returned.
 */
int datagrams_pass(struct datagrams *d, const struct datagram_pass *pass, event_sink *sink,
		   void *context);

/* Flows beyond the sockets' first that are known. */
size_t datagrams_count(const struct datagrams *d);
uint64_t datagrams_bad_records(const struct datagrams *d);

#endif
