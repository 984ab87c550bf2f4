/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/selection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct event sample(void)
{
	static const enum event_field fields[] = { FIELD_PROTO, FIELD_FAMILY,	 FIELD_PID,
						   FIELD_COMM,	FIELD_UID,	 FIELD_LPORT,
						   FIELD_RPORT, FIELD_LAST_STATE };
	struct event e;

	event_init(&e, EVENT_CLOSE, 1, 1);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		event_set(&e, fields[i]);
	e.proto = IPPROTO_TCP;
	e.family = 4;
	e.pid = 100;
	strcpy(e.comm, "python3");
	e.uid = 1000;
	e.lport = 40000;
	e.rport = 443;
	e.last_state = STATE_LAST_ACK;
	return e;
}

static struct u32_list list_of(uint32_t value)
{
	return (struct u32_list){ .count = 2, .values = { 7, value } };
}

#define ASSERT_MATCH(expected, e, ...)                                         \
	do {                                                                   \
		struct selection selection = __VA_ARGS__;                      \
		assert_int_equal(selection_match(&selection, &(e)), expected); \
	} while (0)

static void each_flag(void **state)
{
	struct event e = sample(), udp6 = sample();

	(void)state;
	udp6.proto = IPPROTO_UDP;
	udp6.family = 6;
	ASSERT_MATCH(true, e, { 0 });
	ASSERT_MATCH(true, e, { .tcp = true });
	ASSERT_MATCH(false, e, { .udp = true });
	ASSERT_MATCH(true, e, { .tcp = true, .udp = true });
	ASSERT_MATCH(false, udp6, { .tcp = true });
	ASSERT_MATCH(true, udp6, { .udp = true });
	ASSERT_MATCH(true, e, { .ipv4 = true });
	ASSERT_MATCH(false, e, { .ipv6 = true });
	ASSERT_MATCH(true, udp6, { .ipv6 = true });
	ASSERT_MATCH(true, udp6, { .ipv4 = true, .ipv6 = true });
	ASSERT_MATCH(true, e, { .pids = list_of(100) });
	ASSERT_MATCH(false, e, { .pids = list_of(101) });
	ASSERT_MATCH(true, e, { .uids = list_of(1000) });
	ASSERT_MATCH(false, e, { .uids = list_of(0) });
	ASSERT_MATCH(true, e, { .ports = list_of(443) });
	ASSERT_MATCH(true, e, { .ports = list_of(40000) });
	ASSERT_MATCH(false, e, { .ports = list_of(80) });
	ASSERT_MATCH(true, e, { .lports = list_of(40000) });
	ASSERT_MATCH(false, e, { .lports = list_of(443) });
	ASSERT_MATCH(true, e, { .rports = list_of(443) });
	ASSERT_MATCH(false, e, { .rports = list_of(40000) });
	ASSERT_MATCH(false, e, { .pids = list_of(100), .rports = list_of(80) }); /* all must hold */
}

static void cgroups_and_containers(void **state)
{
	struct event e = sample();

	(void)state;
	ASSERT_MATCH(false, e, { .cgroup = "/" });
	e.cgroup = "/system.slice/nginx.service";
	event_set(&e, FIELD_CGROUP);
	ASSERT_MATCH(true, e, { .cgroup = "/" });
	ASSERT_MATCH(true, e, { .cgroup = "/system.slice" });
	ASSERT_MATCH(true, e, { .cgroup = "/system.slice/" });
	ASSERT_MATCH(true, e, { .cgroup = "/system.slice/nginx.service" });
	ASSERT_MATCH(false, e, { .cgroup = "/system.slice/nginx" });
	ASSERT_MATCH(false, e, { .cgroup = "/user.slice" });
	ASSERT_MATCH(false, e, { .container = "web" });
	e.container = "web";
	event_set(&e, FIELD_CONTAINER);
	ASSERT_MATCH(true, e, { .container = "web" });
	e.container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	ASSERT_MATCH(true, e, { .container = "0123456789ab" });
	ASSERT_MATCH(false, e, { .container = "0123456789a" });
	ASSERT_MATCH(false, e, { .container = "0123456789ac" });
}

