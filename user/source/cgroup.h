/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's cgroup id to its path, unit and container. Ask as soon as a record arrives: a
 * cgroup that is gone has no path any more, one that was asked for once keeps its names here.
 */
#ifndef NETTRACE_CGROUP_H
#define NETTRACE_CGROUP_H

#include <stddef.h>
#include <stdint.h>

struct cgroup_cache;
struct event;

/* Valid as long as the cache; raw bytes. */
struct cgroup_names {
	const char *path; /* below the mount: "/system.slice/nginx.service", "/" for the root */
	const char *unit; /* NULL: none */
	const char *container; /* NULL: none */
};

/* Without a cgroup2 mount it is a cache that knows nothing. NULL when out of memory. */
struct cgroup_cache *cgroup_cache_new(void);
void cgroup_cache_free(struct cgroup_cache *c);

/*
 * The names, or NULL where they can't be had (also for id 0). What can't be had is not looked for
 * twice.
 */
const struct cgroup_names *cgroup_lookup(struct cgroup_cache *c, uint64_t cgroup_id);

/* The id, and the names where there are any, into the event. `c` may be NULL. */
void cgroup_to_event(struct cgroup_cache *c, uint64_t cgroup_id, struct event *e);

/*
 * The other way round, and its names are kept: the id of the cgroup that /proc/PID/cgroup names. 0: not there, or
 * outside of what the mount shows. `c` may be NULL.
 */
uint64_t cgroup_id_of(struct cgroup_cache *c, const char *path);

/* Where the cgroup2 file system is mounted, or NULL. Borrowed. */
const char *cgroup_mount(const struct cgroup_cache *c);

/*
 * The mount point of a cgroup2 file system in a line of /proc/PID/mountinfo, its octal escapes
 * undone: the length, 0 for another file system, -ENAMETOOLONG when it does not fit. `line` without
 * its newline. For cgroup_cache_new and tests.
 */
int cgroup_parse_mount(const char *line, char *path, size_t size);

#endif
