/* SPDX-License-Identifier: BSD-2-Clause */
/* The two indexes of the connection table: rows by (cookie, start), listeners by (netns, lport). Used by the table only. */
#ifndef NETTRACE_CONNECTION_INDEX_H
#define NETTRACE_CONNECTION_INDEX_H

#include "model/connection_table.h"

struct row {
	struct connection connection; /* first: a row is its connection */
	struct row *listener_chain;
};
_Static_assert(sizeof(struct row) + 2 * sizeof(void *) <= 400,
	       "a tracked connection costs at most 400 bytes");

struct connection_index {
	struct connection **buckets; /* chained by `chain` */
	size_t bucket_count, bucket_capacity, count;
	size_t bucket_round; /* a power of two; those from it on were split off in this round */
	struct row **listener_buckets; /* chained by `listener_chain`; a power of two */
	size_t listener_bucket_count, listener_count;
};

/* 0 or -ENOMEM. */
int connection_index_init(struct connection_index *x);
void connection_index_done(struct connection_index *x);

uint64_t connection_hash(uint64_t cookie, uint64_t start_ns);

void connection_index_add(struct connection_index *x, struct connection *c);
void connection_index_remove(struct connection_index *x, struct connection *c);
struct connection *connection_index_find(const struct connection_index *x, uint64_t cookie,
					 uint64_t start_ns);

void listener_index_add(struct connection_index *x, struct row *r);
/* `netns` and `lport` are those that it was added with. */
void listener_index_remove(struct connection_index *x, struct row *r, uint32_t netns,
			   uint16_t lport);
int listener_index_visit(const struct connection_index *x,
			 int (*visit)(void *context, const struct connection *listener),
			 void *context);

/*
 * The listener whose address fits the connection's local end best, or NULL. Sets *several when others of another
 * process fit as well (SO_REUSEPORT).
 */
const struct connection *listener_index_fit(const struct connection_index *x,
					    const struct connection *c, bool *several);

#endif
