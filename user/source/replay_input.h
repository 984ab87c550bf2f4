/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a recording: as they stand in a plain file, or out of its zstd frames. A frame is handed out only when
 * it is whole and its checksum is right; behind a damaged one reading goes on with the next. zstd data that nettrace did
 * not frame (another tool compressed it) is handed out as it comes.
 */
#ifndef NETTRACE_REPLAY_INPUT_H
#define NETTRACE_REPLAY_INPUT_H

#include "base/frame.h"

#include <signal.h>
#include <sys/types.h>

/* What replay_input_read returns besides bytes, 0 and -errno. */
#define REPLAY_DAMAGED (-EILSEQ)    /* something was passed over; `what` says what */
#define REPLAY_TRUNCATED (-ENODATA) /* it ends within a frame; the next call returns 0 */
#define REPLAY_GAP \
	(-ESTALE) /* what comes does not follow what came: frames between them are missing */

struct replay_input;

/*
 * `path` "-" is standard input. Once *stop (borrowed; may be NULL) is not 0, reading ends with -ECANCELED. 0 or -errno (*out
 * untouched).
 */
int replay_input_open(const char *path, const volatile sig_atomic_t *stop,
		      struct replay_input **out);
void replay_input_free(struct replay_input *in);

/*
 * Up to `size` bytes: how many, 0 at the end, or one of the above. After REPLAY_DAMAGED and REPLAY_GAP the next call
 * goes on, at the beginning of a line.
 */
ssize_t replay_input_read(struct replay_input *in, void *buffer, size_t size);
/* The last damage in plain words, with the number of the frame in the file. */
const char *replay_input_what(const struct replay_input *in);

/* The index of the next frame; false where there is none (plain, or not framed by nettrace). Reads, hands out nothing. */
bool replay_input_peek(struct replay_input *in, struct frame_info *info);
/* Frames of `run` up to that number were read elsewhere: they are passed over, and the next one follows them. */
void replay_input_follow(struct replay_input *in, const uint8_t run[FRAME_RUN_BYTES],
			 uint64_t number);
/* The number of the last frame that was handed out or passed over; false: there was none. */
bool replay_input_last(const struct replay_input *in, struct frame_info *info);

/* Was a frame passed over because it was read elsewhere? */
bool replay_input_passed(const struct replay_input *in);

/* When its first and its last record were, by the indices, and so only of a file. False where that is not known. */
bool replay_input_span(const struct replay_input *in, uint64_t *first_ns, uint64_t *last_ns);
/* The end of a plain file, at most `size` bytes of it. How many, or 0 where that can't be had. */
size_t replay_input_tail(const struct replay_input *in, void *buffer, size_t size);
/*
 * Before anything was read: moves on to the last frame at which reading may begin so that nothing from `from_ns` on is
 * missed. Where there is no index nothing happens. Lines passed over are added to *lines. 0 or -errno.
 */
int replay_input_seek(struct replay_input *in, uint64_t from_ns, unsigned long *lines);

#endif
