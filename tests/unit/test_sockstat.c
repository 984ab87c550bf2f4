/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/sockstat.h"

static const char text[] = "sockets: used 1543\n"
			   "TCP: inuse 11 orphan 2 tw 345 alloc 15 mem 3\n"
			   "UDP: inuse 7 mem 1\n"
			   "UDPLITE: inuse 0\n";

static void test_values(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_true(sockstat_parse(text, "TCP:", "inuse", &value));
	assert_int_equal(value, 11);
	assert_true(sockstat_parse(text, "TCP:", "tw", &value));
	assert_int_equal(value, 345);
	assert_true(sockstat_parse(text, "UDP:", "mem", &value));
	assert_int_equal(value, 1);
	assert_true(sockstat_parse(text, "sockets:", "used", &value));
	assert_int_equal(value, 1543);
}

/* What is not there is not found in another line or as a part of a word. */
static void test_absent(void **state)
{
	uint64_t value = 77;

	(void)state;
	assert_false(sockstat_parse(text, "TCP6:", "inuse", &value));
	assert_false(sockstat_parse(text, "UDP:", "tw", &value));
	assert_false(sockstat_parse(text, "TCP:", "us", &value));
	assert_false(sockstat_parse(text, "TCP:", "11", &value));
	assert_false(sockstat_parse("TCP: inuse\n", "TCP:", "inuse", &value));
	assert_false(sockstat_parse("TCP: inuse x\n", "TCP:", "inuse", &value));
	assert_false(sockstat_parse("TCP:", "TCP:", "inuse", &value));
	assert_false(sockstat_parse("", "TCP:", "inuse", &value));
	assert_int_equal(value, 77);
}

/* This machine's own. */
static void test_read(void **state)
{
	struct sockstat s;

	(void)state;
	assert_int_equal(sockstat_read(&s), 0);
	assert_true(s.tcp_inuse < 1000000000);
	assert_true(s.tcp_tw < 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
