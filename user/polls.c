// SPDX-License-Identifier: BSD-2-Clause
#include "polls.h"

#include "source/cgroup.h"
#include "source/clock.h"

#define EVERY_NS 250000000ULL
#define COST_FACTOR 10 /* a pass is not run again before ten times of what it took */

int polls_init(struct polls *p, struct pipeline *pipeline, uint64_t mono_ns)
{
	*p = (struct polls){ .pipeline = pipeline,
			     .selection = *pipeline->selection,
			     .next_ns = mono_ns + EVERY_NS };
	p->selection.states = 0;
	p->cgroups = cgroup_cache_new();
	return polling_pass_open(&p->selection.netns, p->cgroups, true, &p->passes);
}

void polls_done(struct polls *p)
{
	polling_pass_close(p->passes);
	p->passes = NULL;
	cgroup_cache_free(p->cgroups);
	p->cgroups = NULL;
}

int polls_fd(const struct polls *p)
{
	return polling_pass_fd(p->passes);
}

/* Of a listener sock_diag tells a peer of zeros, which is none. */
static void forget_no_peer(struct event *e)
{
	if (e->state != STATE_LISTEN)
		return;
	event_unset(e, FIELD_RADDR);
	event_unset(e, FIELD_RPORT);
}

/* Those that polling can follow: neither minisockets, which have the cookie of a connection that is over, nor what is not open yet. */
static bool is_followed(const struct polls *p, const struct event *e)
{
	return e->proto == IPPROTO_TCP && e->state != STATE_TIME_WAIT &&
	       e->state != STATE_SYN_RECV && e->state != STATE_SYN_SENT &&
	       e->state != STATE_CLOSE && selection_match(&p->selection, e);
}

static int add_snapshot(void *context, struct event *e)
{
	struct polls *p = context;
	struct connection_change change;

	forget_no_peer(e);
	if (is_followed(p, e))
		connection_table_apply(p->pipeline->table, e, &change);
	return 0;
}

int polls_snapshot(struct polls *p)
{
	p->pass_ns = clock_mono_ns();
	return polling_pass_run(p->passes, add_snapshot, p);
}

/* The beginning of what `e` tells of: `reconciled` where it is over already. */
static int tell_open(struct polls *p, const struct event *e, bool reconciled)
{
	struct event open = *e;

	open.type = e->state == STATE_LISTEN	   ? EVENT_LISTEN
		    : e->direction == DIRECTION_IN ? EVENT_ACCEPT
						   : EVENT_CONNECT;
	for (int f = FIELD_STATE; f < FIELD_COUNT; f++)
		event_unset(&open, f);
	if (e->state == STATE_LISTEN) {
		open.backlog = e->send_q;
		event_set(&open, FIELD_BACKLOG);
	}
	if (reconciled) {
		open.reconciled = true;
		event_set(&open, FIELD_RECONCILED);
	}
	return pipeline_event(p->pipeline, &open);
}

/*
 * sock_diag reads the state before the counters, and waits in between for a FIN that is being taken in: a count is
 * known to be free of one only when a later look tells a state without one.
 */
static bool is_settled(const struct connection *before, const struct event *e)
{
	return before && connection_has(before, FIELD_RX_BYTES) && event_has(e, FIELD_RX_BYTES) &&
	       before->rx_bytes == e->rx_bytes;
}

static int met(void *context, struct event *e)
{
	struct polls *p = context;
	struct connection *c;
	bool settled;
	int err = 0;

	forget_no_peer(e);
	if (!is_followed(p, e))
		return 0;
	c = connection_table_find(p->pipeline->table, e->cookie, e->start_ns);
	settled = is_settled(c, e);
	if (!c) {
		/* A minisocket that waits for the peer's FIN has this state, and the cookie of a connection that is over. */
		if (e->state == STATE_FIN_WAIT2 && !event_has(e, FIELD_INODE))
			return 0;
		err = tell_open(p, e, false);
	}
	if (!err)
		err = pipeline_event(p->pipeline, e);
	c = connection_table_find(p->pipeline->table, e->cookie, e->start_ns);
	if (c)
		c->settled = settled;
	return err;
}

int polls_pass(struct polls *p)
{
	uint64_t began = clock_mono_ns(), now;
	long gone = 0;
	int err = polling_pass_run(p->passes, met, p);

	if (err)
		return err;
	now = clock_mono_ns();
	/* Notices tell most ends. A row that two passes did not meet has ended without one. */
	if (p->previous_ns && polling_pass_is_whole(p->passes))
		gone = connection_table_expire(p->pipeline->table, p->previous_ns,
					       clock_wall_ns(now), now, pipeline_event,
					       p->pipeline);
	p->previous_ns = p->pass_ns;
	p->pass_ns = began;
	p->next_ns = now + EVERY_NS;
	if ((now - began) * COST_FACTOR > EVERY_NS)
		p->next_ns = now + (now - began) * COST_FACTOR;
	return gone < 0 ? (int)gone : 0;
}

