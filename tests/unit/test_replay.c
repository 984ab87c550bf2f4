/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/event_fields.h"
#include "view/json.h"

#define GOOD "{\"event\":\"lost\",\"time\":\"2026-11-21T07:43:18.5Z\",\"mono_ns\":7"

static uint64_t random_u64(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL; /* fixed: each run tests the same events */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static struct replay *open_bytes(const void *bytes, size_t n)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct replay *r = NULL;
	struct replay_error error;
	static char path[64]; /* borrowed by the replay */
	const char *name = path;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(replay_open(&name, 1, NULL, &r, &error), 0);
	close(fd);
	return r;
}

static struct replay *open_text(const char *text)
{
	return open_bytes(text, strlen(text));
}

static void assert_error(struct replay *r, unsigned long line, const char *what)
{
	struct replay_error error = { 0 };
	struct event e;

	assert_int_equal(replay_next(r, &e, &error), -EBADMSG);
	assert_int_equal(error.line, line);
	assert_string_equal(error.what, what);
}

static struct event assert_event(struct replay *r, enum event_type type)
{
	struct replay_error error = { 0 };
	struct event e;
	int result = replay_next(r, &e, &error);

	if (result < 0)
		fail_msg("line %lu: %s", error.line, error.what);
	assert_int_equal(result, 1);
	assert_int_equal(e.type, type);
	return e;
}

static void assert_end(struct replay *r)
{
	struct replay_error error;
	struct event e;

	assert_int_equal(replay_next(r, &e, &error), 0);
	assert_int_equal(replay_next(r, &e, &error), 0); /* and stays there */
	replay_close(r);
}

static void assert_foreign(struct replay *r)
{
	struct replay_error error = { .line = 99 };
	struct event e;

	assert_int_equal(replay_next(r, &e, &error), -EPROTO);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.what, "this is not a nettrace recording");
	assert_end(r);
}

/*
 * Bytes that are a C string: valid UTF-8 for the most part, some of it awkward, some of it broken.
 */
static void random_string(char *out, size_t size)
{
	static const char *const pieces[] = { "a",
					      "Z9",
					      " ",
					      "\"",
					      "\\",
					      "\x1b",
					      "\n",
					      "\x7f",
					      "\xc3\xa9",
					      "\xc2\x85",
					      "\xe2\x82\xac",
					      "\xe2\x80\xa8",
					      "\xf0\x9f\x98\x80",
					      "\xef\xbf\xbd",
					      "\xff",
					      "\x80",
					      "\xe2\x82",
					      "\xed\xa0\x80" };
	size_t n = 0, count = random_u64() % size;
	bool broken = random_u64() % 4 == 0;

	while (n < count) {
		const char *piece = pieces[random_u64() % (broken ? 18 : 14)];
		size_t length = strlen(piece);

		if (n + length >= size)
			break;
		memcpy(out + n, piece, length);
		n += length;
	}
	out[n] = '\0';
}

static uint64_t random_number(uint64_t max)
{
	uint64_t value = random_u64() >> random_u64() % 64;

	return value > max ? max : value;
}

/* What a random event points to. */
struct strings {
	char text[FIELD_COUNT][40];
	const char *hooks[4];
	struct holder holders[4];
};

static void random_value(struct event *e, enum event_field f, struct strings *strings)
{
	const struct field *field = &event_fields[f];
	char *member = (char *)e + field->offset;

	switch (field->type) {
	case FIELD_TYPE_NAME:
		do
			*(uint8_t *)member = (uint8_t)(random_u64() % 20);
		while (*field->to_name(*(uint8_t *)member) == '?');
		break;
	case FIELD_TYPE_U8:
		*(uint8_t *)member = e->family; /* family is the only one */
		break;
	case FIELD_TYPE_U16:
		*(uint16_t *)member = (uint16_t)random_number(UINT16_MAX);
		break;
	case FIELD_TYPE_U32:
		*(uint32_t *)member = (uint32_t)random_number(UINT32_MAX);
		break;
	case FIELD_TYPE_U64:
		*(uint64_t *)member = random_number(INT64_MAX);
		break;
	case FIELD_TYPE_TIME:
		*(uint64_t *)member = random_number(UINT64_MAX);
		break;
	case FIELD_TYPE_BOOL:
		*(bool *)member = random_u64() & 1;
		break;
	case FIELD_TYPE_COMM:
		random_string(member, 16);
		break;
	case FIELD_TYPE_STRING:
		random_string(strings->text[f], sizeof(strings->text[f]));
		*(const char **)member = strings->text[f];
		break;
	case FIELD_TYPE_STRINGS:
		e->hook_count = (uint32_t)(random_u64() % 5);
		for (uint32_t i = 0; i < e->hook_count; i++) {
			random_string(strings->text[i], sizeof(strings->text[i]));
			strings->hooks[i] = strings->text[i];
		}
		e->hooks = strings->hooks;
		break;
	case FIELD_TYPE_HOLDERS:
		e->holder_count = (uint32_t)(random_u64() % 5);
		for (uint32_t i = 0; i < e->holder_count; i++) {
			strings->holders[i].pid = (uint32_t)random_number(UINT32_MAX);
			strings->holders[i].fd = (int32_t)random_u64();
			random_string(strings->holders[i].comm, 16);
		}
		e->holders = strings->holders;
		break;
	case FIELD_TYPE_ADDRESS:
		for (int i = 0; i < (e->family == 4 ? 4 : 16); i++)
			member[i] = (char)(random_u64() % 3 ? 0 : random_u64());
		break;
	case FIELD_TYPE_ID:
		e->cookie = random_number(UINT64_MAX);
		e->start_ns = random_number(UINT64_MAX);
		break;
	case FIELD_TYPE_EVENT:
		break;
	}
}

