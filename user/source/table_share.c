// SPDX-License-Identifier: BSD-2-Clause
#include "source/table_share.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"

/* An iterator for each costs some 20 us: beyond so many, one over all is faster. */
#define PROCESSES_MAX 2048

/* Shared by the threads. Owned: pids. */
struct share {
	int program_fd;
	uint32_t *pids;
	size_t count;
	atomic_size_t next;
	atomic_int error; /* the first */
};

/* One thread's. Borrowed: all. */
struct reader {
	struct share *share;
	struct rows *rows;
};

/* Iterators of one process came with 6.1; until 6.7 they leave out threads with files of their own. */
static bool kernel_has_it(void)
{
	unsigned int major, minor;
	struct utsname uts;

	uname(&uts);
	if (sscanf(uts.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 7);
}

/* /proc may be another pid namespace's, where the numbers are other processes'. */
static bool proc_is_ours(void)
{
	char text[16], *end;
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strtol(text, &end, 10) == getpid() && !*end;
}

static int add_pid(struct share *s, const char *name)
{
	char *end;
	unsigned long pid = strtoul(name, &end, 10);

	if (*end || !pid || pid > INT_MAX)
		return 0;
	if (s->count == PROCESSES_MAX)
		return -EOPNOTSUPP;
	s->pids[s->count++] = (uint32_t)pid;
	return 0;
}

static int find_processes(struct share *s)
{
	DIR *entries = opendir("/proc");
	const struct dirent *d;
	int err = 0;

	if (!entries)
		return -EOPNOTSUPP;
	while (!err && (d = readdir(entries)))
		err = add_pid(s, d->d_name);
	closedir(entries);
	return err;
}

/* 0 also when it has ended. */
static int read_process(int program_fd, uint32_t pid, struct rows *rows)
{
	union bpf_iter_link_info which = { .task = { .pid = pid } };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &which,
		    .iter_info_len = sizeof(which));
	AUTO_CLOSE int link = bpf_link_create(program_fd, 0, BPF_TRACE_ITER, &opts);
	AUTO_CLOSE int fd = -1;

	if (link < 0)
		return link == -ESRCH ? 0 : link;
	fd = bpf_iter_create(link);
	return fd < 0 ? fd : rows_read_fd(fd, rows);
}

static void *read_some(void *context)
{
	struct reader *r = context;
	struct share *s = r->share;

	while (!s->error) {
		size_t i = s->next++;
		int err, none = 0;

		if (i >= s->count)
			break;
		err = read_process(s->program_fd, s->pids[i], r->rows);
		if (err)
			atomic_compare_exchange_strong(&s->error, &none, err);
	}
	return NULL;
}

int table_share_read(int program_fd, struct rows *parts)
{
	AUTO_FREE uint32_t *pids = calloc(PROCESSES_MAX, sizeof(*pids));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = processors > TABLE_SHARES_MAX ? TABLE_SHARES_MAX : (size_t)processors;
	struct share s = { .program_fd = program_fd, .pids = pids };
	struct reader readers[TABLE_SHARES_MAX];
	pthread_t threads[TABLE_SHARES_MAX];
	size_t started = 1;
	int err;

	if (!pids)
		return -ENOMEM;
	if (processors < 2 || !kernel_has_it() || !proc_is_ours())
		return -EOPNOTSUPP;
	err = find_processes(&s);
	if (err)
		return err;
	for (size_t i = 0; i < wanted; i++)
		readers[i] = (struct reader){ &s, &parts[i] };
	while (started < wanted &&
	       !pthread_create(&threads[started], NULL, read_some, &readers[started]))
		started++;
	read_some(&readers[0]);
	for (size_t i = 1; i < started; i++)
		pthread_join(threads[i], NULL);
	return s.error;
}
