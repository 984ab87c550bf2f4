/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames that a recording is made of: lines, compressed by zstd, each frame for itself. Before each stands a
 * skippable frame, which every zstd reader passes over, that says what is in it: so a reader can find a time without
 * decompressing, and the next frame behind a damaged one.
 */
#ifndef NETTRACE_FRAME_H
#define NETTRACE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define FRAME_RUN_BYTES 16
#define FRAME_INDEX_BYTES 88 /* the skippable frame, its header included */
/* Of one frame, lines and compressed. Ours are far smaller; what says it is larger is none of ours. */
#define FRAME_BYTES_MAX (16u * 1024 * 1024)

enum frame_flag {
	FRAME_KEY = 1, /* begins with a header and all that lived then: reading may begin here */
};

struct frame_info {
	uint8_t run[FRAME_RUN_BYTES]; /* the nettrace that wrote it, by chance unlike any other */
	uint64_t number;	      /* of the frame in that run, from 0 */
	uint64_t first_ns, last_ns; /* ns since 1970: the earliest and the latest of its records */
	uint32_t flags;		    /* enum frame_flag */
	uint32_t records;	    /* lines */
	uint32_t plain_bytes, packed_bytes; /* of the lines; of the frame behind the index */
};

/* The index, as it stands in the file. */
void frame_index_write(uint8_t out[FRAME_INDEX_BYTES], const struct frame_info *info);
/* False for anything but an index that frame_index_write may have written; *info is then untouched. */
bool frame_index_read(const uint8_t bytes[FRAME_INDEX_BYTES], struct frame_info *info);
/* Is it an index of this version, right or wrong? */
bool frame_is_index(const uint8_t bytes[FRAME_INDEX_BYTES]);
/* Where the bytes look like the beginning of an index: its offset, or `size`. For finding the way behind damage. */
size_t frame_index_find(const uint8_t *bytes, size_t size);

/* Does it begin like a zstd frame or a skippable one? The first four bytes of a file. */
bool frame_is_zstd(const uint8_t bytes[4]);

/* Compresses. Owned: all of it. */
struct frame_packer;

struct frame_packer *frame_packer_new(void); /* NULL when out of memory */
void frame_packer_free(struct frame_packer *p);
/*
 * Appends the index and the compressed lines to `out` and sets both sizes of *info. 0, or -ENOMEM (`out` is then as it
 * was). At most FRAME_BYTES_MAX / 2 bytes of lines.
 */
int frame_pack(struct frame_packer *p, const struct text *lines, struct frame_info *info,
	       struct text *out);

#endif
