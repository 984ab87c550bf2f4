/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings of a recording, each kept once: paths and names repeat from line to line. */
#ifndef NETTRACE_REPLAY_STRINGS_H
#define NETTRACE_REPLAY_STRINGS_H

#include <stddef.h>
#include <stdint.h>

#define REPLAY_STRINGS_MAX (64 * 1024)		/* different strings */
#define REPLAY_STRINGS_BYTES (64 * 1024 * 1024) /* all together */
#define REPLAY_STRING_MAX (16 * 1024) /* one: a path of 4096 bytes with each byte as U+FFFD fits */

/* Owned: slots and the strings. All zero is empty. */
struct replay_strings {
	struct replay_string *slots; /* open addressing; a power of two, at most half full */
	size_t slot_count, count, bytes;
};

void replay_strings_done(struct replay_strings *s);
/*
 * The one copy of these bytes, with a NUL after them, valid until done. 0 and *out, -E2BIG when the
 * string is too long, -ENOSPC when there are too many different ones, or -ENOMEM.
 */
int replay_strings_intern(struct replay_strings *s, const char *bytes, size_t length,
			  const char **out);

#endif
