/* SPDX-License-Identifier: BSD-2-Clause */
/* How an event and a row of the connection table complete each other. Used by the table only. */
#ifndef NETTRACE_CONNECTION_MERGE_H
#define NETTRACE_CONNECTION_MERGE_H

#include "model/connection_table.h"

static inline void connection_set(struct connection *c, enum event_field f)
{
	c->present[f >> 6] |= 1ULL << (f & 63);
}

static inline void connection_unset(struct connection *c, enum event_field f)
{
	c->present[f >> 6] &= ~(1ULL << (f & 63));
}

/*
 * Copies what the event tells into the row and adds the growth of its counters to *change. `baseline`: the
 * first value of a counter is where we came in, not growth. A snapshot older than the row changes neither
 * its state nor its owner.
 */
void connection_merge(struct connection *c, const struct event *e, bool baseline,
		      struct connection_change *change);

/* Takes the listener's owner where the row has none; `listener` NULL: only the direction is known. */
void connection_inherit(struct connection *c, const struct connection *listener);

/* Fills who and what the event lacks; the last known counters too when it is reconciled. */
void connection_fill(const struct connection *c, struct event *e);

#endif
