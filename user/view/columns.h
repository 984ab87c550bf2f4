/* SPDX-License-Identifier: BSD-2-Clause */
/* The ranking's columns: one table for header, width, text, JSON name and help. */
#ifndef NETTRACE_COLUMNS_H
#define NETTRACE_COLUMNS_H

#include "base/text.h"
#include "model/ranking.h"

enum column_kind {
	COLUMN_NUMBER,	  /* `count` as digits */
	COLUMN_RATE,	  /* `rate` as a plain number a second */
	COLUMN_SIZE,	  /* `count` as bytes */
	COLUMN_SIZE_RATE, /* `rate` as bytes a second */
	COLUMN_WORD,	  /* `write`, left-aligned */
};

struct column {
	const char *header; /* NULL: in JSON only */
	unsigned int by;    /* bits 1 << enum ranking_by: where text has it */
	unsigned int width; /* at least */
	enum column_kind kind;
	size_t offset; /* in struct ranking_row, of the uint64_t or the double */
	void (*write)(struct text *t, const struct ranking_row *r);
	const char *json; /* its name, where it is not a field of the event too */
	const char *help; /* what it is, with the unit */
};

extern const struct column column_table[];
extern const unsigned int column_count;

#define COLUMNS_MAX 32

/* The widths that `count` rows need. */
void columns_measure(enum ranking_by by, const struct ranking_row *rows, size_t count,
		     size_t widths[COLUMNS_MAX]);
/* A line without its end: no trailing blanks. */
void columns_put_header(struct text *t, enum ranking_by by, const size_t widths[COLUMNS_MAX]);
void columns_put_row(struct text *t, enum ranking_by by, const struct ranking_row *r,
		     const size_t widths[COLUMNS_MAX]);
/* The `top` object and a newline. */
void columns_put_json(struct text *t, enum ranking_by by, const struct ranking_row *r,
		      uint64_t time_ns, uint64_t mono_ns);

/* A number a second for people: 0, 0.2, 3, 12; and bytes a second: 1.2MB. */
void columns_put_rate(struct text *t, double rate);
void columns_put_size_rate(struct text *t, double rate);

#endif
