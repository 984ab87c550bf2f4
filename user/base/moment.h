/* SPDX-License-Identifier: BSD-2-Clause */
/* A point in a recording, as people name it: a time, a time of day, or how far from its beginning or its end. */
#ifndef NETTRACE_MOMENT_H
#define NETTRACE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

enum moment_kind {
	MOMENT_NONE,
	MOMENT_TIME,	    /* ns since 1970 */
	MOMENT_LOCAL_CLOCK, /* ns since midnight, here */
	MOMENT_UTC_CLOCK,   /* ns since midnight in UTC */
	MOMENT_AFTER_BEGIN, /* ns */
	MOMENT_BEFORE_END,  /* ns */
};

struct moment {
	enum moment_kind kind;
	uint64_t ns;
};

/*
 * 2026-11-21T07:43:18.5Z (or +01:00, or neither: local time; a blank will do for the T), 07:43 or 07:43:18.5 (local, with
 * Z in UTC), 5m (after the beginning), -30s (before the end). 0 or -EINVAL, *m untouched.
 */
int moment_parse(const char *s, struct moment *m);
/*
 * In ns since 1970. A time of day is that of the day on which the recording begins, or of the next where it would lie
 * more than half a day before the beginning.
 */
uint64_t moment_resolve(const struct moment *m, uint64_t first_ns, uint64_t last_ns);

#endif