static void random_event(struct event *e, struct strings *strings)
{
	unsigned int density = (unsigned int)(random_u64() % 5); /* from nearly empty to full */

	do
		event_init(e, (enum event_type)(1 + random_u64() % (EVENT_TYPE_COUNT - 1)), 0, 0);
	while (e->type == EVENT_TOP || e->type == EVENT_RECORDING); /* no events to hand out */
	e->family = random_u64() & 1 ? 4 : 6;
	for (int f = FIELD_TIME; f < FIELD_COUNT; f++) {
		if (f > FIELD_MONO_NS && random_u64() % 4 >= density)
			continue;
		random_value(e, (enum event_field)f, strings);
		event_set(e, (enum event_field)f);
	}
	if (e->type == EVENT_START) /* another host's ids would be changed */
		event_unset(e, FIELD_HOST);
}

/* Each line that can be written is read back as an event that is written as the same line. */
static void round_trip_of(size_t count)
{
	size_t *ends = calloc(count, sizeof(*ends));
	struct text lines = { 0 }, again = { 0 };
	struct replay_error error = { 0 };
	struct replay *r;

	assert_non_null(ends);
	for (size_t i = 0; i < count; i++) {
		struct strings strings;
		struct event e;

		random_event(&e, &strings);
		json_write_event(&lines, &e);
		ends[i] = lines.length;
	}
	r = open_bytes(lines.data, lines.length);
	for (size_t i = 0; i < count; i++) {
		size_t begin = i ? ends[i - 1] : 0;
		struct event e;

		if (replay_next(r, &e, &error) != 1)
			fail_msg("line %lu: %s: %.*s", error.line, error.what,
				 (int)(ends[i] - begin), lines.data + begin);
		again.length = 0;
		json_write_event(&again, &e);
		if (again.length != ends[i] - begin ||
		    memcmp(again.data, lines.data + begin, again.length))
			fail_msg("written %.*sread    %.*s", (int)(ends[i] - begin),
				 lines.data + begin, (int)again.length, again.data);
	}
	assert_end(r);
	free(ends);
	text_done(&lines);
	text_done(&again);
}

/* 20 000 events, in several recordings, for one keeps only so many different strings. */
static void round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		round_trip_of(4000);
}

