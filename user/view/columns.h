/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ranking's columns: one table for headers, widths, sort keys, help, text, JSON and CSV. Each grouping has its own
 * order of them, the most important first: a narrow screen leaves out the end.
 */
#ifndef NETTRACE_COLUMNS_H
#define NETTRACE_COLUMNS_H

#include "base/text.h"
#include "model/ranking.h"

enum column_kind {
	COLUMN_COUNT,	  /* uint64_t as digits */
	COLUMN_RATE,	  /* double as a plain number a second */
	COLUMN_SIZE,	  /* uint64_t as bytes */
	COLUMN_SIZE_RATE, /* double as bytes a second */
	COLUMN_PERCENT,	  /* double; nothing where it is negative */
	COLUMN_TIME,	  /* `write`, aligned like a number */
	COLUMN_WORD,	  /* `write`, left-aligned */
};

/* What cells need besides the row. Zero is good: no names, no age. */
struct column_context {
	uint64_t mono_ns; /* now */
	/* Name of a user, or NULL; of a port, or NULL. Either may be NULL. */
	const char *(*user_name)(uint32_t uid);
	const char *(*port_name)(uint16_t port, uint8_t proto);
};

struct column {
	const char *key;    /* in --sort; NULL: not sorted by */
	const char *header; /* NULL: only sorted by, and in JSON */
	unsigned int width; /* at least */
	enum column_kind kind;
	size_t offset; /* in struct ranking_row */
	size_t second; /* of what decides where the first is equal; 0: nothing */
	void (*write)(struct text *t, const struct ranking_row *r, const struct column_context *x);
	double (*value)(
		const struct ranking_row *r); /* sorts; NULL: what is at `offset`, or by name */
	const char *json; /* its name in JSON, where it is not a field of the event too */
	const char *help; /* what it is, with the unit */
};

extern const struct column column_table[];
extern const unsigned int column_count;

#define COLUMNS_MAX 40 /* in the table */

/* Indexes of the grouping's columns, in its order. */
const uint8_t *columns_of(enum ranking_by by, unsigned int *count);
/* How many of them name the row. */
unsigned int columns_names(enum ranking_by by);

/* The column with that sort key, or -1; the key of the i-th column, or NULL. */
int column_by_key(const char *key);
/* The column with that heading, in any case, that can be sorted by; or -1. */
int column_by_heading(const char *heading);
const char *column_key(size_t i);
/* What the grouping is sorted by unless something else is asked for: who is busiest, which listener drops. */
int columns_default(enum ranking_by by);
/* Fills in by what the query sorts. */
void column_sorts(int column, struct ranking_query *q);
/* Is it a number of which more is longer? Not a name, an age or a pid. */
bool column_has_bar(int column);
/* What the column is sorted by, for bars; 0 where it has none. */
double column_value(int column, const struct ranking_row *r);

void column_put(struct text *t, const struct column *c, const struct ranking_row *r,
		const struct column_context *x);
/* The number of the column, or of the sort key that has no column, as people read it. */
void column_put_value(struct text *t, int column, const struct ranking_row *r,
		      const struct column_context *x);
/* `curl[42]`. */
void columns_put_owner(struct text *t, const struct ranking_row *r, const struct column_context *x);
/* What names the row, for charts and headings: `curl[42]`, `-> 192.0.2.1:443`. */
void columns_put_name(struct text *t, const struct ranking_row *r, const struct column_context *x);
bool column_is_right(const struct column *c);

/* A line without its end: no trailing blanks. `r` NULL: the header. widths[] by the place in the grouping's order. */
void columns_put_line(struct text *t, enum ranking_by by, const struct ranking_row *r,
		      const size_t widths[COLUMNS_MAX], const struct column_context *x);
/* Widens what this row needs; begin with columns_widths. */
void columns_widths(enum ranking_by by, size_t widths[COLUMNS_MAX]);
void columns_measure(enum ranking_by by, const struct ranking_row *r, size_t widths[COLUMNS_MAX],
		     const struct column_context *x);

/* The row as an event with the fields that it shares with others; borrows from the row. */
void columns_row_event(struct event *e, const struct ranking_row *r, uint64_t time_ns,
		       uint64_t mono_ns);
/* The connection that an event tells of, as far as the event knows it. */
void columns_event_row(struct ranking_row *r, const struct event *e);
/* The `top` object and a newline. */
void columns_put_json(struct text *t, const struct ranking_row *r, uint64_t time_ns,
		      uint64_t mono_ns);

/* The same fields as CSV: --csv's columns of lists, then those of the ranking. Lines with their end. */
void columns_put_csv_header(struct text *t);
void columns_put_csv(struct text *t, const struct ranking_row *r, uint64_t time_ns,
		     uint64_t mono_ns);

/* A number a second for people: 0, 0.2, 3, 12; and bytes a second: 1.2MB. */
void columns_put_rate(struct text *t, double rate);
void columns_put_size_rate(struct text *t, double rate);

#endif
