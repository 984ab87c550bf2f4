/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_join_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_LEAST 1024

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

const struct slot *table_join_find(const struct table_join *j, uint64_t cookie)
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
	const struct slot *slot = table_join_find(j, socket->cookie);
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
					table_detail_behind(at + size, end));
		at += size;
	}
	return err;
}

bool table_join_has(const struct table_join *j, uint64_t cookie)
{
	const struct slot *slot = table_join_find(j, cookie);

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
	const struct slot *slot = table_join_find(j, cookie);

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
