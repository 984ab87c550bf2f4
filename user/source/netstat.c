// SPDX-License-Identifier: BSD-2-Clause
#include "source/netstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILE_MAX 16384 /* a few lines of some hundred numbers */

static void take(struct netstat *n, const char *name, uint64_t value)
{
	if (!strcmp(name, "ListenOverflows"))
		n->listen_overflows = value;
	else if (!strcmp(name, "ListenDrops"))
		n->listen_drops = value;
	else if (!strcmp(name, "TCPReqQFullDrop"))
		n->syn_queue_drops = value;
}

/* A line of names and a line of numbers, both with the group's name first. */
int netstat_parse(char *text, struct netstat *n)
{
	static const char group[] = "TcpExt:";
	char *names = strstr(text, group), *values, *name, *value, *next_name, *next_value;

	values = names ? strchr(names, '\n') : NULL;
	if (!values || strncmp(values + 1, group, strlen(group)))
		return -EBADMSG;
	*values++ = '\0';
	values[strcspn(values, "\n")] = '\0';
	memset(n, 0, sizeof(*n));
	name = strtok_r(names + strlen(group), " ", &next_name);
	value = strtok_r(values + strlen(group), " ", &next_value);
	while (name && value) {
		take(n, name, strtoull(value, NULL, 10));
		name = strtok_r(NULL, " ", &next_name);
		value = strtok_r(NULL, " ", &next_value);
	}
	return 0;
}

int netstat_read(uint32_t pid, struct netstat *n)
{
	char path[40], text[FILE_MAX];
	AUTO_CLOSE int fd = -1;
	size_t length = 0;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%u/net/netstat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (length < sizeof(text) - 1 &&
	       (got = read(fd, text + length, sizeof(text) - 1 - length)) != 0) {
		if (got < 0)
			return -errno;
		length += (size_t)got;
	}
	text[length] = '\0';
	return netstat_parse(text, n);
}
