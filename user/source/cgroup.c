/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/cgroup.h"

#include "base/cleanup.h"
#include "model/container.h"
#include "model/event.h"
#include "source/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 65536	      /* beyond them a cgroup stays unnamed */
#define SLOTS (NAMES_MAX * 2) /* a power of two, so at most half of them are taken */
#define WALK_MAX 65536	      /* directories that one walk looks at */
#define WALK_DEPTH_MAX 64
#define WALK_PAUSE_NS 1000000000ULL
#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: the handle is the 64-bit id */

/* One cgroup; with known == false it is one that has no names to be had. The strings follow. */
struct entry {
	uint64_t id;
	struct cgroup_names names;
	bool known;
	char text[];
};

/* Owned: all. */
struct cgroup_cache {
	int mount_fd; /* -1: no cgroup2 */
	char mount[PATH_MAX];
	size_t mount_length;
	bool no_handles;    /* open_by_handle_at is not for us: the tree is walked */
	uint64_t walked_ns; /* mono; 0: never */
	size_t count;
	struct entry *slots[SLOTS];
};

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The file system's type comes after " - ", the mount point is the fifth word (proc(5)). */
int cgroup_parse_mount(const char *line, char *path, size_t size)
{
	const char *type = strstr(line, " - "), *s = line;
	size_t n = 0;

	if (!type || strncmp(type, " - cgroup2 ", strlen(" - cgroup2 ")))
		return 0;
	for (int blanks = 0; blanks < 4; blanks++) {
		s = strchr(s, ' ');
		if (!s || s >= type)
			return 0;
		s++;
	}
	for (; *s && *s != ' '; n++) {
		if (n + 1 >= size)
			return -ENAMETOOLONG;
		if (s[0] == '\\' && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3])) {
			path[n] = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			path[n] = *s++;
		}
	}
	path[n] = '\0';
	return (int)n;
}

/*
 * The first mount that can be opened: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1.
 */
