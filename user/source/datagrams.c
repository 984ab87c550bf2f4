// SPDX-License-Identifier: BSD-2-Clause
#include "source/datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 16384
#define KNOWN_MAX \
	(2 * FLOWS_MAX) /* the kernel keeps half of it; the rest may wait for its end to be told */
#define MISSED_NS \
	5000000000ULL /* a pass may miss what lives, or its end is on its way: not for so long */

/* A flow beyond its socket's first: in one bucket, and in its socket's list. */
struct further {
	struct flow_key key;
	uint64_t told;	    /* the sum of its counters that was told last */
	uint64_t missed_ns; /* since when full passes do not meet its socket; 0: they do */
	struct socket_flows *socket;
	struct further *chain;
	struct further *next, *previous;
};

/* A socket that has such flows. */
struct socket_flows {
	uint64_t cookie;
	struct further *first;
	struct socket_flows *chain;
	struct socket_flows *next_ending;
	bool ending;
	struct record end; /* of an ending one: the last word about its owner */
};

struct datagrams {
	const struct record_names *names;
	struct datagram_store store;
	event_sink *sink;
	void *context;
	struct further *flows[BUCKETS];
	struct socket_flows *sockets[BUCKETS];
	struct socket_flows *ending_first, *ending_last;
	size_t count;
	uint64_t bad_records;
};

struct datagrams *datagrams_new(const struct record_names *names,
				const struct datagram_store *store, event_sink *sink, void *context)
{
	struct datagrams *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->names = names;
	d->store = *store;
	d->sink = sink;
	d->context = context;
	return d;
}

void datagrams_free(struct datagrams *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct socket_flows *socket, *next_socket;
		struct further *f, *next;

		for (f = d->flows[i]; f; f = next) {
			next = f->chain;
			free(f);
		}
		for (socket = d->sockets[i]; socket; socket = next_socket) {
			next_socket = socket->chain;
			free(socket);
		}
	}
	free(d);
}

static size_t bucket_of(uint64_t x)
{
	return (x * 0x9e3779b97f4a7c15ULL) >> 50;
}
_Static_assert(BUCKETS == 1 << (64 - 50), "bucket_of");

static size_t key_bucket(const struct flow_key *key)
{
	uint64_t words[4], hash = 0;

	memcpy(words, key, sizeof(words));
	for (int i = 0; i < 4; i++) {
		hash = (hash ^ words[i]) * 0xbf58476d1ce4e5b9ULL;
		hash ^= hash >> 29;
	}
	return bucket_of(hash);
}
_Static_assert(sizeof(struct flow_key) == 4 * sizeof(uint64_t), "key_bucket");

static struct further *further_find(const struct datagrams *d, const struct flow_key *key)
{
	struct further *f = d->flows[key_bucket(key)];

	while (f && memcmp(&f->key, key, sizeof(*key)))
		f = f->chain;
	return f;
}

static struct socket_flows *socket_find(const struct datagrams *d, uint64_t cookie)
{
	struct socket_flows *s = d->sockets[bucket_of(cookie)];

	while (s && s->cookie != cookie)
		s = s->chain;
	return s;
}

/* NULL: out of memory or too many; a later pass finds it again. */
static struct further *further_add(struct datagrams *d, const struct flow_key *key)
{
	struct socket_flows *socket = socket_find(d, key->cookie), **socket_head;
	struct further *f, **head;

	if (d->count >= KNOWN_MAX)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	if (!socket) {
		socket = calloc(1, sizeof(*socket));
		if (!socket) {
			free(f);
			return NULL;
		}
		socket->cookie = key->cookie;
		socket_head = &d->sockets[bucket_of(key->cookie)];
		socket->chain = *socket_head;
		*socket_head = socket;
	}
	f->key = *key;
	f->socket = socket;
	head = &d->flows[key_bucket(key)];
	f->chain = *head;
	*head = f;
	f->next = socket->first;
	if (f->next)
		f->next->previous = f;
	socket->first = f;
	d->count++;
	return f;
}

