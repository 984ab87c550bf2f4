/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static size_t ending_of(const char *path)
{
	static const char *const endings[] = { ".jsonl.zst", ".zst" };
	const char *slash = strrchr(path, '/');
	size_t length = strlen(path), name = slash ? strlen(slash + 1) : length;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t ending = strlen(endings[i]);

		if (name > ending && !strcmp(path + length - ending, endings[i]))
			return length - ending;
	}
	return length;
}

char *recording_file_name(const char *path, const char *word)
{
	size_t stem = ending_of(path);
	char *name;

	if (asprintf(&name, "%.*s.%s%s", (int)stem, path, word, path + stem) < 0)
		return NULL;
	return name;
}

static char *numbered(const char *path, unsigned int number)
{
	char word[12];

	snprintf(word, sizeof(word), "%u", number);
	return number ? recording_file_name(path, word) : strdup(path);
}

int recording_file_create(const char *path, bool force, struct recording_file *f)
{
	struct stat there;
	char *copy;
	int fd;

	/* not written through: whoever has the old file open keeps it as it is */
	if (force && !lstat(path, &there)) {
		if (!S_ISREG(there.st_mode))
			return -EINVAL;
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		int error = -errno;

		free(copy);
		return error;
	}
	*f = (struct recording_file){ .path = copy, .fd = fd };
	return 0;
}

void recording_file_done(struct recording_file *f)
{
	if (!f)
		return;
	if (f->path)
		close(f->fd);
	free(f->path);
	*f = (struct recording_file){ .fd = -1 };
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

int recording_file_append(struct recording_file *f, const void *bytes, size_t n)
{
	int error = write_all(f->fd, bytes, n);

	if (!error) {
		f->bytes += n;
		return 0;
	}
	/* Half a frame goes: what comes later must be found behind whole ones. */
	if (ftruncate(f->fd, (off_t)f->bytes) || lseek(f->fd, (off_t)f->bytes, SEEK_SET) < 0)
		return error;
	return error;
}

int recording_file_check(const char *path, unsigned int files, char **name)
{
	struct stat there;

	*name = NULL;
	for (unsigned int i = 0; i < files; i++) {
		char *candidate = numbered(path, i);

		if (!candidate)
			return -ENOMEM;
		if (!lstat(candidate, &there)) {
			*name = candidate;
			return 0;
		}
		free(candidate);
	}
	return 0;
}

/* FILE becomes FILE.1 and so on, from the oldest on, so that nothing is in the way. 0 or -errno. */
static int move_up(const char *path, unsigned int files)
{
	for (unsigned int i = files - 1; i-- > 0;) {
		AUTO_FREE char *from = numbered(path, i), *to = numbered(path, i + 1);

		if (!from || !to)
			return -ENOMEM;
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int recording_file_rotate(struct recording_file *f, unsigned int files)
{
	struct recording_file next;
	int error;

	if (files > 1)
		error = move_up(f->path, files);
	else
		error = unlink(f->path) && errno != ENOENT ? -errno : 0;
	if (!error)
		error = recording_file_create(f->path, false, &next);
	if (error)
		return error;
	recording_file_done(f);
	*f = next;
	return 0;
}
