/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/ranking_private.h"

#define RECOUNT_EVERY 16 /* intervals: groupings that nobody looks at are counted so seldom */
#define RECENT_SHARE 0.9 /* of what was recent that still is one interval later */

struct ranking *ranking_new(const struct connection_table *t, uint32_t kept,
			    unsigned int silent_intervals)
{
	struct ranking *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->table = t;
	r->silent_intervals = silent_intervals;
	r->total.row.retrans_percent = -1;
	for (int by = 0; by < BY_COUNT; by++) {
		if (kept >> by & 1 && ranking_keep(r, (enum ranking_by)by)) {
			ranking_free(r);
			return NULL;
		}
	}
	return r;
}

void ranking_free(struct ranking *r)
{
	if (!r)
		return;
	for (int by = 0; by < BY_COUNT; by++)
		grouping_free(r->groupings[by]);
	free(r);
}

int ranking_keep(struct ranking *r, enum ranking_by by)
{
	if (!r->groupings[by])
		r->groupings[by] = grouping_new(by);
	return r->groupings[by] ? 0 : -ENOMEM;
}

/* --- counting --- */

static void group_count(struct group *g, const struct event *e,
			const struct connection_change *change, uint32_t drops)
{
	uint32_t retrans = change->retrans < UINT32_MAX ? (uint32_t)change->retrans : UINT32_MAX;

	g->now.tx += change->tx_bytes;
	g->now.rx += change->rx_bytes;
	g->now.tx_segs += change->tx_segs;
	g->now.opens += change->opened;
	g->now.closes += change->closed;
	g->now.fails += change->failed;
	g->now.retrans += retrans;
	g->now.drops += drops;
	g->row.tx_bytes += change->tx_bytes;
	g->row.rx_bytes += change->rx_bytes;
	g->row.retrans += change->retrans;
	g->row.opens += change->opened;
	g->row.closes += change->closed;
	g->row.fails += change->failed;
	g->row.drops += drops;
	if (event_has(e, FIELD_SRTT_US))
		g->row.srtt_us = e->srtt_us;
	if ((change->closed || change->failed) && event_has(e, FIELD_OUTCOME) &&
	    e->outcome < OUTCOME_COUNT) {
		g->row.outcomes[e->outcome]++;
		g->row.outcome = e->outcome;
	}
	if (!g->row.since_ns)
		g->row.since_ns = e->mono_ns;
}

/* What may change while the group stays the same. */
static void group_refresh(struct group *g, const struct ranking_row *k, const struct connection *c)
{
	struct ranking_row *row = &g->row;

	if (row->by == BY_CONNECTION && c) {
		row->state = k->state;
		row->direction = k->direction;
		row->retrans_percent = k->retrans_percent;
		row->ended_ns = k->ended_ns;
		row->connections = k->connections;
		row->tx_bytes = k->tx_bytes; /* of its life */
		row->rx_bytes = k->rx_bytes;
		row->retrans = k->retrans;
		row->drops = k->drops;
		row->place_kind = k->place_kind;
		row->place = k->place;
	}
	if (row->by == BY_CONNECTION || (row->by == BY_LISTENER && c && c->state == STATE_LISTEN &&
					 connection_has(c, FIELD_PID))) {
		row->has_pid = k->by == BY_CONNECTION ? k->has_pid : true;
		row->pid = k->by == BY_CONNECTION ? k->pid : c->pid;
		memcpy(row->comm, k->by == BY_CONNECTION ? k->comm : c->comm, sizeof(row->comm));
		row->kernel = k->by == BY_CONNECTION && k->kernel;
		row->has_uid = k->by == BY_CONNECTION ? k->has_uid : connection_has(c, FIELD_UID);
		row->uid = k->by == BY_CONNECTION ? k->uid : c->uid;
	} else if (row->by == BY_LISTENER && !row->has_pid && c && c->proto == IPPROTO_UDP &&
		   c->direction == DIRECTION_IN && connection_has(c, FIELD_PID)) {
		row->has_pid = true; /* of UDP nobody is told to listen: who has the flows does */
		row->pid = c->pid;
		memcpy(row->comm, c->comm, sizeof(row->comm));
	} else if (k->has_uid) {
		row->has_uid = true;
		row->uid = k->uid;
	}
}

/* Counts the change in one grouping. 0 or -ENOMEM. */
static int grouping_add(struct ranking *r, struct grouping *g, const struct event *e,
			const struct connection_change *change, bool active, uint32_t drops)
{
	struct connection *c = change->row;
	struct ranking_row k;
	struct group *group;
	uint32_t id;

	if (g->by == BY_CONNECTION && !active) {
		/* What is open is in the table; only what happens needs a group. */
		if (!c || c->group == MARK_NONE)
			return 0;
		if (c->group == MARK_OURS) { /* but it may have one from before it was left out */
			k = (struct ranking_row){ .by = BY_CONNECTION,
						  .cookie = c->cookie,
						  .start_ns = c->start_ns };
			id = grouping_find(g, &k);
			c->group = id ? id : MARK_OURS;
			return 0;
		}
	}
	if (!ranking_identify(g->by, r->table, e, c, &k))
		return 0;
	id = grouping_take(g, &k);
	if (!id)
		return -ENOMEM;
	group = grouping_at(g, id);
	group->touched = true;
	group->active |= active;
	group_count(group, e, change, drops);
	if (id != GROUP_OTHER)
		group_refresh(group, &k, c);
	grouping_mark_busy(g, id);
	if (g->by == BY_CONNECTION && c && c->group && id != GROUP_OTHER)
		c->group = id;
	return 0;
}

