// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/suspects.h"

static void met_twice_in_a_row_is_confirmed(void **state)
{
	struct suspects s = { 0 };

	(void)state;
	for (uint64_t i = 100; i > 0; i--)
		assert_false(suspects_confirm(&s, i, 5));
	suspects_turn(&s);
	assert_true(suspects_confirm(&s, 1, 5));
	assert_true(suspects_confirm(&s, 100, 5));
	assert_false(suspects_confirm(&s, 50, 6));
	suspects_turn(&s);
	assert_false(suspects_confirm(&s, 1, 5));
	assert_true(suspects_confirm(&s, 50, 6));
	suspects_done(&s);
}

static void number_is_bounded(void **state)
{
	struct suspects s = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 2 * SUSPECTS_MAX; i++)
		assert_false(suspects_confirm(&s, i + 1, 1));
	assert_true(s.now_count <= SUSPECTS_MAX);
	suspects_turn(&s);
	assert_true(suspects_confirm(&s, 1, 1));
	assert_false(suspects_confirm(&s, 2 * SUSPECTS_MAX, 1));
	suspects_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(met_twice_in_a_row_is_confirmed),
		cmocka_unit_test(number_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
