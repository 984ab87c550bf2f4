/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many TCP sockets the calling thread's network namespace has (/proc/net/sockstat, sockstat6). Two small files tell
 * whether a pass over all of the kernel's hash tables would find anything new.
 */
#ifndef NETTRACE_SOCKSTAT_H
#define NETTRACE_SOCKSTAT_H

#include <stdbool.h>
#include <stdint.h>

struct sockstat {
	uint64_t
		tcp_inuse; /* in a hash table: all but closed ones and small successors; IPv4 and IPv6 */
	uint64_t tcp_tw; /* TIME_WAIT and its like; before 6.0 of the whole host */
};

/* 0, or -errno: not known. */
int sockstat_read(struct sockstat *s);

/* The number behind `key` in the line that begins with `line` ("TCP:", "inuse"). False: there is none. */
bool sockstat_parse(const char *text, const char *line, const char *key, uint64_t *value);

#endif