int ranking_add(struct ranking *r, const struct event *e, const struct connection_change *change)
{
	struct connection *c = change->row;
	uint32_t drops = e->type == EVENT_DROP && e->count < UINT32_MAX ? (uint32_t)e->count : 0;
	bool listens = c && c->state == STATE_LISTEN && e->type != EVENT_UNLISTEN;
	bool active = change->tx_bytes || change->rx_bytes || change->retrans || change->opened ||
		      change->closed || change->failed || drops;
	bool lives = c && !c->closed_ns &&
		     (state_is_open(c->state) || state_is_opening(c->state) || listens) &&
		     !change->closed && !change->failed;

	if (!r->began_ns)
		r->began_ns = e->mono_ns;
	if (c && !lives)
		c->group = MARK_NONE;
	else if (c && !c->group)
		c->group = MARK_OURS;
	/* A socket that is only being opened has nothing to show yet, nor has what was there before. */
	if (!active && !(lives && !state_is_opening(c->state)))
		return 0;
	for (int by = 0; by < BY_COUNT; by++) {
		struct grouping *g = r->groupings[by];
		int err;

		if (!g || (listens && !active && by != BY_LISTENER))
			continue;
		err = grouping_add(r, g, e, change, active, drops);
		if (err)
			return err;
	}
	group_count(&r->total, e, change, drops);
	return 0;
}

int ranking_adopt(struct ranking *r, const struct selection *s, const struct filter *f,
		  uint64_t time_ns, uint64_t mono_ns)
{
	struct connection_change change = { 0 };
	struct event e;
	int err = 0;

	for (struct connection *c = connection_table_first(r->table); c && !err; c = c->next) {
		if (c->group)
			continue;
		connection_to_event(c, &e, time_ns, mono_ns);
		if (!selection_match(s, &e) || !filter_match(f, &e))
			continue;
		change.row = c;
		err = ranking_add(r, &e, &change);
	}
	return err;
}

/* --- what is open now --- */

static void counts_clear(struct ranking_row *row)
{
	row->connections = row->opening = row->closing = row->close_wait = row->listeners = 0;
	row->queue = row->backlog = 0;
}

static void counts_add(struct ranking_row *row, const struct connection *c)
{
	if (c->state == STATE_LISTEN) {
		row->listeners++;
		row->queue += c->recv_q;
		row->backlog += c->send_q;
		return;
	}
	if (state_is_opening(c->state)) {
		row->opening++;
		return;
	}
	row->connections++;
	row->close_wait += c->state == STATE_CLOSE_WAIT;
	row->closing += c->state != STATE_ESTABLISHED && c->state != STATE_CLOSE_WAIT;
}

static void grouping_clear(struct grouping *g)
{
	if (!g || g->by == BY_CONNECTION)
		return;
	for (uint32_t id = GROUP_OTHER; id < g->ids; id++)
		counts_clear(&grouping_at(g, id)->row);
	g->counted = true;
}

static void count_in(struct ranking *r, struct grouping *g, const struct connection *c)
{
	struct ranking_row k;
	struct group *group;
	uint32_t id;

	if (!g || g->by == BY_CONNECTION || !ranking_identify(g->by, r->table, NULL, c, &k))
		return;
	/* where somebody else owns it now, without a word of it: the group is made here */
	id = state_is_opening(c->state) ? grouping_find(g, &k) : grouping_take(g, &k);
	if (!id)
		return;
	group = grouping_at(g, id);
	counts_add(&group->row, c);
	if (!group->row.since_ns)
		group->row.since_ns = r->began_ns;
	if (g->by == BY_LISTENER && c->state == STATE_LISTEN && id != GROUP_OTHER)
		group_refresh(group, &k, c);
}

/* Exact also where a selection hid an event from us: counted from the rows' own marks. */
static void count_open(struct ranking *r, struct grouping *one, struct grouping *other)
{
	counts_clear(&r->total.row);
	grouping_clear(one);
	grouping_clear(other);
	for (struct connection *c = connection_table_first(r->table); c; c = c->next) {
		if (!c->group)
			continue;
		if (!state_is_open(c->state) && !state_is_opening(c->state) &&
		    c->state != STATE_LISTEN) {
			c->group = MARK_NONE;
			continue;
		}
		counts_add(&r->total.row, c);
		count_in(r, one, c);
		count_in(r, other, c);
	}
}

