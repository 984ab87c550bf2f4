/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

#define NETWORKS_MAX 65536
#define THREADS_MAX 8
#define INODE_LEAST 0xF0000000U /* the kernel's own numbers begin here (PROC_DYNAMIC_FIRST) */
#define PID_MOST 4194304	/* PID_MAX_LIMIT */

static const char *const named[] = { "/run/netns", "/run/docker/netns" };

void networks_done(struct networks *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->list[i].path);
	free(n->list);
	*n = (struct networks){ 0 };
}

/* Where it is, or belongs. */
static size_t place_of(const struct networks *n, uint32_t inode)
{
	size_t low = 0, high = n->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

ssize_t networks_find_place(const struct networks *n, uint32_t inode)
{
	size_t i = place_of(n, inode);

	return i < n->count && n->list[i].inode == inode ? (ssize_t)i : -1;
}

bool networks_has(const struct networks *n, uint32_t inode)
{
	return networks_find_place(n, inode) >= 0;
}

/* Takes `path`. 0 or -ENOMEM. */
static int add(struct networks *n, const struct network *network)
{
	size_t at = place_of(n, network->inode);

	if (n->count == n->capacity) {
		size_t capacity = n->capacity ? n->capacity * 2 : 16;
		struct network *list = realloc(n->list, capacity * sizeof(*list));

		if (!list) {
			free(network->path);
			return -ENOMEM;
		}
		n->list = list;
		n->capacity = capacity;
	}
	memmove(&n->list[at + 1], &n->list[at], (n->count - at) * sizeof(*n->list));
	n->list[at] = *network;
	n->count++;
	return 0;
}

static int add_path(struct networks *n, uint32_t inode, const char *path)
{
	struct network network = { .inode = inode, .fd = -1 };

	if (networks_has(n, inode) || n->count >= NETWORKS_MAX)
		return 0;
	network.path = strdup(path);
	return network.path ? add(n, &network) : -ENOMEM;
}

int networks_add_holder(struct networks *n, uint32_t inode, uint32_t pid, int32_t fd)
{
	const struct network network = { .inode = inode, .pid = pid, .fd = fd };

	if (networks_has(n, inode) || n->count >= NETWORKS_MAX)
		return 0;
	return add(n, &network);
}

/* Adds what `suffix` in each entry of the directory stands for. */
static int find_in(struct networks *n, const char *directory, const char *suffix, bool numbers)
{
	DIR *entries = opendir(directory);
	const struct dirent *d;
	uint32_t last = 0;
	int err = 0;

	if (!entries)
		return 0;
	while (!err && (d = readdir(entries))) {
		char path[600];
		struct stat st;

		if (d->d_name[0] == '.' || (numbers && (d->d_name[0] < '0' || d->d_name[0] > '9')))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", directory, d->d_name, suffix);
		/* Most are in the same one as their neighbours. A name without a mount on it is an empty file. */
		if (stat(path, &st) || (uint32_t)st.st_ino == last)
			continue;
		if (!numbers && st.st_ino < INODE_LEAST)
			continue;
		last = (uint32_t)st.st_ino;
		err = add_path(n, last, path);
	}
	closedir(entries);
	return err;
}

int networks_find(struct networks *n)
{
	uint32_t own = network_own();
	int err = own ? add_path(n, own, "/proc/thread-self/ns/net") : 0;

	if (!err)
		err = find_in(n, "/proc", "/ns/net", true);
	for (size_t i = 0; !err && i < sizeof(named) / sizeof(named[0]); i++)
		err = find_in(n, named[i], "", false);
	return err;
}

uint32_t network_own(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : (uint32_t)st.st_ino;
}

int networks_may_enter(void)
{
	AUTO_CLOSE int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return setns(fd, CLONE_NEWNET) ? -errno : 0;
}

/* As long as the process is in it itself. A descriptor or -errno. */
static int open_by_process(const struct network *n)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", n->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && (uint32_t)st.st_ino == n->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

/*
 * By a copy of the process's socket. A descriptor or -errno. Only where there is no other way: if the process closes it
 * right now, its connection ends with our copy, and who traces sees us end it.
 */
static int open_by_holder(const struct network *n)
{
	AUTO_CLOSE int process = -1;
	AUTO_CLOSE int socket = -1;
	int fd = open_by_process(n);

	if (fd >= 0)
		return fd;
	process = (int)syscall(SYS_pidfd_open, n->pid, 0);

	if (process < 0)
		return -errno;
	socket = (int)syscall(SYS_pidfd_getfd, process, n->fd, 0);
	if (socket < 0)
		return -errno;
	fd = ioctl(socket, SIOCGSKNS);
	return fd < 0 ? -errno : fd;
}

int network_enter(const struct network *n)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (network_own() == n->inode)
		return 0;
	fd = n->path ? open(n->path, O_RDONLY | O_CLOEXEC) : open_by_holder(n);
	if (fd < 0) {
		int err = n->path ? -errno : fd;

		return err == -ENOENT || err == -ESRCH || err == -EBADF || err == -ENOTTY ? -ESTALE
											  : err;
	}
	/* The process may have ended, and another may have its pid. */
	if (fstat(fd, &st) || (uint32_t)st.st_ino != n->inode)
		return -ESTALE;
	return setns(fd, CLONE_NEWNET) ? -errno : 0;
}

