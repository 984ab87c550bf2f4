/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/number.h"
#include "base/utf8.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void assert_text(struct text *t, const char *expected)
{
	assert_false(t->failed);
	text_char(t, '\0');
	assert_string_equal(t->data, expected);
	text_done(t);
}

static uint64_t random_u64(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void numbers_are_printf_s(void **state)
{
	uint64_t seed = 88172645463325252ULL, power = 1;
	char expected[32], got[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t value = random_u64(&seed) >> (i % 64);

		if (i < 60) { /* each power of ten and its neighbours */
			value = power + (uint64_t)(i % 3) - 1;
			power *= i % 3 == 2 ? 10 : 1;
		}
		snprintf(expected, sizeof(expected), "%" PRIu64, value);
		*number_u64(got, value) = '\0';
		assert_string_equal(got, expected);
		snprintf(expected, sizeof(expected), "%" PRIx64, value);
		*number_hex(got, value) = '\0';
		assert_string_equal(got, expected);
		snprintf(expected, sizeof(expected), "%09" PRIu64, value % 1000000000);
		*number_9digits(got, (uint32_t)(value % 1000000000)) = '\0';
		assert_string_equal(got, expected);
	}
	*number_u64(got, UINT64_MAX) = '\0';
	assert_string_equal(got, "18446744073709551615");
	*number_u64(got, 0) = '\0';
	assert_string_equal(got, "0");
	*number_hex(got, 0) = '\0';
	assert_string_equal(got, "0");
}

static void addresses_are_inet_ntop_s(void **state)
{
	uint64_t seed = 42;
	char expected[INET6_ADDRSTRLEN], got[64];

	(void)state;
	for (int i = 0; i < 50000; i++) {
		uint8_t address[16];
		uint64_t zero = random_u64(&seed),
			 random[2] = { random_u64(&seed), random_u64(&seed) };

		memcpy(address, random, sizeof(address));
		for (int group = 0; group < 8; group++) /* zero groups are what is difficult */
			if (zero >> group & 1)
				memset(address + 2 * group, 0, 2);
		if (i % 5 == 0)
			memset(address, 0, zero % 17);
		if (i % 10 == 0)
			memset(address + 10, 0xff, 2);
		inet_ntop(AF_INET6, address, expected, sizeof(expected));
		*number_ipv6(got, address) = '\0';
		assert_string_equal(got, expected);
		inet_ntop(AF_INET, address, expected, sizeof(expected));
		*number_ipv4(got, address) = '\0';
		assert_string_equal(got, expected);
	}
}

static void endpoints(void **state)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 }, any[16];
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct text t = { 0 };

	(void)state;
	text_endpoint(&t, 4, v4, 80);
	text_char(&t, ' ');
	text_endpoint(&t, 6, v6, 65535);
	text_char(&t, ' ');
	text_endpoint(&t, 4, any, 0);
	text_char(&t, ' ');
	text_endpoint(&t, 6, any, 0);
	assert_text(&t, "192.0.2.1:80 [2001:db8::1]:65535 0.0.0.0:* [::]:*");
}

static void bytes_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },
		{ 512, "512B" },
		{ 999, "999B" },
		{ 1000, "1KB" },
		{ 4096, "4.1KB" },
		{ 20000000, "20MB" },
		{ 1500000000, "1.5GB" },
		{ 99940, "99.9KB" },
		{ 99960, "100KB" },
		{ 999499, "999KB" },
		{ 999500, "1MB" },
		{ 123456789012345, "123TB" },
		{ UINT64_MAX, "18.4EB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = { 0 };

		text_bytes(&t, cases[i].bytes);
		assert_text(&t, cases[i].text);
	}
}

static void durations_for_people(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{ 0, "0us" },
		{ 850, "850us" },
		{ 999, "999us" },
		{ 1000, "1ms" },
		{ 12345, "12.3ms" },
		{ 999499, "999ms" },
		{ 999500, "1s" },
		{ 4100000, "4.1s" },
		{ 59949999, "59.9s" },
		{ 59960000, "1m00s" },
		{ 60000000, "1m00s" },
		{ 125000000, "2m05s" },
		{ 3599999999, "59m59s" },
		{ 11520000000, "3h12m" },
		{ 187200000000, "2d04h" },
		{ UINT64_MAX, "213503982d08h" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = { 0 };

		text_duration(&t, cases[i].us);
		assert_text(&t, cases[i].text);
	}
}

