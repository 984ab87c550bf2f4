/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/ranking_order.h"

#define GROUPS_MAX 100000
#define CHUNK_GROUPS 256
#define CHUNKS ((GROUPS_MAX + 2) / CHUNK_GROUPS + 1)
#define GROUP_NONE 0
#define GROUP_OTHER 1 /* what did not fit; not in the index */
#define BUCKETS_FIRST 256

struct group {
	struct ranking_row row;
	uint64_t tx, rx, opens, closes, fails; /* in this interval */
	uint32_t chain;			       /* the next id in its bucket or in the free list */
	uint8_t used, active, touched, silent; /* silent: intervals without an event that counts */
};

struct ranking {
	enum ranking_by by;
	struct group
		*chunks[CHUNKS]; /* by id: group i is chunks[i / CHUNK_GROUPS][i % CHUNK_GROUPS] */
	uint32_t ids, free_id, count;
	uint32_t *buckets;
	size_t bucket_count;
	bool purged; /* in this interval: there is nothing idle left to drop */
	uint64_t began_ns;
	struct group total;
	uint32_t *order;
	struct ranking_row *rows;
	size_t capacity; /* of order and rows */
};

static struct group *group_at(const struct ranking *r, uint32_t id)
{
	return &r->chunks[id / CHUNK_GROUPS][id % CHUNK_GROUPS];
}

/* --- identity --- */

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	for (const uint8_t *p = bytes; n; n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

static uint64_t row_hash(enum ranking_by by, const struct ranking_row *k)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	switch (by) {
	case BY_CONNECTION:
		h = hash_bytes(h, &k->cookie, sizeof(k->cookie));
		h = hash_bytes(h, &k->start_ns, sizeof(k->start_ns));
		break;
	case BY_REMOTE:
		h = hash_bytes(h, k->raddr, sizeof(k->raddr));
		h = hash_bytes(h, &k->rport, sizeof(k->rport));
		h = hash_bytes(h, &k->proto, sizeof(k->proto));
		break;
	default:
		h = hash_bytes(h, &k->pid, sizeof(k->pid));
		h = hash_bytes(h, k->comm, sizeof(k->comm));
		break;
	}
	return h ^ h >> 29;
}

static bool row_same(enum ranking_by by, const struct ranking_row *a, const struct ranking_row *b)
{
	switch (by) {
	case BY_CONNECTION:
		return a->cookie == b->cookie && a->start_ns == b->start_ns;
	case BY_REMOTE:
		return a->family == b->family && a->direction == b->direction &&
		       a->proto == b->proto && a->rport == b->rport &&
		       !memcmp(a->raddr, b->raddr, sizeof(a->raddr));
	default:
		return a->has_pid == b->has_pid && a->pid == b->pid && a->source == b->source &&
		       !memcmp(a->comm, b->comm, sizeof(a->comm));
	}
}

/* An event and a row name the same things alike; the row knows more, where there is one. */
#define IDENTIFY(k, by, x, has)                                                    \
	do {                                                                       \
		if ((by) != BY_REMOTE) {                                           \
			(k)->has_pid = has(x, FIELD_PID);                          \
			(k)->pid = (k)->has_pid ? (x)->pid : 0;                    \
			(k)->has_uid = (k)->has_pid && has(x, FIELD_UID);          \
			(k)->uid = (k)->has_uid ? (x)->uid : 0;                    \
			if ((k)->has_pid && has(x, FIELD_COMM))                    \
				memcpy((k)->comm, (x)->comm,                       \
				       strnlen((x)->comm, sizeof((k)->comm) - 1)); \
		}                                                                  \
		if ((by) == BY_PROCESS) {                                          \
			(k)->source = (x)->source;                                 \
			break;                                                     \
		}                                                                  \
		(k)->proto = (x)->proto;                                           \
		(k)->family = (x)->family;                                         \
		(k)->direction = (x)->direction;                                   \
		memcpy((k)->raddr, (x)->raddr, (x)->family == 4 ? 4 : 16);         \
		(k)->rport = (x)->rport;                                           \
		if ((by) == BY_REMOTE) {                                           \
			if ((x)->direction == DIRECTION_IN)                        \
				(k)->rport = 0; /* clients: by address */          \
			break;                                                     \
		}                                                                  \
		memcpy((k)->laddr, (x)->laddr, (x)->family == 4 ? 4 : 16);         \
		(k)->lport = (x)->lport;                                           \
		(k)->state = (x)->state;                                           \
		(k)->cookie = (x)->cookie;                                         \
		(k)->start_ns = (x)->start_ns;                                     \
		(k)->netns = (x)->netns;                                           \
	} while (0)

static void identify(enum ranking_by by, const struct event *e, const struct connection *c,
		     struct ranking_row *k)
{
	memset(k, 0, sizeof(*k));
	if (c)
		IDENTIFY(k, by, c, connection_has);
	else
		IDENTIFY(k, by, e, event_has);
}

/* --- groups --- */

