// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline.h"

#include <errno.h>

/* Who did it should be known of each of these. */
#define OWNED_EVENTS                                                                            \
	(1U << EVENT_LISTEN | 1U << EVENT_UNLISTEN | 1U << EVENT_CONNECT | 1U << EVENT_ACCEPT | \
	 1U << EVENT_FAIL | 1U << EVENT_CLOSE)

static void count_event(struct pipeline *p, const struct event *e)
{
	if (e->type == EVENT_LOST) {
		p->totals.lost += e->count;
		return;
	}
	if (!(p->shown_events >> e->type & 1) || e->type == EVENT_START || e->type == EVENT_SUMMARY)
		return;
	p->totals.events++;
	if (e->type == EVENT_CONNECT || e->type == EVENT_ACCEPT)
		p->totals.connections++;
	if (event_has(e, FIELD_RECONCILED) && e->reconciled)
		p->totals.healed++;
	if (OWNED_EVENTS >> e->type & 1 && !event_has(e, FIELD_PID) && e->owner != OWNER_KERNEL)
		p->totals.unattributed++;
}

int pipeline_event(void *pipeline, struct event *e)
{
	struct pipeline *p = pipeline;
	struct connection_change change;
	int err;

	if (p->enough)
		return PIPELINE_ENOUGH;
	/* A second word on the same open or close. */
	if (connection_table_apply(p->table, e, &change))
		return 0;
	if (!selection_match(p->selection, e))
		return 0;
	count_event(p, e);
	err = p->view->ops->event(p->view, e, &change);
	if (err < 0)
		return err;
	if (p->event_limit && p->totals.events >= p->event_limit)
		err = 1;
	p->enough = err;
	return err ? PIPELINE_ENOUGH : 0;
}

void pipeline_summary(const struct pipeline *p, struct event *e, uint64_t time_ns, uint64_t mono_ns,
		      uint64_t began_ns)
{
	event_init(e, EVENT_SUMMARY, time_ns, mono_ns);
	e->events = p->totals.events;
	e->lost = p->totals.lost;
	e->healed = p->totals.healed;
	e->unattributed = p->totals.unattributed;
	e->connections = p->totals.connections;
	e->duration_us = mono_ns > began_ns ? (mono_ns - began_ns) / 1000 : 0;
	event_set(e, FIELD_EVENTS);
	event_set(e, FIELD_LOST);
	event_set(e, FIELD_HEALED);
	event_set(e, FIELD_UNATTRIBUTED);
	event_set(e, FIELD_CONNECTIONS);
	event_set(e, FIELD_DURATION_US);
}