/*
 * The peer's FIN counts in bytes_received, and the notice does not say whether one came. The state of the last pass
 * does, and so does a settled count that has not moved since; else it is not known to one byte, and not told.
 */
static void settle_received(const struct connection *c, struct event *e)
{
	bool fin = c && connection_has(c, FIELD_STATE) &&
		   (c->state == STATE_CLOSE_WAIT || c->state == STATE_LAST_ACK ||
		    c->state == STATE_CLOSING);

	if (!event_has(e, FIELD_RX_BYTES) || !e->rx_bytes)
		return;
	if (fin)
		e->rx_bytes--;
	else if (!c || !c->settled || c->rx_bytes != e->rx_bytes)
		event_unset(e, FIELD_RX_BYTES);
}

struct listener_search {
	const struct event *e;
	const struct connection *found;
};

static int is_listener_of(void *context, const struct connection *listener)
{
	struct listener_search *search = context;

	if (listener->lport != search->e->lport || listener->netns != search->e->netns)
		return 0;
	search->found = listener;
	return 1;
}

/* One on the port of this end, or NULL. */
static const struct connection *find_listener(const struct polls *p, const struct event *e)
{
	struct listener_search search = { .e = e };

	connection_table_listeners(p->pipeline->table, is_listener_of, &search);
	return search.found;
}

/* No pass met it: whose it was is known only as far as its listener tells. */
static void guess_owner(const struct connection *listener, struct event *e)
{
	e->direction = listener ? DIRECTION_IN : DIRECTION_OUT;
	event_set(e, FIELD_DIRECTION);
	if (!listener || !connection_has(listener, FIELD_PID))
		return;
	e->owner = OWNER_LISTENER;
	e->pid = listener->pid;
	memcpy(e->comm, listener->comm, sizeof(e->comm));
	event_set(e, FIELD_PID);
	event_set(e, FIELD_COMM);
	if (connection_has(listener, FIELD_UID)) {
		e->uid = listener->uid;
		event_set(e, FIELD_UID);
	}
	event_set_cgroup(e, listener->cgroup, listener->unit, listener->container);
}

static void set_end(struct event *e, const struct connection *c)
{
	static const enum event_field of_rows[] = { FIELD_STATE, FIELD_RECV_Q, FIELD_SEND_Q,
						    FIELD_INODE };

	e->type = EVENT_CLOSE;
	for (size_t i = 0; i < sizeof(of_rows) / sizeof(of_rows[0]); i++)
		event_unset(e, of_rows[i]);
	if (c && connection_has(c, FIELD_STATE)) {
		e->last_state = c->state;
		event_set(e, FIELD_LAST_STATE);
	}
}

static int tell_unlisten(struct polls *p, struct event *e)
{
	e->type = EVENT_UNLISTEN;
	for (int f = FIELD_STATE; f < FIELD_COUNT; f++)
		event_unset(e, f);
	event_unset(e, FIELD_RADDR);
	event_unset(e, FIELD_RPORT);
	return pipeline_event(p->pipeline, e);
}

static int on_notice(void *context, const struct destroy_notice *notice)
{
	struct polls *p = context;
	const struct connection *c, *listener;
	uint64_t mono = clock_mono_ns();
	struct event e;
	int err = 0;

	socket_row_to_event(&notice->row, NULL, false, clock_wall_ns(mono), mono, &e);
	c = connection_table_find(p->pipeline->table, e.cookie, 0);
	if (!e.rport) /* a listener, or a socket that was never connected */
		return c && connection_has(c, FIELD_STATE) && c->state == STATE_LISTEN
			       ? tell_unlisten(p, &e)
			       : 0;
	settle_received(c, &e);
	if (!c) {
		listener = find_listener(p, &e);
		guess_owner(listener, &e);
		if (!selection_match(&p->selection, &e))
			return 0;
		if (!listener && !notice->bytes_acked) {
			set_end(&e, NULL);
			e.type = EVENT_FAIL;
			for (int f = FIELD_STATE; f < FIELD_COUNT; f++)
				event_unset(&e, f);
			return pipeline_event(p->pipeline, &e);
		}
		err = tell_open(p, &e, true);
	}
	if (err)
		return err;
	set_end(&e, c);
	return pipeline_event(p->pipeline, &e);
}

int polls_run(struct polls *p, uint64_t mono_ns)
{
	int err = polling_pass_notices(p->passes, &p->lost, on_notice, p);

	return !err && mono_ns >= p->next_ns ? polls_pass(p) : err;
}

uint64_t polls_lost(struct polls *p)
{
	uint64_t lost = p->lost;

	p->lost = 0;
	return lost;
}
