/* SPDX-License-Identifier: BSD-2-Clause */
/* What identifies a group: which connections belong together, their names, and their order by name. */
#include <string.h>
#include <strings.h>

#include "model/ranking_groups.h"

/* An event and a row name the same things alike; the row knows more, where there is one. */
#define OWNER_OF(k, x, has)                                                                       \
	do {                                                                                      \
		(k)->has_pid = has(x, FIELD_PID);                                                 \
		(k)->pid = (k)->has_pid ? (x)->pid : 0;                                           \
		(k)->kernel = !(k)->has_pid && has(x, FIELD_OWNER) && (x)->owner == OWNER_KERNEL; \
		(k)->has_uid = (k)->has_pid && has(x, FIELD_UID);                                 \
		(k)->uid = (k)->has_uid ? (x)->uid : 0;                                           \
		if ((k)->has_pid && has(x, FIELD_COMM))                                           \
			memcpy((k)->comm, (x)->comm, strnlen((x)->comm, sizeof((k)->comm) - 1));  \
	} while (0)

#define REMOTE_OF(k, x)                                                    \
	do {                                                               \
		(k)->proto = (x)->proto;                                   \
		(k)->family = (x)->family;                                 \
		(k)->direction = (x)->direction;                           \
		memcpy((k)->raddr, (x)->raddr, (x)->family == 4 ? 4 : 16); \
		(k)->rport = (x)->rport;                                   \
	} while (0)

#define LOCAL_OF(k, x)                                                     \
	do {                                                               \
		memcpy((k)->laddr, (x)->laddr, (x)->family == 4 ? 4 : 16); \
		(k)->lport = (x)->lport;                                   \
		(k)->netns = (x)->netns;                                   \
	} while (0)

#define PLACE_OF(k, x, has)                                            \
	do {                                                           \
		if (has(x, FIELD_CONTAINER) && (x)->container)         \
			put_place(k, PLACE_CONTAINER, (x)->container); \
		else if (has(x, FIELD_UNIT) && (x)->unit)              \
			put_place(k, PLACE_UNIT, (x)->unit);           \
		else if (has(x, FIELD_CGROUP) && (x)->cgroup)          \
			put_place(k, PLACE_CGROUP, (x)->cgroup);       \
	} while (0)

static void put_place(struct ranking_row *k, enum ranking_place kind, const char *name)
{
	k->place_kind = (uint8_t)kind;
	k->place = name;
}

static void identify_listening(struct ranking_row *k, const struct connection *l)
{
	k->proto = l->proto;
	k->direction = DIRECTION_IN;
	k->family = l->family;
	LOCAL_OF(k, l);
}

/* Incoming ones belong to who listens for them; the others to one row that says where they are. */
static void identify_listener(const struct connection_table *t, const struct connection *c,
			      struct ranking_row *k)
{
	const struct connection *listener;

	if (connection_has(c, FIELD_STATE) && c->state == STATE_LISTEN) {
		identify_listening(k, c);
		return;
	}
	k->direction = c->direction;
	if (c->direction != DIRECTION_IN)
		return;
	listener = c->proto == IPPROTO_TCP && t ? connection_table_listener_of(t, c) : NULL;
	if (listener) {
		identify_listening(k, listener);
		return;
	}
	k->proto = c->proto;
	k->lport = c->lport;
	k->netns = c->netns;
}

static void connection_of(const struct event *e, struct connection *c)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->present, e->present, sizeof(c->present));
	REMOTE_OF(c, e);
	LOCAL_OF(c, e);
	c->state = e->type == EVENT_DROP ? STATE_LISTEN : STATE_NONE;
	if (c->state)
		c->present[FIELD_STATE >> 6] |= 1ULL << (FIELD_STATE & 63);
}

bool ranking_identify(enum ranking_by by, const struct connection_table *t, const struct event *e,
		      const struct connection *c, struct ranking_row *k)
{
	struct connection stand_in;

	memset(k, 0, sizeof(*k));
	k->by = (uint8_t)by;
	switch (by) {
	case BY_PROCESS:
		if (c)
			OWNER_OF(k, c, connection_has);
		else
			OWNER_OF(k, e, event_has);
		k->source = c ? c->source : e->source;
		return true;
	case BY_CONTAINER:
		if (c)
			PLACE_OF(k, c, connection_has);
		else
			PLACE_OF(k, e, event_has);
		return true;
	case BY_REMOTE:
		if (c)
			REMOTE_OF(k, c);
		else
			REMOTE_OF(k, e);
		if (k->direction == DIRECTION_IN)
			k->rport = 0; /* clients: by address */
		return c ? c->state != STATE_LISTEN : e->type != EVENT_DROP;
	case BY_LISTENER:
		if (!c)
			connection_of(e, &stand_in);
		identify_listener(t, c ? c : &stand_in, k);
		return true;
	default:
		if (c)
			ranking_row_of(c, k);
		else {
			OWNER_OF(k, e, event_has);
			PLACE_OF(k, e, event_has);
			REMOTE_OF(k, e);
			LOCAL_OF(k, e);
			k->cookie = e->cookie;
			k->start_ns = e->start_ns;
			k->state = STATE_CLOSE;
		}
		return c ? c->state != STATE_LISTEN : e->type != EVENT_DROP;
	}
}

