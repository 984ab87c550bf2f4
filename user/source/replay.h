/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads back what --json wrote (one object a line) and yields the same events. Good lines around a
 * bad one are kept; each bad line is reported with its number.
 */
#ifndef NETTRACE_REPLAY_H
#define NETTRACE_REPLAY_H

#include "model/event.h"

struct replay;

struct replay_error {
	unsigned long line; /* 1-based; 0: the file itself */
	char what[160]; /* plain words: "not JSON: ...", "no field \"event\"", "truncated: ..." */
};

/* `path` "-" is standard input. 0 or -errno (nothing to read: *out untouched). */
int replay_open(const char *path, struct replay **out);
void replay_close(struct replay *r);
/*
 * The next event: 1 and *e (its pointers are valid until the next call, interned strings for the
 * life of `r`), 0 at the end, -EBADMSG for a bad line (call again for the next), -EPROTO for a file
 * that is no recording (empty, or 20 bad lines and not one good), or another -errno of reading.
 * `error` is filled whenever the result is negative.
 * Unknown fields and unknown event names of a newer nettrace are skipped, not errors, as long as the
 * line is an object with a string "event". A clock that a line lacks is taken from the other one
 * where that is possible; its presence bit then stays clear.
 */
int replay_next(struct replay *r, struct event *e, struct replay_error *error);

#endif