static void socket_remove(struct datagrams *d, struct socket_flows *socket)
{
	struct socket_flows **at = &d->sockets[bucket_of(socket->cookie)];

	while (*at != socket)
		at = &(*at)->chain;
	*at = socket->chain;
	free(socket);
}

/* Also its socket with the last one, unless that is in the queue of the ending. */
static void further_remove(struct datagrams *d, struct further *f)
{
	struct further **at = &d->flows[key_bucket(&f->key)];
	struct socket_flows *socket = f->socket;

	while (*at != f)
		at = &(*at)->chain;
	*at = f->chain;
	if (f->previous)
		f->previous->next = f->next;
	else
		socket->first = f->next;
	if (f->next)
		f->next->previous = f->previous;
	free(f);
	d->count--;
	if (!socket->first && !socket->ending)
		socket_remove(d, socket);
}

/* `socket`: any record of its socket, for the owner and the namespace. */
static void flow_record(const struct record *socket, const struct flow_key *key,
			const struct flow *flow, struct record_flow *r)
{
	r->head = *socket;
	r->head.flags = RECORD_NO_LATENCY;
	r->head.detail = FLOW_FURTHER;
	r->head.cookie = key->cookie;
	r->head.start_ns = flow->start_ns;
	r->head.direction = flow->direction;
	r->head.family = (uint8_t)key->family;
	r->head.lport = flow->lport;
	r->head.rport = key->rport;
	memcpy(r->head.laddr, flow->laddr, sizeof(r->head.laddr));
	memcpy(r->head.raddr, key->raddr, sizeof(r->head.raddr));
	if (socket->owner == OWNER_CONNECT || socket->owner == OWNER_ACCEPT)
		r->head.owner = flow->direction == DIRECTION_IN ? OWNER_ACCEPT : OWNER_CONNECT;
	r->counters = flow->counters;
}

static int tell(const struct datagrams *d, const struct record_flow *r, event_sink *sink,
		void *context)
{
	struct event e;

	record_to_flow(r, d->names, &e);
	return sink(context, &e);
}

static int flow_opened(struct datagrams *d, const struct record *r)
{
	struct flow_key key = { .cookie = r->cookie, .rport = r->rport, .family = r->family };
	struct event e;

	if (r->detail & FLOW_FURTHER) {
		memcpy(key.raddr, r->raddr, sizeof(key.raddr));
		if (!further_find(d, &key))
			further_add(d, &key);
	}
	record_to_event(r, d->names, &e);
	return d->sink(d->context, &e);
}

static void socket_ended(struct datagrams *d, const struct record *r)
{
	struct socket_flows *socket = r->value ? socket_find(d, r->cookie) : NULL;

	if (!socket || socket->ending)
		return;
	socket->ending = true;
	socket->end = *r;
	if (d->ending_last)
		d->ending_last->next_ending = socket;
	else
		d->ending_first = socket;
	d->ending_last = socket;
}

int datagrams_record(struct datagrams *d, const void *data, size_t size)
{
	const struct record *r = data;

	if (size >= sizeof(*r) && r->protocol == IPPROTO_UDP) {
		switch (r->type) {
		case RECORD_CONNECT:
		case RECORD_ACCEPT:
			return flow_opened(d, r);
		case RECORD_DESTROY:
			socket_ended(d, r);
			return 0;
		case RECORD_FLOW_CLOSE:
			if (size < sizeof(struct record_flow))
				break;
			socket_ended(d, r);
			return tell(d, data, d->sink, d->context);
		}
	}
	d->bad_records++;
	return -EBADMSG;
}

/* Reads the flow for the last time and tells its end; `f` is gone afterwards. */
static int end_flow(struct datagrams *d, struct further *f, const struct record *socket,
		    uint64_t mono_ns, uint8_t flags, uint8_t detail, event_sink *sink,
		    void *context)
{
	struct flow flow;
	struct record_flow r;
	int err = d->store.take(d->store.context, &f->key, &flow);

	if (!err) {
		flow_record(socket, &f->key, &flow, &r);
		r.head.type = RECORD_FLOW_CLOSE;
		r.head.flags |= flags;
		r.head.detail |= detail;
		r.head.mono_ns = mono_ns;
	}
	further_remove(d, f);
	return err ? 0 : tell(d, &r, sink, context);
}

