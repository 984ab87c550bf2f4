/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/proc.h"

#include "base/cleanup.h"
#include "source/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLDERS_MAX (16u << 20) /* 256 MB; more open sockets than that are not joined */
#define START_FIELD 22		/* of /proc/PID/stat (proc(5)) */

/* Room for one more element. */
static int grow(void *array, size_t count, size_t *capacity, size_t size, size_t limit)
{
	size_t wanted = *capacity ? *capacity * 2 : 64;
	void *moved;

	if (count < *capacity)
		return 0;
	if (count >= limit)
		return -ENOMEM;
	moved = realloc(*(void **)array, wanted * size);
	if (!moved)
		return -ENOMEM;
	*(void **)array = moved;
	*capacity = wanted;
	return 0;
}

/* A number that fills the whole word. */
static bool whole_number(const char *s, uint64_t *value)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*value = strtoull(s, &end, 10);
	return !*end && !errno;
}

int proc_parse_stat(const char *data, size_t length, char comm[16], uint64_t *start_ticks)
{
	const char *open = memchr(data, '(', length), *close = memrchr(data, ')', length), *s;
	size_t size;
	char rest[1024], *word, *save = NULL;
	int field = 3; /* the first after the name */

	if (!open || !close || close < open)
		return -EBADMSG;
	size = length - (size_t)(close + 1 - data);
	if (size >= sizeof(rest))
		return -EBADMSG;
	memcpy(rest, close + 1, size);
	rest[size] = '\0';
	for (word = strtok_r(rest, " \n", &save); word && field < START_FIELD; field++)
		word = strtok_r(NULL, " \n", &save);
	if (!word || !whole_number(word, start_ticks))
		return -EBADMSG;

	s = open + 1;
	size = (size_t)(close - s) < 15 ? (size_t)(close - s) : 15;
	memset(comm, 0, 16);
	memcpy(comm, s, size);
	return 0;
}

int proc_parse_uid(const char *status, uint32_t *uid)
{
	/* Newlines in a name are escaped there, so no name can pretend to be this line. */
	const char *line = strstr(status, "\nUid:");

	return line && sscanf(line, "\nUid: %u", uid) == 1 ? 0 : -EBADMSG;
}

const char *proc_parse_cgroup(char *data)
{
	char *line = strncmp(data, "0::/", 4) ? strstr(data, "\n0::/") : data, *path, *end;

	if (!line)
		return NULL;
	path = strchr(line, '/');
	end = strchr(path, '\n');
	if (!end)
		return NULL;
	*end = '\0';
	return path;
}

uint64_t proc_parse_socket(const char *link)
{
	uint64_t inode;
	char *end;

	if (strncmp(link, "socket:[", 8) || link[8] < '0' || link[8] > '9')
		return 0;
	errno = 0;
	inode = strtoull(link + 8, &end, 10);
	return errno || strcmp(end, "]") ? 0 : inode;
}

/* A small file of /proc, NUL-terminated. Its length or -errno. */
static ssize_t read_file(int directory, const char *name, char *data, size_t size)
{
	AUTO_CLOSE int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	if (fd < 0)
		return -errno;
	while (length < size - 1) {
		ssize_t n = read(fd, data + length, size - 1 - length);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		length += (size_t)n;
	}
	data[length] = '\0';
	return (ssize_t)length;
}

/*
 * Name, start, user and cgroup; false when the process is gone. `directory` is its own, so that no other
 * can take its pid.
 */
static bool read_process(int directory, struct cgroup_cache *cgroups, struct proc_process *process)
{
	const char *path = NULL;
	char data[8192];
	ssize_t length = read_file(directory, "stat", data, sizeof(data));

	if (length <= 0 ||
	    proc_parse_stat(data, (size_t)length, process->comm, &process->start_ticks))
		return false;
	process->has_uid = read_file(directory, "status", data, sizeof(data)) > 0 &&
			   !proc_parse_uid(data, &process->uid);
	if (cgroups && read_file(directory, "cgroup", data, sizeof(data)) > 0)
		path = proc_parse_cgroup(data);
	if (path)
		process->cgroup_id = cgroup_id_of(cgroups, path);
	return true;
}

