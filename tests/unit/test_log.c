/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/view.h"

#define MS 1000000ull

static struct view_options options;
static struct output output;
static struct view *view;

static int setup(void **state)
{
	(void)state;
	options = (struct view_options){ .events = ~0u,
					 .time_format = TIME_FORMAT_NONE,
					 .no_header = true };
	output_init(&output, -1);
	view = log_view_new(&output, &options);
	return view ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	view_free(view);
	output_done(&output);
	return 0;
}

/* A view with the options as they are now. */
static void reopen(void)
{
	view_free(view);
	view = log_view_new(&output, &options);
	assert_non_null(view);
}

/* What the event is shown as. */
static const char *shown(const struct event *e)
{
	output.text.length = 0;
	assert_int_equal(view->ops->event(view, e, NULL), 0);
	text_char(&output.text, '\0');
	assert_false(output.text.failed);
	return output.text.data;
}

static void tcp(struct event *e, enum event_type type)
{
	event_init(e, type, 1000000000ull * 3723 + 456 * MS + 999, 5000 * MS);
	e->proto = IPPROTO_TCP;
	e->direction = DIRECTION_OUT;
	e->pid = 42;
	strcpy(e->comm, "curl");
	e->owner = OWNER_CONNECT;
	e->lport = 40000;
	e->rport = 443;
	e->netns = 7;
	event_set_addresses(e, AF_INET, "\x0a\x00\x00\x01", "\xc0\x00\x02\xc8");
	for (int f = FIELD_PROTO; f <= FIELD_DIRECTION; f++)
		event_set(e, f);
	for (int f = FIELD_LADDR; f <= FIELD_NETNS; f++)
		event_set(e, f);
	event_set(e, FIELD_PID);
	event_set(e, FIELD_COMM);
	event_set(e, FIELD_OWNER);
}

#define HEAD "42      curl             10.0.0.1:40000        "
#define LINE HEAD "-> 192.0.2.200:443       "

static void test_connect(void **state)
{
	struct event e;

	(void)state;
	tcp(&e, EVENT_CONNECT);
	assert_string_equal(shown(&e), "connect    " HEAD "-> 192.0.2.200:443\n");
	e.latency_us = 312;
	event_set(&e, FIELD_LATENCY_US);
	assert_string_equal(shown(&e), "connect    " LINE "latency=312us\n");
	tcp(&e, EVENT_ACCEPT);
	e.direction = DIRECTION_IN;
	e.owner = OWNER_ACCEPT;
	e.queue_us = 1500;
	event_set(&e, FIELD_QUEUE_US);
	assert_string_equal(shown(&e), "accept     " HEAD "<- 192.0.2.200:443       queue=1.5ms\n");
	e.direction = DIRECTION_UNKNOWN;
	assert_string_equal(shown(&e), "accept     " HEAD "-- 192.0.2.200:443       queue=1.5ms\n");
}

static void test_close(void **state)
{
	struct event e;

	(void)state;
	tcp(&e, EVENT_CLOSE);
	assert_string_equal(shown(&e), "close      " HEAD "-> 192.0.2.200:443\n");
	e.duration_us = 1200000;
	e.tx_bytes = 4100000;
	e.rx_bytes = 512;
	e.srtt_us = 100;
	e.retrans = 2;
	e.outcome = OUTCOME_CLEAN;
	e.closed_by = SIDE_LOCAL;
	event_set(&e, FIELD_DURATION_US);
	event_set(&e, FIELD_TX_BYTES);
	event_set(&e, FIELD_RX_BYTES);
	event_set(&e, FIELD_SRTT_US);
	event_set(&e, FIELD_RETRANS);
	event_set(&e, FIELD_OUTCOME);
	event_set(&e, FIELD_CLOSED_BY);
	assert_string_equal(shown(&e), "close      " LINE
				       "duration=1.2s tx=4.1MB rx=512B srtt=100us retrans=2 "
				       "outcome=clean closed_by=local\n");
	e.reconciled = true;
	event_set(&e, FIELD_RECONCILED);
	e.owner = OWNER_HANDED;
	e.opener_pid = 9;
	strcpy(e.opener_comm, "parent");
	event_set(&e, FIELD_OPENER_PID);
	event_set(&e, FIELD_OPENER_COMM);
	assert_non_null(
		strstr(shown(&e), " closed_by=local owner=handed opener=parent(9) reconciled\n"));
}

