/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void whole_text(void **state)
{
	(void)state;
	assert_true(glob_match("", "", false));
	assert_true(glob_match("*", "", false));
	assert_true(glob_match("***", "", false));
	assert_false(glob_match("?", "", false));
	assert_true(glob_match("abc", "abc", false));
	assert_false(glob_match("abc", "abcd", false));
	assert_false(glob_match("abcd", "abc", false));
	assert_true(glob_match("a*", "a", false));
	assert_true(glob_match("*a", "banana", false));
	assert_true(glob_match("b*n*a", "banana", false));
	assert_false(glob_match("b*n*b", "banana", false));
	assert_true(glob_match("?*?", "ab", false));
	assert_false(glob_match("?*?", "a", false));
	assert_true(glob_match("a/*.c", "a/b/.c", false)); /* a slash or dot is nothing special */
}

static void sets(void **state)
{
	(void)state;
	assert_true(glob_match("[a-c]x", "bx", false));
	assert_false(glob_match("[a-c]x", "dx", false));
	assert_true(glob_match("[!a-c]x", "dx", false));
	assert_true(glob_match("[^a-c]x", "dx", false));
	assert_false(glob_match("[!a-c]x", "ax", false));
	assert_true(glob_match("[]]", "]", false));
	assert_true(glob_match("[!]]", "x", false));
	assert_true(glob_match("[a-]", "-", false));
	assert_true(glob_match("[", "[", false)); /* not closed: itself */
	assert_true(glob_match("[ab", "[ab", false));
	assert_false(glob_match("[ab]", "", false));
	assert_true(glob_match("[\x80-\xff]", "\xc3", false));
}

static void escapes_and_case(void **state)
{
	(void)state;
	assert_true(glob_match("a\\*", "a*", false));
	assert_false(glob_match("a\\*", "ab", false));
	assert_true(glob_match("a\\", "a\\", false)); /* nothing behind it: itself */
	assert_false(glob_match("ABC", "abc", false));
	assert_true(glob_match("ABC", "abc", true));
	assert_true(glob_match("[a-c]*", "BAD", true));
}

/* Each star could try everything: a matcher that goes back to all of them would not end. */
static void hostile_pattern(void **state)
{
	char pattern[401], text[4001];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++)
		pattern[i] = i & 1 ? 'a' : '*';
	pattern[sizeof(pattern) - 1] = '\0';
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(glob_match(pattern, text, false));
	text[sizeof(text) - 2] = 'b';
	assert_false(glob_match(pattern, text, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_text),
		cmocka_unit_test(sets),
		cmocka_unit_test(escapes_and_case),
		cmocka_unit_test(hostile_pattern),
	};

	return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
