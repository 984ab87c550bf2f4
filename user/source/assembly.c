// SPDX-License-Identifier: BSD-2-Clause
#include "source/assembly.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESET_SOON_NS 5000000ULL   /* the same where a RST is the exception */
#define RESET_WAIT_NS 100000000ULL /* a RST follows its → CLOSE in microseconds, unless preempted */
#define ACCEPT_WAIT_NS 1000000000ULL /* a reset connection may wait for its accept() */
#define HELD_MAX 65536
#define BUCKETS 1024

/* A close that waits. In one bucket and in one of the queues, each ordered by its deadline. */
struct held {
	struct record_close record;
	uint64_t deadline_ns;
	struct held *chain;
	struct held *next, *previous;
};

struct queue {
	struct held *first, *last;
};

struct assembly {
	const struct record_names *names;
	event_sink *sink;
	void *context;
	struct held *buckets[BUCKETS];
	struct queue for_reset, for_reset_soon, for_accept;
	size_t held;
	uint64_t bad_records;
};

struct assembly *assembly_new(const struct record_names *names, event_sink *sink, void *context)
{
	struct assembly *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->names = names;
	a->sink = sink;
	a->context = context;
	return a;
}

static void queue_free(struct queue *q)
{
	struct held *h, *next;

	for (h = q->first; h; h = next) {
		next = h->next;
		free(h);
	}
}

void assembly_free(struct assembly *a)
{
	if (!a)
		return;
	queue_free(&a->for_reset);
	queue_free(&a->for_reset_soon);
	queue_free(&a->for_accept);
	free(a);
}

static bool waits_for_accept(const struct record_close *r)
{
	return r->head.flags & RECORD_UNCONFIRMED;
}

/*
 * Our side was closed, theirs not: the rest is a minisocket's (tcp_time_wait), or data came for what nobody reads any
 * more, and a RST answers it at once.
 */
static bool may_be_reset(const struct record *h)
{
	return h->old_state == STATE_FIN_WAIT2 && !h->fin_received && !h->value &&
	       !(h->flags & (RECORD_RST_SENT | RECORD_RST_RECEIVED));
}

/*
 * An end without an error in a state from which no connection ends by itself: a RST of ours explains it. Data after
 * close() looks like a received RST to the kernel (tcp_rcv_state_process calls tcp_reset), and ours follows.
 */
static bool waits_for_reset(const struct record_close *r)
{
	const struct record *h = &r->head;

	if (h->flags & RECORD_RST_SENT)
		return false;
	if (h->flags & RECORD_RST_RECEIVED)
		return h->old_state == STATE_FIN_WAIT1 || h->old_state == STATE_FIN_WAIT2;
	return (record_outcome(h) == OUTCOME_ABORTED && !h->value) || may_be_reset(h);
}

static struct queue *queue_of(struct assembly *a, const struct held *h)
{
	if (waits_for_accept(&h->record))
		return &a->for_accept;
	return may_be_reset(&h->record.head) ? &a->for_reset_soon : &a->for_reset;
}

static uint64_t wait_of(const struct assembly *a, const struct queue *q)
{
	if (q == &a->for_accept)
		return ACCEPT_WAIT_NS;
	return q == &a->for_reset_soon ? RESET_SOON_NS : RESET_WAIT_NS;
}

static size_t bucket_of(uint64_t cookie)
{
	return (cookie * 0x9e3779b97f4a7c15ULL) >> 54;
}
_Static_assert(BUCKETS == 1 << (64 - 54), "bucket_of");

static struct held *held_find(const struct assembly *a, const struct record *r)
{
	struct held *h;

	for (h = a->buckets[bucket_of(r->cookie)]; h; h = h->chain)
		if (h->record.head.cookie == r->cookie && h->record.head.start_ns == r->start_ns)
			return h;
	return NULL;
}

static void enqueue(struct assembly *a, struct held *h, uint64_t now)
{
	struct queue *q = queue_of(a, h);

	h->deadline_ns = now + wait_of(a, q);
	h->next = NULL;
	h->previous = q->last;
	if (q->last)
		q->last->next = h;
	else
		q->first = h;
	q->last = h;
}

static void dequeue(struct assembly *a, struct held *h)
{
	struct queue *q = queue_of(a, h);

	if (h->previous)
		h->previous->next = h->next;
	else
		q->first = h->next;
	if (h->next)
		h->next->previous = h->previous;
	else
		q->last = h->previous;
}

/* A connection that ended without being taken is opened by its listener's owner, so that each end has both. */
static int tell_never_taken(struct assembly *a, const struct record_close *r)
{
	struct record accept = r->head;
	struct event e;

	accept.type = RECORD_ACCEPT;
	record_to_event(&accept, a->names, &e);
	return a->sink(a->context, &e);
}

static int tell_late_reset(struct assembly *a, const struct record_close *r)
{
	struct record reset = r->head;
	struct event e;

	reset.type = RECORD_RESET;
	reset.detail = SIDE_REMOTE;
	reset.value = 0;
	reset.new_state = r->head.old_state;
	record_to_event(&reset, a->names, &e);
	return a->sink(a->context, &e);
}

static int tell_close(struct assembly *a, const struct record_close *r)
{
	struct event e;
	int err = 0;

	if (waits_for_accept(r) && !(r->head.flags & RECORD_BEFORE))
		err = tell_never_taken(a, r);
	if (!err && waits_for_reset(r) && r->head.flags & RECORD_RST_RECEIVED)
		err = tell_late_reset(a, r);
	if (err)
		return err;
	record_to_close(r, a->names, &e);
	return a->sink(a->context, &e);
}