void ranking_row_of(const struct connection *c, struct ranking_row *k)
{
	memset(k, 0, sizeof(*k));
	k->by = BY_CONNECTION;
	OWNER_OF(k, c, connection_has);
	PLACE_OF(k, c, connection_has);
	REMOTE_OF(k, c);
	LOCAL_OF(k, c);
	k->cookie = c->cookie;
	k->start_ns = c->start_ns;
	k->state = c->state;
	k->tx_bytes = c->tx_bytes;
	k->rx_bytes = c->rx_bytes;
	k->retrans = c->retrans;
	k->retrans_percent = c->tx_segs ? 100.0 * c->retrans / c->tx_segs : -1;
	k->drops = connection_has(c, FIELD_DROPS) ? c->drops : 0;
	k->queue = c->recv_q;
	k->backlog = c->send_q;
	k->since_ns = c->start_ns;
	k->ended_ns = c->closed_ns;
	k->srtt_us = c->srtt_us;
	k->outcome = connection_has(c, FIELD_OUTCOME) ? c->outcome : OUTCOME_NONE;
	k->connections = !c->closed_ns;
	k->idle = true;
	k->fading = c->closed_ns;
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	for (const uint8_t *p = bytes; n; n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

static uint64_t hash_number(uint64_t h, uint64_t number)
{
	h = (h ^ number) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

static uint64_t hash_16(uint64_t h, const void *bytes)
{
	uint64_t halves[2];

	memcpy(halves, bytes, sizeof(halves));
	return hash_number(hash_number(h, halves[0]), halves[1]);
}

uint64_t ranking_hash(const struct ranking_row *k)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	switch (k->by) {
	case BY_CONNECTION:
		return hash_number(hash_number(h, k->cookie), k->start_ns);
	case BY_REMOTE:
		return hash_number(hash_16(h, k->raddr), (uint64_t)k->rport << 8 | k->proto);
	case BY_LISTENER:
		h = hash_16(h, k->laddr);
		h = hash_number(h, (uint64_t)k->netns << 32 | (uint64_t)k->lport << 8 | k->proto);
		break;
	case BY_CONTAINER:
		h = k->place ? hash_bytes(h, k->place, strlen(k->place)) : h;
		break;
	default:
		h = hash_number(hash_16(h, k->comm), k->pid);
		break;
	}
	return h ^ h >> 29;
}

bool ranking_row_same(const struct ranking_row *a, const struct ranking_row *b)
{
	if (a->by != b->by)
		return false;
	switch (a->by) {
	case BY_CONNECTION:
		return a->cookie == b->cookie && a->start_ns == b->start_ns;
	case BY_REMOTE:
		return a->family == b->family && a->direction == b->direction &&
		       a->proto == b->proto && a->rport == b->rport &&
		       !memcmp(a->raddr, b->raddr, sizeof(a->raddr));
	case BY_LISTENER:
		return a->direction == b->direction && a->proto == b->proto &&
		       a->lport == b->lport && a->netns == b->netns && a->family == b->family &&
		       !memcmp(a->laddr, b->laddr, sizeof(a->laddr));
	case BY_CONTAINER:
		return a->place_kind == b->place_kind &&
		       (a->place == b->place ||
			(a->place && b->place && !strcmp(a->place, b->place)));
	default:
		return a->has_pid == b->has_pid && a->kernel == b->kernel && a->pid == b->pid &&
		       a->source == b->source && !memcmp(a->comm, b->comm, sizeof(a->comm));
	}
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

#define TRY(comparison)                      \
	do {                                 \
		int difference = comparison; \
                                             \
		if (difference)              \
			return difference;   \
	} while (0)

int ranking_compare_identity(const struct ranking_row *a, const struct ranking_row *b)
{
	if (a->place && b->place && a->by == BY_CONTAINER)
		TRY(strcmp(a->place, b->place));
	TRY(compare_numbers(!a->place && a->by == BY_CONTAINER,
			    !b->place && b->by == BY_CONTAINER));
	if (a->by == BY_LISTENER) /* its owner may not be known yet */
		TRY(compare_numbers(a->lport, b->lport));
	else
		TRY(memcmp(a->comm, b->comm, sizeof(a->comm)));
	TRY(compare_numbers(a->pid, b->pid));
	TRY(compare_numbers(a->family, b->family));
	TRY(memcmp(a->raddr, b->raddr, sizeof(a->raddr)));
	TRY(memcmp(a->laddr, b->laddr, sizeof(a->laddr)));
	TRY(compare_numbers(a->rport, b->rport));
	TRY(compare_numbers(a->lport, b->lport));
	TRY(compare_numbers(a->direction, b->direction));
	TRY(compare_numbers(a->proto, b->proto));
	TRY(compare_numbers(a->netns, b->netns));
	TRY(compare_numbers(a->cookie, b->cookie));
	return compare_numbers(a->start_ns, b->start_ns);
}

static const char *const by_names[BY_COUNT] = {
	[BY_PROCESS] = "process",   [BY_CONNECTION] = "connection", [BY_REMOTE] = "remote",
	[BY_LISTENER] = "listener", [BY_CONTAINER] = "container",
};

int ranking_by_from_name(const char *name)
{
	for (int i = 0; i < BY_COUNT; i++)
		if (!strcasecmp(by_names[i], name))
			return i;
	return -1;
}

const char *ranking_by_name(enum ranking_by by)
{
	return by < BY_COUNT ? by_names[by] : "?";
}
