/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads back what --record or --json wrote (one object a line) and yields the same events, those of several files in the
 * order of their time. Good lines around a bad one are kept; each bad line is reported with its number.
 */
#ifndef NETTRACE_REPLAY_H
#define NETTRACE_REPLAY_H

#include <signal.h>

#include "model/event.h"

struct replay;

#define REPLAY_NOTE (-ENODATA) /* needs <errno.h> */

struct replay_error {
	const char *path;   /* borrowed */
	unsigned long line; /* 1-based; 0: the file itself */
	char what[160]; /* plain words: "not JSON: ...", "no field \"event\"", "truncated: ..." */
};

/*
 * `path` "-" is standard input. 0, or -errno with error->path (nothing to read: *out untouched). The paths are borrowed,
 * and so is `stop` (may be NULL): once it is not 0, reading ends with -ECANCELED, also where it waits for a pipe.
 *
 * Files of one run of nettrace are read one after the other, and what two of them have (dumps of a flight recorder)
 * once. Of several hosts each event has `host`, its id is made unlike those of the other hosts, and mono_ns counts from
 * where that of the host that started up first does; `source` numbers them.
 */
int replay_open(const char *const *paths, unsigned int count, const volatile sig_atomic_t *stop,
		struct replay **out, struct replay_error *error);
void replay_close(struct replay *r);
/*
 * The next event: 1 and *e (its pointers are valid until the next call, interned strings for the
 * life of `r`), 0 at the end, -EBADMSG for a bad line or a damaged frame (call again for what comes behind it), -EPROTO
 * for a file that is no recording (empty, or 20 bad lines and not one good), REPLAY_NOTE for what is worth telling
 * but no failure (it ends where nettrace was killed; call again), or another -errno of reading.
 * `error` is filled whenever the result is negative.
 * Unknown fields and unknown event names of a newer nettrace are skipped, not errors, as long as the
 * line is an object with a string "event". A clock that a line lacks is taken from the other one
 * where that is possible; its presence bit then stays clear.
 * A `start` with `snapshot` set says that what was known of that source is forgotten: how things stand then follows,
 * as `socket` events with `snapshot`.
 */
int replay_next(struct replay *r, struct event *e, struct replay_error *error);

/* The namespace of the nettrace that recorded; 0: unknown, or not the same in all files. Known once events were read. */
uint32_t replay_own_netns(const struct replay *r);

/*
 * Before the first event: when that will be (ns since 1970). 0, or what replay_next would return (call again). *first_ns is
 * 0 where there is none.
 */
int replay_first(struct replay *r, uint64_t *first_ns, struct replay_error *error);
/* When the last one was. False where that can't be found out without reading all: a pipe, or compressed by others. */
bool replay_last(const struct replay *r, uint64_t *last_ns);
/* Before the first event: what is not needed to know how things stood at from_ns is passed over, where that is possible. */
int replay_seek(struct replay *r, uint64_t from_ns);

#endif