static void find_mount(struct cgroup_cache *c)
{
	AUTO_FCLOSE FILE *mounts = fopen("/proc/self/mountinfo", "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while (mounts && c->mount_fd < 0 && (length = getline(&line, &size, mounts)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (cgroup_parse_mount(line, c->mount, sizeof(c->mount)) <= 0)
			continue;
		c->mount_fd = open(c->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		c->mount_length = strlen(c->mount);
	}
}

struct cgroup_cache *cgroup_cache_new(void)
{
	struct cgroup_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->mount_fd = -1;
	find_mount(c);
	return c;
}

void cgroup_cache_free(struct cgroup_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(c->slots[i]);
	if (c->mount_fd >= 0)
		close(c->mount_fd);
	free(c);
}

void cgroup_to_event(struct cgroup_cache *c, uint64_t cgroup_id, struct event *e)
{
	const struct cgroup_names *cgroup = c && cgroup_id ? cgroup_lookup(c, cgroup_id) : NULL;

	e->cgroup_id = cgroup_id;
	if (cgroup)
		event_set_cgroup(e, cgroup->path, cgroup->unit, cgroup->container);
}

const char *cgroup_mount(const struct cgroup_cache *c)
{
	return c && c->mount_fd >= 0 ? c->mount : NULL;
}

/* The slot of this id, or the free one where it would be. */
static struct entry **find_slot(struct cgroup_cache *c, uint64_t id)
{
	uint64_t hash = id * 0x9e3779b97f4a7c15ULL;
	size_t i = hash >> 32 & (SLOTS - 1);

	while (c->slots[i] && c->slots[i]->id != id)
		i = (i + 1) & (SLOTS - 1);
	return &c->slots[i];
}

/* Keeps the names that `path` gives (NULL: none to be had). NULL when there is no room. */
static struct entry *keep(struct cgroup_cache *c, uint64_t id, const char *path)
{
	char unit[CONTAINER_NAME_MAX] = "", container[CONTAINER_NAME_MAX] = "";
	size_t path_size = 0, unit_size = 0, container_size = 0;
	struct entry *e, **slot = find_slot(c, id);
	char *text;

	if (*slot)
		return *slot;
	if (c->count >= NAMES_MAX)
		return NULL;
	if (path) {
		path_size = strlen(path) + 1;
		unit_size = container_unit(path, unit) ? strlen(unit) + 1 : 0;
		container_size = container_id(path, container) ? strlen(container) + 1 : 0;
	}
	e = calloc(1, sizeof(*e) + path_size + unit_size + container_size);
	if (!e)
		return NULL;
	e->id = id;
	e->known = path != NULL;
	text = e->text;
	if (path_size)
		e->names.path = memcpy(text, path, path_size);
	if (unit_size)
		e->names.unit = memcpy(text + path_size, unit, unit_size);
	if (container_size)
		e->names.container =
			memcpy(text + path_size + unit_size, container, container_size);
	*slot = e;
	c->count++;
	return e;
}

uint64_t cgroup_id_of(struct cgroup_cache *c, const char *path)
{
	struct stat st;

	/* Outside of this process's cgroup namespace it begins with that. */
	if (!c || c->mount_fd < 0 || *path != '/' || !strncmp(path, "/../", strlen("/../")) ||
	    !strcmp(path, "/.."))
		return 0;
	if (fstatat(c->mount_fd, path[1] ? path + 1 : ".", &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	keep(c, st.st_ino, path);
	return st.st_ino;
}

/* Where an open cgroup directory lies below the mount: copied to `path`. 0 or -errno. */
static int path_of(const struct cgroup_cache *c, int fd, char path[PATH_MAX])
{
	static const char deleted[] = " (deleted)";
	char link[64], target[PATH_MAX];
	const char *below;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	if ((size_t)length > strlen(deleted) && !strcmp(target + length - strlen(deleted), deleted))
		target[length - (ssize_t)strlen(deleted)] = '\0';
	/*
	 * Outside the mount (it shows a part of the tree only, as in a container): not to be named.
	 */
	if (strncmp(target, c->mount, c->mount_length))
		return -ENOENT;
	below = target + c->mount_length;
	if (*below && *below != '/')
		return -ENOENT;
	strcpy(path, *below ? below : "/");
	return 0;
}

/*
 * A kernfs file handle is the id itself (kernel 5.5 on, fs/kernfs/mount.c), so the kernel finds the
 * directory without a walk. Needs CAP_DAC_READ_SEARCH.
 */
static int path_by_handle(struct cgroup_cache *c, uint64_t id, char path[PATH_MAX])
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .handle = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	AUTO_CLOSE int fd = -1;

	memcpy(h.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(c->mount_fd, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return path_of(c, fd, path);
}

/* What a walk of the tree carries along. */
struct walk {
	struct cgroup_cache *cache;
	size_t left; /* directories that may still be looked at */
	char path[PATH_MAX];
};

/*
 * Keeps the names of all directories below walk->path (`length` bytes), which `parent_fd` has as
 * `name`.
 */
static void walk_tree(struct walk *w, int parent_fd, const char *name, size_t length,
		      unsigned int depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *d;
	struct stat st;
	DIR *directory;

	if (fd < 0)
		return;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return;
	}
	if (!fstat(fd, &st))
		keep(w->cache, st.st_ino, length ? w->path : "/");
	while (depth < WALK_DEPTH_MAX && w->left && (d = readdir(directory))) {
		size_t size = strlen(d->d_name);

		if (d->d_type != DT_DIR || !strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") ||
		    length + size + 2 > sizeof(w->path))
			continue;
		w->left--;
		w->path[length] = '/';
		memcpy(w->path + length + 1, d->d_name, size + 1);
		walk_tree(w, fd, d->d_name, length + 1 + size, depth + 1);
		w->path[length] = '\0';
	}
	closedir(directory);
}

/*
 * Without handles: one walk names all there are; a new cgroup waits for the next one, at most one a
 * second.
 */
static const struct cgroup_names *lookup_by_walk(struct cgroup_cache *c, uint64_t id)
{
	uint64_t now = clock_mono_ns();
	struct walk *w;
	struct entry *e;

	if (c->walked_ns && now - c->walked_ns < WALK_PAUSE_NS)
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	c->walked_ns = now;
	w->cache = c;
	w->left = WALK_MAX;
	walk_tree(w, c->mount_fd, ".", 0, 0);
	free(w);
	e = keep(c, id, NULL);
	return e && e->known ? &e->names : NULL;
}

const struct cgroup_names *cgroup_lookup(struct cgroup_cache *c, uint64_t cgroup_id)
{
	char path[PATH_MAX];
	struct entry *e;
	int err = -EPERM;

	if (!c || !cgroup_id || c->mount_fd < 0)
		return NULL;
	e = *find_slot(c, cgroup_id);
	if (e)
		return e->known ? &e->names : NULL;
	if (c->count >= NAMES_MAX)
		return NULL;

	if (!c->no_handles) {
		err = path_by_handle(c, cgroup_id, path);
		c->no_handles = err == -EPERM || err == -EOPNOTSUPP || err == -ENOSYS ||
				err == -EINVAL;
	}
	if (c->no_handles)
		return lookup_by_walk(c, cgroup_id);
	e = keep(c, cgroup_id, err ? NULL : path);
	return e && e->known ? &e->names : NULL;
}
