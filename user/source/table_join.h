/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins what the passes of bpf/table.bpf.c tell: several holders of one socket to one event, and which sockets are known.
 * Needs no kernel: fed with records by hand in the unit tests.
 */
#ifndef NETTRACE_TABLE_JOIN_H
#define NETTRACE_TABLE_JOIN_H

#include "model/event.h"
#include "source/cgroup.h"
#include "source/rows.h"
#include "source/table_share.h"

struct table_join;

/* What turns numbers into names and times. */
struct table_names {
	uint64_t time_ns, mono_ns;    /* of the pass */
	uint32_t hz;		      /* jiffies a second */
	struct cgroup_cache *cgroups; /* borrowed; NULL: cgroups stay unnamed */
};

struct table_join *table_join_new(void);
void table_join_free(struct table_join *j);

/*
 * Takes over what a pass over files told, or a part of it (*rows is empty then); TABLE_SHARES_MAX parts. 0, -ENOMEM, or
 * -EBADMSG: it makes no sense.
 */
int table_join_add(struct table_join *j, struct rows *rows);
/*
 * The next piece of a second pass, for rows_each: takes the holders of sockets that table_join_miss named, nothing else.
 */
int table_join_add_missing(void *join, const void *data, size_t bytes);

/* Is a holder of this socket known? */
bool table_join_has(const struct table_join *j, uint64_t cookie);
/* The same by inode; for rows whose cookie only stands in for one. */
bool table_join_has_inode(struct table_join *j, uint64_t inode, uint64_t *cookie);
/* This socket exists, has a file, and no pass told of it. 0 or -ENOMEM. */
int table_join_miss(struct table_join *j, uint64_t cookie, uint64_t inode);
/* The inodes of those; *count may be more than are told (MISSING_INODES_MAX). Borrowed. */
#define MISSING_INODES_MAX 64
const uint64_t *table_join_missing_inodes(const struct table_join *j, size_t *count);
/* Named so, and still without a holder? */
bool table_join_is_missing(const struct table_join *j, uint64_t cookie);
size_t table_join_missing(const struct table_join *j);
/* From now on it counts as known: told otherwise. 0 or -ENOMEM. */
int table_join_told(struct table_join *j, uint64_t cookie);

/*
 * Puts owner and holders of this socket into the event: the owner first, of a listener or an unconnected socket the oldest process,
 * of a connection, which is handed on, the youngest. The holders are valid until the next call. 0 (also without any) or -ENOMEM.
 */
int table_join_holders(struct table_join *j, uint64_t cookie, const struct table_names *names,
		       struct event *e);

/*
 * Visits each internet socket that the passes over files told of, listeners or the rest; with holders. What unix_diag
 * tells of unix sockets is more: those are left out, but for the ones in namespaces that `elsewhere` says it could not look into.
 * 0, what the visitor returned, or -ENOMEM.
 */
int table_join_tell(struct table_join *j, bool listeners, const struct table_names *names,
		    bool (*elsewhere)(void *context, uint32_t netns),
		    int (*visit)(void *context, struct event *e, uint32_t number), void *context);
/* The event of that number again. 0 or -ENOMEM. */
int table_join_event(struct table_join *j, uint32_t number, const struct table_names *names,
		     struct event *e);

/* Calls `visit` with the namespace and a holder of each socket; those of one process in one namespace only once in a row. */
void table_join_networks(const struct table_join *j,
			 void (*visit)(void *context, uint32_t netns, uint32_t pid, int32_t fd),
			 void *context);

/* Calls `visit` with the namespace of each TCP socket that is in use, once, and with the half-open requests it has. */
void table_join_count_tcp(const struct table_join *j,
			  void (*visit)(void *context, uint32_t netns, uint32_t requests),
			  void *context);

/*
 * A pass over one namespace's TCP sockets: calls `known` for each that has a file, and `unheld` with the event of each that has
 * none and its place in the rows, until one returns not 0, which is returned; -EBADMSG: it makes no sense. Either may be NULL.
 */
int table_rows_unheld(const struct rows *rows, const struct table_names *names,
		      int (*known)(void *context, uint64_t cookie, uint64_t inode),
		      int (*unheld)(void *context, struct event *e, uint32_t place), void *context);
/* The event at that place again. */
void table_rows_event(const struct rows *rows, uint32_t place, const struct table_names *names,
		      struct event *e);

#endif
