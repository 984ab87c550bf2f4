// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/netstat.h"

static void finds_the_numbers_by_name(void **state)
{
	char text[] = "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPReqQFullDrop\n"
		      "TcpExt: 1 22 333 4444\nIpExt: InNoRoutes\nIpExt: 7\n";
	struct netstat n;

	(void)state;
	assert_int_equal(netstat_parse(text, &n), 0);
	assert_int_equal(n.listen_overflows, 22);
	assert_int_equal(n.listen_drops, 333);
	assert_int_equal(n.syn_queue_drops, 4444);
}

static void an_older_kernel_lacks_some(void **state)
{
	char text[] = "TcpExt: ListenDrops Other\nTcpExt: 5 6\n";
	struct netstat n = { .syn_queue_drops = 9 };

	(void)state;
	assert_int_equal(netstat_parse(text, &n), 0);
	assert_int_equal(n.listen_drops, 5);
	assert_int_equal(n.syn_queue_drops, 0);
}

static void other_text_is_refused(void **state)
{
	static const char *const bad[] = { "", "IpExt: a\nIpExt: 1\n", "TcpExt: a",
					   "TcpExt: a\nIpExt: 1\n" };
	struct netstat n;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "%s", bad[i]);
		assert_int_equal(netstat_parse(text, &n), -EBADMSG);
	}
}

static void reads_those_of_a_process(void **state)
{
	struct netstat n;

	(void)state;
	assert_int_equal(netstat_read((uint32_t)getpid(), &n), 0);
	assert_int_equal(netstat_read(UINT32_MAX, &n), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_numbers_by_name),
		cmocka_unit_test(an_older_kernel_lacks_some),
		cmocka_unit_test(other_text_is_refused),
		cmocka_unit_test(reads_those_of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