static void comms(void **state)
{
	struct event e = sample();

	(void)state;
	ASSERT_MATCH(true, e, { .comm_count = 1, .comms = { "python3" } });
	ASSERT_MATCH(false, e, { .comm_count = 1, .comms = { "python" } });
	ASSERT_MATCH(false, e, { .comm_count = 1, .comms = { "Python3" } });
	ASSERT_MATCH(true, e, { .comm_count = 1, .comms = { "python*" } });
	ASSERT_MATCH(true, e, { .comm_count = 1, .comms = { "pytho?[0-9]" } });
	ASSERT_MATCH(true, e, { .comm_count = 2, .comms = { "curl", "*3" } });
	ASSERT_MATCH(false, e, { .comm_count = 2, .comms = { "curl", "*4" } });
	strcpy(e.comm, "a/b .c");
	ASSERT_MATCH(
		true, e,
		{ .comm_count = 1, .comms = { "a*c" } }); /* a slash or dot is nothing special */
}

static void the_opener_counts(void **state)
{
	struct event e = sample();

	(void)state;
	e.opener_pid = 55;
	strcpy(e.opener_comm, "inetd");
	ASSERT_MATCH(false, e, { .pids = list_of(55) }); /* not told: the bits are not set */
	event_set(&e, FIELD_OPENER_PID);
	event_set(&e, FIELD_OPENER_COMM);
	ASSERT_MATCH(true, e, { .pids = list_of(55) });
	ASSERT_MATCH(true, e, { .comm_count = 1, .comms = { "inetd" } });
	ASSERT_MATCH(true, e, { .comm_count = 1, .comms = { "python3" } });
}

static void states(void **state)
{
	struct event e = sample();

	(void)state;
	ASSERT_MATCH(true, e, { .states = 1u << STATE_LAST_ACK });
	ASSERT_MATCH(false, e, { .states = 1u << STATE_ESTABLISHED });
	e.new_state = STATE_CLOSE;
	event_set(&e, FIELD_NEW_STATE);
	ASSERT_MATCH(false, e,
		     { .states = 1u << STATE_LAST_ACK }); /* new_state goes before last_state */
	ASSERT_MATCH(true, e, { .states = 1u << STATE_CLOSE });
	e.state = STATE_SYN_SENT;
	event_set(&e, FIELD_STATE);
	ASSERT_MATCH(true, e, { .states = 1u << STATE_SYN_SENT | 1u << STATE_CLOSING });
	ASSERT_MATCH(false, e, { .states = 1u << STATE_CLOSE });
	e.state = 200; /* no such state */
	ASSERT_MATCH(false, e, { .states = UINT32_MAX });
}

static void what_is_asked_for_and_unknown_does_not_match(void **state)
{
	struct event e;

	(void)state;
	event_init(&e, EVENT_CONNECT, 1, 1);
	ASSERT_MATCH(true, e, { 0 });
	ASSERT_MATCH(false, e, { .tcp = true });
	ASSERT_MATCH(false, e, { .ipv4 = true });
	ASSERT_MATCH(false, e, { .pids = { .count = 1, .values = { 0 } } });
	ASSERT_MATCH(false, e, { .uids = { .count = 1, .values = { 0 } } });
	ASSERT_MATCH(false, e, { .ports = { .count = 1, .values = { 0 } } });
	ASSERT_MATCH(false, e, { .comm_count = 1, .comms = { "*" } });
	ASSERT_MATCH(false, e, { .states = UINT32_MAX });
}

static void frame_always_passes(void **state)
{
	static const enum event_type types[] = { EVENT_START, EVENT_LOST, EVENT_SUMMARY };
	struct event e;

	(void)state;
	for (int i = 0; i < 3; i++) {
		event_init(&e, types[i], 1, 1);
		ASSERT_MATCH(true, e,
			     { .udp = true,
			       .ipv6 = true,
			       .pids = list_of(1),
			       .comm_count = 1,
			       .comms = { "x" },
			       .states = 1u << STATE_CLOSE });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flag),
		cmocka_unit_test(cgroups_and_containers),
		cmocka_unit_test(comms),
		cmocka_unit_test(the_opener_counts),
		cmocka_unit_test(states),
		cmocka_unit_test(what_is_asked_for_and_unknown_does_not_match),
		cmocka_unit_test(frame_always_passes),
	};

	return cmocka_run_group_tests_name("selection", tests, NULL, NULL);
}
