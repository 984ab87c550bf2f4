/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of an event's fields: one place for name, type and member; writers and readers loop over it. */
#ifndef NETTRACE_EVENT_FIELDS_H
#define NETTRACE_EVENT_FIELDS_H

#include "model/event.h"

enum field_type {
	FIELD_TYPE_NAME,  /* uint8_t, printed through `name` and read through `from_name` */
	FIELD_TYPE_EVENT, /* enum event_type */
	FIELD_TYPE_U8,
	FIELD_TYPE_U16,
	FIELD_TYPE_U32,
	FIELD_TYPE_U64,
	FIELD_TYPE_BOOL,
	FIELD_TYPE_COMM,    /* char[16], raw bytes */
	FIELD_TYPE_STRING,  /* const char *, raw bytes */
	FIELD_TYPE_STRINGS, /* hooks */
	FIELD_TYPE_TIME,    /* uint64_t ns since 1970; RFC 3339 UTC with ns in JSON */
	FIELD_TYPE_ID,	    /* cookie and start_ns: "%x-%x", lower-case hex */
	FIELD_TYPE_ADDRESS, /* 16 bytes, by e->family */
	FIELD_TYPE_HOLDERS, /* array of {"pid":1,"fd":2,"comm":"x"} */
};

struct field {
	const char *name; /* in JSON and CSV */
	enum field_type type;
	size_t offset; /* in struct event */
	const char *(*to_name)(unsigned int);
	int (*from_name)(const char *);
	const char *description; /* one sentence with the unit, for --schema and the manual */
};

extern const struct field event_fields[FIELD_COUNT];

/* The field of this name, or -1. */
int event_field_from_name(const char *name, size_t length);

#endif