/* Shared by the threads. Borrowed: all. */
struct visit {
	const struct networks *networks;
	const size_t *indexes;
	size_t count;
	uint32_t own;
	atomic_size_t next;
	void (*work)(void *context, size_t index, int entered);
	void *context;
};

static void *visit_others(void *shared)
{
	struct visit *v = shared;
	size_t i;

	while ((i = atomic_fetch_add(&v->next, 1)) < v->count) {
		const struct network *n = &v->networks->list[v->indexes[i]];

		if (n->inode != v->own)
			v->work(v->context, v->indexes[i], network_enter(n));
	}
	return NULL;
}

static size_t thread_count(const struct visit *v)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors > 1 ? (size_t)processors : 1, others = 0;

	for (size_t i = 0; i < v->count; i++)
		others += v->networks->list[v->indexes[i]].inode != v->own;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	return threads < others ? threads : others;
}

void networks_visit(const struct networks *n, const size_t *indexes, size_t count,
		    void (*work)(void *context, size_t index, int entered), void *context)
{
	struct visit v = { .networks = n,
			   .indexes = indexes,
			   .count = count,
			   .own = network_own(),
			   .work = work,
			   .context = context };
	pthread_t threads[THREADS_MAX];
	size_t wanted = thread_count(&v), started = 0, i;

	while (started < wanted && !pthread_create(&threads[started], NULL, visit_others, &v))
		started++;
	for (i = 0; i < count; i++)
		if (n->list[indexes[i]].inode == v.own)
			work(context, indexes[i], 0);
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (wanted && !started)
		for (i = 0; i < count; i++)
			if (n->list[indexes[i]].inode != v.own)
				work(context, indexes[i], -EAGAIN);
}

/* The inode of a file that stands for a network namespace. 0, -EINVAL for any other file, or -errno. */
static int inode_of(const char *path, uint32_t *inode)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st))
		return -EINVAL;
	*inode = (uint32_t)st.st_ino;
	return 0;
}

/* A whole number of digits only, or false. */
static bool to_number(const char *word, size_t length, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9' || *value > UINT32_MAX)
			return false;
		*value = *value * 10 + (uint64_t)(word[i] - '0');
	}
	return length > 0;
}

int network_from_word(const char *word, uint32_t *inode)
{
	size_t length = strlen(word);
	char path[320];
	uint64_t number;
	int err = -ENOENT;

	if (!strncmp(word, "net:[", 5) && length > 6 && word[length - 1] == ']') {
		if (!to_number(word + 5, length - 6, &number) || !number || number > UINT32_MAX)
			return -EINVAL;
		*inode = (uint32_t)number;
		return 0;
	}
	if (strchr(word, '/'))
		return inode_of(word, inode);
	if (to_number(word, length, &number) && number > PID_MOST) {
		if (number > UINT32_MAX)
			return -EINVAL;
		*inode = (uint32_t)number;
		return 0;
	}
	if (to_number(word, length, &number) && number) {
		snprintf(path, sizeof(path), "/proc/%llu/ns/net", (unsigned long long)number);
		err = inode_of(path, inode);
		if (err != -ENOENT)
			return err;
	}
	if (!length || length > 255 || word[0] == '.')
		return -ENOENT;
	for (size_t i = 0; err == -ENOENT && i < sizeof(named) / sizeof(named[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", named[i], word);
		err = inode_of(path, inode);
	}
	return err;
}