static int release(struct assembly *a, struct held *h)
{
	struct held **at = &a->buckets[bucket_of(h->record.head.cookie)];
	int err;

	while (*at != h)
		at = &(*at)->chain;
	*at = h->chain;
	dequeue(a, h);
	a->held--;
	err = tell_close(a, &h->record);
	free(h);
	return err;
}

static struct held *oldest(const struct assembly *a)
{
	if (a->for_reset_soon.first)
		return a->for_reset_soon.first;
	return a->for_reset.first ? a->for_reset.first : a->for_accept.first;
}

static int hold_or_tell(struct assembly *a, const struct record_close *r)
{
	struct held *h;
	int err;

	if (!waits_for_accept(r) && !waits_for_reset(r))
		return tell_close(a, r);
	if (a->held >= HELD_MAX) {
		err = release(a, oldest(a));
		if (err)
			return err;
	}
	h = malloc(sizeof(*h));
	if (!h)
		return tell_close(a, r);
	h->record = *r;
	h->chain = a->buckets[bucket_of(r->head.cookie)];
	a->buckets[bucket_of(r->head.cookie)] = h;
	enqueue(a, h, r->head.mono_ns);
	a->held++;
	return 0;
}

/* What the record tells of a close that is held back; then it may be complete. */
static int complete(struct assembly *a, const struct record *r)
{
	struct held *h = held_find(a, r);

	if (!h)
		return 0;
	if (r->type == RECORD_DESTROY) {
		if (!waits_for_accept(&h->record))
			return 0; /* its RST may follow the end of the socket */
		return release(a, h);
	}
	dequeue(a, h);
	if (r->type == RECORD_RESET) {
		h->record.head.flags |= RECORD_RST_SENT;
	} else {
		h->record.head.flags &= (uint8_t)~RECORD_UNCONFIRMED;
		h->record.head.owner = r->owner;
		h->record.head.pid = r->pid;
		h->record.head.tid = r->tid;
		h->record.head.uid = r->uid;
		h->record.head.cgroup_id = r->cgroup_id;
		memcpy(h->record.head.comm, r->comm, sizeof(r->comm));
	}
	enqueue(a, h, r->mono_ns);
	if (waits_for_accept(&h->record) || waits_for_reset(&h->record))
		return 0;
	return release(a, h);
}

/* Told after the end, for its acceptor was seen late: at the moment of the end, so that it does not follow it. */
static int tell_accept(struct assembly *a, const struct record *r)
{
	struct record accept = *r;
	struct held *h = held_find(a, r);
	struct event e;
	int err;

	if (h && accept.mono_ns > h->record.head.mono_ns)
		accept.mono_ns = h->record.head.mono_ns;
	record_to_event(&accept, a->names, &e);
	err = a->sink(a->context, &e);
	return err ? err : complete(a, r);
}

/* LISTEN → SYN_RECV: the child had neither address nor id when it happened, so it is told with the next change. */
static int tell_first_state(struct assembly *a, const struct record *r)
{
	struct record first = *r;
	struct event e;

	if (!r->since_ns)
		return 0;
	first.mono_ns = r->since_ns;
	first.since_ns = 0;
	first.old_state = STATE_LISTEN;
	first.new_state = STATE_SYN_RECV;
	record_to_event(&first, a->names, &e);
	return a->sink(a->context, &e);
}

static bool is_complete_record(const struct record *r, size_t size)
{
	if (size < sizeof(*r))
		return false;
	if (r->type == RECORD_CLOSE)
		return size >= sizeof(struct record_close);
	return r->type >= RECORD_LISTEN && r->type <= RECORD_DESTROY;
}

int assembly_record(struct assembly *a, const void *data, size_t size)
{
	const struct record *r = data;
	struct event e;
	int err;

	if (!is_complete_record(r, size)) {
		a->bad_records++;
		return -EBADMSG;
	}
	if (r->type == RECORD_CLOSE)
		return hold_or_tell(a, data);
	if (r->type == RECORD_DESTROY)
		return complete(a, r);
	if (r->type == RECORD_RESET && r->detail == SIDE_REMOTE &&
	    (r->new_state == STATE_FIN_WAIT1 || r->new_state == STATE_FIN_WAIT2))
		return 0; /* theirs or ours: told with the close that follows at once */
	if (r->type == RECORD_ACCEPT && a->held)
		return tell_accept(a, r);
	if (r->type == RECORD_STATE && r->old_state == STATE_SYN_RECV &&
	    r->direction == DIRECTION_IN) {
		err = tell_first_state(a, r);
		if (err)
			return err;
	}
	record_to_event(r, a->names, &e);
	err = a->sink(a->context, &e);
	if (!err && a->held && r->type == RECORD_RESET && r->detail == SIDE_LOCAL)
		err = complete(a, r);
	return err;
}

static int expire_queue(struct assembly *a, struct queue *q, uint64_t mono_ns)
{
	int err;

	while (q->first && q->first->deadline_ns <= mono_ns) {
		err = release(a, q->first);
		if (err)
			return err;
	}
	return 0;
}

int assembly_expire(struct assembly *a, uint64_t mono_ns)
{
	int err = expire_queue(a, &a->for_reset_soon, mono_ns);

	if (!err)
		err = expire_queue(a, &a->for_reset, mono_ns);
	return err ? err : expire_queue(a, &a->for_accept, mono_ns);
}

int assembly_flush(struct assembly *a)
{
	return assembly_expire(a, UINT64_MAX);
}

size_t assembly_held(const struct assembly *a)
{
	return a->held;
}

uint64_t assembly_bad_records(const struct assembly *a)
{
	return a->bad_records;
}
