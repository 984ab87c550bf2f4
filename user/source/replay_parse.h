/* SPDX-License-Identifier: BSD-2-Clause */
/* The two values of a recording that are more than a number or a name. */
#ifndef NETTRACE_REPLAY_PARSE_H
#define NETTRACE_REPLAY_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last second that was parsed: most lines share it with the one before. All zero is none. */
struct replay_second {
	char date[19]; /* 2026-11-21T07:43:18 */
	uint64_t since_1970;
};

/*
 * "1f-3a2": cookie and start in lower-case hexadecimal without leading zeros. False, and both
 * untouched, for anything else.
 */
bool replay_parse_id(const char *s, uint64_t *cookie, uint64_t *start_ns);
/*
 * "2026-11-21T07:43:18.123456789Z", with 0 to 9 digits of a second, into ns since 1970. False for
 * anything else, for a date that no calendar has, and for one before 1970 or beyond what 64 bits
 * hold (2554).
 */
bool replay_parse_time(struct replay_second *last, const char *s, size_t length, uint64_t *ns);

#endif
