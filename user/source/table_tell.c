/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of what was joined: the holders of each socket, the owner first. */
#include "source/table_join_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_holders(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a,
			   *y = *(const struct entry *const *)b;

	if (x->process->start_ns != y->process->start_ns)
		return x->process->start_ns < y->process->start_ns ? -1 : 1;
	if (x->process->pid != y->process->pid)
		return x->process->pid < y->process->pid ? -1 : 1;
	return (x->socket->fd > y->socket->fd) - (x->socket->fd < y->socket->fd);
}

static int reserve_group(struct table_join *j, size_t count)
{
	struct holder *holders;
	const struct entry **group;

	if (count <= j->group_capacity)
		return 0;
	holders = realloc(j->holders, count * 2 * sizeof(*holders));
	if (holders)
		j->holders = holders;
	group = realloc(j->group, count * 2 * sizeof(*group));
	if (group)
		j->group = group;
	if (!holders || !group)
		return -ENOMEM;
	j->group_capacity = count * 2;
	return 0;
}

/* Is it one that many share by design, so that who made it counts? A connection is handed on: there the last counts. */
static bool is_shared(const struct table_socket *s)
{
	return s->state == STATE_LISTEN || s->state == STATE_CLOSE;
}

static void put_holder(struct table_join *j, size_t at, const struct entry *e)
{
	struct holder *h = &j->holders[at];

	h->pid = e->process->pid;
	h->fd = e->socket->fd;
	memcpy(h->comm, e->process->comm, sizeof(h->comm));
	h->comm[sizeof(h->comm) - 1] = '\0';
}

static int set_holders(struct table_join *j, const struct entry *first,
		       const struct table_names *names, struct event *e)
{
	const struct table_process *owner;
	size_t count = 0, n = 0;

	for (const struct entry *i = first; i; i = i->next == NONE ? NULL : &j->entries[i->next])
		count++;
	if (reserve_group(j, count))
		return -ENOMEM;
	count = 0;
	for (const struct entry *i = first; i; i = i->next == NONE ? NULL : &j->entries[i->next])
		j->group[count++] = i;
	if (count > 1)
		qsort(j->group, count, sizeof(*j->group), compare_holders);
	owner = j->group[is_shared(first->socket) ? 0 : count - 1]->process;
	for (size_t i = 0; i < count; i++)
		if (j->group[i]->process == owner)
			put_holder(j, n++, j->group[i]);
	for (size_t i = 0; i < count; i++)
		if (j->group[i]->process != owner)
			put_holder(j, n++, j->group[i]);
	e->holders = j->holders;
	e->holder_count = (uint32_t)count;
	event_set(e, FIELD_HOLDERS);
	table_owner_to_event(owner, names, e);
	return 0;
}

int table_join_holders(struct table_join *j, uint64_t cookie, const struct table_names *names,
		       struct event *e)
{
	const struct slot *slot = table_join_find(j, cookie);

	if (!slot || slot->entry == NONE)
		return 0;
	return set_holders(j, &j->entries[slot->entry], names, e);
}

/* -e: the record behind its socket's. */
static const struct table_detail *detail_of(const struct table_join *j,
					    const struct table_socket *socket)
{
	const char *at = (const char *)socket, *behind = (const char *)(socket + 1);

	for (size_t i = 0; i < j->part_count; i++) {
		const char *data = j->parts[i].data, *end = data + j->parts[i].bytes;

		if (at >= data && at < end)
			return table_detail_behind(behind, end);
	}
	return *behind == TABLE_DETAIL ? (const struct table_detail *)behind : NULL;
}

/* The pass goes on while sockets live: the entry read last knows best, or nearly so where several read at once. */
static const struct table_socket *newest_of(const struct table_join *j, const struct entry *first)
{
	uint32_t newest = (uint32_t)(first - j->entries);

	for (uint32_t i = first->next; i != NONE; i = j->entries[i].next)
		if (i > newest)
			newest = i;
	return j->entries[newest].socket;
}

int table_join_event(struct table_join *j, uint32_t number, const struct table_names *names,
		     struct event *e)
{
	const struct table_socket *socket = newest_of(j, &j->entries[number]);

	table_socket_to_event(socket, detail_of(j, socket), names, e);
	return set_holders(j, &j->entries[number], names, e);
}

int table_join_tell(struct table_join *j, bool listeners, const struct table_names *names,
		    bool (*elsewhere)(void *context, uint32_t netns),
		    int (*visit)(void *context, struct event *e, uint32_t number), void *context)
{
	const struct table_socket *socket;
	struct event e;
	int err = 0;

	for (uint32_t i = 0; !err && i < j->count; i++) {
		if (!j->entries[i].first)
			continue;
		socket = newest_of(j, &j->entries[i]);
		if ((socket->state == STATE_LISTEN) != listeners)
			continue;
		if (socket->kind == TABLE_UNIX && !elsewhere(context, socket->netns))
			continue;
		err = table_join_event(j, i, names, &e);
		if (!err)
			err = visit(context, &e, i);
	}
	return err;
}

void table_join_networks(const struct table_join *j,
			 void (*visit)(void *context, uint32_t netns, uint32_t pid, int32_t fd),
			 void *context)
{
	for (size_t i = 0; i < j->count; i++) {
		const struct entry *e = &j->entries[i];

		if (i && e->process == e[-1].process && e->socket->netns == e[-1].socket->netns)
			continue;
		visit(context, e->socket->netns, e->process->pid, e->socket->fd);
	}
}

void table_join_count_tcp(const struct table_join *j,
			  void (*visit)(void *context, uint32_t netns, uint32_t requests),
			  void *context)
{
	for (size_t i = 0; i < j->count; i++) {
		const struct table_socket *s = j->entries[i].socket;

		/* A closed one is in no hash table. */
		if (j->entries[i].first && s->kind == TABLE_TCP && s->state != STATE_CLOSE)
			visit(context, s->netns, s->syn_queue);
	}
}

void table_rows_event(const struct rows *rows, uint32_t place, const struct table_names *names,
		      struct event *e)
{
	const char *at = (const char *)rows->data + place,
		   *end = (const char *)rows->data + rows->bytes;

	table_socket_to_event((const struct table_socket *)at,
			      table_detail_behind(at + sizeof(struct table_socket), end), names, e);
}

int table_rows_unheld(const struct rows *rows, const struct table_names *names,
		      int (*known)(void *context, uint64_t cookie, uint64_t inode),
		      int (*unheld)(void *context, struct event *e, uint32_t place), void *context)
{
	size_t at = 0;
	struct event e;
	int err = 0;

	while (!err && at < rows->bytes) {
		const char *record = (const char *)rows->data + at;
		size_t size = table_record_size(record, rows->bytes - at);

		if (!size || at > UINT32_MAX)
			return -EBADMSG;
		if (*record == TABLE_KNOWN && known) {
			const struct table_known *k = (const struct table_known *)record;

			err = known(context, k->cookie, k->inode);
		} else if (*record == TABLE_SOCKET && unheld) {
			table_rows_event(rows, (uint32_t)at, names, &e);
			err = unheld(context, &e, (uint32_t)at);
		}
		at += size;
	}
	return err;
}
