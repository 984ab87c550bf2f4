// SPDX-License-Identifier: BSD-2-Clause
#include "sweeps.h"

#include <errno.h>

#include "source/clock.h"
#include "source/polling_pass.h"

#define FULL_EVERY_NS 2000000000ULL /* longer than a close is held back: none is taken for unseen */
#define TAKEN_EVERY_NS 50000000ULL
#define HOLDERS_EVERY_NS 5000000000ULL
#define AFTER_LOSS_NS 100000000ULL
#define COST_FACTOR 50		/* what a pass took is at most 2 % of the time */
#define HOLDERS_COST_FACTOR 100 /* of all open files of the host: 1 % */
#define ALIVE_PASSES 4

static uint64_t later(uint64_t began, uint64_t every_ns, unsigned int cost_factor)
{
	uint64_t now = clock_mono_ns();
	uint64_t rest = (now - began) * cost_factor;

	return now + (rest > every_ns ? rest : every_ns);
}

void sweeps_init(struct sweeps *s, struct kernel_source *kernel, struct pipeline *p,
		 uint64_t mono_ns)
{
	*s = (struct sweeps){ .kernel = kernel, .pipeline = p, .selection = *p->selection };
	s->selection.states = 0;
	s->next_full_ns = mono_ns + FULL_EVERY_NS;
	s->next_taken_ns = mono_ns + TAKEN_EVERY_NS;
	s->next_holders_ns = mono_ns + HOLDERS_EVERY_NS;
}

void sweeps_done(struct sweeps *s)
{
	suspects_done(&s->suspects);
}

/* What the kernel tells of, so that nothing is kept of whose end nobody would hear. */
static bool is_followed(const struct sweeps *s, const struct event *e)
{
	return selection_match(&s->selection, e) &&
	       (!s->pipeline->pushdown || filter_pushdown_wants(s->pipeline->pushdown, e));
}

static int add_snapshot(void *context, struct event *e)
{
	struct sweeps *s = context;
	struct connection_change change;

	if (e->proto == IPPROTO_TCP && is_followed(s, e))
		connection_table_apply(s->pipeline->table, e, &change);
	return 0;
}

/* Without iterators sock_diag and /proc tell what is there; by its cookie it is known again when it ends. */
static int snapshot_by_polling(struct sweeps *s)
{
	struct polling_pass *pass;
	int err = polling_pass_open(&s->selection.netns, kernel_source_cgroups(s->kernel), false,
				    &pass);

	if (err)
		return err;
	err = polling_pass_run(pass, add_snapshot, s);
	polling_pass_close(pass);
	return err;
}

int sweeps_snapshot(struct sweeps *s)
{
	int err = kernel_source_inventory(s->kernel, false, add_snapshot, s);

	s->unavailable = err == -EOPNOTSUPP;
	return s->unavailable ? snapshot_by_polling(s) : err;
}

/* Established, began after us, and its owner is known: it must have been told, or its event was not seen. */
static bool should_be_open(const struct event *e)
{
	return e->start_ns && e->state != STATE_LISTEN && e->state != STATE_SYN_SENT &&
	       e->state != STATE_SYN_RECV && e->owner != OWNER_LISTENER &&
	       event_has(e, FIELD_DIRECTION);
}

/* The row of a connection that should have been told of; where it was not, that is made good once it is sure. */
static int tell_row(struct sweeps *s, struct event *e)
{
	int err;

	if (!connection_table_opened(s->pipeline->table, e->cookie, e->start_ns)) {
		if (!suspects_confirm(&s->suspects, e->cookie, e->start_ns))
			return 0;
		err = pipeline_tell_open(s->pipeline, e);
		if (err)
			return err;
	}
	return pipeline_event(s->pipeline, e);
}

/* A row of a pass: brings its connection up to date, or brings to light one that began unseen. */
static int swept(void *context, struct event *e)
{
	struct sweeps *s = context;

	if (e->proto != IPPROTO_TCP || !is_followed(s, e))
		return 0;
	if (e->type == EVENT_CLOSE)
		return pipeline_event(s->pipeline, e);
	if (e->state ==
	    STATE_LISTEN) /* drops.c tells of their growth, and must not find it taken */
		event_unset(e, FIELD_DROPS);
	return should_be_open(e) ? tell_row(s, e) : pipeline_event(s->pipeline, e);
}

/* The same for a UDP flow. A pass also tells of those that ended by their silence. */
static int swept_datagrams(void *context, struct event *e)
{
	struct sweeps *s = context;

	if (e->type != EVENT_SOCKET)
		return pipeline_event(s->pipeline, e);
	if (!is_followed(s, e))
		return 0;
	return e->start_ns ? tell_row(s, e) : pipeline_event(s->pipeline, e);
}

/* Rows that two passes in a row did not meet have ended: one alone may have missed a close that is held back. */
static int expire(struct sweeps *s, uint64_t before_ns)
{
	uint64_t mono = clock_mono_ns();
	long n = connection_table_expire(s->pipeline->table, before_ns, clock_wall_ns(mono), mono,
					 pipeline_event, s->pipeline);

	return n < 0 ? (int)n : 0;
}

