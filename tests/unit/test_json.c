/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "view/view.h"

#define TIME_NS 1795246998123456789ULL /* 2026-11-21T07:43:18.123456789Z */

static void assert_json(const struct event *e, const char *expected)
{
	struct text t = { 0 };

	json_write_event(&t, e);
	text_char(&t, '\0');
	assert_string_equal(t.data, expected);
	text_done(&t);
}

static void set_all(struct event *e, const enum event_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		event_set(e, fields[i]);
}

#define SET(e, ...)                                           \
	set_all(e, (const enum event_field[]){ __VA_ARGS__ }, \
		sizeof((enum event_field[]){ __VA_ARGS__ }) / sizeof(enum event_field))

static void a_close(void **state)
{
	static const uint8_t laddr[4] = { 192, 0, 2, 10 }, raddr[4] = { 203, 0, 113, 255 };
	struct event e;

	(void)state;
	event_init(&e, EVENT_CLOSE, TIME_NS, 5);
	event_set_addresses(&e, AF_INET, laddr, raddr);
	e.cookie = 0x1f;
	e.start_ns = 0;
	e.proto = IPPROTO_TCP;
	e.direction = DIRECTION_OUT;
	e.pid = 4294967295;
	strcpy(e.comm, "curl");
	e.owner = OWNER_CONNECT;
	e.lport = 65535;
	e.rport = 0;
	e.outcome = OUTCOME_RESET_RECEIVED;
	e.error = 104;
	e.tx_bytes = INT64_MAX;
	e.closed_by = SIDE_REMOTE;
	e.last_state = STATE_CLOSE_WAIT;
	SET(&e, FIELD_ID, FIELD_PROTO, FIELD_DIRECTION, FIELD_PID, FIELD_COMM, FIELD_OWNER,
	    FIELD_LPORT, FIELD_RPORT, FIELD_OUTCOME, FIELD_ERRNO, FIELD_TX_BYTES, FIELD_CLOSED_BY,
	    FIELD_LAST_STATE, FIELD_RECONCILED);
	assert_json(
		&e,
		"{\"event\":\"close\",\"time\":\"2026-11-21T07:43:18.123456789Z\",\"mono_ns\":5,"
		"\"id\":\"1f-0\",\"proto\":\"tcp\",\"family\":4,\"direction\":\"out\","
		"\"pid\":4294967295,\"comm\":\"curl\",\"owner\":\"connect\",\"laddr\":\"192.0.2.10\","
		"\"lport\":65535,\"raddr\":\"203.0.113.255\",\"rport\":0,"
		"\"outcome\":\"reset_received\",\"errno\":104,\"tx_bytes\":9223372036854775807,"
		"\"closed_by\":\"remote\",\"last_state\":\"CLOSE_WAIT\",\"reconciled\":false}\n");
}

static void start_and_socket(void **state)
{
	static const char *const hooks[] = { "tp_btf/inet_sock_set_state", "a\"b" };
	static const struct holder holders[] = { { 7, 3, "nginx" }, { 4294967295, -1, "w\x1b" } };
	struct event e;

	(void)state;
	event_init(&e, EVENT_START, TIME_NS - 123456789, 5);
	e.schema = EVENT_SCHEMA;
	e.mode = MODE_EBPF;
	e.version = "1\xff";
	e.hooks = hooks;
	e.hook_count = 2;
	SET(&e, FIELD_SCHEMA, FIELD_VERSION, FIELD_MODE, FIELD_HOOKS);
	assert_json(
		&e,
		"{\"event\":\"start\",\"time\":\"2026-11-21T07:43:18.000000000Z\",\"mono_ns\":5,"
		"\"schema\":1,\"version\":\"1\xef\xbf\xbd\",\"mode\":\"ebpf\","
		"\"hooks\":[\"tp_btf/inet_sock_set_state\",\"a\\\"b\"]}\n");
	e.hook_count = 0;
	e.present[0] = 1ULL << FIELD_HOOKS; /* `event` is there even so */
	assert_json(&e, "{\"event\":\"start\",\"hooks\":[]}\n");

	event_init(&e, EVENT_SOCKET, 0, 0);
	e.present[0] = e.present[1] = 0;
	e.holders = holders;
	e.holder_count = 2;
	event_set(&e, FIELD_HOLDERS);
	assert_json(&e,
		    "{\"event\":\"socket\",\"holders\":[{\"pid\":7,\"fd\":3,\"comm\":\"nginx\"},"
		    "{\"pid\":4294967295,\"fd\":-1,\"comm\":\"w\\u001b\"}]}\n");
}

/* Absent, never made up: what has no name, no text, or is a counter that wrapped. */
static void what_cannot_be_told_is_left_out(void **state)
{
	struct event e;

	(void)state;
	event_init(&e, EVENT_CLOSE, 0, UINT64_MAX);
	e.outcome = OUTCOME_NONE;
	e.last_state = 77;
	e.proto = 200;
	e.tx_bytes = (uint64_t)-5;
	e.rx_bytes = 5;
	e.holder_count = 3;
	e.hook_count = 3;
	SET(&e, FIELD_OUTCOME, FIELD_LAST_STATE, FIELD_PROTO, FIELD_TX_BYTES, FIELD_RX_BYTES,
	    FIELD_CGROUP, FIELD_REASON, FIELD_HOLDERS, FIELD_HOOKS);
	e.present[1] |= ~0ULL << (FIELD_COUNT - 64); /* bits of no field */
	assert_json(
		&e,
		"{\"event\":\"close\",\"time\":\"1970-01-01T00:00:00.000000000Z\",\"rx_bytes\":5}\n");
}

