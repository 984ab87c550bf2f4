/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY (REPLAY_LINE_MAX + 1) /* the longest line with its newline */

int replay_lines_init(struct replay_lines *l, struct replay_input *input)
{
	char *data = malloc(CAPACITY); /* pages are touched only as far as reads reach */

	if (!data)
		return -ENOMEM;
	*l = (struct replay_lines){ .input = input, .data = data };
	return 0;
}

void replay_lines_done(struct replay_lines *l)
{
	if (!l)
		return;
	free(l->data);
	l->data = NULL;
}

/* Makes room at the end and reads once. 0, or what the input said. */
static int read_more(struct replay_lines *l)
{
	ssize_t got;

	if (l->begin) {
		memmove(l->data, l->data + l->begin, l->end - l->begin);
		l->scanned -= l->begin;
		l->end -= l->begin;
		l->begin = 0;
	}
	got = replay_input_read(l->input, l->data + l->end, CAPACITY - l->end);
	if (got < 0) {
		l->begin = l->scanned = l->end;
		l->skipping = false;
		return (int)got;
	}
	if (got == 0)
		l->at_end = true;
	l->end += (size_t)got;
	return 0;
}

/*
 * The next newline that is in the buffer, or NULL; what was looked at once is not looked at again.
 */
static char *find_newline(struct replay_lines *l)
{
	char *newline = memchr(l->data + l->scanned, '\n', l->end - l->scanned);

	l->scanned = newline ? (size_t)(newline - l->data) + 1 : l->end;
	return newline;
}

int replay_lines_next(struct replay_lines *l, const char **line, size_t *length, bool *ended)
{
	for (;;) {
		char *newline = find_newline(l);
		size_t begin = l->begin;
		int error;

		if (newline) {
			l->begin = l->scanned;
			if (l->skipping) {
				l->skipping = false;
				continue;
			}
		} else if (l->skipping) {
			l->begin = l->end;
		}
		if (newline || (l->at_end && l->end > l->begin)) {
			if (!newline)
				l->begin = l->end;
			*line = l->data + begin;
			*length = newline ? (size_t)(newline - l->data) - begin : l->end - begin;
			*ended = newline != NULL;
			l->number++;
			return 1;
		}
		if (l->at_end)
			return 0;
		if (l->end - l->begin == CAPACITY) {
			l->begin = l->end;
			l->skipping = true;
			l->number++;
			return -EMSGSIZE;
		}
		error = read_more(l);
		if (error)
			return error;
	}
}
