/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/polling_pass.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/namespaces.h"

/* Small counters of many namespaces stay apart, also from those of the stand-ins. */
static void cookies(void **state)
{
	const uint32_t first = 0xF0000000;

	(void)state;
	for (uint32_t a = 0; a < 64; a++)
		for (uint32_t b = 0; b < 64; b++)
			assert_int_equal(a == b, polling_cookie(5, first + a) ==
							 polling_cookie(5, first + b));
	assert_true(polling_cookie(1, first + 1) != polling_cookie(2, first + 1));
	assert_false(polling_cookie(1, UINT32_MAX) & STAND_IN_COOKIE);
	assert_true(polling_cookie(STAND_IN_COOKIE | 5, first + 9) & STAND_IN_COOKIE);
	/* One and the same makes it what it was. */
	assert_true(polling_cookie(polling_cookie(77, first + 3), first + 3) == 77);
}

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

struct search {
	uint16_t port;
	uint32_t pid, found;
};

static int find(void *context, struct event *e)
{
	struct search *s = context;

	assert_true(e->state != STATE_TIME_WAIT);
	if (e->lport == s->port && e->state == STATE_LISTEN && e->netns == network_own()) {
		s->found++;
		s->pid = e->pid;
		assert_true(event_has(e, FIELD_HOLDERS));
	}
	return 0;
}

static int stop(void *context, struct event *e)
{
	(void)context;
	(void)e;
	return 7;
}

/* What this user may see, be it root or not: its own listener, with its holder, once a pass. */
static void own_sockets(void **state)
{
	const struct u32_list all = { 0 }, elsewhere = { .count = 1, .values = { 12 } };
	const bool notices[] = { false, true };
	uint16_t port;
	int fd = listen_somewhere(&port);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct search s = { .port = port };
		struct polling_pass *p;

		assert_int_equal(polling_pass_open(&all, NULL, notices[i], &p), 0);
		for (uint32_t passes = 1; passes < 4; passes++) {
			assert_int_equal(polling_pass_run(p, find, &s), 0);
			assert_int_equal(s.found, passes);
			assert_int_equal(s.pid, getpid());
			assert_true(polling_pass_is_whole(p));
		}
		assert_int_equal(polling_pass_run(p, stop, NULL), 7);
		polling_pass_close(p);

		s.found = 0;
		assert_int_equal(polling_pass_open(&elsewhere, NULL, notices[i], &p), 0);
		assert_int_equal(polling_pass_run(p, find, &s), 0);
		assert_int_equal(s.found, 0);
		polling_pass_close(p);
	}
	close(fd);
	polling_pass_close(NULL);
}

static int find_notice(void *context, const struct destroy_notice *notice)
{
	struct search *s = context;

	if (notice->row.lport == s->port && notice->row.netns == network_own())
		s->found++;
	return 0;
}

/* The end of a listener, told by the kernel; before the pass that begins to listen nothing is told. */
static void own_notices(void **state)
{
	const struct u32_list all = { 0 };
	struct search s = { 0 };
	struct polling_pass *p;
	uint64_t lost = 0;
	int fd = listen_somewhere(&s.port);

	(void)state;
	assert_int_equal(polling_pass_open(&all, NULL, true, &p), 0);
	assert_true(polling_pass_fd(p) >= 0);
	assert_int_equal(polling_pass_run(p, find, &s), 0);
	s.found = 0;
	assert_int_equal(polling_pass_notices(p, &lost, find_notice, &s), 0);
	assert_int_equal(s.found, 0);
	close(fd);
	/* The kernel tells it from a work queue; others may be told before. */
	while (!s.found) {
		struct pollfd ready = { .fd = polling_pass_fd(p), .events = POLLIN };

		assert_int_equal(poll(&ready, 1, 10000), 1);
		assert_int_equal(polling_pass_notices(p, &lost, find_notice, &s), 0);
	}
	assert_int_equal(s.found, 1);
	assert_int_equal(lost, 0);
	polling_pass_close(p);

	assert_int_equal(polling_pass_open(&all, NULL, false, &p), 0);
	assert_int_equal(polling_pass_fd(p), -1);
	assert_int_equal(polling_pass_notices(p, &lost, find_notice, &s), 0);
	polling_pass_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies),
		cmocka_unit_test(own_sockets),
		cmocka_unit_test(own_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