static void times(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ TIME_NS, "2026-11-21T07:43:18.123456789Z" },
		{ TIME_NS + 1, "2026-11-21T07:43:18.123456790Z" },
		{ TIME_NS + 1000000000, "2026-11-21T07:43:19.123456789Z" },
		{ TIME_NS, "2026-11-21T07:43:18.123456789Z" }, /* and back */
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 951782399999999999, "2000-02-28T23:59:59.999999999Z" },
		{ 951782400000000000, "2000-02-29T00:00:00.000000000Z" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[128];
		struct event e;

		event_init(&e, EVENT_LOST, cases[i].ns, 1);
		snprintf(expected, sizeof(expected),
			 "{\"event\":\"lost\",\"time\":\"%s\",\"mono_ns\":1}\n", cases[i].text);
		assert_json(&e, expected);
	}
}

/*
 * Text that grows in the middle of a line: long strings, many holders, each escape at its longest.
 */
static void any_length(void **state)
{
	static struct holder holders[3000];
	struct text t = { 0 };
	struct event e;
	char *path = malloc(100001);
	json_t *object;

	(void)state;
	assert_non_null(path);
	memset(path, '\x01', 100000);
	path[100000] = '\0';
	memset(holders, 0xff, sizeof(holders));
	event_init(&e, EVENT_SOCKET, 1, 1);
	memset(e.comm, '\x1f', sizeof(e.comm)); /* not terminated */
	e.cgroup = e.unit = path;
	e.holders = holders;
	e.holder_count = 3000;
	e.inode = 9;
	SET(&e, FIELD_COMM, FIELD_CGROUP, FIELD_UNIT, FIELD_HOLDERS, FIELD_INODE);
	json_write_event(&t, &e);
	object = json_loadb(t.data, t.length, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_int_equal(json_string_length(json_object_get(object, "cgroup")), 100000);
	assert_string_equal(json_string_value(json_object_get(object, "unit")), path);
	assert_int_equal(json_string_length(json_object_get(object, "comm")), 15);
	assert_int_equal(json_array_size(json_object_get(object, "holders")), 3000);
	assert_int_equal(json_integer_value(json_object_get(object, "inode")), 9);
	json_decref(object);
	free(path);
	text_done(&t);
}

/* Out of memory: earlier lines stay whole, no half a line follows them. */
static void no_half_lines(void **state)
{
	struct text t = { 0 };
	struct event e;
	size_t length;

	(void)state;
	event_init(&e, EVENT_LOST, 1, 1);
	json_write_event(&t, &e);
	length = t.length;
	assert_false(text_reserve(&t, SIZE_MAX / 2));
	e.where = "ring";
	event_set(&e, FIELD_WHERE);
	json_write_event(&t, &e);
	assert_int_equal(t.length, length);
	text_done(&t);
}

static void view_shows_what_is_wanted(void **state)
{
	static const enum event_type types[] = { EVENT_START, EVENT_CONNECT, EVENT_CLOSE,
						 EVENT_STATE, EVENT_LOST,    EVENT_SUMMARY };
	struct view_options options = { .json = true, .events = 1u << EVENT_CLOSE };
	struct output o;
	struct view *v;

	(void)state;
	output_init(&o, -1);
	v = json_view_new(&o, &options);
	assert_non_null(v);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct event e;

		event_init(&e, types[i], 0, i);
		e.present[0] = 1ULL << FIELD_MONO_NS;
		assert_int_equal(v->ops->event(v, &e, NULL), 0);
	}
	text_char(&o.text, '\0');
	assert_string_equal(
		o.text.data,
		"{\"event\":\"start\",\"mono_ns\":0}\n{\"event\":\"close\",\"mono_ns\":2}\n"
		"{\"event\":\"lost\",\"mono_ns\":4}\n{\"event\":\"summary\",\"mono_ns\":5}\n");
	assert_int_equal(v->next_tick_ns, 0);
	view_free(v);
	output_done(&o);
}

static void view_tells_of_a_full_disk(void **state)
{
	struct view_options options = { .json = true, .events = UINT32_MAX };
	int fd = open("/dev/full", O_WRONLY), result = 0;
	struct output o;
	struct view *v;
	struct event e;

	(void)state;
	if (fd < 0)
		skip();
	output_init(&o, fd);
	v = json_view_new(&o, &options);
	event_init(&e, EVENT_CLOSE, 0, 0);
	for (int i = 0; i < 10000 && !result; i++)
		result = v->ops->event(v, &e, NULL);
	assert_int_equal(result, -ENOSPC);
	view_free(v);
	output_done(&o);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_close),
		cmocka_unit_test(start_and_socket),
		cmocka_unit_test(what_cannot_be_told_is_left_out),
		cmocka_unit_test(times),
		cmocka_unit_test(any_length),
		cmocka_unit_test(no_half_lines),
		cmocka_unit_test(view_shows_what_is_wanted),
		cmocka_unit_test(view_tells_of_a_full_disk),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
