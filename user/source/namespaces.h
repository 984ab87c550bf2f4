/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network namespaces of this host, and work inside each: a thread of its own enters it, so that nettrace itself
 * stays where it is.
 */
#ifndef NETTRACE_NAMESPACES_H
#define NETTRACE_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A way into a namespace: a file that stands for it, or a socket in it that a process holds. Owned: path. */
struct network {
	uint32_t inode;
	uint32_t pid; /* with fd: holder of a socket in it; 0: there is a path */
	int32_t fd;
	char *path;
};

/* Owned: all. All zero is ready. */
struct networks {
	struct network *list; /* by inode */
	size_t count, capacity;
};

void networks_done(struct networks *n);

/*
 * Adds those that a process is in or that have a name (/run/netns, /run/docker/netns), as far as this user may see them, and the
 * calling thread's. 0 or -ENOMEM.
 */
int networks_find(struct networks *n);
/* Adds one, known by a socket that this process holds. 0 or -ENOMEM. */
int networks_add_holder(struct networks *n, uint32_t inode, uint32_t pid, int32_t fd);
bool networks_has(const struct networks *n, uint32_t inode);
/* Its index in the list, or -1. */
ssize_t networks_find_place(const struct networks *n, uint32_t inode);

/* The inode of the calling thread's; 0: unknown. */
uint32_t network_own(void);

/* Could others be entered? Tried with the calling thread's own, where it stays. 0 or -errno. */
int networks_may_enter(void);

/*
 * Moves the calling thread there. 0 or -errno: -EPERM not allowed, -ESTALE it is gone or its place was taken by another.
 * Does nothing in the thread's own.
 */
int network_enter(const struct network *n);

/*
 * Calls `work` for each of `indexes` (of n->list) from a thread in that namespace, several at once; the caller's own
 * one in the calling thread. `entered` is 0 or why it could not be entered, then nothing may be done there.
 */
void networks_visit(const struct networks *n, const size_t *indexes, size_t count,
		    void (*work)(void *context, size_t index, int entered), void *context);

/*
 * The inode of what a user names: a process, a name as in `ip netns`, a path, an inode or net:[INODE]. 0, -ENOENT: there is no such
 * thing, -EINVAL: it is no network namespace, or another -errno.
 */
int network_from_word(const char *word, uint32_t *inode);

#endif