struct ranking *ranking_new(enum ranking_by by)
{
	struct ranking *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->by = by;
	r->ids = GROUP_OTHER + 1;
	r->bucket_count = BUCKETS_FIRST;
	r->buckets = calloc(r->bucket_count, sizeof(*r->buckets));
	r->chunks[0] = calloc(CHUNK_GROUPS, sizeof(struct group));
	if (!r->buckets || !r->chunks[0]) {
		ranking_free(r);
		return NULL;
	}
	strcpy(group_at(r, GROUP_OTHER)->row.comm, "(other)");
	return r;
}

void ranking_free(struct ranking *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < CHUNKS; i++)
		free(r->chunks[i]);
	free(r->buckets);
	free(r->order);
	free(r->rows);
	free(r);
}

static void index_grow(struct ranking *r)
{
	size_t wanted = r->bucket_count * 2;
	uint32_t *buckets = calloc(wanted, sizeof(*buckets));

	if (!buckets)
		return;
	for (uint32_t id = GROUP_OTHER + 1; id < r->ids; id++) {
		struct group *g = group_at(r, id);
		uint32_t *head;

		if (!g->used)
			continue;
		head = &buckets[row_hash(r->by, &g->row) & (wanted - 1)];
		g->chain = *head;
		*head = id;
	}
	free(r->buckets);
	r->buckets = buckets;
	r->bucket_count = wanted;
}

static void group_drop(struct ranking *r, uint32_t id)
{
	struct group *g = group_at(r, id);
	uint32_t *at = &r->buckets[row_hash(r->by, &g->row) & (r->bucket_count - 1)];

	while (*at != id)
		at = &group_at(r, *at)->chain;
	*at = g->chain;
	memset(g, 0, sizeof(*g));
	g->chain = r->free_id;
	r->free_id = id;
	r->count--;
}

/* Makes room, at most once an interval: groups in which nothing is open and nothing happened. */
static void purge(struct ranking *r)
{
	if (r->purged)
		return;
	r->purged = true;
	for (uint32_t id = GROUP_OTHER + 1; id < r->ids; id++) {
		struct group *g = group_at(r, id);

		if (g->used && !g->touched && !g->row.connections)
			group_drop(r, id);
	}
}

/* The id of a new group, GROUP_OTHER when there are too many, GROUP_NONE when out of memory. */
static uint32_t group_add(struct ranking *r, const struct ranking_row *k)
{
	uint32_t id, *head;
	struct group *g;

	if (r->count >= GROUPS_MAX)
		purge(r);
	if (r->count >= GROUPS_MAX)
		return GROUP_OTHER;
	if (r->count >= r->bucket_count)
		index_grow(r);
	if (r->free_id) {
		id = r->free_id;
		r->free_id = group_at(r, id)->chain;
	} else {
		struct group **chunk = &r->chunks[r->ids / CHUNK_GROUPS];

		if (!*chunk)
			*chunk = calloc(CHUNK_GROUPS, sizeof(struct group));
		if (!*chunk)
			return GROUP_NONE;
		id = r->ids++;
	}
	g = group_at(r, id);
	memset(g, 0, sizeof(*g));
	g->row = *k;
	g->used = true;
	head = &r->buckets[row_hash(r->by, k) & (r->bucket_count - 1)];
	g->chain = *head;
	*head = id;
	r->count++;
	return id;
}

static uint32_t group_find(const struct ranking *r, const struct ranking_row *k)
{
	uint32_t id = r->buckets[row_hash(r->by, k) & (r->bucket_count - 1)];

	while (id && !row_same(r->by, &group_at(r, id)->row, k))
		id = group_at(r, id)->chain;
	return id;
}

/* --- counting --- */

static bool state_is_open(unsigned int state)
{
	return state == STATE_ESTABLISHED || state == STATE_FIN_WAIT1 || state == STATE_FIN_WAIT2 ||
	       state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK || state == STATE_CLOSING;
}

static void group_count(struct group *g, const struct connection_change *change)
{
	g->tx += change->tx_bytes;
	g->rx += change->rx_bytes;
	g->opens += change->opened;
	g->closes += change->closed;
	g->fails += change->failed;
	g->row.tx_bytes += change->tx_bytes;
	g->row.rx_bytes += change->rx_bytes;
	g->row.retrans += change->retrans;
	g->row.opens += change->opened;
	g->row.closes += change->closed;
	g->row.fails += change->failed;
}

/* What may change while the group stays the same. */
static void group_refresh(struct group *g, enum ranking_by by, const struct ranking_row *k,
			  const struct event *e)
{
	if (by == BY_CONNECTION) {
		g->row.has_pid = k->has_pid;
		g->row.pid = k->pid;
		memcpy(g->row.comm, k->comm, sizeof(g->row.comm));
		g->row.state = k->state;
		g->row.direction = k->direction;
	}
	if (k->has_uid) {
		g->row.has_uid = true;
		g->row.uid = k->uid;
	}
	if (event_has(e, FIELD_SRTT_US))
		g->row.srtt_us = e->srtt_us;
}

