/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/output.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define STOP_PATIENCE_MS 500 /* once stopping: how long a reader that takes nothing is waited for */
#define STOP_LOOK_MS 100     /* how often a waiting write looks whether it shall stop */
#define PIPE_CHUNK 4096	     /* what a pipe that is ready takes without blocking: a page */

void output_init(struct output *o, int fd)
{
	*o = (struct output){ .fd = fd };
}

void output_done(struct output *o)
{
	if (o)
		text_done(&o->text);
}

/* Until the descriptor takes a page or, once stopping, patience ends. 0 or -errno. */
static int wait_writable(const struct output *o)
{
	struct pollfd poll_fd = { .fd = o->fd, .events = POLLOUT };
	int waited = 0;

	for (;;) {
		int ready = poll(&poll_fd, 1, o->stop ? STOP_LOOK_MS : -1);

		if (ready > 0)
			return 0; /* also on an error: write tells which */
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready == 0 && o->stop && *o->stop) {
			waited += STOP_LOOK_MS;
			if (waited >= STOP_PATIENCE_MS)
				return -ETIMEDOUT;
		}
	}
}

/*
 * A write that a stalled reader blocks could not be ended by Ctrl-C; so where a stop can be asked
 * for, each write waits until it will not block. Files on disk are always ready.
 */
static int write_all(struct output *o)
{
	size_t done = 0;

	while (done < o->text.length) {
		size_t size = o->text.length - done;
		ssize_t written;

		if (o->stop) {
			int error = wait_writable(o);

			if (error)
				return error;
			if (size > PIPE_CHUNK)
				size = PIPE_CHUNK;
		}
		written = write(o->fd, o->text.data + done, size);
		if (written >= 0) {
			done += (size_t)written;
		} else if (errno == EAGAIN) {
			int error = wait_writable(o);

			if (error)
				return error;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int output_flush(struct output *o)
{
	if (!o->error && o->text.failed)
		o->error = -ENOMEM;
	if (!o->error)
		o->error = write_all(o);
	o->text.length = 0;
	return o->error;
}
