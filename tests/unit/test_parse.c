/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000ULL

static void counts(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(parse_count("0", 0, 10, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(parse_count("18446744073709551615", 0, UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(parse_count("00042", 1, 100, &v), 0);
	assert_int_equal(v, 42);
	assert_int_equal(parse_count("18446744073709551616", 0, UINT64_MAX, &v), -ERANGE);
	assert_int_equal(parse_count("99999999999999999999999999999", 0, UINT64_MAX, &v), -ERANGE);
	assert_int_equal(parse_count("0", 1, 10, &v), -ERANGE);
	assert_int_equal(parse_count("11", 1, 10, &v), -ERANGE);
	assert_int_equal(v, 42);
}

static void counts_are_strict(void **state)
{
	static const char *const bad[] = { "",	  " 1",	 "1 ",	"+1",  "-1", "0x10",
					   "1e3", "1.5", "1,2", "abc", "1\n" };
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_count(bad[i], 0, UINT64_MAX, &v), -EINVAL);
	assert_int_equal(v, 7);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "500ms", S / 2 },
		{ "2", 2 * S },
		{ "30s", 30 * S },
		{ "5m", 300 * S },
		{ "1h", 3600 * S },
		{ "0", 0 },
		{ "5124095h", 5124095ULL * 3600 * S },
	};
	static const char *const bad[] = { "",	 "ms",	"1 s",	"1d",	"1ss",
					   "s1", "-1s", "1.5s", "1m30s" };
	uint64_t ns = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse_duration(good[i].text, &ns), 0);
		assert_true(ns == good[i].ns);
	}
	ns = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_duration(bad[i], &ns), -EINVAL);
	assert_int_equal(parse_duration("5124096h", &ns), -ERANGE);
	assert_int_equal(parse_duration("18446744073709551616ms", &ns), -ERANGE);
	assert_int_equal(ns, 7);
}

static void sizes(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	assert_int_equal(parse_size("4096", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(parse_size("64K", &bytes), 0);
	assert_int_equal(bytes, 65536);
	assert_int_equal(parse_size("8m", &bytes), 0);
	assert_int_equal(bytes, 8 << 20);
	assert_int_equal(parse_size("1G", &bytes), 0);
	assert_int_equal(bytes, 1 << 30);
	assert_int_equal(parse_size("17179869184G", &bytes), -ERANGE);
	assert_int_equal(parse_size("8MB", &bytes), -EINVAL);
	assert_int_equal(parse_size("M", &bytes), -EINVAL);
	assert_int_equal(parse_size("", &bytes), -EINVAL);
	assert_int_equal(bytes, 1 << 30);
}

static void lists(void **state)
{
	const char *list = "a,bc,d";
	char word[3];

	(void)state;
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), 1);
	assert_string_equal(word, "a");
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), 1);
	assert_string_equal(word, "bc");
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), 1);
	assert_string_equal(word, "d");
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), 0);
	list = "";
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), -EINVAL);
	list = ",a";
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), -EINVAL);
	list = "a,";
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), 1);
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), -EINVAL);
	list = "abc";
	assert_int_equal(parse_list_word(&list, word, sizeof(word)), -ERANGE);
}

static const char *fruit(void *context, size_t i)
{
	static const char *const names[] = { "connect", NULL, "accept", "close" };

	(void)context;
	return names[i];
}

static void nearest(void **state)
{
	char long_word[200];

	(void)state;
	assert_int_equal(parse_distance("conect", "connect"), 1);
	assert_int_equal(parse_distance("CONNECT", "connect"), 0);
	assert_int_equal(parse_distance("colse", "close"), 1);
	assert_int_equal(parse_distance("", "close"), 5);
	assert_string_equal(parse_nearest("conect", 4, fruit, NULL), "connect");
	assert_string_equal(parse_nearest("acept", 4, fruit, NULL), "accept");
	assert_string_equal(parse_nearest("colse", 4, fruit, NULL), "close");
	assert_null(parse_nearest("banana", 4, fruit, NULL));
	assert_null(parse_nearest("", 4, fruit, NULL));
	memset(long_word, 'c', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(parse_nearest(long_word, 4, fruit, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),    cmocka_unit_test(counts_are_strict),
		cmocka_unit_test(durations), cmocka_unit_test(sizes),
		cmocka_unit_test(lists),     cmocka_unit_test(nearest),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
