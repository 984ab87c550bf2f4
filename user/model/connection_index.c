/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/connection_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/connection_merge.h"

#define BUCKETS_FIRST 256
#define LISTENER_BUCKETS_FIRST 64

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0x9e3779b97f4a7c15ULL;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 32;
}

uint64_t connection_hash(uint64_t cookie, uint64_t start_ns)
{
	return mix(cookie ^ mix(start_ns));
}

static struct connection **connection_bucket(const struct connection_index *x, uint64_t hash)
{
	size_t i = hash & (2 * x->bucket_round - 1);

	return &x->buckets[i < x->bucket_count ? i : i - x->bucket_round];
}

int connection_index_init(struct connection_index *x)
{
	x->bucket_count = x->bucket_capacity = x->bucket_round = BUCKETS_FIRST;
	x->listener_bucket_count = LISTENER_BUCKETS_FIRST;
	x->count = x->listener_count = 0;
	x->buckets = calloc(x->bucket_count, sizeof(*x->buckets));
	x->listener_buckets = calloc(x->listener_bucket_count, sizeof(*x->listener_buckets));
	if (x->buckets && x->listener_buckets)
		return 0;
	connection_index_done(x);
	return -ENOMEM;
}

void connection_index_done(struct connection_index *x)
{
	free(x->buckets);
	free(x->listener_buckets);
	x->buckets = NULL;
	x->listener_buckets = NULL;
}

/* Linear hashing (Litwin): buckets are split one by one, so that no insert has to move all rows. */
static struct connection **bucket_of(const struct connection_index *x, const struct connection *c)
{
	return connection_bucket(x, connection_hash(c->cookie, c->start_ns));
}

/* One bucket more: it gets its share of the one that both were until now. */
static void index_grow(struct connection_index *x)
{
	size_t added = x->bucket_count;
	struct connection **at, *c;

	if (added == x->bucket_capacity) {
		struct connection **buckets = realloc(x->buckets, 2 * added * sizeof(*buckets));

		if (!buckets) /* longer chains are slower, not wrong */
			return;
		x->buckets = buckets;
		x->bucket_capacity = 2 * added;
	}
	if (added == 2 * x->bucket_round)
		x->bucket_round = added;
	x->buckets[added] = NULL;
	x->bucket_count++;
	for (at = &x->buckets[added - x->bucket_round]; (c = *at);) {
		struct connection **home = bucket_of(x, c);

		if (home != &x->buckets[added]) {
			at = &c->chain;
			continue;
		}
		*at = c->chain;
		c->chain = *home;
		*home = c;
	}
}

void connection_index_add(struct connection_index *x, struct connection *c)
{
	struct connection **head;

	if (x->count >= x->bucket_count)
		index_grow(x);
	head = bucket_of(x, c);
	c->chain = *head;
	*head = c;
	x->count++;
}

void connection_index_remove(struct connection_index *x, struct connection *c)
{
	struct connection **at = bucket_of(x, c);

	while (*at != c)
		at = &(*at)->chain;
	*at = c->chain;
	x->count--;
}

struct connection *connection_index_find(const struct connection_index *x, uint64_t cookie,
					 uint64_t start_ns)
{
	struct connection *c = *connection_bucket(x, connection_hash(cookie, start_ns));

	while (c && (c->cookie != cookie || c->start_ns != start_ns))
		c = c->chain;
	return c;
}

static uint64_t listener_hash(uint32_t netns, uint16_t lport)
{
	return mix((uint64_t)netns << 16 | lport);
}

static struct row **listener_head(const struct connection_index *x, uint32_t netns, uint16_t lport)
{
	return &x->listener_buckets[listener_hash(netns, lport) & (x->listener_bucket_count - 1)];
}

static void listeners_grow(struct connection_index *x)
{
	size_t before = x->listener_bucket_count;
	struct row **old = x->listener_buckets, **buckets = calloc(before * 2, sizeof(*buckets));
	struct row *next;

	if (!buckets)
		return;
	x->listener_buckets = buckets;
	x->listener_bucket_count = before * 2;
	for (size_t i = 0; i < before; i++) {
		for (struct row *r = old[i]; r; r = next) {
			struct row **head =
				listener_head(x, r->connection.netns, r->connection.lport);

			next = r->listener_chain;
			r->listener_chain = *head;
			*head = r;
		}
	}
	free(old);
}

void listener_index_add(struct connection_index *x, struct row *r)
{
	struct row **head;

	if (x->listener_count >= x->listener_bucket_count)
		listeners_grow(x);
	head = listener_head(x, r->connection.netns, r->connection.lport);
	r->listener_chain = *head;
	*head = r;
	r->connection.listens = true;
	x->listener_count++;
}

void listener_index_remove(struct connection_index *x, struct row *r, uint32_t netns,
			   uint16_t lport)
{
	struct row **at = listener_head(x, netns, lport);

	while (*at != r)
		at = &(*at)->listener_chain;
	*at = r->listener_chain;
	r->connection.listens = false;
	x->listener_count--;
}

/* How well a listener's address fits the local end of a connection; 0: not at all. */
static unsigned int listener_fit(const struct connection *listener, const struct connection *c)
{
	static const uint8_t any[16];

	if (!connection_has(listener, FIELD_LADDR) || !connection_has(c, FIELD_LADDR))
		return 1;
	if (listener->family == c->family &&
	    !memcmp(listener->laddr, c->laddr, c->family == 4 ? 4 : 16))
		return 4;
	if (memcmp(listener->laddr, any, listener->family == 4 ? 4 : 16))
		return 0;
	if (listener->family == c->family)
		return 3;
	return listener->family == 6 ? 2 : 0; /* dual stack */
}

const struct connection *listener_index_fit(const struct connection_index *x,
					    const struct connection *c, bool *several)
{
	const struct connection *best = NULL;
	unsigned int best_fit = 0;

	*several = false;
	for (const struct row *r = *listener_head(x, c->netns, c->lport); r;
	     r = r->listener_chain) {
		const struct connection *l = &r->connection;
		unsigned int fit;

		if (l->netns != c->netns || l->lport != c->lport || l->source != c->source)
			continue;
		fit = listener_fit(l, c);
		if (fit > best_fit) {
			best = l;
			best_fit = fit;
			*several = false;
		} else if (fit && fit == best_fit && l->pid != best->pid) {
			*several = true;
		}
	}
	return best;
}

int listener_index_visit(const struct connection_index *x,
			 int (*visit)(void *context, const struct connection *listener),
			 void *context)
{
	for (size_t i = 0; i < x->listener_bucket_count; i++) {
		for (const struct row *r = x->listener_buckets[i]; r; r = r->listener_chain) {
			int stop = visit(context, &r->connection);

			if (stop)
				return stop;
		}
	}
	return 0;
}