/* What somebody else wrote, as a terminal and as JSON get it. */
static void hostile_strings(void **state)
{
	static const struct {
		const char *bytes, *text, *json;
	} cases[] = {
		{ "nginx: worker", "nginx: worker", "\"nginx: worker\"" },
		{ "", "", "\"\"" },
		{ "a\"b\\c", "a\"b\\\\c", "\"a\\\"b\\\\c\"" },
		{ "\x1b[2J\r\n\t\a", "\\x1b[2J\\x0d\\x0a\\x09\\x07",
		  "\"\\u001b[2J\\u000d\\u000a\\u0009\\u0007\"" },
		{ "\x7f", "\\x7f", "\"\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\xc2\x9b"
		  "2J",
		  "\\xc2\\x9b2J", "\"\\u009b2J\"" }, /* C1: CSI */
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9",
		  "\"\\u2028\\u2029\"" },
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae", "\"\\u202e\"" }, /* right-to-left override */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\"\\u2066\"" }, /* isolate */
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b", "\"\\u200b\"" }, /* zero-width blank */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf", "\"\\ufeff\"" },
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81",
		  "\"\\udb40\\udc41\"" }, /* a tag, beyond 16 bits */
		{ "\xff", "\\xff", "\"\xef\xbf\xbd\"" },
		{ "\x80", "\\x80", "\"\xef\xbf\xbd\"" }, /* continuation alone */
		{ "\xc0\xaf", "\\xc0\\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* overlong / */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* above U+10FFFF */
		{ "a\xe2\x82", "a\\xe2\\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\"" }, /* cut short */
		{ "\xe2\x82z", "\\xe2\\x82z", "\"\xef\xbf\xbd\xef\xbf\xbdz\"" },
		{ "\xf0\x9f\x98", "\\xf0\\x9f\\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xef\xbf\xbd", "\xef\xbf\xbd", "\"\xef\xbf\xbd\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = { 0 };

		text_escaped(&t, cases[i].bytes, strlen(cases[i].bytes));
		assert_text(&t, cases[i].text);
		text_json_string(&t, cases[i].bytes, strlen(cases[i].bytes));
		assert_text(&t, cases[i].json);
	}
}

static bool is_valid_utf8(const char *s, size_t n)
{
	while (n) {
		uint32_t code;
		size_t length = utf8_decode(s, n, &code);

		if (!length)
			return false;
		s += length;
		n -= length;
	}
	return true;
}

/*
 * A second opinion on what is valid UTF-8: jansson refuses all but that. Each lead byte, and what
 * decides behind it.
 */
static void utf8_is_jansson_s(void **state)
{
	static const unsigned char seconds[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
						 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
	unsigned int valid = 0;

	(void)state;
	for (unsigned int lead = 0; lead < 256; lead++) {
		for (unsigned int i = 0; i < 11 * 11 * 11; i++) {
			char s[4] = { (char)lead, (char)seconds[i % 11], (char)seconds[i / 11 % 11],
				      (char)seconds[i / 121] };

			for (size_t n = 1; n <= sizeof(s); n++) {
				json_t *string = json_stringn(s, n);

				assert_int_equal(is_valid_utf8(s, n), string != NULL);
				valid += string != NULL;
				json_decref(string);
			}
		}
	}
	assert_true(valid > 10000);
}

/* Whatever the bytes are, both writers give valid UTF-8 with nothing hidden in it. */
static void random_bytes_become_harmless(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct text t[2] = { { 0 } };
		char bytes[24];
		size_t n = random_u64(&seed) % (sizeof(bytes) + 1);

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)(random_u64(&seed) % 3 ? 0x80 | random_u64(&seed)
								: random_u64(&seed));
		text_escaped(&t[0], bytes, n);
		text_json_string(&t[1], bytes, n);
		for (int which = 0; which < 2; which++) {
			uint32_t code;
			size_t length;

			for (size_t i = 0; i < t[which].length; i += length) {
				length = utf8_decode(t[which].data + i, t[which].length - i, &code);
				assert_int_not_equal(length, 0);
				assert_false(utf8_hidden(code));
			}
			text_done(&t[which]);
		}
	}
}

static void width_and_padding(void **state)
{
	struct text t = { 0 };

	(void)state;
	assert_int_equal(text_width("abc", 3), 3);
	assert_int_equal(text_width("\xff\xfe", 2), 2);
	text_puts(&t, "x");
	text_puts(&t, "ab");
	text_pad(&t, 1, 4);
	text_puts(&t, "|");
	text_pad(&t, 0, 3); /* is wide enough */
	assert_text(&t, "xab  |");
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	assert_int_equal(text_width("\xe6\x97\xa5\xe6\x9c\xac", 6), 4);
	assert_int_equal(text_width("e\xcc\x81", 3), 1); /* combining accent */
	text_puts(&t, "\xe6\x97\xa5");
	text_pad(&t, 0, 4);
	assert_text(&t, "\xe6\x97\xa5  ");
	setlocale(LC_CTYPE, "C");
}

static void printf_grows(void **state)
{
	struct text t = { 0 };
	char expected[1201];

	(void)state;
	for (int i = 0; i < 3; i++)
		text_printf(&t, "%0400d", 7);
	for (int i = 0; i < 3; i++)
		snprintf(expected + 400 * i, 401, "%0400d", 7);
	assert_text(&t, expected);
}

static void no_memory_is_remembered(void **state)
{
	struct text t = { 0 };

	(void)state;
	text_puts(&t, "kept");
	assert_false(text_reserve(&t, SIZE_MAX - 100));
	assert_true(t.failed);
	assert_int_equal(t.length, 4);
	text_done(&t);
	text_done(&t);
	text_done(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_printf_s),
		cmocka_unit_test(addresses_are_inet_ntop_s),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(bytes_for_people),
		cmocka_unit_test(durations_for_people),
		cmocka_unit_test(hostile_strings),
		cmocka_unit_test(utf8_is_jansson_s),
		cmocka_unit_test(random_bytes_become_harmless),
		cmocka_unit_test(width_and_padding),
		cmocka_unit_test(printf_grows),
		cmocka_unit_test(no_memory_is_remembered),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
