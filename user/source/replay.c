/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/replay_decode.h"
#include "source/replay_lines.h"

#define FOREIGN_LINES 20 /* so many bad lines and not one good: this is something else */

/* Owned: all of it. */
struct replay {
	struct replay_lines lines;
	struct replay_decoder decoder;
	unsigned long good, bad;
	bool ended;
	/* Wall clock less monotonic clock, from the last line that had both. */
	bool has_offset;
	uint64_t offset_ns;
	uint64_t last_time_ns, last_mono_ns; /* of the last event */
};

int replay_open(const char *path, struct replay **out)
{
	struct replay *r;
	struct stat status;
	int fd = STDIN_FILENO, error;

	if (strcmp(path, "-")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	/* opening a directory works, only reading it does not */
	error = fstat(fd, &status) < 0 ? -errno : S_ISDIR(status.st_mode) ? -EISDIR : 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		error = -ENOMEM;
	if (!error)
		error = replay_lines_init(&r->lines, fd);
	if (error) {
		free(r);
		if (fd != STDIN_FILENO)
			close(fd);
		return error;
	}
	*out = r;
	return 0;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	replay_lines_done(&r->lines);
	replay_decoder_done(&r->decoder);
	free(r);
}

static int bad_line(struct replay *r, struct replay_error *error, const char *what)
{
	r->bad++;
	error->line = r->lines.number;
	if (what)
		snprintf(error->what, sizeof(error->what), "%s", what);
	return -EBADMSG;
}

static int foreign_file(struct replay *r, struct replay_error *error)
{
	r->ended = true;
	error->line = 0;
	snprintf(error->what, sizeof(error->what), "this is not a nettrace recording");
	return -EPROTO;
}

/* Nothing that another call could get around. */
static int no_reading(struct replay *r, struct replay_error *error, int cause)
{
	r->ended = true;
	error->line = 0;
	snprintf(error->what, sizeof(error->what), "cannot be read: %s", strerror(-cause));
	return cause;
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

/*
 * Views run by both clocks; a line that somebody has cut one out of gets it from the other (its
 * presence bit stays clear). 0, or -EBADMSG where there is nothing to take it from.
 */
static int complete_clocks(struct replay *r, struct event *e, struct replay_error *error)
{
	bool has_time = event_has(e, FIELD_TIME), has_mono = event_has(e, FIELD_MONO_NS);

	if (has_time && has_mono) {
		r->has_offset = e->time_ns >= e->mono_ns;
		r->offset_ns = e->time_ns - e->mono_ns;
	} else if (has_time) {
		/*
		 * Nothing but differences is read from the monotonic clock: before any line had
		 * both, one is as good as the other.
		 */
		e->mono_ns = !r->has_offset		 ? e->time_ns
			     : e->time_ns > r->offset_ns ? e->time_ns - r->offset_ns
							 : 0;
	} else if (has_mono && r->has_offset && e->mono_ns <= UINT64_MAX - r->offset_ns) {
		e->time_ns = e->mono_ns + r->offset_ns;
	} else if (e->type == EVENT_START || e->type == EVENT_SUMMARY) {
		e->time_ns = r->last_time_ns;
		if (!has_mono)
			e->mono_ns = r->last_mono_ns;
	} else {
		return bad_line(r, error, "no field \"time\"");
	}
	r->last_time_ns = e->time_ns;
	r->last_mono_ns = e->mono_ns;
	return 0;
}

/* 1 an event, 0 a line to skip, or -errno as replay_next. */
static int decode_line(struct replay *r, const char *line, size_t length, bool ended,
		       struct event *e, struct replay_error *error)
{
	bool not_json;
	int result;

	if (is_blank(line, length))
		return 0;
	result = replay_decode(&r->decoder, line, length, e, error->what, sizeof(error->what),
			       &not_json);
	if (result == -EBADMSG)
		return bad_line(r, error,
				not_json && !ended ? "truncated: the last line has no end" : NULL);
	if (result < 0)
		return no_reading(r, error, result);
	if (result == 1) {
		int clocks = complete_clocks(r, e, error);

		if (clocks)
			return clocks;
	}
	r->good++;
	return result;
}

int replay_next(struct replay *r, struct event *e, struct replay_error *error)
{
	while (!r->ended) {
		const char *line;
		size_t length;
		bool ended;
		int result;

		if (!r->good && r->bad >= FOREIGN_LINES)
			return foreign_file(r, error);
		result = replay_lines_next(&r->lines, &line, &length, &ended);
		if (result == -EMSGSIZE)
			return bad_line(r, error, "the line is longer than 1 MiB");
		if (result < 0)
			return no_reading(r, error, result);
		if (result == 0) {
			if (!r->good) /* empty, or nothing but a few bad lines */
				return foreign_file(r, error);
			r->ended = true;
			break;
		}
		result = decode_line(r, line, length, ended, e, error);
		if (result)
			return result;
	}
	return 0;
}
