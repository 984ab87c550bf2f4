/* SPDX-License-Identifier: BSD-2-Clause */
/* The last minutes of a recording, as compressed frames in memory: bounded in time and in size, the oldest go first. */
#ifndef NETTRACE_FLIGHT_H
#define NETTRACE_FLIGHT_H

#include "base/frame.h"

struct flight_frame {
	struct flight_frame *next;
	struct frame_info info;
	uint64_t mono_ns; /* of its last record */
	size_t size;
	uint8_t bytes[]; /* with its index, as in a file */
};

/* Owned: the frames. */
struct flight {
	uint64_t keep_ns;
	size_t size_max;
	struct flight_frame *first, *last;
	size_t size;	/* of all frames */
	uint64_t early; /* frames that went before their time, for want of room */
	uint64_t keys;	/* frames that reading may begin with */
};

void flight_init(struct flight *f, uint64_t keep_ns, size_t size_max);
void flight_done(struct flight *f);
/* Keeps a copy. 0, or -ENOMEM: not kept. */
int flight_add(struct flight *f, const struct frame_info *info, uint64_t mono_ns, const void *bytes,
	       size_t size);
/*
 * Lets go what is older than it has to be at mono_ns, and what there is no room for. Frames go together up to the next
 * that reading may begin with; the last such group stays, unless it has no room alone.
 */
void flight_trim(struct flight *f, uint64_t mono_ns);

#endif