static int add_holder(struct proc_sockets *p, uint64_t inode, int32_t fd)
{
	int err = grow(&p->holders, p->holder_count, &p->holder_capacity, sizeof(*p->holders),
		       HOLDERS_MAX);

	if (!err)
		p->holders[p->holder_count++] =
			(struct proc_holder){ inode, (uint32_t)p->process_count, fd };
	return err;
}

/* All sockets in an fd directory, for the process that is about to be added. 0 or -ENOMEM. */
static int read_fds(struct proc_sockets *p, DIR *fds)
{
	const struct dirent *d;
	int err = 0;

	while (!err && (d = readdir(fds))) {
		char link[64];
		uint64_t fd, inode;
		ssize_t length;

		if (!whole_number(d->d_name, &fd) || fd > INT32_MAX)
			continue;
		length = readlinkat(dirfd(fds), d->d_name, link, sizeof(link) - 1);
		if (length < 0)
			continue;
		link[length] = '\0';
		inode = proc_parse_socket(link);
		if (inode)
			err = add_holder(p, inode, (int32_t)fd);
	}
	return err;
}

/* 0 or -ENOMEM; a process that is gone or closed to us leaves nothing behind. */
static int read_one(struct proc_sockets *p, int root, const char *name, uint32_t pid,
		    struct cgroup_cache *cgroups)
{
	AUTO_CLOSE int directory = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_process process = { .pid = pid };
	size_t before = p->holder_count;
	DIR *fds = NULL;
	int fd, err;

	if (directory < 0)
		return 0;
	fd = openat(directory, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fds = fdopendir(fd);
	if (!fds) {
		p->denied += errno == EACCES || errno == EPERM;
		if (fd >= 0)
			close(fd);
		return 0;
	}
	err = read_fds(p, fds);
	closedir(fds);
	if (err || p->holder_count == before)
		return err;
	if (!read_process(directory, cgroups, &process)) {
		p->holder_count = before;
		return 0;
	}
	err = grow(&p->processes, p->process_count, &p->process_capacity, sizeof(*p->processes),
		   HOLDERS_MAX);
	if (!err)
		p->processes[p->process_count++] = process;
	return err;
}

static int by_inode_and_age(const void *left, const void *right, void *context)
{
	const struct proc_holder *a = left, *b = right;
	const struct proc_process *processes = context, *pa = &processes[a->process],
				  *pb = &processes[b->process];

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (pa->start_ticks != pb->start_ticks)
		return pa->start_ticks < pb->start_ticks ? -1 : 1;
	if (pa->pid != pb->pid)
		return pa->pid < pb->pid ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

int proc_sockets_read(struct proc_sockets *p, const char *root, struct cgroup_cache *cgroups)
{
	const struct dirent *d;
	DIR *processes;
	int err = 0;

	*p = (struct proc_sockets){ 0 };
	processes = opendir(root);
	if (!processes)
		return -errno;
	while (!err && (d = readdir(processes))) {
		uint64_t pid;

		if (whole_number(d->d_name, &pid) && pid && pid <= INT32_MAX)
			err = read_one(p, dirfd(processes), d->d_name, (uint32_t)pid, cgroups);
	}
	closedir(processes);
	if (!err && p->holder_count)
		qsort_r(p->holders, p->holder_count, sizeof(*p->holders), by_inode_and_age,
			p->processes);
	return err;
}

void proc_sockets_done(struct proc_sockets *p)
{
	free(p->processes);
	free(p->holders);
	*p = (struct proc_sockets){ 0 };
}

const struct proc_holder *proc_sockets_find(const struct proc_sockets *p, uint64_t inode,
					    size_t *count)
{
	size_t low = 0, high = p->holder_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->holders[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < p->holder_count && p->holders[end].inode == inode;)
		end++;
	*count = end - low;
	return *count ? &p->holders[low] : NULL;
}
