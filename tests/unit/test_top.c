/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "view/columns.h"
#include "view/screen.h"
#include "view/view.h"

#define SECOND 1000000000ull

static struct view_options options;
static struct output output;
static struct connection_table *table;
static struct view *view;
static int terminal[2]; /* what a terminal would get; read from [0] */

static int setup(void **state)
{
	(void)state;
	options = (struct view_options){ .batch = true,
					 .interval_ns = SECOND,
					 .time_format = TIME_FORMAT_UTC };
	if (pipe2(terminal, O_NONBLOCK))
		return -1;
	output_init(&output, terminal[1]);
	table = connection_table_new(1000);
	view = table ? top_view_new(&output, &options, table) : NULL;
	return view ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	view_free(view);
	connection_table_free(table);
	output_done(&output);
	close(terminal[0]);
	close(terminal[1]);
	return 0;
}

static void reopen(void)
{
	view_free(view);
	view = top_view_new(&output, &options, table);
	assert_non_null(view);
}

/* What was put since the last call. */
static const char *printed(void)
{
	static char text[65536];

	assert_false(output.text.failed);
	assert_true(output.text.length < sizeof(text));
	if (output.text.length)
		memcpy(text, output.text.data, output.text.length);
	text[output.text.length] = '\0';
	output.text.length = 0;
	return text;
}

