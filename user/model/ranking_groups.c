/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ranking_groups.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64

struct grouping *grouping_new(enum ranking_by by)
{
	struct grouping *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->by = by;
	g->ids = GROUP_FIRST;
	g->bucket_count = BUCKETS_FIRST;
	g->buckets = calloc(g->bucket_count, sizeof(*g->buckets));
	g->chunks[0] = calloc(CHUNK_GROUPS, sizeof(struct group));
	if (!g->buckets || !g->chunks[0]) {
		grouping_free(g);
		return NULL;
	}
	strcpy(grouping_at(g, GROUP_OTHER)->row.comm, "(other)");
	grouping_at(g, GROUP_OTHER)->row.by = (uint8_t)by;
	return g;
}

void grouping_free(struct grouping *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < CHUNKS; i++)
		free(g->chunks[i]);
	free(g->buckets);
	free(g);
}

static void index_grow(struct grouping *g)
{
	size_t wanted = g->bucket_count * 2;
	uint32_t *buckets = calloc(wanted, sizeof(*buckets));

	if (!buckets)
		return;
	for (uint32_t id = GROUP_FIRST; id < g->ids; id++) {
		struct group *group = grouping_at(g, id);
		uint32_t *head;

		if (!group->used)
			continue;
		head = &buckets[ranking_hash(&group->row) & (wanted - 1)];
		group->chain = *head;
		*head = id;
	}
	free(g->buckets);
	g->buckets = buckets;
	g->bucket_count = wanted;
}

void grouping_drop(struct grouping *g, uint32_t id)
{
	struct group *group = grouping_at(g, id);
	uint32_t *at = &g->buckets[ranking_hash(&group->row) & (g->bucket_count - 1)];

	while (*at != id)
		at = &grouping_at(g, *at)->chain;
	*at = group->chain;
	memset(group, 0, sizeof(*group));
	group->chain = g->free_id;
	g->free_id = id;
	g->count--;
}

void grouping_mark_busy(struct grouping *g, uint32_t id)
{
	struct group *group = grouping_at(g, id);

	if (group->busy)
		return;
	group->busy = true;
	group->next_busy = g->first_busy;
	g->first_busy = id;
}

/* Makes room, at most once an interval: groups in which nothing is open and nothing happened. */
static void purge(struct grouping *g)
{
	if (g->purged)
		return;
	g->purged = true;
	for (uint32_t *at = &g->first_busy; *at;) {
		struct group *group = grouping_at(g, *at);
		uint32_t id = *at;

		if (id == GROUP_OTHER || group->touched || group->row.connections ||
		    group->row.listeners) {
			at = &group->next_busy;
			continue;
		}
		*at = group->next_busy;
		grouping_drop(g, id);
	}
}

static uint32_t group_add(struct grouping *g, const struct ranking_row *identity)
{
	struct group *group;
	uint32_t id, *head;

	if (g->count >= RANKING_GROUPS_MAX)
		purge(g);
	if (g->count >= RANKING_GROUPS_MAX)
		return GROUP_OTHER;
	if (g->count >= g->bucket_count)
		index_grow(g);
	if (g->free_id) {
		id = g->free_id;
		g->free_id = grouping_at(g, id)->chain;
	} else {
		struct group **chunk = &g->chunks[g->ids / CHUNK_GROUPS];

		if (!*chunk)
			*chunk = calloc(CHUNK_GROUPS, sizeof(struct group));
		if (!*chunk)
			return GROUP_NONE;
		id = g->ids++;
	}
	group = grouping_at(g, id);
	memset(group, 0, sizeof(*group));
	group->row = *identity;
	group->row.retrans_percent = -1;
	group->used = true;
	head = &g->buckets[ranking_hash(identity) & (g->bucket_count - 1)];
	group->chain = *head;
	*head = id;
	g->count++;
	return id;
}

uint32_t grouping_find(const struct grouping *g, const struct ranking_row *identity)
{
	uint32_t id = g->buckets[ranking_hash(identity) & (g->bucket_count - 1)];

	while (id && !ranking_row_same(&grouping_at(g, id)->row, identity))
		id = grouping_at(g, id)->chain;
	return id;
}

uint32_t grouping_take(struct grouping *g, const struct ranking_row *identity)
{
	uint32_t id = grouping_find(g, identity);

	return id ? id : group_add(g, identity);
}
