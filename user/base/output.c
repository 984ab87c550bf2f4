/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
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

/* What is written goes from the front, before it makes the buffer grow. */
static void forget_written(struct output *o)
{
	if (o->done < o->text.length / 2)
		return;
	if (o->done < o->text.length)
		memmove(o->text.data, o->text.data + o->done, o->text.length - o->done);
	o->text.length -= o->done;
	o->done = 0;
}

static int write_some(struct output *o)
{
	size_t size = output_waiting(o);
	ssize_t written;

	if (o->stop && size > PIPE_CHUNK)
		size = PIPE_CHUNK;
	written = write(o->fd, o->text.data + o->done, size);
	if (written >= 0)
		o->done += (size_t)written;
	else if (errno == EAGAIN)
		return wait_writable(o);
	else if (errno != EINTR)
		return -errno;
	return 0;
}

/*
 * A write that a stalled reader blocks could not be ended by Ctrl-C; so where a stop can be asked
 * for, each write waits until it will not block. Files on disk are always ready.
 */
static int write_all(struct output *o)
{
	int error = 0;

	while (!error && o->done < o->text.length) {
		if (o->stop)
			error = wait_writable(o);
		if (!error)
			error = write_some(o);
	}
	return error;
}

static int check(struct output *o)
{
	if (!o->error && o->text.failed)
		o->error = -ENOMEM;
	return o->error;
}

int output_flush(struct output *o)
{
	if (!check(o))
		o->error = write_all(o);
	o->text.length = 0;
	o->done = 0;
	return o->error;
}

int output_push(struct output *o)
{
	struct pollfd poll_fd = { .fd = o->fd, .events = POLLOUT };

	if (!o->stop || !o->patience || check(o))
		return output_flush(o);
	while (!o->error && output_waiting(o) && poll(&poll_fd, 1, 0) > 0)
		o->error = write_some(o);
	forget_written(o);
	return output_waiting(o) > o->patience ? output_flush(o) : o->error;
}