/* Not only the same text: the same values. */
static void values(void **state)
{
	struct replay *r = open_text(
		"{\"raddr\":\"::1\",\"laddr\":\"2001:db8::2\",\"event\":\"close\",\"mono_ns\":5,"
		"\"time\":\"2026-11-21T07:43:18.123456789Z\",\"id\":\"1f-ffffffffffffffff\","
		"\"family\":6,\"proto\":\"tcp\",\"lport\":65535,\"pid\":4294967295,"
		"\"comm\":\"\\u00e9\\u001b\",\"errno\":104,\"cgroup\":\"/a\",\"new\":{\"x\":[1]},"
		"\"tx_bytes\":9223372036854775807,\"last_state\":\"LAST_ACK\","
		"\"reconciled\":true,\"holders\":[{\"pid\":1,\"fd\":-1,\"comm\":\"x\"}]}\r\n");
	struct event e = assert_event(r, EVENT_CLOSE);

	(void)state;
	assert_true(e.time_ns == 1795246998123456789ULL && e.mono_ns == 5);
	assert_true(e.cookie == 0x1f && e.start_ns == UINT64_MAX);
	assert_int_equal(e.family, 6);
	assert_int_equal(e.laddr[0], 0x20);
	assert_int_equal(e.raddr[15], 1);
	assert_int_equal(e.lport, 65535);
	assert_int_equal(e.pid, UINT32_MAX);
	assert_string_equal(e.comm, "\xc3\xa9\x1b");
	assert_int_equal(e.error, 104);
	assert_true(e.tx_bytes == INT64_MAX);
	assert_int_equal(e.last_state, STATE_LAST_ACK);
	assert_true(e.reconciled);
	assert_string_equal(e.cgroup, "/a");
	assert_int_equal(e.holder_count, 1);
	assert_int_equal(e.holders[0].fd, -1);
	assert_false(event_has(&e, FIELD_RPORT) || event_has(&e, FIELD_UID));
	assert_true(event_has(&e, FIELD_LADDR) && event_has(&e, FIELD_RADDR) &&
		    event_has(&e, FIELD_ID));
	assert_end(r);
}

/* Each bad line is named for what is wrong, and the good one behind it is still there. */
static void bad_lines(void **state)
{
	static const struct {
		const char *line, *what;
	} cases[] = {
		{ "[1]", "not an object" },
		{ "7", "not JSON: '[' or '{' expected near '7'" },
		{ "{\"event\":5}", "field \"event\" is not a string" },
		{ "{\"time\":5}", "no field \"event\"" },
		{ GOOD ",\"lport\":70000}", "field \"lport\": 70000 is out of range" },
		{ GOOD ",\"lport\":-1}", "field \"lport\": -1 is out of range" },
		{ GOOD ",\"lport\":\"80\"}", "field \"lport\" is not a whole number" },
		{ GOOD ",\"lport\":80.0}", "field \"lport\" is not a whole number" },
		{ GOOD ",\"lport\":null}", "field \"lport\" is not a whole number" },
		{ GOOD ",\"pid\":4294967296}", "field \"pid\": 4294967296 is out of range" },
		{ GOOD ",\"tx_bytes\":-9223372036854775808}",
		  "field \"tx_bytes\": -9223372036854775808 is out of range" },
		{ GOOD ",\"tx_bytes\":18446744073709551616}",
		  "not JSON: too big integer near '18446744073709551616'" },
		{ GOOD ",\"family\":5}", "field \"family\": 5 is out of range" },
		{ GOOD ",\"family\":300}", "field \"family\": 300 is out of range" },
		{ GOOD ",\"v4mapped\":1}", "field \"v4mapped\" is not true or false" },
		{ GOOD ",\"comm\":\"sixteen bytes!!!\"}",
		  "field \"comm\" is longer than 15 bytes" },
		{ GOOD ",\"comm\":[]}", "field \"comm\" is not a string" },
		{ GOOD ",\"comm\":\"a\\u0000b\"}",
		  "not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'" },
		{ GOOD ",\"outcome\":\"good\"}", "field \"outcome\": no such name: \"good\"" },
		{ GOOD ",\"outcome\":1}", "field \"outcome\" is not a string" },
		{ GOOD ",\"cgroup\":1}", "field \"cgroup\" is not a string" },
		{ GOOD ",\"id\":\"12\"}", "field \"id\": \"12\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"12-\"}",
		  "field \"id\": \"12-\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"-12\"}",
		  "field \"id\": \"-12\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"0x1-2\"}",
		  "field \"id\": \"0x1-2\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"A-2\"}",
		  "field \"id\": \"A-2\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"01-2\"}",
		  "field \"id\": \"01-2\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"1-2-3\"}",
		  "field \"id\": \"1-2-3\" is not of the form cookie-start" },
		{ GOOD ",\"id\":\"1-11111111111111111\"}",
		  "field \"id\": \"1-11111111111111111\" is not of the form cookie-start" },
		{ GOOD ",\"laddr\":\"1.2.3\"}",
		  "field \"laddr\": \"1.2.3\" is not an IPv4 address" },
		{ GOOD ",\"laddr\":\"1.2.3.4\",\"family\":6}",
		  "field \"laddr\": \"1.2.3.4\" is not an IPv6 address" },
		{ GOOD ",\"laddr\":\"1.2.3.4\",\"raddr\":\"::1\"}",
		  "field \"raddr\": \"::1\" is not an IPv4 address" },
		{ GOOD ",\"raddr\":4}", "field \"raddr\" is not a string" },
		{ GOOD ",\"hooks\":\"x\"}", "field \"hooks\" is not an array of strings" },
		{ GOOD ",\"hooks\":[1]}", "field \"hooks\" is not a string" },
		{ GOOD ",\"holders\":{}}", "field \"holders\" is not an array" },
		{ GOOD ",\"holders\":[1]}",
		  "field \"holders\" is not an array of {\"pid\",\"fd\",\"comm\"}" },
		{ GOOD ",\"holders\":[{\"pid\":1,\"fd\":2147483648,\"comm\":\"\"}]}",
		  "field \"holders\": 2147483648 is out of range" },
		{ GOOD ",\"mono_ns\":8}", "not JSON: duplicate object key near '\"mono_ns\"'" },
		{ GOOD "", "not JSON: '}' expected near end of file" },
		{ GOOD "} {}", "not JSON: end of file expected near '{'" },
		{ "{\"event\":\"\xff\"}", "not JSON: unable to decode byte 0xff near '\"'" },
		{ "{\"event\":\"close\",\"mono_ns\":5,\"lport\":1}", "no field \"time\"" },
		{ "{\"event\":\"close\"}", "no field \"time\"" },
		{ "{\"event\":\"lost\",\"time\":7}", "field \"time\" is not a string" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct replay *r;

		snprintf(text, sizeof(text), "%s\n" GOOD "}\n", cases[i].line);
		r = open_text(text);
		assert_error(r, 1, cases[i].what);
		assert_event(r, EVENT_LOST);
		assert_end(r);
	}
}

static void bad_times(void **state)
{
	static const char *const bad[] = { "",
					   "2026-11-21",
					   "2026-11-21T07:43:18",
					   "2026-11-21T07:43:18.Z",
					   "2026-11-21T07:43:18.1234567890Z",
					   "2026-11-21T07:43:18+00:00",
					   "2026-11-21 07:43:18Z",
					   "2026-02-29T07:43:18Z",
					   "2026-13-01T07:43:18Z",
					   "2026-11-21T24:00:00Z",
					   "2026-11-21T07:43:60Z",
					   "1969-12-31T23:59:59Z",
					   "2554-07-21T23:34:33.709551616Z",
					   "9999-12-31T23:59:59Z",
					   "2026-11-21T07:43:18ZZ",
					   "+026-11-21T07:43:18Z" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256], what[256];
		struct replay *r;

		snprintf(text, sizeof(text),
			 "{\"event\":\"lost\",\"mono_ns\":1,\"time\":\"%s\"}\n" GOOD "}\n", bad[i]);
		snprintf(what, sizeof(what), "field \"time\": \"%s\" is not RFC 3339 in UTC",
			 bad[i]);
		r = open_text(text);
		assert_error(r, 1, what);
		assert_event(r, EVENT_LOST);
		assert_end(r);
	}
}