static void test_fail(void **state)
{
	struct event e;

	(void)state;
	tcp(&e, EVENT_FAIL);
	e.outcome = OUTCOME_REFUSED;
	e.error = ECONNREFUSED;
	e.latency_us = 90;
	event_set(&e, FIELD_OUTCOME);
	event_set(&e, FIELD_ERRNO);
	event_set(&e, FIELD_LATENCY_US);
	assert_string_equal(shown(&e),
			    "fail       " LINE "outcome=refused errno=ECONNREFUSED latency=90us\n");
	e.error = 4000000000u; /* no such number */
	assert_non_null(strstr(shown(&e), " errno=4000000000 "));
}

static void test_others(void **state)
{
	struct event e;

	(void)state;
	tcp(&e, EVENT_LISTEN);
	e.backlog = 511;
	e.owner = OWNER_LISTEN;
	event_set(&e, FIELD_BACKLOG);
	assert_string_equal(shown(&e), "listen     " HEAD "                         backlog=511\n");
	tcp(&e, EVENT_UNLISTEN);
	assert_string_equal(shown(&e), "unlisten   42      curl             10.0.0.1:40000\n");
	tcp(&e, EVENT_RETRANSMIT);
	e.kind = RETRANSMIT_DATA;
	e.state = STATE_ESTABLISHED;
	e.retrans = 3;
	event_set(&e, FIELD_KIND);
	event_set(&e, FIELD_STATE);
	event_set(&e, FIELD_RETRANS);
	assert_string_equal(shown(&e),
			    "retransmit " LINE "kind=data state=ESTABLISHED retrans=3\n");
	tcp(&e, EVENT_STATE);
	e.old_state = STATE_ESTABLISHED;
	e.new_state = STATE_FIN_WAIT1;
	e.in_state_us = 3000;
	event_set(&e, FIELD_OLD_STATE);
	event_set(&e, FIELD_NEW_STATE);
	event_set(&e, FIELD_IN_STATE_US);
	assert_string_equal(shown(&e),
			    "state      " LINE "ESTABLISHED -> FIN_WAIT1 in_state=3ms\n");
	tcp(&e, EVENT_LOST);
	e.count = 12;
	e.where = "ring";
	event_set(&e, FIELD_COUNT_LOST);
	event_set(&e, FIELD_WHERE);
	options.events = 0; /* a gap is never hidden */
	reopen();
	assert_string_equal(shown(&e), "lost       count=12 where=ring\n");
	tcp(&e, EVENT_CONNECT);
	assert_string_equal(shown(&e), "");
	options.events = ~0u;
	reopen();
	event_init(&e, EVENT_START, 1, 2);
	assert_string_equal(shown(&e), "");
	event_init(&e, EVENT_SUMMARY, 1, 2);
	assert_string_equal(shown(&e), "");
}

static void test_owner_and_place(void **state)
{
	struct event e;

	(void)state;
	options.own_netns = 7;
	tcp(&e, EVENT_CONNECT);
	event_unset(&e, FIELD_PID);
	event_unset(&e, FIELD_COMM);
	e.owner = OWNER_UNKNOWN;
	e.unit = "session-3.scope";
	event_set(&e, FIELD_UNIT);
	assert_string_equal(
		shown(&e),
		"connect    -       -                10.0.0.1:40000        -> 192.0.2.200:443       "
		"owner=unknown\n");
	tcp(&e, EVENT_CONNECT);
	e.unit = "nginx.service";
	event_set(&e, FIELD_UNIT);
	e.netns = 8;
	assert_non_null(strstr(shown(&e), " unit=nginx.service netns=8\n"));
	e.container = "0123456789abcdef0123";
	event_set(&e, FIELD_CONTAINER);
	assert_non_null(strstr(shown(&e), " container=0123456789ab netns=8\n"));
	options.own_netns = 0; /* not known which is ours: none is worth a word */
	assert_null(strstr(shown(&e), "netns"));
}

