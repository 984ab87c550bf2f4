/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own counters of a network namespace (/proc/PID/net/netstat), those that nettrace acts on. */
#ifndef NETTRACE_NETSTAT_H
#define NETTRACE_NETSTAT_H

#include <stdint.h>

struct netstat {
	uint64_t listen_overflows; /* accept queue full */
	uint64_t
		listen_drops; /* connection attempts that a listener dropped, for whatever reason */
	uint64_t syn_queue_drops; /* SYN queue full and no cookie sent (TCPReqQFullDrop) */
};

/* Of the namespace in which this process is. 0 or -errno (-ESRCH: it is gone). */
int netstat_read(uint32_t pid, struct netstat *n);
/* The same from the file's text. 0 or -EBADMSG. For netstat_read and tests. */
int netstat_parse(char *text, struct netstat *n);

#endif