static void newer_versions_are_skipped_over(void **state)
{
	struct replay *r =
		open_text("{\"event\":\"from_the_future\",\"lport\":\"eighty\"}\n\n  \r\n"
			  "{\"event\":\"top\",\"pid\":1}\n" GOOD ",\"flux\":null}\n");

	(void)state;
	assert_event(r, EVENT_LOST);
	assert_end(r);
	assert_end(open_text(
		"{\"event\":\"from_the_future\"}\n")); /* nothing to show, nothing wrong */
}

static void last_line_without_end(void **state)
{
	struct replay *r = open_text(GOOD "}\n" GOOD "}");

	(void)state;
	assert_event(r, EVENT_LOST);
	assert_event(r, EVENT_LOST);
	assert_end(r);
	r = open_text(GOOD "}\n" GOOD ",\"lpo");
	assert_event(r, EVENT_LOST);
	assert_error(r, 2, "truncated: the last line has no end");
	assert_end(r);
	r = open_text(GOOD "}\n" GOOD ",\"lport\":70000}");
	assert_event(r, EVENT_LOST);
	assert_error(r, 2, "field \"lport\": 70000 is out of range");
	assert_end(r);
}

static void clocks(void **state)
{
	struct replay *r = open_text(
		"{\"event\":\"start\"}\n"
		"{\"event\":\"lost\",\"time\":\"1970-01-01T00:00:50Z\"}\n"
		"{\"event\":\"lost\",\"mono_ns\":5}\n"
		"{\"event\":\"lost\",\"time\":\"1970-01-01T00:01:40Z\",\"mono_ns\":1000000000}\n"
		"{\"event\":\"lost\",\"time\":\"1970-01-01T00:01:41Z\"}\n"
		"{\"event\":\"lost\",\"time\":\"1970-01-01T00:00:01Z\"}\n"
		"{\"event\":\"lost\",\"mono_ns\":3000000000}\n"
		"{\"event\":\"summary\"}\n"
		"{\"event\":\"lost\"}\n");
	struct event e;

	(void)state;
	e = assert_event(r, EVENT_START);
	assert_true(e.time_ns == 0 && e.mono_ns == 0);
	e = assert_event(r, EVENT_LOST); /* time alone, from the first line on: it serves as both */
	assert_true(e.mono_ns == 50000000000);
	assert_error(r, 3, "no field \"time\"");
	e = assert_event(r, EVENT_LOST);
	assert_true(event_has(&e, FIELD_TIME) && event_has(&e, FIELD_MONO_NS));
	e = assert_event(r, EVENT_LOST);
	assert_true(e.mono_ns == 2000000000 && !event_has(&e, FIELD_MONO_NS));
	e = assert_event(r, EVENT_LOST); /* before the clock began */
	assert_true(e.mono_ns == 0);
	e = assert_event(r, EVENT_LOST);
	assert_true(e.time_ns == 102000000000 && !event_has(&e, FIELD_TIME));
	e = assert_event(r, EVENT_SUMMARY);
	assert_true(e.time_ns == 102000000000 && e.mono_ns == 3000000000);
	assert_error(r, 9, "no field \"time\"");
	assert_end(r);
}

