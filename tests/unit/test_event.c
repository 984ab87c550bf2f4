/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/event_fields.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Each number has a name of its own that leads back to it, in any case; what is no number is "?".
 */
static void check_names(const char *(*to_name)(unsigned int), int (*from_name)(const char *),
			unsigned int count)
{
	for (unsigned int i = 1; i < count; i++) {
		const char *name = to_name(i);
		char upper[32];
		size_t n = strlen(name);

		assert_string_not_equal(name, "?");
		assert_int_equal(from_name(name), i);
		assert_true(n < sizeof(upper));
		for (size_t c = 0; c <= n; c++)
			upper[c] =
				(char)(name[c] >= 'a' && name[c] <= 'z' ? name[c] - 32 : name[c]);
		assert_int_equal(from_name(upper), i);
	}
	assert_string_equal(to_name(0), "?");
	assert_string_equal(to_name(count), "?");
	assert_string_equal(to_name(255), "?");
	assert_int_equal(from_name("?"), -1);
	assert_int_equal(from_name(""), -1);
	assert_int_equal(from_name("nonsense"), -1);
}

static const char *type_name(unsigned int type)
{
	return event_type_name((enum event_type)type);
}

static void names_lead_back(void **state)
{
	(void)state;
	check_names(type_name, event_type_from_name, EVENT_TYPE_COUNT);
	check_names(tcp_state_name, tcp_state_from_name, STATE_COUNT);
	check_names(direction_name, direction_from_name, DIRECTION_COUNT);
	check_names(owner_kind_name, owner_kind_from_name, OWNER_COUNT);
	check_names(outcome_name, outcome_from_name, OUTCOME_COUNT);
	check_names(side_name, side_from_name, SIDE_COUNT);
	check_names(retransmit_kind_name, retransmit_kind_from_name, RETRANSMIT_KIND_COUNT);
	check_names(trace_mode_name, trace_mode_from_name, MODE_COUNT);
	assert_string_equal(proto_name(proto_from_name("TCP")), "tcp");
	assert_string_equal(proto_name(proto_from_name("udp")), "udp");
	assert_string_equal(proto_name(0), "?");
	assert_int_equal(proto_from_name("sctp"), -1);
}

