/* SPDX-License-Identifier: BSD-2-Clause */
/* One event's way from any source through the model to the view. The loops (live, replay) feed it. */
#ifndef NETTRACE_PIPELINE_H
#define NETTRACE_PIPELINE_H

#include "model/connection_table.h"
#include "model/filter_pushdown.h"
#include "model/selection.h"
#include "view/recording.h"
#include "view/view.h"

#define PIPELINE_ENOUGH (-ECANCELED) /* what sinks return once nothing more is wanted */

/* What the summary tells. */
struct pipeline_totals {
	uint64_t events, lost, healed, unattributed, connections;
	unsigned int rung; /* the lowest one that any of it was traced on; 0: not told */
};

/* Borrowed: all pointers. */
struct pipeline {
	struct connection_table *table;
	const struct selection *selection;
	const struct filter_pushdown
		*pushdown;	     /* what the source does not even tell; may be NULL */
	const struct filter *filter; /* what is shown; the model knows the rest too */
	bool filter_rows; /* an event is judged by all that is known of its connection, not by itself */
	struct view *view;
	struct recording *recording; /* NULL: nothing is recorded */
	uint32_t shown_events;	     /* bits of enum event_type that count for the limit */
	uint64_t event_limit;	     /* --count; 0: none */
	bool gaps;		     /* something was lost: a close may come whose open did not */
	bool enough;		     /* the limit is reached, or the view wants no more */
	struct pipeline_totals totals;
};

/* An event_sink; context is the pipeline. 0, PIPELINE_ENOUGH, or -errno of the view. */
int pipeline_event(void *pipeline, struct event *e);

/*
 * Tells the open of a connection that the source knows only from later on (`e`: its row or its close), marked
 * reconciled; nothing when it was told before. As pipeline_event.
 */
int pipeline_tell_open(struct pipeline *p, const struct event *e);

/*
 * Tells the summary, the last event, to the view and the recording; `began_ns` is the mono time of the start. 0 or -errno
 * of the view.
 */
int pipeline_tell_summary(struct pipeline *p, uint64_t time_ns, uint64_t mono_ns,
			  uint64_t began_ns);

/* The summary as an event; `began_ns` is the mono time of the start. */
void pipeline_summary(const struct pipeline *p, struct event *e, uint64_t time_ns, uint64_t mono_ns,
		      uint64_t began_ns);

#endif
