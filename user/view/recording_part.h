/* SPDX-License-Identifier: BSD-2-Clause */
/* What a part of a recording begins with: the head, `start`, and what lives. */
#ifndef NETTRACE_RECORDING_PART_H
#define NETTRACE_RECORDING_PART_H

#include "view/recording.h"

/* A `start` that outlives its event. Owned: all strings. */
struct recording_start {
	struct event event;
	char **hooks;
	bool known;
};

/* 0 or -ENOMEM. */
int recording_start_set(struct recording_start *s, const struct event *start);
void recording_start_done(struct recording_start *s);

/* The head of part `part`, behind whose `start` so many sockets follow. Borrows from all of them and from `run_text`. */
void recording_head(struct event *head, const struct recording_options *o,
		    const struct event *start, char run_text[2 * FRAME_RUN_BYTES + 1],
		    uint64_t part, uint64_t sockets);

#endif
