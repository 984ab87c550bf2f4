/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct listener {
	struct listener *next;
	uint32_t netns, pid, uid;
	uint16_t lport;
	uint8_t family;
	bool has_owner;
	uint8_t laddr[16];
	char comm[16];
};

/* Owned: the listeners, chained. */
struct listeners {
	struct listener *buckets[BUCKETS];
};

struct listeners *listeners_new(void)
{
	return calloc(1, sizeof(struct listeners));
}

void listeners_clear(struct listeners *l)
{
	struct listener *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct listener *s = l->buckets[i]; s; s = next) {
			next = s->next;
			free(s);
		}
		l->buckets[i] = NULL;
	}
}

void listeners_free(struct listeners *l)
{
	if (!l)
		return;
	listeners_clear(l);
	free(l);
}

static size_t bucket_of(uint32_t netns, uint16_t lport)
{
	return ((netns * 2654435761u) ^ (lport * 40503u)) % BUCKETS;
}

int listeners_add(struct listeners *l, const struct event *e)
{
	struct listener **head = &l->buckets[bucket_of(e->netns, e->lport)], *s;

	if (e->proto != IPPROTO_TCP || e->state != STATE_LISTEN)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->netns = e->netns;
	s->lport = e->lport;
	s->family = e->family;
	memcpy(s->laddr, e->laddr, sizeof(s->laddr));
	s->has_owner = event_has(e, FIELD_PID);
	s->pid = e->pid;
	s->uid = e->uid;
	memcpy(s->comm, e->comm, sizeof(s->comm));
	s->next = *head;
	*head = s;
	return 0;
}

/* How well a listener's address fits the local end of a connection; 0: not at all. */
static unsigned int fit(const struct listener *s, const struct event *e)
{
	static const uint8_t any[16];

	if (s->family == e->family && !memcmp(s->laddr, e->laddr, e->family == 4 ? 4 : 16))
		return 4;
	if (memcmp(s->laddr, any, s->family == 4 ? 4 : 16))
		return 0;
	if (s->family == e->family)
		return 3;
	return s->family == 6 ? 2 : 0; /* dual stack */
}

/* The one that fits best, or NULL; *several: others of another process fit as well. */
static const struct listener *find(const struct listeners *l, const struct event *e, bool *several)
{
	const struct listener *best = NULL;
	unsigned int best_fit = 0;

	*several = false;
	for (const struct listener *s = l->buckets[bucket_of(e->netns, e->lport)]; s; s = s->next) {
		unsigned int f;

		if (s->netns != e->netns || s->lport != e->lport)
			continue;
		f = fit(s, e);
		if (f > best_fit) {
			best = s;
			best_fit = f;
			*several = false;
		} else if (f && f == best_fit && s->pid != best->pid) {
			*several = true;
		}
	}
	return best;
}

void listeners_complete(const struct listeners *l, struct event *e)
{
	const struct listener *s;
	bool several;

	if (e->proto != IPPROTO_TCP || e->state == STATE_LISTEN || !event_has(e, FIELD_LPORT))
		return;
	s = find(l, e, &several);
	if (!s)
		return;
	e->direction = DIRECTION_IN;
	event_set(e, FIELD_DIRECTION);
	if (event_has(e, FIELD_PID) || several || !s->has_owner || e->owner == OWNER_KERNEL)
		return;
	e->owner = OWNER_LISTENER;
	e->pid = s->pid;
	e->uid = s->uid;
	memcpy(e->comm, s->comm, sizeof(e->comm));
	event_set(e, FIELD_OWNER);
	event_set(e, FIELD_PID);
	event_set(e, FIELD_UID);
	event_set(e, FIELD_COMM);
}