static const char *drawn(void)
{
	static char text[65536];
	ssize_t n = read(terminal[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void event(enum event_type type, uint64_t cookie, uint32_t pid, const char *comm,
		  uint64_t ms, uint64_t tx, uint64_t rx)
{
	struct connection_change change;
	struct event e;

	event_init(&e, type, 3723 * SECOND, SECOND + ms * 1000000);
	if (type != EVENT_START) {
		e.cookie = cookie;
		e.start_ns = 5;
		e.proto = IPPROTO_TCP;
		e.family = 4;
		e.direction = cookie & 1 ? DIRECTION_IN : DIRECTION_OUT;
		memcpy(e.laddr, "\x0a\0\0\1", 4);
		memcpy(e.raddr, "\xc0\0\2\1", 4);
		e.lport = cookie & 1 ? 80 : (uint16_t)(1000 + cookie);
		e.rport = cookie & 1 ? (uint16_t)(1000 + cookie) : 443;
		e.pid = pid;
		e.owner = OWNER_CONNECT;
		snprintf(e.comm, sizeof(e.comm), "%s", comm);
		e.tx_bytes = tx;
		e.rx_bytes = rx;
		e.srtt_us = 250;
		for (int f = FIELD_ID; f <= FIELD_DIRECTION; f++)
			event_set(&e, f);
		for (int f = FIELD_LADDR; f <= FIELD_RPORT; f++)
			event_set(&e, f);
		event_set(&e, FIELD_PID);
		event_set(&e, FIELD_OWNER);
		event_set(&e, FIELD_COMM);
		event_set(&e, FIELD_TX_BYTES);
		event_set(&e, FIELD_RX_BYTES);
		event_set(&e, FIELD_SRTT_US);
	}
	connection_table_apply(table, &e, &change);
	assert_int_equal(view->ops->event(view, &e, &change), 0);
}

static int tick(uint64_t ms)
{
	return view->ops->tick(view, 3723 * SECOND + ms * 1000000, SECOND + ms * 1000000);
}

static void traffic(void)
{
	event(EVENT_START, 0, 0, NULL, 0, 0, 0);
	event(EVENT_CONNECT, 2, 42, "curl", 100, 0, 0);
	event(EVENT_ACCEPT, 3, 7, "nginx", 100, 0, 0);
	event(EVENT_SOCKET, 2, 42, "curl", 900, 500, 1200000);
	event(EVENT_CLOSE, 3, 7, "nginx", 950, 2000, 100);
}

static void test_process(void **state)
{
	(void)state;
	traffic();
	assert_int_equal(view->next_tick_ns, 2 * SECOND);
	assert_true(view->wants_counters);
	assert_string_equal(printed(), "");
	assert_int_equal(tick(1000), 0);
	assert_string_equal(
		printed(),
		"nettrace top  01:02:04Z  by process  1 connection  2 opens/s 1 closes/s 0 fails/s  "
		"tx 2.5KB/s  rx 1.2MB/s\n"
		"PID     COMM                TX/s     RX/s  CONNS OPEN/s CLOSE/s FAIL/s      TX      RX  RETR SRTT\n"
		"42      curl                500B    1.2MB      1      1       0      0    500B   1.2MB     0 250us\n"
		"7       nginx                2KB     100B      0      1       1      0     2KB    100B     0 250us\n");
	assert_int_equal(view->next_tick_ns, 3 * SECOND);
	assert_int_equal(
		tick(3500),
		0); /* late: the rate is that of the real 2.5 s; the missed tick is not made up for */
	assert_int_equal(view->next_tick_ns, 3500000000 + 2 * SECOND);
	assert_memory_equal(printed(), "\nnettrace top  01:02:06Z", 24);
}

static void test_remote_and_connection(void **state)
{
	(void)state;
	options.by = BY_REMOTE;
	options.time_format = TIME_FORMAT_NONE;
	reopen();
	traffic();
	assert_int_equal(tick(1000), 0);
	assert_string_equal(
		printed(),
		"nettrace top  by remote  1 connection  2 opens/s 1 closes/s 0 fails/s  tx 2.5KB/s  rx 1.2MB/s\n"
		"REMOTE                       TX/s     RX/s  CONNS OPEN/s CLOSE/s FAIL/s      TX      RX  RETR SRTT\n"
		"-> 192.0.2.1:443             500B    1.2MB      1      1       0      0    500B   1.2MB     0 250us\n"
		"<- 192.0.2.1                  2KB     100B      0      1       1      0     2KB    100B     0 250us\n");
	options.by = BY_CONNECTION;
	options.rows = 1;
	options.no_header = true;
	connection_table_free(table);
	table = connection_table_new(10);
	reopen();
	traffic();
	assert_int_equal(tick(1000), 0);
	assert_string_equal(
		printed(),
		"42      curl                500B    1.2MB 10.0.0.1:1002         -> 192.0.2.1:443         "
		"ESTABLISHED    500B   1.2MB     0 250us\n");
}

static void test_json(void **state)
{
	(void)state;
	options.json = true;
	options.count = 1;
	options.rows = 1;
	reopen();
	traffic();
	printed();
	assert_int_equal(tick(2000), 1); /* --count */
	assert_string_equal(
		printed(),
		"{\"event\":\"top\",\"time\":\"1970-01-01T01:02:05.000000000Z\",\"mono_ns\":3000000000,"
		"\"pid\":42,\"comm\":\"curl\",\"tx_bytes\":500,\"rx_bytes\":1200000,\"srtt_us\":250,"
		"\"retrans\":0,\"connections\":1,\"by\":\"process\",\"tx_rate\":250,\"rx_rate\":600000,"
		"\"open_rate\":0.5,\"close_rate\":0,\"fail_rate\":0,\"opens\":1,\"closes\":0,\"fails\":0}\n");
	assert_int_equal(view->ops->finish(view, 1, 4 * SECOND), 0);
	assert_string_equal(printed(), "");
}

static void test_finish(void **state)
{
	(void)state;
	options.no_header = true;
	reopen();
	traffic();
	assert_int_equal(view->ops->finish(view, 3724 * SECOND, SECOND + 500000000),
			 0); /* half a second */
	assert_memory_equal(printed(), "42      curl                 1KB    2.4MB", 41);
	assert_int_equal(view->ops->finish(view, 3724 * SECOND, 2 * SECOND), 0); /* nothing since */
	assert_string_equal(printed(), "");
}

static void test_adopts(void **state)
{
	struct connection_change change;
	struct event e;

	(void)state;
	/* the snapshot fills the table before the view hears of anything */
	event_init(&e, EVENT_SOCKET, 1, 1);
	e.cookie = 9;
	e.state = STATE_ESTABLISHED;
	e.pid = 3;
	strcpy(e.comm, "old");
	event_set(&e, FIELD_ID);
	event_set(&e, FIELD_STATE);
	event_set(&e, FIELD_PID);
	event_set(&e, FIELD_COMM);
	connection_table_apply(table, &e, &change);
	options.no_header = true;
	reopen();
	event(EVENT_START, 0, 0, NULL, 0, 0, 0);
	assert_int_equal(tick(1000), 0);
	assert_string_equal(
		printed(),
		"3       old                   0B       0B      1      0       0      0      0B      0B     0 -\n");
}

static void test_lost(void **state)
{
	struct event e;

	(void)state;
	traffic();
	event_init(&e, EVENT_LOST, 1, SECOND + 1);
	e.count = 17;
	event_set(&e, FIELD_COUNT_LOST);
	assert_int_equal(view->ops->event(view, &e, NULL), 0);
	assert_int_equal(tick(1000), 0);
	assert_non_null(strstr(printed(), "  17 lost\n"));
}

static void test_screen(void **state)
{
	const char *text;

	(void)state;
	options.batch = false;
	options.lines = 3;
	options.columns = 40;
	reopen();
	traffic();
	text = drawn(); /* at once */
	assert_memory_equal(text, "\033[?1049h\033[?25l\033[2J\033[Hnettrace top  01:02:03Z", 44);
	assert_int_equal(tick(1000), 0);
	text = drawn();
	assert_ptr_equal(strstr(text, "\033[Hnettrace top  01:02:04Z  by process  1 c\r\n"
				      "\033[7mPID     COMM                TX/s     RX/\033[0m\r\n"),
			 text);
	assert_non_null(strstr(text, "42      curl"));
	assert_null(strstr(text, "nginx")); /* no room; and the last line does not scroll */
	assert_int_not_equal(text[strlen(text) - 1], '\n');
	top_view_resize(view, 5, 120);
	text = drawn();
	assert_memory_equal(text, "\033[H", 3);
	assert_non_null(strstr(text, "7       nginx"));
	assert_non_null(strstr(text, "\033[J"));
	view_free(view);
	view = NULL;
	assert_string_equal(drawn(), "\033[0m\033[?25h\033[?1049l");
	screen_restore(); /* nothing is active any more */
	assert_string_equal(drawn(), "");
}

static void test_screen_crash(void **state)
{
	struct screen s;

	(void)state;
	screen_init(&s, &output, 2, 10);
	screen_begin(&s);
	assert_int_equal(screen_end(&s), 0);
	drawn();
	screen_restore();
	assert_string_equal(drawn(), "\033[0m\033[?25h\033[?1049l");
	assert_int_equal(screen_done(NULL), 0);
}

static void test_screen_cuts(void **state)
{
	struct screen s;
	size_t from;

	(void)state;
	screen_init(&s, &output, 2, 5);
	s.active = true;
	from = output.text.length;
	text_puts(&output.text,
		  "\xe6\x9c\xac\xe7\x95\xaa\xe6\x9c\xac"); /* three characters, six columns */
	screen_end_line(&s, from, false);
	assert_string_equal(printed(), "\xe6\x9c\xac\xe7\x95\xaa\033[K\r\n");
	text_puts(&output.text, "abcdefgh");
	screen_end_line(&s, 0, false);
	assert_string_equal(printed(), "abcde");
	s.active = false;
}

static void test_rates(void **state)
{
	static const struct {
		double rate;
		const char *text;
	} cases[] = { { 0, "0" },
		      { 0.04, "0" },
		      { 0.2, "0.2" },
		      { 1, "1" },
		      { 9.96, "10" },
		      { 12.6, "13" },
		      { 1e30, "1000000000000000000" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		columns_put_rate(&output.text, cases[i].rate);
		assert_string_equal(printed(), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remote_and_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_finish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_screen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_screen_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_screen_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rates, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