static void state_spellings(void **state)
{
	static const struct {
		const char *name;
		int state;
	} cases[] = {
		{ "ESTAB", STATE_ESTABLISHED },
		{ "established", STATE_ESTABLISHED },
		{ "SYN-SENT", STATE_SYN_SENT },
		{ "syn-recv", STATE_SYN_RECV },
		{ "SYN_RCVD", STATE_SYN_RECV },
		{ "FIN-WAIT-1", STATE_FIN_WAIT1 },
		{ "fin_wait_2", STATE_FIN_WAIT2 },
		{ "FIN-WAIT2", STATE_FIN_WAIT2 },
		{ "time-wait", STATE_TIME_WAIT },
		{ "UNCONN", STATE_CLOSE },
		{ "closed", STATE_CLOSE },
		{ "CLOSE-WAIT", STATE_CLOSE_WAIT },
		{ "Last-Ack", STATE_LAST_ACK },
		{ "LISTENING", STATE_LISTEN },
		{ "closing", STATE_CLOSING },
		{ "ESTABLISHE", -1 },
		{ "ESTABLISHED ", -1 },
		{ "FIN", -1 },
		{ "a-very-long-word-that-is-no-state", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(tcp_state_from_name(cases[i].name), cases[i].state);
}

static void init_clears(void **state)
{
	struct event e;

	(void)state;
	memset(&e, 0xa5, sizeof(e));
	event_init(&e, EVENT_CLOSE, 5, 6);
	assert_int_equal(e.type, EVENT_CLOSE);
	assert_true(e.time_ns == 5 && e.mono_ns == 6);
	assert_true(event_has(&e, FIELD_EVENT) && event_has(&e, FIELD_TIME) &&
		    event_has(&e, FIELD_MONO_NS));
	for (int f = FIELD_MONO_NS + 1; f < FIELD_COUNT; f++)
		assert_false(event_has(&e, (enum event_field)f));
	assert_null(e.cgroup);
	for (int f = 0; f < FIELD_COUNT; f++) {
		event_set(&e, (enum event_field)f);
		assert_true(event_has(&e, (enum event_field)f));
		event_unset(&e, (enum event_field)f);
		assert_false(event_has(&e, (enum event_field)f));
	}
	assert_true(!e.present[0] && !e.present[1]);
}

static void addresses(void **state)
{
	static const struct {
		const char *laddr, *raddr; /* of the socket, AF_INET6 where there is a colon */
		unsigned int family;
		bool v4mapped;
		const char *shown_laddr, *shown_raddr;
	} cases[] = {
		{ "192.0.2.1", "198.51.100.7", 4, false, "192.0.2.1", "198.51.100.7" },
		{ "0.0.0.0", "0.0.0.0", 4, false, "0.0.0.0", "0.0.0.0" },
		{ "2001:db8::1", "2001:db8::2", 6, false, "2001:db8::1", "2001:db8::2" },
		{ "::", "::", 6, false, "::", "::" },
		{ "::1", "::", 6, false, "::1", "::" },
		{ "::ffff:192.0.2.1", "::ffff:198.51.100.7", 4, true, "192.0.2.1", "198.51.100.7" },
		{ "::ffff:127.0.0.1", "::", 4, true, "127.0.0.1", "0.0.0.0" },
		{ "::", "::ffff:127.0.0.1", 4, true, "0.0.0.0", "127.0.0.1" },
		{ "2001:db8::1", "::ffff:127.0.0.1", 6, false, "2001:db8::1", "::ffff:127.0.0.1" },
		{ "::192.0.2.1", "::", 6, false, "::192.0.2.1", "::" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int family = strchr(cases[i].laddr, ':') ? AF_INET6 : AF_INET;
		int shown_family = cases[i].family == 4 ? AF_INET : AF_INET6;
		uint8_t laddr[16], raddr[16];
		char shown[INET6_ADDRSTRLEN];
		struct event e;

		inet_pton(family, cases[i].laddr, laddr);
		inet_pton(family, cases[i].raddr, raddr);
		event_init(&e, EVENT_CONNECT, 0, 0);
		e.v4mapped = true; /* what was there before does not stay */
		event_set(&e, FIELD_V4MAPPED);
		event_set_addresses(&e, family, laddr, raddr);
		assert_int_equal(e.family, cases[i].family);
		assert_int_equal(e.v4mapped, cases[i].v4mapped);
		assert_int_equal(event_has(&e, FIELD_V4MAPPED), cases[i].v4mapped);
		assert_true(event_has(&e, FIELD_FAMILY) && event_has(&e, FIELD_LADDR) &&
			    event_has(&e, FIELD_RADDR));
		assert_string_equal(inet_ntop(shown_family, e.laddr, shown, sizeof(shown)),
				    cases[i].shown_laddr);
		assert_string_equal(inet_ntop(shown_family, e.raddr, shown, sizeof(shown)),
				    cases[i].shown_raddr);
	}
}

static void missing_addresses(void **state)
{
	uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
	struct event e;

	(void)state;
	event_init(&e, EVENT_LISTEN, 0, 0);
	event_set_addresses(&e, AF_INET6, mapped, NULL);
	assert_int_equal(e.family, 4);
	assert_true(e.v4mapped && event_has(&e, FIELD_LADDR) && !event_has(&e, FIELD_RADDR));
	event_set_addresses(&e, AF_INET, NULL, NULL);
	assert_false(event_has(&e, FIELD_LADDR) || event_has(&e, FIELD_RADDR) ||
		     event_has(&e, FIELD_V4MAPPED));
}

/* The table is complete, and the JSON writer's block for a key (24 bytes) holds each. */
static void field_table(void **state)
{
	(void)state;
	for (int f = 0; f < FIELD_COUNT; f++) {
		const struct field *field = &event_fields[f];

		assert_non_null(field->name);
		assert_true(strlen(field->name) + 4 < 24);
		assert_non_null(field->description);
		assert_int_equal(field->description[strlen(field->description) - 1], '.');
		assert_true(field->offset < sizeof(struct event));
		assert_int_equal(field->type == FIELD_TYPE_NAME, field->to_name != NULL);
		assert_int_equal(field->type == FIELD_TYPE_NAME, field->from_name != NULL);
		assert_int_equal(event_field_from_name(field->name, strlen(field->name)), f);
		assert_int_equal(event_field_from_name(field->name, strlen(field->name) - 1) == f,
				 false);
	}
	assert_int_equal(event_field_from_name("", 0), -1);
	assert_int_equal(event_field_from_name("lportx", 6), -1);
	assert_int_equal(event_field_from_name("lportx", 5), FIELD_LPORT);
	assert_int_equal(event_field_from_name("error", 5), -1);
	assert_string_equal(event_fields[FIELD_ERRNO].name, "errno");
	assert_string_equal(event_fields[FIELD_COUNT_LOST].name, "count");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_back),   cmocka_unit_test(state_spellings),
		cmocka_unit_test(init_clears),	     cmocka_unit_test(addresses),
		cmocka_unit_test(missing_addresses), cmocka_unit_test(field_table),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
