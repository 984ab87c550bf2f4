/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a recording: whatever they are, reading ends without harm; what the fast parser takes, the one that knows all
 * of JSON takes too, and as the same event; and what is written of it is read as the same again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/replay_fast.h"
#include "view/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what, const struct text *a, const struct text *b)
{
	fprintf(stderr, "%s:\n%.*s%.*s", what, (int)a->length, a->data, (int)b->length, b->data);
	abort();
}

static void check_line(const char *line, size_t length)
{
	struct replay_decoder fast = { 0 }, slow = { 0 };
	struct text first = { 0 }, second = { 0 };
	struct event a, b;
	char what[160];
	bool not_json;

	if (replay_fast(&fast, line, length, &a)) {
		json_write_event(&first, &a);
		if (replay_decode_json(&slow, line, length, &b, what, sizeof(what), &not_json) != 1)
			fail(what, &first, &second);
		json_write_event(&second, &b);
		if (a.type != b.type || memcmp(a.present, b.present, sizeof(a.present)) != 0 ||
		    first.length != second.length ||
		    memcmp(first.data, second.data, first.length) != 0)
			fail("two parsers, two events", &first, &second);
	}
	first.length = second.length = 0;
	if (replay_decode(&slow, line, length, &a, what, sizeof(what), &not_json) == 1) {
		json_write_event(&first, &a);
		if (replay_decode(&fast, first.data, first.length - 1, &b, what, sizeof(what),
				  &not_json) != 1)
			fail(what, &first, &second);
		json_write_event(&second, &b);
		if (first.length != second.length ||
		    memcmp(first.data, second.data, first.length) != 0)
			fail("written, read, written", &first, &second);
	}
	text_done(&first);
	text_done(&second);
	replay_decoder_done(&fast);
	replay_decoder_done(&slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of just that size, so that a byte too far is found */
	char *line = malloc(size ? size : 1);

	if (!line)
		return 0;
	memcpy(line, data, size);
	check_line(line, size);
	free(line);
	return 0;
}
