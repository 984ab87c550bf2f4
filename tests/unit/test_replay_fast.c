/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of our own lines against the one that knows all of JSON. */
#include "source/replay_fast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "view/json.h"

static const char *const lines[] = {
	"{\"event\":\"start\",\"time\":\"2026-11-21T07:43:00.000000000Z\",\"mono_ns\":5,\"schema\":1,\"version\":\"0.1.0\",\"host\":\"web1\",\"mode\":\"ebpf\",\"sockets\":7}",
	"{\"event\":\"connect\",\"time\":\"2026-11-21T07:43:18.123456789Z\",\"mono_ns\":5401137152688,\"id\":\"1005-4e98cdbb864\",\"proto\":\"tcp\",\"family\":4,\"direction\":\"out\",\"pid\":3001,\"tid\":3001,\"comm\":\"curl\",\"uid\":0,\"owner\":\"connect\",\"laddr\":\"127.0.0.1\",\"lport\":40112,\"raddr\":\"255.0.10.99\",\"rport\":80,\"netns\":4026531840,\"cgroup\":\"/user.slice/a\\\\x2db.scope\",\"latency_us\":52}",
	"{\"event\":\"close\",\"time\":\"2026-11-21T07:43:19.000000001Z\",\"mono_ns\":1,\"id\":\"0-0\",\"proto\":\"udp\",\"family\":6,\"v4mapped\":true,\"laddr\":\"2001:db8::1\",\"raddr\":\"::\",\"outcome\":\"clean\",\"tx_bytes\":9223372036854775807,\"srtt_us\":4294967295,\"closed_by\":\"remote\",\"last_state\":\"CLOSE_WAIT\",\"reconciled\":false}",
	"{\"event\":\"socket\",\"time\":\"2026-11-21T07:43:19.000000001Z\",\"mono_ns\":1,\"holders\":[{\"pid\":1,\"fd\":2,\"comm\":\"x\"},{\"pid\":4294967295,\"fd\":-1,\"comm\":\"\"}],\"state\":\"LISTEN\"}",
	"{\"event\":\"socket\",\"time\":\"2026-11-21T07:43:19.000000001Z\",\"mono_ns\":1,\"holders\":[]}",
	"{\"event\":\"lost\",\"count\":3,\"where\":\"ring\"}",
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static uint64_t random_u64(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

struct parsers {
	struct replay_decoder fast, slow;
};

/* True when the fast one took the line; then the other one took it too, as the same. */
static bool compare(struct parsers *p, const char *line, size_t length)
{
	struct text first = { 0 }, second = { 0 };
	struct event a, b;
	char what[160];
	bool not_json;

	if (!replay_fast(&p->fast, line, length, &a))
		return false;
	if (replay_decode_json(&p->slow, line, length, &b, what, sizeof(what), &not_json) != 1)
		fail_msg("%s: %.*s", what, (int)length, line);
	json_write_event(&first, &a);
	json_write_event(&second, &b);
	if (a.type != b.type || memcmp(a.present, b.present, sizeof(a.present)) != 0 ||
	    first.length != second.length || memcmp(first.data, second.data, first.length) != 0)
		fail_msg("%.*s: %.*s%.*s", (int)length, line, (int)first.length, first.data,
			 (int)second.length, second.data);
	text_done(&first);
	text_done(&second);
	return true;
}

static void done(struct parsers *p)
{
	replay_decoder_done(&p->fast);
	replay_decoder_done(&p->slow);
}

static void our_own_lines(void **state)
{
	struct parsers p = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < LINES; i++)
			if (!compare(&p, lines[i], strlen(lines[i])))
				fail_msg("not taken: %s", lines[i]);
	done(&p);
}

/* Right or wrong, these are left to the other parser. */
static void others(void **state)
{
	static const char *const strange[] = {
		"",
		"{}",
		"{ \"event\":\"lost\"}",
		"{\"count\":3,\"event\":\"lost\"}",
		"{\"event\":\"lost\",\"count\":03}",
		"{\"event\":\"lost\",\"count\":3.0}",
		"{\"event\":\"lost\",\"count\":-3}",
		"{\"event\":\"lost\",\"count\":9223372036854775808}",
		"{\"event\":\"lost\",\"count\":99999999999999999999}",
		"{\"event\":\"lost\",\"count\":3,\"count\":3}",
		"{\"event\":\"lost\",\"event\":\"lost\"}",
		"{\"event\":\"lost\",\"other\":3}",
		"{\"event\":\"other\"}",
		"{\"event\":\"top\"}",
		"{\"event\":\"lost\",\"where\":\"\\u0041\"}",
		"{\"event\":\"lost\",\"where\":\"\xc3\xa9\"}",
		"{\"event\":\"lost\",\"where\":\"a",
		"{\"event\":\"lost\"",
		"{\"event\":\"lost\"}}",
		"{\"event\":\"lost\"} ",
		"{\"event\":\"lost\",}",
		"{\"event\":\"lost\",\"comm\":\"sixteen bytes   \"}",
		"{\"event\":\"lost\",\"laddr\":\"1.2.3.4\"}",
		"{\"event\":\"lost\",\"family\":4,\"laddr\":\"1.2.3.04\"}",
		"{\"event\":\"lost\",\"family\":4,\"laddr\":\"1.2.3.256\"}",
		"{\"event\":\"lost\",\"family\":4,\"laddr\":\"1.2.3\"}",
		"{\"event\":\"lost\",\"family\":6,\"laddr\":\"1::2::3\"}",
		"{\"event\":\"lost\",\"family\":5}",
		"{\"event\":\"lost\",\"id\":\"01-2\"}",
		"{\"event\":\"lost\",\"id\":\"1-12345678901234567\"}",
		"{\"event\":\"lost\",\"proto\":\"TCP\"}",
		"{\"event\":\"lost\",\"proto\":\"?\"}",
		"{\"event\":\"lost\",\"time\":\"2026-02-30T07:43:18.123456789Z\"}",
		"{\"event\":\"lost\",\"reconciled\":1}",
	};
	struct parsers p = { 0 };
	struct event e;

	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		if (replay_fast(&p.fast, strange[i], strlen(strange[i]), &e))
			fail_msg("taken: %s", strange[i]);
	done(&p);
}

/* A byte changed, left out, or put twice: what is still taken is right. */
static void mutated(void **state)
{
	static const char bytes[] = "\"\\{}[],:-.0123456789abcdefxyzTZ \n\t/?\xff";
	struct parsers p = { 0 };
	unsigned int taken = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		const char *line = lines[random_u64() % LINES];
		size_t n = strlen(line), at = random_u64() % n;
		char copy[1024];

		memcpy(copy, line, n);
		switch (random_u64() % 4) {
		case 0:
			memmove(copy + at, copy + at + 1, --n - at);
			break;
		case 1:
			memmove(copy + at + 1, copy + at, n++ - at);
			break;
		case 2:
			n = at;
			break;
		default:
			copy[at] = bytes[random_u64() % (sizeof(bytes) - 1)];
			break;
		}
		taken += compare(&p, copy, n);
	}
	assert_true(taken > 1000);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_lines),
		cmocka_unit_test(others),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests_name("replay_fast", tests, NULL, NULL);
}
