/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows' memory, and the two lists that a row is in: the living, and the closed ones that are kept for a while.
 * Used by the table only.
 */
#ifndef NETTRACE_CONNECTION_STORE_H
#define NETTRACE_CONNECTION_STORE_H

#include "model/connection_index.h"

/* Chained by `next` and `previous`. */
struct connection_list {
	struct connection *first, *last;
	size_t count;
};

/* Owned: the slabs, and with them every row. Zeroed is empty. */
struct connection_store {
	struct slab *slabs;
	struct connection *free_rows; /* chained by `next` */
	struct connection_list live;  /* in order of insertion */
	struct connection_list closed;
	size_t closed_max; /* 0: none is kept */
	uint64_t closed_age_ns;
	uint64_t evicted; /* closed rows that went before their time */
};

void connection_store_done(struct connection_store *s);

/* A zeroed row in no list, or NULL. */
struct row *connection_store_take(struct connection_store *s);
/* Of a row in no list. */
void connection_store_release(struct connection_store *s, struct row *r);

void connection_list_append(struct connection_list *l, struct connection *c);
void connection_list_remove(struct connection_list *l, struct connection *c);

/* Keeps a row that is in no list among the closed ones; false: none are kept, it is still the caller's. */
bool connection_store_keep(struct connection_store *s, struct row *r);
/* The oldest closed row goes, to make room; false: there is none. */
bool connection_store_evict(struct connection_store *s);
/* Those go that closed longer ago than they are kept for. */
void connection_store_age(struct connection_store *s, uint64_t mono_ns);

#endif
