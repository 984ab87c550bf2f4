/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/history.h"

#include <stdlib.h>
#include <string.h>

#define REASON_MAX 32 /* with its NUL; the kernel's names are shorter, but for a few that are cut */

/* A third of an event. What is not here, a line of the stream does not show. */
struct moment {
	uint64_t present[2];
	uint64_t time_ns, mono_ns, cookie, start_ns;
	uint64_t us[2]; /* latency and queue, or duration and time in a state */
	uint64_t tx_bytes, rx_bytes, count;
	const char *unit, *container; /* interned for the life of the program */
	uint32_t pid, opener_pid, netns, error, srtt_us, retrans, backlog;
	uint32_t tx_datagrams, rx_datagrams, drops;
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	char comm[16], opener_comm[16], reason[REASON_MAX];
	uint8_t type, proto, family, direction, owner, outcome, kind, by, closed_by, state,
		old_state, new_state, reconciled, v4mapped;
};

struct history {
	size_t max, count, next; /* next: where the next one goes */
	uint64_t evicted;
	struct moment moments[];
};

struct history *history_new(size_t max)
{
	/* calloc of this size takes no memory before it is written to */
	struct history *h = calloc(1, sizeof(*h) + max * sizeof(h->moments[0]));

	if (h)
		h->max = max;
	return h;
}

void history_free(struct history *h)
{
	free(h);
}

/* clang-format off */
/* Members of the same name and type on both sides. */
#define SAME(X) \
	X(time_ns) X(mono_ns) X(cookie) X(start_ns) X(tx_bytes) X(rx_bytes) X(count) X(unit) X(container) X(pid) \
	X(opener_pid) X(netns) X(error) X(srtt_us) X(retrans) X(backlog) X(lport) X(rport) X(proto) X(family) \
	X(direction) X(owner) X(outcome) X(kind) X(by) X(closed_by) X(state) X(old_state) X(new_state) X(reconciled) \
	X(v4mapped)
/* clang-format on */

static uint32_t cut(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

void history_add(struct history *h, const struct event *e)
{
	struct moment *m = &h->moments[h->next];

	if (!h->max)
		return;
	memset(m, 0, sizeof(*m));
#define TAKE(member) m->member = e->member;
	SAME(TAKE)
#undef TAKE
	memcpy(m->present, e->present, sizeof(m->present));
	memcpy(m->laddr, e->laddr, sizeof(m->laddr));
	memcpy(m->raddr, e->raddr, sizeof(m->raddr));
	memcpy(m->comm, e->comm, sizeof(m->comm));
	memcpy(m->opener_comm, e->opener_comm, sizeof(m->opener_comm));
	m->type = (uint8_t)e->type;
	m->tx_datagrams = cut(e->tx_datagrams);
	m->rx_datagrams = cut(e->rx_datagrams);
	m->drops = cut(e->drops);
	m->us[0] = e->type == EVENT_CLOSE   ? e->duration_us
		   : e->type == EVENT_STATE ? e->in_state_us
					    : e->latency_us;
	m->us[1] = e->queue_us;
	if (event_has(e, FIELD_REASON) && e->reason)
		memcpy(m->reason, e->reason, strnlen(e->reason, REASON_MAX - 1));
	else if (e->type == EVENT_LOST && event_has(e, FIELD_WHERE) && e->where)
		memcpy(m->reason, e->where, strnlen(e->where, REASON_MAX - 1));
	h->next = (h->next + 1) % h->max;
	if (h->count < h->max)
		h->count++;
	else
		h->evicted++;
}

size_t history_count(const struct history *h)
{
	return h->count;
}

uint64_t history_evicted(const struct history *h)
{
	return h->evicted;
}

static const struct moment *at(const struct history *h, size_t i)
{
	return &h->moments[(h->next + h->max - 1 - i) % h->max];
}

void history_event(const struct history *h, size_t i, struct event *e)
{
	const struct moment *m = at(h, i);

	memset(e, 0, sizeof(*e));
#define GIVE(member) e->member = m->member;
	SAME(GIVE)
#undef GIVE
	memcpy(e->present, m->present, sizeof(e->present));
	memcpy(e->laddr, m->laddr, sizeof(e->laddr));
	memcpy(e->raddr, m->raddr, sizeof(e->raddr));
	memcpy(e->comm, m->comm, sizeof(e->comm));
	memcpy(e->opener_comm, m->opener_comm, sizeof(e->opener_comm));
	e->type = m->type;
	e->tx_datagrams = m->tx_datagrams;
	e->rx_datagrams = m->rx_datagrams;
	e->drops = m->drops;
	e->latency_us = e->duration_us = e->in_state_us = m->us[0];
	e->queue_us = m->us[1];
	e->reason = e->where = m->reason;
	event_unset(e, FIELD_CGROUP);
	event_unset(e, FIELD_HOLDERS);
}

bool history_is_of(const struct history *h, size_t i, uint64_t cookie, uint64_t start_ns)
{
	const struct moment *m = at(h, i);

	return m->cookie == cookie && m->start_ns == start_ns && cookie;
}
