/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes what happens into a file, or keeps the last minutes of it in memory (the flight recorder), beside whatever
 * view is shown. The lines are those of --json. Each part of a recording begins with a head (`recording`), `start` and
 * the sockets that live then, so that reading can begin with it: there is one at the beginning of each file, after
 * what could not be written, and every now and then.
 */
#ifndef NETTRACE_RECORDING_H
#define NETTRACE_RECORDING_H

#include "base/frame.h"
#include "model/connection_table.h"
#include "model/filter.h"
#include "model/selection.h"

/* Borrowed: path, trigger. */
struct recording_options {
	const char *path;
	bool force; /* replace what is there */
	uint64_t
		size_max; /* of one file; 0: no end. Of a flight recorder: of what it writes at once */
	unsigned int files;  /* as many are kept; of a flight recorder 0: all */
	uint64_t flight_ns;  /* not 0: a flight recorder that keeps as much */
	uint64_t flight_max; /* bytes that it keeps at most */
	const struct filter
		*trigger;  /* of a flight recorder: what it writes itself for; NULL: nothing */
	uint64_t after_ns; /* what a trigger adds to what was kept */
	/* what only the running machine knows */
	uint8_t run[FRAME_RUN_BYTES];
	char boot[40];
	uint32_t own_netns;
};

struct recording;

/*
 * Makes the file. `table` is where the rows of a part come from, as far as `selection` and `filter` take them; all are
 * borrowed, as is `options`. 0, or -errno after having reported.
 */
int recording_new(const struct recording_options *options, const struct connection_table *table,
		  const struct selection *selection, const struct filter *filter,
		  struct recording **out);
void recording_free(struct recording *r);

/*
 * An event that the table knows already. Nothing is recorded before `start`. What can't be written is said once and
 * counted, and goes on to be tried.
 */
void recording_event(struct recording *r, const struct event *e);
/* To be called every now and then: writes what has waited for a second, and what a trigger asked for. */
void recording_tick(struct recording *r, uint64_t time_ns, uint64_t mono_ns);
/* Writes what is left and says what could not be recorded. */
void recording_finish(struct recording *r);

/* The flight recorder writes what it has, and what comes in the next `after_ns`, into a file of its own; reports its name. */
void recording_dump(struct recording *r, uint64_t time_ns, uint64_t mono_ns, uint64_t after_ns);

/* Events that were not recorded, so far. */
uint64_t recording_missed(const struct recording *r);

#endif
