/* SPDX-License-Identifier: BSD-2-Clause */
/* The last minute of a number as a line of small bars. */
#ifndef NETTRACE_SPARKLINE_H
#define NETTRACE_SPARKLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define SPARKLINE_SECONDS 60

/* All zero is empty. One place a second, the largest of what was told for it. */
struct sparkline {
	double values[SPARKLINE_SECONDS];
	uint64_t second; /* of the newest value, plus one; 0: none yet */
};

/* The rate from `since_ns` until mono_ns. */
void sparkline_add(struct sparkline *s, uint64_t since_ns, uint64_t mono_ns, double value);
/* The last minute in `columns` characters, the newest at the right; scaled to the largest. `ascii`: no block characters. */
void sparkline_put(const struct sparkline *s, struct text *t, unsigned int columns, bool ascii);

/* A bar of `share` (0 to 1) of `columns`, blanks behind it. */
void bar_put(struct text *t, double share, unsigned int columns, bool ascii);

#endif
