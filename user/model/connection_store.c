/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/connection_store.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_ROWS 128

struct slab {
	struct slab *next;
	struct row rows[SLAB_ROWS];
};

static void list_done(struct connection_list *l)
{
	for (struct connection *c = l->first; c; c = c->next)
		free(c->holders);
	*l = (struct connection_list){ 0 };
}

void connection_store_done(struct connection_store *s)
{
	struct slab *next;

	list_done(&s->live);
	list_done(&s->closed);
	for (struct slab *slab = s->slabs; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	s->slabs = NULL;
	s->free_rows = NULL;
}

static bool add_slab(struct connection_store *s)
{
	struct slab *slab = malloc(sizeof(*slab));

	if (!slab)
		return false;
	slab->next = s->slabs;
	s->slabs = slab;
	for (size_t i = SLAB_ROWS; i-- > 0;) {
		slab->rows[i].connection.next = s->free_rows;
		s->free_rows = &slab->rows[i].connection;
	}
	return true;
}

struct row *connection_store_take(struct connection_store *s)
{
	struct connection *c;

	if (!s->free_rows && !add_slab(s))
		return NULL;
	c = s->free_rows;
	s->free_rows = c->next;
	memset(c, 0, sizeof(struct row));
	return (struct row *)c;
}

void connection_store_release(struct connection_store *s, struct row *r)
{
	struct connection *c = &r->connection;

	free(c->holders);
	c->holders = NULL;
	c->next = s->free_rows;
	s->free_rows = c;
}

void connection_list_append(struct connection_list *l, struct connection *c)
{
	c->next = NULL;
	c->previous = l->last;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
	l->count++;
}

void connection_list_remove(struct connection_list *l, struct connection *c)
{
	if (c->previous)
		c->previous->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->previous = c->previous;
	else
		l->last = c->previous;
	c->next = c->previous = NULL;
	l->count--;
}

static void drop_oldest(struct connection_store *s)
{
	struct connection *c = s->closed.first;

	connection_list_remove(&s->closed, c);
	connection_store_release(s, (struct row *)c);
}

bool connection_store_keep(struct connection_store *s, struct row *r)
{
	if (!s->closed_max)
		return false;
	if (s->closed.count >= s->closed_max)
		connection_store_evict(s);
	/* Nobody holds it any more. */
	free(r->connection.holders);
	r->connection.holders = NULL;
	r->connection.holder_count = 0;
	connection_list_append(&s->closed, &r->connection);
	return true;
}

bool connection_store_evict(struct connection_store *s)
{
	if (!s->closed.first)
		return false;
	drop_oldest(s);
	s->evicted++;
	return true;
}

void connection_store_age(struct connection_store *s, uint64_t mono_ns)
{
	while (s->closed.first && s->closed.first->closed_ns + s->closed_age_ns <= mono_ns)
		drop_oldest(s);
}