struct alive_pass {
	struct connection_table *table;
	uint64_t mono_ns;
	bool news; /* some are not in the table, or ended unseen: a full pass tells which */
};

static void met(void *context, const struct record_alive *alive)
{
	struct alive_pass *pass = context;
	bool known = connection_table_touch(pass->table, alive->cookie, alive->start_ns,
					    pass->mono_ns, alive->state);

	if (alive->ended || (!known && alive->start_ns))
		pass->news = true;
}

/* Touches what lives; again, while some are not met: a pass may miss what lives, but not time after time. */
static int look_for_the_living(struct sweeps *s, uint64_t stale_before_ns, bool *news)
{
	struct alive_pass pass = { .table = s->pipeline->table, .mono_ns = clock_mono_ns() };
	int err = 0;

	for (int i = 0; !err && i < ALIVE_PASSES; i++) {
		err = kernel_source_alive(s->kernel, met, &pass);
		if (!connection_table_stale(s->pipeline->table, stale_before_ns))
			break;
	}
	*news = pass.news;
	return err;
}

/* As look_for_the_living: a pass over UDP may miss a flow too. */
static int sweep_datagrams(struct sweeps *s, uint64_t stale_before_ns)
{
	int err = 0;

	if (!kernel_source_follows_udp(s->kernel))
		return 0;
	for (int i = 0; !err && i < ALIVE_PASSES; i++) {
		err = kernel_source_sweep_datagrams(s->kernel, SWEEP_ALL, swept_datagrams, s);
		if (!connection_table_stale(s->pipeline->table, stale_before_ns))
			break;
	}
	return err;
}

static int sweep_all(struct sweeps *s)
{
	uint64_t began = clock_mono_ns();
	bool news;
	int err = look_for_the_living(s, s->previous_full_ns, &news);

	if (!err && news)
		err = kernel_source_sweep(s->kernel, SWEEP_ALL, swept, s);
	if (!err)
		err = sweep_datagrams(s, s->previous_full_ns);
	if (err)
		return err;
	suspects_turn(&s->suspects);
	if (s->previous_full_ns)
		err = expire(s, s->previous_full_ns);
	s->previous_full_ns = began;
	s->next_full_ns = later(began, FULL_EVERY_NS, COST_FACTOR);
	return err;
}

static int found_taken(void *context, struct event *e)
{
	(void)e;
	++*(uint32_t *)context;
	return 0;
}

/* Who holds what, and who took what it was not seen to take. */
static int look_at_files(struct sweeps *s)
{
	uint64_t began = clock_mono_ns();
	int err = kernel_source_inventory(s->kernel, true, swept, s);

	s->next_holders_ns = later(began, HOLDERS_EVERY_NS, HOLDERS_COST_FACTOR);
	return err ? err : kernel_source_catch_up(s->kernel);
}

/* Accepted without asking for the peer's address, and silent since: the pass over open files finds by whom. */
static int find_acceptors(struct sweeps *s)
{
	uint64_t began = clock_mono_ns();
	uint32_t taken = 0;
	int err = kernel_source_sweep(s->kernel, SWEEP_TAKEN, found_taken, &taken);

	if (!err && taken)
		err = look_at_files(s);
	s->next_taken_ns = later(began, TAKEN_EVERY_NS, COST_FACTOR);
	return err;
}

int sweeps_run(struct sweeps *s, uint64_t mono_ns)
{
	int err = 0;

	if (s->unavailable)
		return 0;
	if (mono_ns >= s->next_taken_ns && kernel_source_unconfirmed(s->kernel) > 0)
		err = find_acceptors(s);
	if (!err && mono_ns >= s->next_full_ns)
		err = sweep_all(s);
	if (!err && mono_ns >= s->next_holders_ns)
		err = look_at_files(s);
	return err;
}

void sweeps_hurry(struct sweeps *s, uint64_t mono_ns)
{
	if (s->next_full_ns > mono_ns + AFTER_LOSS_NS)
		s->next_full_ns = mono_ns + AFTER_LOSS_NS;
}

int sweeps_counters(struct sweeps *s)
{
	int err = s->unavailable ? 0 : kernel_source_sweep(s->kernel, SWEEP_CHANGED, swept, s);

	return err || s->unavailable ? err
				     : kernel_source_sweep_datagrams(s->kernel, SWEEP_CHANGED,
								     swept_datagrams, s);
}

int sweeps_listeners(struct sweeps *s)
{
	return s->unavailable ? 0 : kernel_source_sweep(s->kernel, SWEEP_LISTENERS, swept, s);
}

int sweeps_finish(struct sweeps *s)
{
	uint64_t began = clock_mono_ns();
	bool news = false;
	int err = s->unavailable ? 0 : look_for_the_living(s, began, &news);

	if (!err && news)
		err = kernel_source_sweep(s->kernel, SWEEP_ALL, swept, s);
	if (!err && !s->unavailable)
		err = sweep_datagrams(s, began);
	kernel_source_detach(s->kernel);
	if (!err)
		err = kernel_source_catch_up(s->kernel);
	if (!err)
		err = kernel_source_flush(s->kernel);
	if (!err && !s->unavailable)
		err = expire(s, began);
	return err;
}
