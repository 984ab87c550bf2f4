/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the frames of a recording go: into files that follow each other, or into memory and from there into dumps. */
#ifndef NETTRACE_RECORDING_SINK_H
#define NETTRACE_RECORDING_SINK_H

#include "view/flight.h"
#include "view/recording.h"
#include "view/recording_file.h"

/* Owned: file, flight, dumps. Borrowed: options. */
struct recording_sink {
	const struct recording_options *options;
	struct recording_file file; /* path NULL: none is open */
	struct flight flight;
	uint64_t
		dump_until_ns; /* mono: what comes until then goes into the dump at hand, too; 0: there is none */
	char **dumps; /* names of those that were written, the oldest first: options->files at most */
	unsigned int dump_count;
};

/* Makes the file, unless it is a flight recorder. 0, or -errno after having reported. */
int recording_sink_open(struct recording_sink *s, const struct recording_options *options);
void recording_sink_done(struct recording_sink *s);
/* A frame with its index. 0, or -errno: nothing of it was taken. */
int recording_sink_write(struct recording_sink *s, const struct frame_info *info, uint64_t mono_ns,
			 const struct text *packed);
/* Would the file, with so many bytes more, be larger than it may be? */
bool recording_sink_full(const struct recording_sink *s, size_t more);
/* The next file. 0 or -errno: go on with the one at hand. */
int recording_sink_rotate(struct recording_sink *s);

/*
 * Writes what is in memory, behind `opening` (packed lines, for a memory that has lost its beginning), into a file named
 * after `time_ns`, and keeps it open for what comes until `until_ns` (mono; 0: nothing). Reports the name, or the error.
 */
void recording_sink_dump(struct recording_sink *s, const struct text *opening, uint64_t time_ns,
			 uint64_t until_ns);
/* Is the time of the dump at hand over? */
bool recording_sink_dump_ends(const struct recording_sink *s, uint64_t mono_ns);
/* Lets go what is too old, and ends a dump whose time is over. */
void recording_sink_tick(struct recording_sink *s, uint64_t mono_ns);

#endif