int ranking_add(struct ranking *r, const struct event *e, const struct connection_change *change)
{
	struct connection *c = change->row;
	bool active = change->tx_bytes || change->rx_bytes || change->retrans || change->opened ||
		      change->closed || change->failed;
	bool open = c && state_is_open(c->state) && !change->closed && !change->failed;
	struct ranking_row k;
	struct group *g;
	uint32_t id;

	if (!r->began_ns)
		r->began_ns = e->mono_ns;
	if (c && !open)
		c->group = GROUP_NONE;
	if ((c && c->state == STATE_LISTEN) || (!active && !open))
		return 0;
	identify(r->by, e, c, &k);
	id = group_find(r, &k);
	if (!id)
		id = group_add(r, &k);
	if (!id)
		return -ENOMEM;
	g = group_at(r, id);
	g->touched = true;
	g->active |= active;
	group_count(g, change);
	group_count(&r->total, change);
	if (id != GROUP_OTHER)
		group_refresh(g, r->by, &k, e);
	if (open)
		c->group = id;
	return 0;
}

/* Counts what is open from the rows' own marks: exact also where a selection hid an event from us. */
static void count_open(struct ranking *r, const struct connection_table *t)
{
	for (uint32_t id = GROUP_OTHER; id < r->ids; id++)
		group_at(r, id)->row.connections = 0;
	r->total.row.connections = 0;
	for (struct connection *c = connection_table_first(t); c; c = c->next) {
		if (!c->group)
			continue;
		if (!state_is_open(c->state)) {
			c->group = GROUP_NONE;
			continue;
		}
		group_at(r, c->group)->row.connections++;
		r->total.row.connections++;
	}
}

static void group_rates(struct group *g, double seconds)
{
	double scale = seconds > 0 ? 1 / seconds : 0;

	g->row.tx_rate = (double)g->tx * scale;
	g->row.rx_rate = (double)g->rx * scale;
	g->row.open_rate = (double)g->opens * scale;
	g->row.close_rate = (double)g->closes * scale;
	g->row.fail_rate = (double)g->fails * scale;
	g->tx = g->rx = g->opens = g->closes = g->fails = 0;
}

struct sorting {
	const struct ranking *ranking;
	enum ranking_key key;
};

static int compare_ids(const void *a, const void *b, void *context)
{
	const struct sorting *s = context;

	return ranking_compare(s->ranking->by, s->key,
			       &group_at(s->ranking, *(const uint32_t *)a)->row,
			       &group_at(s->ranking, *(const uint32_t *)b)->row);
}

/* Room for `count` rows. On failure what is there stays. */
static bool reserve_rows(struct ranking *r, size_t count)
{
	size_t capacity = r->capacity ? r->capacity : 64;
	uint32_t *order;
	struct ranking_row *rows;

	while (capacity < count)
		capacity *= 2;
	if (capacity == r->capacity)
		return true;
	order = realloc(r->order, capacity * sizeof(*order));
	if (!order)
		return false;
	r->order = order;
	rows = realloc(r->rows, capacity * sizeof(*rows));
	if (!rows)
		return false;
	r->rows = rows;
	r->capacity = capacity;
	return true;
}

/* A connection only passed through, as from its listener to who accepts it. */
static bool is_blank(const struct ranking_row *r)
{
	return !r->opens && !r->closes && !r->fails && !r->retrans && !r->tx_bytes && !r->rx_bytes;
}

/* Ends the interval of one group; false when the group is gone. */
static bool group_interval(struct ranking *r, uint32_t id, double seconds)
{
	struct group *g = group_at(r, id);

	if (id != GROUP_OTHER && !g->used)
		return false;
	g->silent = g->active ? 0 : g->silent + (g->silent < 2);
	g->active = g->touched = false;
	group_rates(g, seconds);
	if (id == GROUP_OTHER)
		return g->row.connections ||
		       g->row.tx_rate + g->row.rx_rate + g->row.open_rate + g->row.close_rate > 0;
	if (!g->row.connections && (g->silent >= 2 || is_blank(&g->row))) {
		group_drop(r, id);
		return false;
	}
	return true;
}

const struct ranking_row *ranking_interval(struct ranking *r, const struct connection_table *t,
					   uint64_t mono_ns, enum ranking_key key, size_t *count)
{
	double seconds =
		r->began_ns && mono_ns > r->began_ns ? (double)(mono_ns - r->began_ns) / 1e9 : 0;
	struct sorting sorting = { r, key };
	size_t n = 0;

	r->began_ns = mono_ns;
	r->purged = false;
	count_open(r, t);
	group_rates(&r->total, seconds);
	if (!reserve_rows(r, (size_t)r->count + 1)) {
		*count = 0;
		return r->rows;
	}
	for (uint32_t id = GROUP_OTHER; id < r->ids; id++)
		if (group_interval(r, id, seconds))
			r->order[n++] = id;
	qsort_r(r->order, n, sizeof(*r->order), compare_ids, &sorting);
	for (size_t i = 0; i < n; i++)
		r->rows[i] = group_at(r, r->order[i])->row;
	*count = n;
	return r->rows;
}

void ranking_totals(const struct ranking *r, struct ranking_row *total)
{
	*total = r->total.row;
}
