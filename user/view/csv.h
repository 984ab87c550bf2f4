/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as CSV (RFC 4180, but lines end in a newline alone): the same columns in every line, named and ordered as the fields
 * of JSON. What is unknown is empty.
 */
#ifndef NETTRACE_CSV_H
#define NETTRACE_CSV_H

#include "base/text.h"
#include "model/event.h"

enum csv_columns {
	CSV_EVENTS, /* of the stream: what only rows of lists have is left out */
	CSV_ROWS,   /* of lists: what sockets have */
};

void csv_write_header(struct text *t, enum csv_columns columns);
/* Holders are written as PID:FD:NAME, separated by blanks. */
void csv_write_event(struct text *t, enum csv_columns columns, const struct event *e);

#endif
