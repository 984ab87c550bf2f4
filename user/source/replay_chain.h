/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of one run of nettrace, read one after the other as if they were one. */
#ifndef NETTRACE_REPLAY_CHAIN_H
#define NETTRACE_REPLAY_CHAIN_H

#include "source/replay.h"
#include "source/replay_decode.h"
#include "source/replay_lines.h"

#define REPLAY_HOST_MAX 256

struct replay_chain_file {
	const char *path;	    /* borrowed */
	struct replay_input *input; /* owned; NULL once it was read */
	bool has_index;
	struct frame_info first; /* where it has one */
};

/* Owned: all of it. */
struct replay_chain {
	struct replay_chain_file *files;
	unsigned int count, at;
	struct replay_lines lines; /* of files[at]; data NULL: not begun */
	struct replay_decoder decoder;
	unsigned long good, bad; /* lines of this file */
	unsigned long skipped;	 /* lines that seeking passed over */
	bool ended;
	/* Wall clock less monotonic clock, from the last line that had both. */
	bool has_offset;
	uint64_t offset_ns;
	uint64_t last_time_ns, last_mono_ns; /* of the last event */

	/* whose it is: of the last head or `start` */
	char host[REPLAY_HOST_MAX], boot[64];
	uint32_t own_netns;
	/* parts */
	char run[64];
	uint64_t part;
	bool broken;	/* something is missing since the last part began */
	bool head_read; /* its `start` comes next */
	bool goes_on;	/* this part follows the one before: its beginning is no news */
	uint64_t rows;	/* of how things stand: so many are to come */
};

/* Takes over `input`. 0 or -ENOMEM (it is then still the caller's). */
int replay_chain_add(struct replay_chain *c, const char *path, struct replay_input *input);
void replay_chain_done(struct replay_chain *c);
/* Puts the files in the order of their frames. Before the first event. */
void replay_chain_sort(struct replay_chain *c);
/* Of file `i`, as replay_last. */
bool replay_chain_last(const struct replay_chain *c, unsigned int i, uint64_t *last_ns);
/* As replay_seek. */
int replay_chain_seek(struct replay_chain *c, uint64_t from_ns);
/* As replay_next. */
int replay_chain_next(struct replay_chain *c, struct event *e, struct replay_error *error);

#endif