int datagrams_turn(struct datagrams *d, size_t max)
{
	struct socket_flows *socket;
	int err = 0;

	while (!err && (socket = d->ending_first)) {
		while (!err && socket->first && max) {
			err = end_flow(d, socket->first, &socket->end, socket->end.mono_ns, 0, 0,
				       d->sink, d->context);
			max--;
		}
		if (socket->first)
			break;
		d->ending_first = socket->next_ending;
		if (!d->ending_first)
			d->ending_last = NULL;
		socket_remove(d, socket);
	}
	return err;
}

static int compare_sockets(const void *a, const void *b)
{
	const struct record_flow *x = a, *y = b;

	return x->head.cookie < y->head.cookie ? -1 : x->head.cookie > y->head.cookie;
}

static uint64_t sum(const struct flow_counters *c)
{
	return c->tx_bytes + c->rx_bytes + c->tx_datagrams + c->rx_datagrams + c->drops;
}

/* A flow of the map in a full pass whose socket was not met: dead, unless its end is on its way. */
static int flow_missed(struct datagrams *d, struct further *f, const struct datagram_pass *p,
		       const struct flow *flow, event_sink *sink, void *context)
{
	const struct record nobody = { .owner = OWNER_UNKNOWN,
				       .protocol = IPPROTO_UDP,
				       .direction = flow->direction };

	if (!p->full)
		return 0;
	if (!f->missed_ns)
		f->missed_ns = p->mono_ns;
	if (p->mono_ns < f->missed_ns + MISSED_NS)
		return 0;
	return end_flow(d, f, &nobody, p->mono_ns, RECORD_RECONCILED, 0, sink, context);
}

static int pass_flow(struct datagrams *d, const struct datagram_pass *p, size_t i, event_sink *sink,
		     void *context)
{
	const struct flow_key *key = &p->keys[i];
	const struct flow *flow = &p->flows[i];
	const struct record_flow wanted = { .head.cookie = key->cookie };
	const struct record_flow *socket = NULL;
	struct further *f = further_find(d, key);
	struct record_flow r;

	if (!f)
		f = further_add(d, key);
	if (!f || f->socket->ending)
		return 0;
	if (p->socket_count)
		socket = bsearch(&wanted, p->sockets, p->socket_count, sizeof(wanted),
				 compare_sockets);
	if (!socket)
		return flow_missed(d, f, p, flow, sink, context);
	f->missed_ns = 0;
	if (p->full && p->mono_ns > flow->counters.last_ns + FLOW_IDLE_NS)
		return end_flow(d, f, &socket->head, p->mono_ns, 0, FLOW_IDLE, sink, context);
	if (!p->full && sum(&flow->counters) == f->told)
		return 0;
	f->told = sum(&flow->counters);
	flow_record(&socket->head, key, flow, &r);
	r.head.type = RECORD_SOCKET;
	return tell(d, &r, sink, context);
}

int datagrams_pass(struct datagrams *d, const struct datagram_pass *p, event_sink *sink,
		   void *context)
{
	int err = 0;

	if (p->socket_count)
		qsort(p->sockets, p->socket_count, sizeof(*p->sockets), compare_sockets);
	for (size_t i = 0; !err && i < p->socket_count; i++)
		if (p->sockets[i].head.type != RECORD_NONE)
			err = tell(d, &p->sockets[i], sink, context);
	for (size_t i = 0; !err && i < p->flow_count; i++)
		err = pass_flow(d, p, i, sink, context);
	return err;
}

size_t datagrams_count(const struct datagrams *d)
{
	return d->count;
}

uint64_t datagrams_bad_records(const struct datagrams *d)
{
	return d->bad_records;
}