static void foreign_files(void **state)
{
	unsigned char bytes[20000];
	struct replay *r;

	(void)state;
	assert_foreign(open_text(""));
	assert_foreign(open_text("\n\n\n"));
	r = open_bytes("\x7f"
		       "ELF\x02\x01\x01\0\0\0\0",
		       12);
	assert_error(r, 1, "truncated: the last line has no end");
	assert_foreign(r);
	r = open_bytes("\0\n", 2);
	assert_error(r, 1, "not JSON: a NUL byte in the line");
	assert_foreign(r);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 10 ? (unsigned char)(random_u64() | 0x80) : '\n'; /* 2 000 lines */
	r = open_bytes(bytes, sizeof(bytes));
	for (int i = 0; i < 20; i++) {
		struct replay_error error;
		struct event e;

		assert_int_equal(replay_next(r, &e, &error), -EBADMSG);
	}
	assert_foreign(r);
}

/* One good line is enough to go on: all the bad ones are told. */
static void corrupt_recording_goes_on(void **state)
{
	struct text t = { 0 };
	struct replay *r;

	(void)state;
	text_puts(&t, GOOD "}\n");
	for (int i = 0; i < 100; i++)
		text_puts(&t, "garbage\n");
	text_puts(&t, GOOD "}\n");
	r = open_bytes(t.data, t.length);
	assert_event(r, EVENT_LOST);
	for (unsigned long i = 0; i < 100; i++)
		assert_error(r, i + 2, "not JSON: '[' or '{' expected near 'garbage'");
	assert_event(r, EVENT_LOST);
	assert_end(r);
	text_done(&t);
}

static void put_repeated(struct text *t, char c, size_t n)
{
	assert_true(text_reserve(t, n));
	memset(t->data + t->length, c, n);
	t->length += n;
}

static void long_lines(void **state)
{
	const size_t max = 1024 * 1024;
	struct text t = { 0 };
	struct replay *r;

	(void)state;
	text_puts(&t, GOOD ",\"x\":\"");
	put_repeated(&t, 'x', max - t.length - 2);
	text_puts(&t, "\"}\n"); /* exactly as long as is allowed */
	put_repeated(&t, '[', max + 1);
	text_puts(&t, "\n" GOOD "}\n");
	put_repeated(&t, 'y', 5 * max);
	text_puts(&t, "\n");
	put_repeated(&t, '[', max / 2); /* deeply nested */
	text_puts(&t, "\n" GOOD "}\n");
	put_repeated(&t, 'z', 3 * max); /* and no end */
	r = open_bytes(t.data, t.length);
	assert_event(r, EVENT_LOST);
	assert_error(r, 2, "the line is longer than 1 MiB");
	assert_event(r, EVENT_LOST);
	assert_error(r, 4, "the line is longer than 1 MiB");
	assert_error(r, 5, "not JSON: maximum parsing depth reached near '['");
	assert_event(r, EVENT_LOST);
	assert_error(r, 7, "the line is longer than 1 MiB");
	assert_end(r);
	text_done(&t);
}

