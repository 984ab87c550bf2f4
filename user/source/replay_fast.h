/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that nettrace itself writes, read in a fraction of the time that a whole JSON parser takes. It knows only
 * what such lines have: no blanks, `event` first, plain ASCII, each field once. Whatever else a line has in it, right or
 * wrong, is left to the parser that knows all of JSON, and says what is wrong.
 */
#ifndef NETTRACE_REPLAY_FAST_H
#define NETTRACE_REPLAY_FAST_H

#include "source/replay_decode.h"

/*
 * True and *e, exactly as replay_decode would have it; false: not such a line, *e is anything. What it points to is
 * the decoder's, as there.
 */
bool replay_fast(struct replay_decoder *d, const char *line, size_t length, struct event *e);

#endif
