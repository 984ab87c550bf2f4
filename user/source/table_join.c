/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/table_event.h"

#define SLOTS_LEAST 1024
#define NONE UINT32_MAX

/* A socket in the hands of one process; entries of one socket are chained, the first of them found by the hash. */
struct entry {
	const struct table_socket *socket;
	const struct table_process *process;
	uint32_t next; /* NONE: the last */
	bool first;
};

/* Open addressing by cookie. A cookie of 0 does not exist. */
struct slot {
	uint64_t cookie;
	uint32_t entry; /* NONE: no holder */
	bool missing, told;
};

/* What a second pass found, copied one by one: they are few. */
struct found {
	struct found *next;
	struct table_process process;
	struct table_socket socket;
	struct table_detail detail; /* behind its socket, as in a pass */
};

/* Owned: all. */
struct table_join {
	struct rows parts[TABLE_SHARES_MAX]; /* of the first pass */
	size_t part_count;
	struct found *found;
	struct table_process process; /* of the second pass, the one at hand */
	struct entry *entries;
	size_t count, capacity;
	struct slot *slots;
	size_t slot_count, used;
	size_t missing;
	uint64_t missing_inodes[MISSING_INODES_MAX];
	size_t missed;	    /* ever */
	uint32_t *by_inode; /* entries that are first, sorted; made when it is asked for */
	size_t inode_count;
	struct holder *holders; /* of the event at hand */
	const struct entry **group;
	size_t group_capacity;
};

struct table_join *table_join_new(void)
{
	struct table_join *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->slots = calloc(SLOTS_LEAST, sizeof(*j->slots));
	j->slot_count = SLOTS_LEAST;
	if (!j->slots) {
		free(j);
		return NULL;
	}
	return j;
}

void table_join_free(struct table_join *j)
{
	struct found *next;

	if (!j)
		return;
	for (size_t i = 0; i < j->part_count; i++)
		rows_done(&j->parts[i]);
	for (struct found *f = j->found; f; f = next) {
		next = f->next;
		free(f);
	}
	free(j->entries);
	free(j->slots);
	free(j->by_inode);
	free(j->holders);
	free(j->group);
	free(j);
}

static size_t slot_of(const struct table_join *j, uint64_t cookie)
{
	size_t at = (cookie * 0x9e3779b97f4a7c15ULL >> 20) & (j->slot_count - 1);

	while (j->slots[at].cookie && j->slots[at].cookie != cookie)
		at = (at + 1) & (j->slot_count - 1);
	return at;
}

static const struct slot *find(const struct table_join *j, uint64_t cookie)
{
	const struct slot *slot = &j->slots[slot_of(j, cookie)];

	return slot->cookie ? slot : NULL;
}

static int grow_slots(struct table_join *j, size_t wanted)
{
	struct slot *old = j->slots;
	size_t before = j->slot_count;

	j->slots = calloc(wanted, sizeof(*j->slots));
	if (!j->slots) {
		j->slots = old;
		return -ENOMEM;
	}
	j->slot_count = wanted;
	for (size_t i = 0; i < before; i++)
		if (old[i].cookie)
			j->slots[slot_of(j, old[i].cookie)] = old[i];
	free(old);
	return 0;
}

/* The slot of this cookie, a new one without an entry if need be; NULL when out of memory. */
static struct slot *slot_get(struct table_join *j, uint64_t cookie)
{
	struct slot *slot;

	if (j->used * 4 >= j->slot_count * 3 && grow_slots(j, j->slot_count * 2))
		return NULL;
	slot = &j->slots[slot_of(j, cookie)];
	if (!slot->cookie) {
		*slot = (struct slot){ .cookie = cookie, .entry = NONE };
		j->used++;
	}
	return slot;
}

