/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event_pack.h"

#include "model/event_fields.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = event_store_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	event_store_free(*state);
	return 0;
}

static size_t size_of(const struct field *f)
{
	switch (f->type) {
	case FIELD_TYPE_U16:
		return 2;
	case FIELD_TYPE_U32:
		return 4;
	case FIELD_TYPE_U64:
		return 8;
	case FIELD_TYPE_COMM:
	case FIELD_TYPE_ADDRESS:
		return 16;
	case FIELD_TYPE_NAME:
	case FIELD_TYPE_U8:
		return 1;
	default:
		return 0;
	}
}

/* The fields a row is told anew, or never has. */
static bool is_left_out(int f)
{
	return f == FIELD_EVENT || f == FIELD_TIME || f == FIELD_MONO_NS || f == FIELD_HOOKS;
}

static void every_field(void **state)
{
	struct holder holders[2] = { { 1, 3, "one" }, { 2, -1, "two" } };
	char strings[FIELD_COUNT][16];
	struct event e, back;
	const void *packed;

	event_init(&e, EVENT_CLOSE, 11, 12);
	for (int f = 0; f < FIELD_COUNT; f++) {
		const struct field *field = &event_fields[f];
		char *at = (char *)&e + field->offset;
		const char *string = strings[f];

		event_set(&e, (enum event_field)f);
		if (is_left_out(f))
			continue;
		snprintf(strings[f], sizeof(strings[f]), "string %d", f);
		if (field->type == FIELD_TYPE_STRING)
			memcpy(at, &string, sizeof(string));
		else if (field->type == FIELD_TYPE_BOOL)
			*at = 1;
		else
			memset(at, f + 1, size_of(field));
	}
	e.cookie = 0x1122334455667788;
	e.start_ns = 0x99;
	e.holders = holders;
	e.holder_count = 2;
	packed = event_pack(*state, &e);
	assert_non_null(packed);
	/* Nothing of it is borrowed. */
	memset(strings, '!', sizeof(strings));
	memset(holders, '!', sizeof(holders));

	event_unpack(packed, 21, 22, &back);
	assert_int_equal(back.type, EVENT_SOCKET);
	assert_int_equal(back.time_ns, 21);
	assert_int_equal(back.mono_ns, 22);
	assert_true(back.cookie == e.cookie && back.start_ns == e.start_ns);
	assert_false(event_has(&back, FIELD_HOOKS));
	assert_null(back.hooks);
	for (int f = 0; f < FIELD_COUNT; f++) {
		const struct field *field = &event_fields[f];
		const char *at = (const char *)&back + field->offset;
		char expected[16];

		if (is_left_out(f))
			continue;
		assert_true(event_has(&back, (enum event_field)f));
		if (field->type == FIELD_TYPE_STRING) {
			const char *string;

			memcpy(&string, at, sizeof(string));
			snprintf(expected, sizeof(expected), "string %d", f);
			assert_string_equal(string, expected);
		} else if (field->type == FIELD_TYPE_BOOL) {
			assert_true(*(const bool *)at);
		} else if (size_of(field)) {
			assert_memory_equal(at, (const char *)&e + field->offset, size_of(field));
		}
	}
	assert_int_equal(back.holder_count, 2);
	assert_true(back.holders[0].pid == 1 && back.holders[1].fd == -1);
	assert_string_equal(back.holders[1].comm, "two");
}

static void absent_stays_absent(void **state)
{
	struct event e, back;

	event_init(&e, EVENT_SOCKET, 1, 2);
	e.pid = 5;
	e.cgroup = "/x";
	event_set(&e, FIELD_UID);
	event_set(&e, FIELD_PATH); /* a string that is not there */
	event_set(&e, FIELD_HOLDERS);
	event_unpack(event_pack(*state, &e), 3, 4, &back);
	assert_true(event_has(&back, FIELD_EVENT) && event_has(&back, FIELD_TIME) &&
		    event_has(&back, FIELD_MONO_NS) && event_has(&back, FIELD_UID));
	assert_false(event_has(&back, FIELD_PID) || event_has(&back, FIELD_CGROUP));
	assert_int_equal(back.pid, 0);
	assert_null(back.cgroup);
	assert_string_equal(back.path, "");
	assert_true(event_has(&back, FIELD_HOLDERS));
	assert_int_equal(back.holder_count, 0);
	assert_null(back.holders);
}

#define EVENTS 40000 /* several blocks */

static void fill(struct event_store *s, const void **packed)
{
	struct holder holder = { .comm = "h" };
	char path[64];
	struct event e;

	event_init(&e, EVENT_SOCKET, 1, 2);
	event_set(&e, FIELD_PID);
	event_set(&e, FIELD_PATH);
	event_set(&e, FIELD_HOLDERS);
	for (uint32_t i = 0; i < EVENTS; i++) {
		/* Neighbours share a string, whose copy is kept once. */
		snprintf(path, sizeof(path), "/run/%0*u", (int)(i / 3 % 40 + 1), i / 3);
		e.path = path;
		e.pid = i;
		holder.pid = i ^ 0xffff;
		e.holders = &holder;
		e.holder_count = 1;
		packed[i] = event_pack(s, &e);
		assert_non_null(packed[i]);
	}
}

static void check_filled(const void **packed)
{
	const char *last = NULL;
	char path[64];
	struct event e;

	for (uint32_t i = 0; i < EVENTS; i++) {
		event_unpack(packed[i], 1, 2, &e);
		snprintf(path, sizeof(path), "/run/%0*u", (int)(i / 3 % 40 + 1), i / 3);
		assert_string_equal(e.path, path);
		assert_int_equal(e.pid, i);
		assert_int_equal(e.holders->pid, i ^ 0xffff);
		assert_true(i % 3 == 0 || e.path == last);
		last = e.path;
	}
}

static void many_and_again(void **state)
{
	const void **packed = calloc(EVENTS, sizeof(*packed));
	const void **again = calloc(EVENTS, sizeof(*again));

	assert_true(packed && again);
	fill(*state, packed);
	check_filled(packed);
	/* The same memory serves the next ones. */
	event_store_clear(*state);
	fill(*state, again);
	check_filled(again);
	assert_memory_equal(again, packed, EVENTS * sizeof(*packed));
	free(packed);
	free(again);
}

static void larger_than_a_block(void **state)
{
	size_t size = 3u << 20;
	char *path = malloc(size + 1);
	struct event e, back;
	const void *packed[3];

	assert_non_null(path);
	memset(path, 'x', size);
	path[size] = '\0';
	event_init(&e, EVENT_SOCKET, 1, 2);
	event_set(&e, FIELD_PATH);
	for (int i = 0; i < 3; i++) {
		path[0] = (char)('a' + i);
		e.path = i == 1 ? "short" : path;
		packed[i] = event_pack(*state, &e);
		assert_non_null(packed[i]);
	}
	for (int i = 0; i < 3; i++) {
		path[0] = (char)('a' + i);
		event_unpack(packed[i], 1, 2, &back);
		assert_string_equal(back.path, i == 1 ? "short" : path);
	}
	free(path);
}

static void nothing_to_free(void **state)
{
	struct event_store *s = event_store_new();

	(void)state;
	event_store_free(NULL);
	assert_non_null(s);
	event_store_clear(s);
	event_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_field, setup, teardown),
		cmocka_unit_test_setup_teardown(absent_stays_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(many_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(larger_than_a_block, setup, teardown),
		cmocka_unit_test(nothing_to_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
