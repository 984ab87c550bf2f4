/* SPDX-License-Identifier: BSD-2-Clause */
/* The groups of one grouping: found by what identifies them, bounded, with a list of those that need attention. */
#ifndef NETTRACE_RANKING_GROUPS_H
#define NETTRACE_RANKING_GROUPS_H

#include "model/ranking.h"

#define GROUP_NONE 0
#define GROUP_OTHER 1 /* what did not fit; not in the index */
#define GROUP_FIRST 2

#define CHUNK_GROUPS 64
#define CHUNKS ((RANKING_GROUPS_MAX + GROUP_FIRST) / CHUNK_GROUPS + 1)

/* What happened in this interval. */
struct group_sums {
	uint64_t tx, rx, tx_segs;
	uint32_t opens, closes, fails, retrans, drops;
};

struct group {
	struct ranking_row row;
	struct group_sums now;
	double recent_segs, recent_retrans; /* fading sums */
	double steady;	/* the number that it is sorted by while it keeps its place */
	uint32_t chain; /* the next id in its bucket or in the free list */
	uint32_t next_busy;
	uint32_t steady_serial; /* the interval in which `steady` was set */
	uint8_t used, active, touched, busy,
		silent; /* silent: intervals without an event that counts */
};

/* Owned: all. */
struct grouping {
	enum ranking_by by;
	struct group
		*chunks[CHUNKS]; /* by id: group i is chunks[i / CHUNK_GROUPS][i % CHUNK_GROUPS] */
	uint32_t ids, free_id, count;
	uint32_t
		first_busy; /* chained by next_busy: those whose rates are not zero, or that may go */
	uint32_t *buckets;
	size_t bucket_count;
	int steady_key; /* what `steady` is a number of */
	bool purged;	/* in this interval: there is nothing idle left to drop */
	bool counted;	/* in this interval: `connections` and the like are of now */
};

static inline struct group *grouping_at(const struct grouping *g, uint32_t id)
{
	return &g->chunks[id / CHUNK_GROUPS][id % CHUNK_GROUPS];
}

struct grouping *grouping_new(enum ranking_by by);
void grouping_free(struct grouping *g);

/* The id of the group with this identity, GROUP_NONE when there is none. */
uint32_t grouping_find(const struct grouping *g, const struct ranking_row *identity);
/* The same; makes it where it is missing. GROUP_OTHER when there are too many, GROUP_NONE when out of memory. */
uint32_t grouping_take(struct grouping *g, const struct ranking_row *identity);
void grouping_drop(struct grouping *g, uint32_t id);
/* Puts it on the list of those that need attention at the interval's end. */
void grouping_mark_busy(struct grouping *g, uint32_t id);

/* The identity of the group that a connection or an event belongs to; false where it belongs to none. */
bool ranking_identify(enum ranking_by by, const struct connection_table *t, const struct event *e,
		      const struct connection *c, struct ranking_row *identity);
uint64_t ranking_hash(const struct ranking_row *identity);
/* Order by name, the last resort of all sorting. */
int ranking_compare_identity(const struct ranking_row *a, const struct ranking_row *b);

#endif
