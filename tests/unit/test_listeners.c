/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NETNS 4026531840u

static int setup(void **state)
{
	*state = listeners_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	listeners_free(*state);
	return 0;
}

static struct event make_end(const char *laddr, uint16_t lport, uint8_t state)
{
	struct event e;

	event_init(&e, EVENT_SOCKET, 1, 2);
	e.proto = IPPROTO_TCP;
	e.state = state;
	e.netns = NETNS;
	e.lport = lport;
	event_set(&e, FIELD_LPORT);
	e.family = strchr(laddr, ':') ? 6 : 4;
	assert_int_equal(inet_pton(e.family == 6 ? AF_INET6 : AF_INET, laddr, e.laddr), 1);
	return e;
}

static void add(struct listeners *l, const char *laddr, uint16_t lport, uint32_t pid)
{
	struct event e = make_end(laddr, lport, STATE_LISTEN);

	if (pid) {
		e.pid = pid;
		e.uid = 1000 + pid;
		snprintf(e.comm, sizeof(e.comm), "server%u", pid);
		event_set(&e, FIELD_PID);
	}
	assert_int_equal(listeners_add(l, &e), 0);
}

/* The owner that a connection is given: a pid; 0: none, but it came in; -1: nobody listens there. */
static int owner_of(const struct listeners *l, const char *laddr, uint16_t lport)
{
	struct event e = make_end(laddr, lport, STATE_ESTABLISHED);
	char comm[16];

	listeners_complete(l, &e);
	if (!event_has(&e, FIELD_DIRECTION)) {
		assert_false(event_has(&e, FIELD_PID));
		return -1;
	}
	assert_int_equal(e.direction, DIRECTION_IN);
	if (!event_has(&e, FIELD_PID)) {
		assert_false(event_has(&e, FIELD_OWNER) || event_has(&e, FIELD_COMM));
		return 0;
	}
	snprintf(comm, sizeof(comm), "server%u", e.pid);
	assert_string_equal(e.comm, comm);
	assert_int_equal(e.uid, 1000 + e.pid);
	assert_int_equal(e.owner, OWNER_LISTENER);
	assert_true(event_has(&e, FIELD_OWNER) && event_has(&e, FIELD_UID) &&
		    event_has(&e, FIELD_COMM));
	return (int)e.pid;
}

static void best_fit(void **state)
{
	/* The order in which they are told decides nothing. */
	add(*state, "127.0.0.1", 80, 1);
	add(*state, "::", 80, 3);
	add(*state, "0.0.0.0", 80, 2);
	add(*state, "::1", 80, 4);
	assert_int_equal(owner_of(*state, "127.0.0.1", 80), 1);
	assert_int_equal(owner_of(*state, "127.0.0.2", 80), 2);
	assert_int_equal(owner_of(*state, "2001:db8::1", 80), 3);
	assert_int_equal(owner_of(*state, "::1", 80), 4);
	assert_int_equal(owner_of(*state, "127.0.0.1", 81), -1);
}

static void dual_stack(void **state)
{
	add(*state, "::", 443, 7);
	add(*state, "0.0.0.0", 22, 8);
	assert_int_equal(owner_of(*state, "192.0.2.1", 443), 7);
	assert_int_equal(owner_of(*state, "2001:db8::1", 443), 7);
	/* Not the other way round. */
	assert_int_equal(owner_of(*state, "2001:db8::1", 22), -1);
	/* The first four bytes alone would be those of an unspecified address. */
	assert_int_equal(owner_of(*state, "::5", 22), -1);
}

static void several(void **state)
{
	add(*state, "0.0.0.0", 80, 1);
	add(*state, "0.0.0.0", 80, 1); /* SO_REUSEPORT in one process */
	assert_int_equal(owner_of(*state, "192.0.2.1", 80), 1);
	add(*state, "0.0.0.0", 80, 2);
	assert_int_equal(owner_of(*state, "192.0.2.1", 80), 0);
	/* One that fits better settles it. */
	add(*state, "192.0.2.1", 80, 3);
	assert_int_equal(owner_of(*state, "192.0.2.1", 80), 3);
	assert_int_equal(owner_of(*state, "192.0.2.2", 80), 0);
	/* Nobody knows whose it is. */
	add(*state, "0.0.0.0", 90, 0);
	assert_int_equal(owner_of(*state, "192.0.2.1", 90), 0);
}

static void namespaces(void **state)
{
	struct event e = make_end("127.0.0.1", 80, STATE_ESTABLISHED);

	add(*state, "0.0.0.0", 80, 1);
	e.netns = NETNS + 1;
	listeners_complete(*state, &e);
	assert_false(event_has(&e, FIELD_DIRECTION) || event_has(&e, FIELD_PID));
}

static void only_what_is_unknown(void **state)
{
	struct event held = make_end("127.0.0.1", 80, STATE_ESTABLISHED), kernel = held, udp = held,
		     listener = held, portless = held;

	add(*state, "0.0.0.0", 80, 1);
	held.pid = 99;
	held.owner = OWNER_SNAPSHOT;
	event_set(&held, FIELD_PID);
	listeners_complete(*state, &held);
	assert_int_equal(held.pid, 99);
	assert_int_equal(held.owner, OWNER_SNAPSHOT);
	assert_int_equal(held.direction, DIRECTION_IN);
	kernel.owner = OWNER_KERNEL;
	listeners_complete(*state, &kernel);
	assert_false(event_has(&kernel, FIELD_PID));
	assert_int_equal(kernel.owner, OWNER_KERNEL);
	udp.proto = IPPROTO_UDP;
	listener.state = STATE_LISTEN;
	event_unset(&portless, FIELD_LPORT);
	listeners_complete(*state, &udp);
	listeners_complete(*state, &listener);
	listeners_complete(*state, &portless);
	assert_false(event_has(&udp, FIELD_DIRECTION) || event_has(&listener, FIELD_DIRECTION) ||
		     event_has(&portless, FIELD_DIRECTION));
}

static void only_listeners_are_added(void **state)
{
	struct event e = make_end("0.0.0.0", 80, STATE_ESTABLISHED);

	event_set(&e, FIELD_PID);
	assert_int_equal(listeners_add(*state, &e), 0);
	e.state = STATE_LISTEN;
	e.proto = IPPROTO_UDP;
	assert_int_equal(listeners_add(*state, &e), 0);
	assert_int_equal(owner_of(*state, "127.0.0.1", 80), -1);
}

static void every_port(void **state)
{
	for (uint32_t port = 1; port <= UINT16_MAX; port++)
		add(*state, "0.0.0.0", (uint16_t)port, port);
	for (uint32_t port = 1; port <= UINT16_MAX; port += 97)
		assert_int_equal(owner_of(*state, "192.0.2.1", (uint16_t)port), port);
	listeners_clear(*state);
	assert_int_equal(owner_of(*state, "192.0.2.1", 98), -1);
	add(*state, "0.0.0.0", 98, 5);
	assert_int_equal(owner_of(*state, "192.0.2.1", 98), 5);
	listeners_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(best_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(dual_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(several, setup, teardown),
		cmocka_unit_test_setup_teardown(namespaces, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(only_listeners_are_added, setup, teardown),
		cmocka_unit_test_setup_teardown(every_port, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
