/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what to do, to which connections, and how to show it. */
#ifndef NETTRACE_OPTIONS_H
#define NETTRACE_OPTIONS_H

#include "base/moment.h"
#include "model/filter.h"
#include "model/pid_set.h"
#include "model/selection.h"
#include "view/recording.h"
#include "view/view.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifndef NETTRACE_VERSION
#define NETTRACE_VERSION "0.1.0"
#endif

enum run_mode {
	RUN_STREAM,
	RUN_TOP,
	RUN_LIST,
	RUN_EXPLAIN,
	RUN_SCHEMA,
	RUN_CHECK,
	RUN_HELP,
	RUN_VERSION
};

#define REPLAY_FILES_MAX 1024

struct options {
	enum run_mode mode;
	struct selection selection; /* its comms are borrowed from argv or from comm_storage */
	struct filter *filter;	    /* owned; NULL: all */
	struct pid_set
		*followed; /* owned; --follow: of -p at first; also in `selection`; else NULL */
	/*
	 * All but columns, lines and user_name, which the caller fills in. `color` is decided
	 * (--color, NO_COLOR, TERM, whether standard output is a terminal); `events` always has
	 * start, lost and summary, so that no gap is hidden; `interval_ns` is 1 s for --top and 0
	 * (once) for lists unless given; `batch` is also set by --json.
	 */
	struct view_options view;
	/* Borrowed from argv; NULL: the live kernel; "-": standard input. */
	const char *replay_path;
	const char *replay_paths[REPLAY_FILES_MAX]; /* all of them; the first is replay_path */
	unsigned int replay_count;
	struct moment from, to;
	double speed; /* of the recording's clock to the real one; 0: as fast as it goes */
	bool speed_given, speed_on_screen; /* on_screen: 1, if there is a terminal */
	struct filter *trigger;		   /* owned, as filter */
	struct recording_options
		record;	      /* path NULL: none; the caller fills in what only the machine knows */
	uint64_t for_ns;      /* --for; 0: until stopped */
	uint64_t event_count; /* -c; 0: no end */
	uint64_t buffer_bytes; /* a power of two, ready for the ring */
	uint64_t max_connections;
	unsigned int rung;    /* --rung; 0: the best that this kernel has */
	const char *btf_path; /* --btf, borrowed from argv; NULL: the running kernel's own */
	bool states;	      /* every state transition is wanted */
	bool strict, verbose;
	char comm_storage[SELECTION_MAX][16]; /* names cut to the 15 bytes that the kernel keeps */
};

/*
 * Fills *o from the words. Returns 0, or EXIT_USAGE after having reported one line that says what
 * is wrong and what would be right. Does not exit and prints nothing else: help and version are
 * modes. `argv` may be reordered; *o borrows from its strings.
 */
int options_parse(int argc, char **argv, struct options *o);
void options_done(struct options *o);

/* The text of --help. 0 or -errno of writing. */
int options_help(FILE *out);

#endif
