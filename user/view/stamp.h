/* SPDX-License-Identifier: BSD-2-Clause */
/* The time of day, or since the first event, as --time asks for it. */
#ifndef NETTRACE_STAMP_H
#define NETTRACE_STAMP_H

#include "base/text.h"
#include "view/view.h"

/* Zero but for `format` before use. */
struct stamp {
	enum time_format format;
	uint64_t first_ns; /* mono: what relative times count from; 0: not begun */
	uint64_t second;   /* since 1970, of `clock` */
	char clock[9];	   /* HH:MM:SS of that second */
};

/* Columns that a stamp with fractions takes; 0 for none. */
unsigned int stamp_width(enum time_format format);
/* The first call sets what relative times count from. */
void stamp_begin(struct stamp *s, uint64_t mono_ns);
/* `fractions`: with milliseconds (microseconds where relative). Nothing for TIME_FORMAT_NONE. */
void stamp_write(struct stamp *s, struct text *t, uint64_t time_ns, uint64_t mono_ns,
		 bool fractions);

#endif