void ranking_recount(struct ranking *r, enum ranking_by by)
{
	struct grouping *g = r->groupings[by];

	if (g && !g->counted)
		count_open(r, g, NULL);
}

/* --- the interval's end --- */

static void group_rates(struct group *g, double scale)
{
	g->row.tx_rate = (double)g->now.tx * scale;
	g->row.rx_rate = (double)g->now.rx * scale;
	g->row.open_rate = g->now.opens * scale;
	g->row.close_rate = g->now.closes * scale;
	g->row.fail_rate = g->now.fails * scale;
	g->row.retrans_rate = g->now.retrans * scale;
	g->row.drop_rate = g->now.drops * scale;
	g->recent_segs = g->recent_segs * RECENT_SHARE + (double)g->now.tx_segs;
	g->recent_retrans = g->recent_retrans * RECENT_SHARE + g->now.retrans;
	if (g->row.by != BY_CONNECTION && g->recent_segs >= 1)
		g->row.retrans_percent = g->recent_retrans < g->recent_segs
						 ? 100 * g->recent_retrans / g->recent_segs
						 : 100;
	memset(&g->now, 0, sizeof(g->now));
}

/* A connection only passed through, as from its listener to who accepts it. */
static bool is_blank(const struct ranking_row *r)
{
	return !r->opens && !r->closes && !r->fails && !r->retrans && !r->tx_bytes &&
	       !r->rx_bytes && !r->drops;
}

static bool is_over(const struct ranking *r, const struct grouping *g, const struct group *group)
{
	bool silent = group->silent >= r->silent_intervals;

	if (g->by == BY_CONNECTION)
		return silent;
	if (!g->counted || group->row.connections || group->row.listeners)
		return false;
	return silent || is_blank(&group->row);
}

/* The mark of the connection that had this group. */
static void unmark(const struct ranking *r, const struct grouping *g, uint32_t id)
{
	const struct ranking_row *row = &grouping_at(g, id)->row;
	struct connection *c;

	if (g->by != BY_CONNECTION)
		return;
	c = connection_table_find(r->table, row->cookie, row->start_ns);
	if (c && c->group == id)
		c->group = MARK_OURS;
}

/* Looks at what happened, or is about to go; what rests is left alone. */
static void grouping_interval(struct ranking *r, struct grouping *g, double scale)
{
	for (uint32_t *at = &g->first_busy; *at;) {
		struct group *group = grouping_at(g, *at);
		struct ranking_row *row = &group->row;
		uint32_t id = *at;
		bool rests;

		group->silent = group->active ? 0 : group->silent + (group->silent < UINT8_MAX);
		group_rates(group, scale);
		row->idle = !group->active;
		row->fading = row->idle && !row->connections && !row->listeners &&
			      g->by != BY_CONNECTION;
		group->active = group->touched = false;
		rests = row->idle && (row->connections || row->listeners) && g->counted;
		if (id != GROUP_OTHER && is_over(r, g, group)) {
			*at = group->next_busy;
			unmark(r, g, id);
			grouping_drop(g, id);
		} else if (rests && group->silent > 1) {
			*at = group->next_busy;
			group->busy = false;
		} else {
			at = &group->next_busy;
		}
	}
}

/* A group that rested and has nothing open any more must be looked at again. */
static void wake_empty(struct grouping *g)
{
	if (!g || g->by == BY_CONNECTION)
		return;
	for (uint32_t id = GROUP_FIRST; id < g->ids; id++) {
		const struct group *group = grouping_at(g, id);

		if (group->used && !group->busy && !group->row.connections && !group->row.listeners)
			grouping_mark_busy(g, id);
	}
}

void ranking_interval(struct ranking *r, enum ranking_by by, uint64_t mono_ns)
{
	double seconds =
		r->began_ns && mono_ns > r->began_ns ? (double)(mono_ns - r->began_ns) / 1e9 : 0;
	double scale = seconds > 0 ? 1 / seconds : 0;
	uint32_t turn = ++r->serial % RECOUNT_EVERY;
	struct grouping *shown = r->groupings[by], *other = turn < BY_COUNT && turn != (uint32_t)by
								    ? r->groupings[turn]
								    : NULL;

	r->began_ns = mono_ns;
	for (int i = 0; i < BY_COUNT; i++)
		if (r->groupings[i])
			r->groupings[i]->counted = r->groupings[i]->purged = false;
	count_open(r, shown, other);
	wake_empty(shown);
	wake_empty(other);
	group_rates(&r->total, scale);
	for (int i = 0; i < BY_COUNT; i++)
		if (r->groupings[i])
			grouping_interval(r, r->groupings[i], scale);
}

void ranking_totals(const struct ranking *r, struct ranking_row *total)
{
	*total = r->total.row;
}

size_t ranking_count(const struct ranking *r, enum ranking_by by)
{
	return r->groupings[by] ? r->groupings[by]->count : 0;
}
