/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a recording into one event: what stands in it is checked member by member against the
 * field table.
 */
#ifndef NETTRACE_REPLAY_DECODE_H
#define NETTRACE_REPLAY_DECODE_H

#include "model/event.h"
#include "source/replay_parse.h"
#include "source/replay_strings.h"

#define REPLAY_HOOKS_MAX 256

/* The string that a field had last, as it stood in the line, quotes included. */
struct replay_last_string {
	const char *string; /* interned; NULL: none */
	uint16_t length;
	char raw[240];
};

/* "name": as it stands in a line. */
struct replay_key {
	uint8_t length;
	char text[23];
};

/* Owned: all of it. All zero is ready. What an event points to lives here. */
struct replay_decoder {
	struct replay_strings strings;
	struct holder *holders; /* of the last event */
	size_t holder_capacity;
	const char *hooks[REPLAY_HOOKS_MAX]; /* of the last event */
	struct replay_second second;
	/* of the fast way (replay_fast.h): what was there last is looked for first */
	struct replay_last_string last_strings[FIELD_COUNT];
	struct replay_key keys[FIELD_COUNT];
	uint8_t follows[EVENT_TYPE_COUNT][FIELD_COUNT]; /* enum event_field; 0: not known yet */
};

void replay_decoder_done(struct replay_decoder *d);
/*
 * 1 and *e; 0 for a record that is none of this version's events (a newer name, a ranking's row);
 * -EBADMSG with what is wrong in `what` (`size` bytes; *not_json: it cannot be parsed at all);
 * -ENOMEM. The event has exactly the fields of the line: clocks that it lacks are 0. What it points
 * to is valid until the next call, its strings until done.
 */
int replay_decode(struct replay_decoder *d, const char *line, size_t length, struct event *e,
		  char *what, size_t size, bool *not_json);
/* The same, by the parser that knows all of JSON; replay_decode has its help only where replay_fast.h has none. */
int replay_decode_json(struct replay_decoder *d, const char *line, size_t length, struct event *e,
		       char *what, size_t size, bool *not_json);

#endif
