/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by table_join.c, which gathers what the passes told, and table_tell.c, which makes events of it. */
#ifndef NETTRACE_TABLE_JOIN_PRIVATE_H
#define NETTRACE_TABLE_JOIN_PRIVATE_H

#include "source/table_event.h"
#include "source/table_join.h"

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

/* The socket's place, or NULL. */
const struct slot *table_join_find(const struct table_join *j, uint64_t cookie);

/* The record behind, where it tells more of the same socket. */
static inline const struct table_detail *table_detail_behind(const char *at, const char *end)
{
	if (at >= end || *at != TABLE_DETAIL || !table_record_size(at, (size_t)(end - at)))
		return NULL;
	return (const struct table_detail *)at;
}

#endif
