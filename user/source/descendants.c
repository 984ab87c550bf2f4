// SPDX-License-Identifier: BSD-2-Clause
#include "source/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

struct process {
	uint32_t pid, parent;
};

/* Owned: list. */
struct processes {
	struct process *list;
	size_t count, capacity;
};

/* `comm` stands in parentheses and may hold any byte, so the last one ends it. 0: it is gone. */
static uint32_t parent_of(const char *pid)
{
	char path[64], line[512];
	AUTO_FCLOSE FILE *f = NULL;
	unsigned int parent;
	char state;
	size_t n;
	char *end;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(line, 1, sizeof(line) - 1, f);
	line[n] = '\0';
	end = strrchr(line, ')');
	return end && sscanf(end + 1, " %c %u", &state, &parent) == 2 ? parent : 0;
}

static int add(struct processes *p, uint32_t pid, uint32_t parent)
{
	size_t capacity = p->capacity ? p->capacity * 2 : 256;
	struct process *list;

	if (p->count == p->capacity) {
		list = realloc(p->list, capacity * sizeof(*list));
		if (!list)
			return -ENOMEM;
		p->list = list;
		p->capacity = capacity;
	}
	p->list[p->count++] = (struct process){ pid, parent };
	return 0;
}

static int read_processes(struct processes *p)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc))) {
		uint64_t pid;
		uint32_t parent;

		if (parse_count(entry->d_name, 1, INT32_MAX, &pid))
			continue;
		parent = parent_of(entry->d_name);
		if (parent)
			err = add(p, (uint32_t)pid, parent);
	}
	closedir(proc);
	return err;
}

int descendants_add(struct pid_set *s)
{
	struct processes p = { 0 };
	int err = read_processes(&p);
	bool more = true;

	/* Once for each generation. */
	while (!err && more) {
		more = false;
		for (size_t i = 0; !err && i < p.count; i++) {
			if (!pid_set_has(s, p.list[i].parent) || pid_set_has(s, p.list[i].pid))
				continue;
			err = pid_set_add(s, p.list[i].pid);
			more = true;
		}
	}
	free(p.list);
	return err == -ENOSPC ? 0 : err;
}
