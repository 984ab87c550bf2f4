/* SPDX-License-Identifier: BSD-2-Clause */
/* Who holds which socket, from one pass over /proc/PID/fd. */
#ifndef NETTRACE_PROC_H
#define NETTRACE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A process that holds a socket. */
struct proc_process {
	uint64_t start_ticks; /* since boot, in clock ticks */
	uint32_t pid, uid;    /* uid: the real one */
	char comm[16];	      /* raw bytes, NUL-terminated */
	bool has_uid;
	uint64_t cgroup_id; /* in cgroup v2; 0: unknown */
};

struct proc_holder {
	uint64_t inode;
	uint32_t process; /* index */
	int32_t fd;
};

struct cgroup_cache;

/* Owned: all. Holders are sorted by inode, then by age of the process (oldest first), then fd. */
struct proc_sockets {
	struct proc_process *processes;
	size_t process_count, process_capacity;
	struct proc_holder *holders;
	size_t holder_count, holder_capacity;
	size_t denied; /* processes whose fds we may not see */
};

/*
 * Reads all processes that the caller may see; those that vanish meanwhile are left out. `root`:
 * "/proc" (a test has its own). `cgroups` gets the names of theirs; NULL: these are not asked for. 0, -ENOMEM, or -errno
 * when `root` can't be read. *p is to be released in either case.
 */
int proc_sockets_read(struct proc_sockets *p, const char *root, struct cgroup_cache *cgroups);
void proc_sockets_done(struct proc_sockets *p);

/* The holders of this socket, oldest process first: the first of *count, or NULL. Borrowed. */
const struct proc_holder *proc_sockets_find(const struct proc_sockets *p, uint64_t inode,
					    size_t *count);

/*
 * /proc/PID/stat: the name (any bytes, also blanks, newlines and parentheses) and the start. 0 or
 * -EBADMSG.
 */
int proc_parse_stat(const char *data, size_t length, char comm[16], uint64_t *start_ticks);
/* The real uid in /proc/PID/status. 0 or -EBADMSG. */
int proc_parse_uid(const char *status, uint32_t *uid);
/* The path in version 2's line of /proc/PID/cgroup, cut out of `data`, or NULL. */
const char *proc_parse_cgroup(char *data);
/* The inode of "socket:[123]", 0 for every other kind of file. */
uint64_t proc_parse_socket(const char *link);

#endif
