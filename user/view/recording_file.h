/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a recording: made so that nothing is overwritten or followed by mistake, whole frames only, and kept to a
 * number of them. Numbers and times go before the ending: x.jsonl.zst, x.1.jsonl.zst, x.20261121T074318Z.jsonl.zst.
 */
#ifndef NETTRACE_RECORDING_FILE_H
#define NETTRACE_RECORDING_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owned: path, fd. */
struct recording_file {
	char *path;
	int fd;
	uint64_t bytes;
};

/* `path` with `word` before its ending (.jsonl.zst or .zst; behind the name where it has neither). NULL: out of memory. */
char *recording_file_name(const char *path, const char *word);

/*
 * Makes a new file, mode 0600. What is there already is not touched (-EEXIST) unless `force`, and then only a regular
 * file is replaced (-EINVAL otherwise). 0 or -errno, *f untouched.
 */
int recording_file_create(const char *path, bool force, struct recording_file *f);
void recording_file_done(struct recording_file *f);

/* All of it, or nothing: on an error the file is cut back to what it was. 0 or -errno. */
int recording_file_append(struct recording_file *f, const void *bytes, size_t n);

/* Would keeping `files` of them overwrite one? The name of the first that is there in *name (to be freed), or NULL. */
int recording_file_check(const char *path, unsigned int files, char **name);

/*
 * Closes the file and begins a new one under its name; the old ones move up by one number, and beyond `files` in all
 * the oldest goes. 0 or -errno (the old file is then still the one at hand, where that was possible).
 */
int recording_file_rotate(struct recording_file *f, unsigned int files);

#endif
