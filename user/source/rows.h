/* SPDX-License-Identifier: BSD-2-Clause */
/* What an iterator's file tells, read to its end. */
#ifndef NETTRACE_ROWS_H
#define NETTRACE_ROWS_H

#include <stddef.h>

struct bpf_program;

/* What an iterator wrote: records of its own kind. Owned: data. All zero is ready. */
struct rows {
	void *data;
	size_t bytes, capacity;
};

void rows_done(struct rows *rows);

/*
 * Hands out what can be read from this file, whole records at a time, until `take` returns not 0, which is returned. 0 or
 * -errno.
 */
int rows_each(int fd, int (*take)(void *context, const void *data, size_t bytes), void *context);
/* Adds what can be read from this file; it may hand out rows in pieces. 0 or -errno (-E2BIG: more than 1 GB). */
int rows_read_fd(int fd, struct rows *rows);
/* Runs the iterator to its end. `map_fd`: the map it is for, or -1. 0 or -errno. */
int rows_read(const struct bpf_program *program, int map_fd, struct rows *rows);

#endif