static void test_hostile(void **state)
{
	struct event e;

	(void)state;
	tcp(&e, EVENT_CONNECT);
	memcpy(e.comm, "\033[31m\nx\xff\"\\", 11);
	e.unit = "evil unit\r.service";
	event_set(&e, FIELD_UNIT);
	assert_string_equal(
		shown(&e), "connect    42      \\x1b[31m\\x0ax\\xff\"\\\\ 10.0.0.1:40000        -> "
			   "192.0.2.200:443       unit=evil_unit\\x0d.service\n");
	memset(e.comm, 'y', sizeof(e.comm)); /* no end: cut at its size */
	assert_non_null(strstr(shown(&e), "42      yyyyyyyyyyyyyyyy 10.0"));
	tcp(&e, EVENT_CONNECT);
	strcpy(e.comm, "\xe6\x9c\xac\xe7\x95\xaa"); /* two wide characters: four columns */
	assert_non_null(strstr(shown(&e), "\xe6\x9c\xac\xe7\x95\xaa             10.0.0.1"));
}

static void test_ipv6(void **state)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	struct event e;

	(void)state;
	tcp(&e, EVENT_CONNECT);
	event_set_addresses(&e, AF_INET6, loopback, loopback);
	assert_string_equal(
		shown(&e),
		"connect    42      curl             [::1]:40000           -> [::1]:443\n");
	event_unset(&e, FIELD_RADDR);
	assert_string_equal(shown(&e),
			    "connect    42      curl             [::1]:40000           -> -\n");
}

static void test_time(void **state)
{
	struct event e;

	(void)state;
	setenv("TZ", "XYZ-2", 1); /* two hours east */
	tcp(&e, EVENT_CONNECT);
	options.time_format = TIME_FORMAT_UTC;
	reopen();
	assert_memory_equal(shown(&e), "01:02:03.456Z connect    42", 27);
	options.time_format = TIME_FORMAT_LOCAL;
	reopen();
	assert_memory_equal(shown(&e), "03:02:03.456 connect    42", 26);
	e.time_ns += 1000 * MS;
	assert_memory_equal(shown(&e), "03:02:04.456 connect    42", 26);
	options.time_format = TIME_FORMAT_RELATIVE;
	reopen();
	assert_memory_equal(shown(&e), "+0.000000    connect    42", 26);
	e.mono_ns += 12345 * MS + 678900;
	assert_memory_equal(shown(&e), "+12.345678   connect    42", 26);
	e.mono_ns = 1; /* out of order, before the first */
	assert_memory_equal(shown(&e), "+0.000000    connect    42", 26);
}

static void test_header(void **state)
{
	struct event e;

	(void)state;
	options.no_header = false;
	options.time_format = TIME_FORMAT_LOCAL;
	reopen();
	tcp(&e, EVENT_CONNECT);
	assert_memory_equal(
		shown(&e),
		"TIME         EVENT      PID     COMM             LADDR:LPORT              RADDR:RPORT"
		"           DETAIL\n",
		103);
	assert_null(strstr(shown(&e), "TIME"));
}

static void test_color(void **state)
{
	struct event e;

	(void)state;
	options.color = true;
	reopen();
	tcp(&e, EVENT_FAIL);
	assert_memory_equal(shown(&e), "\033[31mfail\033[0m       42", 22);
	tcp(&e, EVENT_RETRANSMIT);
	assert_memory_equal(shown(&e), "\033[33mretransmit\033[0m 42", 22);
	tcp(&e, EVENT_CLOSE);
	assert_memory_equal(shown(&e), "\033[2mclose\033[0m      42", 21);
	tcp(&e, EVENT_ACCEPT);
	assert_memory_equal(shown(&e), "\033[32maccept\033[0m     42", 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_and_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_color, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
