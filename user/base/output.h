/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffered standard output that remembers why it failed: views write into `text`, the loop flushes.
 */
#ifndef NETTRACE_OUTPUT_H
#define NETTRACE_OUTPUT_H

#include <signal.h>

#include "base/text.h"

/* Borrowed: fd, stop. Owned: text. */
struct output {
	int fd;
	struct text text;
	size_t done;	 /* of the text: written already */
	size_t patience; /* bytes that may wait for a slow reader before output_push waits for it */
	int error; /* 0 or the -errno of the write that failed first; later output is dropped */
	/*
	 * NULL, or set by a signal handler: once it is not 0, a reader that takes nothing for half
	 * a second is given up (-ETIMEDOUT), so that Ctrl-C also ends a program whose pipe is full.
	 */
	const volatile sig_atomic_t *stop;
};

void output_init(struct output *o, int fd);
void output_done(struct output *o); /* does not flush */
/*
 * Writes all that is buffered, however often it takes. 0 or -errno (-EPIPE: the reader went away).
 */
int output_flush(struct output *o);
/* Writes what the reader takes now; all of it when more than `patience` bytes would be left. As output_flush. */
int output_push(struct output *o);

static inline size_t output_waiting(const struct output *o)
{
	return o->text.length - o->done;
}

/* Pushes only when a good block has gathered; call after each line. */
static inline int output_line(struct output *o)
{
	return output_waiting(o) >= 64 * 1024 ? output_push(o) : o->error;
}

#endif
