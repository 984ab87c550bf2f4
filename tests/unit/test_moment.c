/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/moment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define S 1000000000ULL
#define NOON (1795262400ULL * S) /* 2026-11-21T12:00:00Z */

static uint64_t resolve(const char *text, uint64_t first_ns, uint64_t last_ns)
{
	struct moment m;

	if (moment_parse(text, &m))
		fail_msg("'%s' is refused", text);
	return moment_resolve(&m, first_ns, last_ns);
}

static void times(void **state)
{
	(void)state;
	assert_int_equal(resolve("2026-11-21T12:00:00Z", 1, 2), NOON);
	assert_int_equal(resolve("2026-11-21 12:00Z", 1, 2), NOON);
	assert_int_equal(resolve("2026-11-21T12:00:00.25Z", 1, 2), NOON + S / 4);
	assert_int_equal(resolve("2026-11-21T13:30:00+01:30", 1, 2), NOON);
	assert_int_equal(resolve("2026-11-21T07:00:00-0500", 1, 2), NOON);
	/* TZ is set to three hours east of Greenwich */
	assert_int_equal(resolve("2026-11-21T15:00:00", 1, 2), NOON);
}

static void times_of_day(void **state)
{
	(void)state;
	assert_int_equal(resolve("12:00:00Z", NOON - 60 * S, 0), NOON);
	assert_int_equal(resolve("15:00", NOON - 60 * S, 0), NOON);
	assert_int_equal(resolve("11:59:30Z", NOON, 0),
			 NOON - 30 * S); /* a little before it begins */
	/* from the evening on: the morning is that of the next day */
	assert_int_equal(resolve("00:30:00Z", NOON + 11 * 3600 * S, 0),
			 NOON + 12 * 3600 * S + 1800 * S);
	assert_int_equal(resolve("12:00:00.5Z", NOON, 0), NOON + S / 2);
}

static void offsets(void **state)
{
	(void)state;
	assert_int_equal(resolve("5m", NOON, NOON + 3600 * S), NOON + 300 * S);
	assert_int_equal(resolve("-30s", NOON, NOON + 3600 * S), NOON + 3570 * S);
	assert_int_equal(resolve("-500ms", NOON, NOON + S), NOON + S / 2);
	assert_int_equal(resolve("-1h", 5, 10), 0);
}

static void wrong(void **state)
{
	static const char *const words[] = { "",
					     "-",
					     "x",
					     "12",
					     "12:",
					     "12:60",
					     "24:00",
					     "12:00:00 ",
					     "12:00:00.",
					     "1:2",
					     "2026-11-21",
					     "2026-11-21T",
					     "2026-11-21T12",
					     "2026-11-31T12:00Z",
					     "2026-13-01T12:00Z",
					     "2026-11-21T12:00+1",
					     "2026-11-21T12:00Zx",
					     "1969-12-31T23:59:59Z",
					     "--5m",
					     "5 m" };
	struct moment m = { MOMENT_TIME, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (i == 3) /* a bare number is seconds */
			continue;
		if (moment_parse(words[i], &m) != -EINVAL)
			fail_msg("'%s' is taken", words[i]);
	}
	assert_int_equal(m.ns, 7);
	assert_int_equal(resolve("12", NOON, 0), NOON + 12 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(times_of_day),
		cmocka_unit_test(offsets),
		cmocka_unit_test(wrong),
	};

	setenv("TZ", "XYZ-3", 1);
	tzset();
	return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