static int grow_entries(struct table_join *j, size_t wanted)
{
	struct entry *entries;

	if (wanted >= NONE)
		return -ENOMEM;
	entries = realloc(j->entries, wanted * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	j->entries = entries;
	j->capacity = wanted;
	return 0;
}

static int add_entry(struct table_join *j, const struct table_socket *socket,
		     const struct table_process *process)
{
	struct slot *slot = slot_get(j, socket->cookie);
	struct entry *e;

	if (!slot || (j->count == j->capacity && grow_entries(j, j->capacity * 2 + 64)))
		return -ENOMEM;
	e = &j->entries[j->count];
	*e = (struct entry){ socket, process, NONE, slot->entry == NONE };
	if (e->first) {
		j->missing -= slot->missing;
		slot->entry = (uint32_t)j->count;
	} else {
		e->next = j->entries[slot->entry].next;
		j->entries[slot->entry].next = (uint32_t)j->count;
	}
	j->count++;
	return 0;
}

/* Room for all at once: growing touches the memory twice. */
static int reserve(struct table_join *j, size_t sockets)
{
	size_t slots = j->slot_count;

	sockets += j->count;
	while (slots * 3 < sockets * 4 + 64)
		slots *= 2;
	if (slots > j->slot_count && grow_slots(j, slots))
		return -ENOMEM;
	return grow_entries(j, sockets + 64);
}

int table_join_add(struct table_join *j, struct rows *rows)
{
	const char *at = rows->data, *end = at + rows->bytes;
	const struct table_process *process = NULL;
	int err = reserve(j, rows->bytes / sizeof(struct table_socket));

	if (err)
		return err;
	if (j->part_count == TABLE_SHARES_MAX)
		return -EBADMSG;
	j->parts[j->part_count++] = *rows;
	*rows = (struct rows){ 0 };
	while (!err && at < end) {
		size_t size = table_record_size(at, (size_t)(end - at));
		const struct table_socket *socket = (const struct table_socket *)at;

		if (!size)
			return -EBADMSG;
		if (*at == TABLE_PROCESS)
			process = (const struct table_process *)at;
		else if (*at == TABLE_SOCKET && (!process || !socket->cookie))
			err = -EBADMSG;
		else if (*at == TABLE_SOCKET)
			err = add_entry(j, socket, process);
		at += size;
	}
	return err;
}

static int add_found(struct table_join *j, const struct table_socket *socket,
		     const struct table_detail *detail)
{
	const struct slot *slot = find(j, socket->cookie);
	struct found *f;

	if (!slot || !slot->missing)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->next = j->found;
	j->found = f;
	f->process = j->process;
	f->socket = *socket;
	if (detail)
		f->detail = *detail;
	return add_entry(j, &f->socket, &f->process);
}

/* The record behind, where it tells more of the same socket. */
static const struct table_detail *detail_behind(const char *at, const char *end)
{
	if (at >= end || *at != TABLE_DETAIL || !table_record_size(at, (size_t)(end - at)))
		return NULL;
	return (const struct table_detail *)at;
}

int table_join_add_missing(void *join, const void *data, size_t bytes)
{
	struct table_join *j = join;
	const char *at = data, *end = at + bytes;
	int err = 0;

	while (!err && at < end) {
		size_t size = table_record_size(at, (size_t)(end - at));

		if (!size)
			return -EBADMSG;
		if (*at == TABLE_PROCESS)
			j->process = *(const struct table_process *)at;
		else if (*at == TABLE_SOCKET)
			err = add_found(j, (const struct table_socket *)at,
					detail_behind(at + size, end));
		at += size;
	}
	return err;
}

bool table_join_has(const struct table_join *j, uint64_t cookie)
{
	const struct slot *slot = find(j, cookie);

	return slot && (slot->entry != NONE || slot->told);
}

const uint64_t *table_join_missing_inodes(const struct table_join *j, size_t *count)
{
	*count = j->missed;
	return j->missing_inodes;
}

int table_join_miss(struct table_join *j, uint64_t cookie, uint64_t inode)
{
	struct slot *slot = slot_get(j, cookie);

	if (!slot)
		return -ENOMEM;
	if (slot->entry == NONE && !slot->missing) {
		slot->missing = true;
		j->missing++;
		if (j->missed < MISSING_INODES_MAX)
			j->missing_inodes[j->missed] = inode;
		j->missed++;
	}
	return 0;
}

bool table_join_is_missing(const struct table_join *j, uint64_t cookie)
{
	const struct slot *slot = find(j, cookie);

	return slot && slot->missing && slot->entry == NONE;
}

size_t table_join_missing(const struct table_join *j)
{
	return j->missing;
}

int table_join_told(struct table_join *j, uint64_t cookie)
{
	struct slot *slot = slot_get(j, cookie);

	if (!slot)
		return -ENOMEM;
	slot->told = true;
	return 0;
}

static int compare_inodes(const void *a, const void *b, void *join)
{
	const struct table_join *j = join;
	uint64_t x = j->entries[*(const uint32_t *)a].socket->inode;
	uint64_t y = j->entries[*(const uint32_t *)b].socket->inode;

	return (x > y) - (x < y);
}

/* Without memory for it, none is found: such rows then have no holders. */
static void sort_inodes(struct table_join *j)
{
	j->by_inode = calloc(j->count + 1, sizeof(*j->by_inode));
	for (uint32_t i = 0; j->by_inode && i < j->count; i++)
		if (j->entries[i].first)
			j->by_inode[j->inode_count++] = i;
	if (j->by_inode && j->inode_count)
		qsort_r(j->by_inode, j->inode_count, sizeof(*j->by_inode), compare_inodes, j);
}

bool table_join_has_inode(struct table_join *j, uint64_t inode, uint64_t *cookie)
{
	size_t low = 0, high;

	if (!j->by_inode)
		sort_inodes(j);
	high = j->inode_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (j->entries[j->by_inode[middle]].socket->inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == j->inode_count || j->entries[j->by_inode[low]].socket->inode != inode)
		return false;
	*cookie = j->entries[j->by_inode[low]].socket->cookie;
	return true;
}

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
	const struct slot *slot = find(j, cookie);

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
			return detail_behind(behind, end);
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
			      detail_behind(at + sizeof(struct table_socket), end), names, e);
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
