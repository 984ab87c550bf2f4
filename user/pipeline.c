// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline.h"

#include <errno.h>
#include <string.h>

static void count_event(struct pipeline *p, const struct event *e)
{
	if (e->type == EVENT_LOST) {
		p->totals.lost += e->count;
		return;
	}
	if (e->type == EVENT_START && event_has(e, FIELD_RUNG) && e->rung > p->totals.rung)
		p->totals.rung = e->rung;
	if (!(p->shown_events >> e->type & 1) || e->type == EVENT_START || e->type == EVENT_SUMMARY)
		return;
	p->totals.events++;
	if (e->type == EVENT_CONNECT || e->type == EVENT_ACCEPT)
		p->totals.connections++;
	if (event_has(e, FIELD_RECONCILED) && e->reconciled)
		p->totals.healed++;
	if (event_is_unattributed(e))
		p->totals.unattributed++;
}

/* What is known of the beginning: who and what; the first owner, if it was handed on since. */
static void make_open(struct event *open, const struct event *e)
{
	*open = *e;
	open->type = e->direction == DIRECTION_OUT ? EVENT_CONNECT : EVENT_ACCEPT;
	for (int f = FIELD_STATE; f < FIELD_COUNT; f++)
		event_unset(open, f);
	open->reconciled = true;
	event_set(open, FIELD_RECONCILED);
	if (!event_has(e, FIELD_OPENER_PID))
		return;
	open->pid = e->opener_pid;
	memcpy(open->comm, e->opener_comm, sizeof(open->comm));
	open->owner = e->direction == DIRECTION_OUT ? OWNER_CONNECT : OWNER_ACCEPT;
	event_unset(open, FIELD_TID);
	event_unset(open, FIELD_UID);
	event_unset(open, FIELD_OPENER_PID);
	event_unset(open, FIELD_OPENER_COMM);
}

int pipeline_tell_open(struct pipeline *p, const struct event *e)
{
	struct event open;

	if (!e->start_ns || !event_has(e, FIELD_DIRECTION) || connection_table_full(p->table) ||
	    connection_table_opened(p->table, e->cookie, e->start_ns))
		return 0;
	make_open(&open, e);
	return pipeline_event(p, &open);
}

/*
 * A ranking counts connections: one that an event says nothing of is still the same connection. Most events
 * do not tell the state that --state asks for, and the filter may ask for anything.
 */
static bool row_passes(const struct pipeline *p, const struct event *e, struct connection *row)
{
	struct event whole = *e;
	bool fits;

	connection_complete(row, &whole);
	fits = selection_match(p->selection, &whole) && filter_match(p->filter, &whole);
	if (!fits)
		row->group = 0; /* it is counted as open no more */
	return fits;
}

static bool passes(const struct pipeline *p, const struct event *e,
		   const struct connection_change *change)
{
	if (e->type == EVENT_START || e->type == EVENT_LOST || e->type == EVENT_SUMMARY)
		return true;
	if (p->filter_rows && change->row && (p->filter || p->selection->states))
		return row_passes(p, e, change->row);
	return selection_match(p->selection, e) && filter_match(p->filter, e);
}

int pipeline_event(void *pipeline, struct event *e)
{
	struct pipeline *p = pipeline;
	struct connection_change change;
	int err;

	if (p->enough)
		return PIPELINE_ENOUGH;
	if (p->gaps && e->type == EVENT_CLOSE) {
		err = pipeline_tell_open(p, e);
		if (err)
			return err;
	}
	/* A second word on the same open or close. */
	if (connection_table_apply(p->table, e, &change))
		return 0;
	if (!passes(p, e, &change))
		return 0;
	count_event(p, e);
	if (p->recording)
		recording_event(p->recording, e);
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

int pipeline_tell_summary(struct pipeline *p, uint64_t time_ns, uint64_t mono_ns, uint64_t began_ns)
{
	struct event e;
	int err;

	pipeline_summary(p, &e, time_ns, mono_ns, began_ns);
	if (p->recording)
		recording_event(p->recording, &e);
	err = p->view->ops->event(p->view, &e, NULL);
	return err < 0 ? err : 0;
}