static void strings_are_kept_once_and_bounded(void **state)
{
	struct text t = { 0 };
	const char *first = NULL, *again = NULL;
	struct replay_error error;
	struct replay *r;
	struct event e;
	int good = 0;

	(void)state;
	for (int i = 0; i < 66000; i++)
		text_printf(&t, GOOD ",\"cgroup\":\"/user.slice/%d\"}\n", i % 65999);
	text_puts(&t, GOOD ",\"cgroup\":\"");
	put_repeated(&t, 'x', 16385);
	text_puts(&t, "\"}\n");
	r = open_bytes(t.data, t.length);
	for (int i = 0; i < 66000; i++) {
		int result = replay_next(r, &e, &error);

		if (result == 1) {
			good++;
			first = i == 0 ? e.cgroup : first;
			again = e.cgroup;
		} else {
			assert_int_equal(result, -EBADMSG);
			assert_string_equal(
				error.what,
				"field \"cgroup\": too many different strings in this recording");
		}
	}
	assert_int_equal(good, 65536 + 1); /* the last repeats the first */
	assert_ptr_equal(first, again);
	assert_string_equal(first, "/user.slice/0");
	assert_error(r, 66001, "field \"cgroup\" is longer than 16384 bytes");
	assert_end(r);
	text_done(&t);
}

static void what_cannot_be_opened(void **state)
{
	struct replay *r = (struct replay *)state;

	static const char *const missing[] = { "/dev/null", "/nonexistent/recording" },
				 *directory = "/";
	struct replay_error error;

	assert_int_equal(replay_open(missing, 2, NULL, &r, &error), -ENOENT);
	assert_string_equal(error.path, "/nonexistent/recording");
	assert_int_equal(replay_open(&directory, 1, NULL, &r, &error), -EISDIR);
	assert_ptr_equal(r, state);
	replay_close(NULL);
}

static volatile sig_atomic_t stop;

static void set_stop(int number)
{
	stop = number;
}

static void assert_stops(const char *path)
{
	struct replay *r = NULL;
	struct replay_error error;
	struct event e;

	stop = 0;
	assert_int_equal(replay_open(&path, 1, &stop, &r, &error), 0);
	alarm(1);
	for (int n = -EBADMSG; n != -ECANCELED;) {
		n = replay_next(r, &e, &error);
		assert_true(n == -EBADMSG || n == -ECANCELED || n == 1);
	}
	assert_int_equal(stop, SIGALRM);
	replay_close(r);
}

/* A pipe that brings no more, and a line without an end. */
static void stops(void **state)
{
	struct sigaction action = { .sa_handler = set_stop };
	struct sigaction before;
	char path[64];
	int ends[2];

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], GOOD "}\n", strlen(GOOD "}\n")), strlen(GOOD "}\n"));
	assert_stops(path);
	close(ends[0]);
	close(ends[1]);
	assert_stops("/dev/zero");
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

/* Every prefix of a recording, and every one with a byte changed, ends without harm. */
static void mutilated(void **state)
{
	static const char line[] = GOOD
		",\"id\":\"1-2\",\"comm\":\"\\u00e9x\",\"laddr\":\"::1\",\"hooks\":[\"a\"],"
		"\"holders\":[{\"pid\":1,\"fd\":2,\"comm\":\"y\"}],\"reconciled\":true}\n";
	char bytes[sizeof(line)];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		size_t n = sizeof(line) - 1;
		struct replay_error error;
		struct replay *r;
		struct event e;
		int result, calls = 0;

		memcpy(bytes, line, n);
		if (i < (int)n)
			n = (size_t)i;
		else
			for (int changes = 0; changes < 1 + i % 3; changes++)
				bytes[random_u64() % n] = (char)random_u64();
		r = open_bytes(bytes, n);
		while ((result = replay_next(r, &e, &error))) {
			assert_true(result == 1 || result == -EBADMSG || result == -EPROTO);
			assert_true(++calls < 10);
		}
		replay_close(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(values),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(bad_times),
		cmocka_unit_test(newer_versions_are_skipped_over),
		cmocka_unit_test(last_line_without_end),
		cmocka_unit_test(clocks),
		cmocka_unit_test(foreign_files),
		cmocka_unit_test(corrupt_recording_goes_on),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(strings_are_kept_once_and_bounded),
		cmocka_unit_test(what_cannot_be_opened),
		cmocka_unit_test(stops),
		cmocka_unit_test(mutilated),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
