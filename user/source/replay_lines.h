/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a file that may be anything: bounded in length, counted, found again after one that is
 * too long.
 */
#ifndef NETTRACE_REPLAY_LINES_H
#define NETTRACE_REPLAY_LINES_H

#include "source/replay_input.h"

#define REPLAY_LINE_MAX (1024 * 1024) /* bytes without the newline */

/* Owned: data. Borrowed: input. */
struct replay_lines {
	struct replay_input *input;
	char *data;
	size_t begin, scanned,
		end;   /* data[begin, end) is not yet handed out; no newline before scanned */
	bool at_end;   /* the input said so */
	bool skipping; /* the rest of a line that was too long comes first */
	unsigned long number; /* of the line handed out last, from 1 */
};

/* 0 or -ENOMEM. */
int replay_lines_init(struct replay_lines *l, struct replay_input *input);
void replay_lines_done(struct replay_lines *l);
/*
 * 1 and the next line without its newline (valid until the next call; *ended: it had a newline), 0
 * at the end, -EMSGSIZE for a line that is too long (counted; the next call goes on after it), or
 * what replay_input_read said: a line that it broke off is not handed out.
 */
int replay_lines_next(struct replay_lines *l, const char **line, size_t *length, bool *ended);

#endif
