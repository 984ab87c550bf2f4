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
#include "view/sparkline.h"
#include "view/view.h"

#define SECOND 1000000000ull

static struct view_options options;
static struct selection selection;
static struct output output;
static struct connection_table *table;
static struct view *view;
static int terminal[2]; /* what a terminal would get; read from [0] */

static int setup(void **state)
{
	(void)state;
	selection = (struct selection){ 0 };
	options = (struct view_options){ .batch = true,
					 .interval_ns = SECOND,
					 .time_format = TIME_FORMAT_UTC };
	if (pipe2(terminal, O_NONBLOCK))
		return -1;
	output_init(&output, terminal[1]);
	table = connection_table_new(1000);
	view = table ? top_view_new(&output, &options, table, &selection) : NULL;
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
	view = top_view_new(&output, &options, table, &selection);
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

/* The title says how connections are seen, where that is known. */
static void test_rung(void **state)
{
	struct event e;
	struct connection_change change;

	(void)state;
	event_init(&e, EVENT_START, 3723 * SECOND, SECOND);
	e.mode = MODE_POLLING;
	e.rung = 4;
	event_set(&e, FIELD_MODE);
	event_set(&e, FIELD_RUNG);
	connection_table_apply(table, &e, &change);
	assert_int_equal(view->ops->event(view, &e, &change), 0);
	assert_int_equal(tick(1000), 0);
	assert_memory_equal(printed(), "nettrace top  01:02:04Z  polling, rung 4  by process  ",
			    54);
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
		"PID     COMM                TX/s     RX/s  CONNS OPEN/s FAIL/s RETR% CLOSE/s USER          TX      RX   SRTT  RETR"
		"  SYN CWAIT CLOSNG LISTEN DROP/s    AGE ENDS\n"
		"42      curl                500B    1.2MB      1      1      0     -       0 -           500B   1.2MB  250us     0"
		"    0     0      0      0      0  900ms -\n"
		"7       nginx                2KB     100B      0      1      0     -       1 -            2KB    100B  250us     0"
		"    0     0      0      0      0  900ms -\n");
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
		"REMOTE                       TX/s     RX/s  CONNS OPEN/s FAIL/s RETR%   SRTT CLOSE/s      TX      RX  RETR  SYN"
		" CWAIT CLOSNG    AGE ENDS\n"
		"-> 192.0.2.1:443             500B    1.2MB      1      1      0     -  250us       0    500B   1.2MB     0    0"
		"     0      0  900ms -\n"
		"<- 192.0.2.1                  2KB     100B      0      1      0     -  250us       1     2KB    100B     0    0"
		"     0      0  900ms -\n");
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
		"42      curl            -> 192.0.2.1:443             500B    1.2MB ESTABLISHED 10.0.0.1:1002            500B   1.2MB"
		"     0     -  250us -            0B     0B     2s -\n");
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
		"\"drop_rate\":0,\"open_rate\":0.5,\"fail_rate\":0,\"close_rate\":0,\"retrans_rate\":0,"
		"\"opening\":0,\"close_wait\":0,\"closing\":0,\"listeners\":0,\"opens\":1,\"closes\":0,\"fails\":0}\n");
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
	/* and one that is not selected: a replay knows it from before --from */
	e.cookie = 10;
	e.pid = 4;
	connection_table_apply(table, &e, &change);
	options.no_header = true;
	selection.pids = (struct u32_list){ .count = 1, .values = { 3 } };
	reopen();
	event(EVENT_START, 0, 0, NULL, 0, 0, 0);
	assert_int_equal(tick(1000), 0);
	assert_string_equal(
		printed(),
		"3       old                   0B       0B      1      0      0     -       0 -             0B      0B      -     0"
		"    0     0      0      0      0     1s -\n");
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

static void put_spark(struct sparkline *s, unsigned int columns, bool ascii)
{
	sparkline_put(s, &output.text, columns, ascii);
}

static void test_sparkline(void **state)
{
	struct sparkline s = { 0 };

	(void)state;
	put_spark(&s, 5, true);
	assert_string_equal(printed(), "     ");
	sparkline_add(&s, 0, 100 * SECOND, 10);
	sparkline_add(&s, 100 * SECOND, 101 * SECOND, 0);
	sparkline_add(&s, 101 * SECOND, 104 * SECOND, 20); /* three seconds at that rate */
	put_spark(&s, 60, true);
	assert_string_equal(printed() + 55, "= ###");
	put_spark(&s, 60, false);
	assert_string_equal(printed() + 55, "\xe2\x96\x85 \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88");
	put_spark(&s, 20, true); /* three seconds a character: the largest of each */
	assert_string_equal(printed() + 18, "=#");
	sparkline_add(&s, 104 * SECOND, 164 * SECOND, 1); /* a minute later the past is gone */
	put_spark(&s, 60, true);
	assert_string_equal(printed(),
			    "############################################################");
	sparkline_add(&s, 164 * SECOND, 300 * SECOND, 0);
	put_spark(&s, 3, true);
	assert_string_equal(printed(), "   ");
}

static void test_bar(void **state)
{
	static const struct {
		double share;
		const char *ascii, *blocks;
	} cases[] = {
		{ 0, "    ", "    " },
		{ 0.001, "|   ", "\xe2\x96\x8f   " }, /* little is not nothing */
		{ 0.5, "##  ", "\xe2\x96\x88\xe2\x96\x88  " },
		{ 1, "####", "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88" },
		{ 7, "####", "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88" },
		{ -1, "    ", "    " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bar_put(&output.text, cases[i].share, 4, true);
		assert_string_equal(printed(), cases[i].ascii);
		bar_put(&output.text, cases[i].share, 4, false);
		assert_string_equal(printed(), cases[i].blocks);
	}
}

static void test_chart(void **state)
{
	(void)state;
	options.chart = true;
	options.ascii = true;
	options.columns = 45;
	options.time_format = TIME_FORMAT_NONE;
	reopen();
	traffic();
	assert_int_equal(tick(1000), 0);
	assert_string_equal(
		printed(),
		"nettrace top  by process  1 connection  2 opens/s 1 closes/s 0 fails/s  tx 2.5KB/s  rx 1.2MB/s\n"
		"curl[42] ######################### 1.2MB/s\n"
		"nginx[7] |                         2.1KB/s\n");
}

/* Each column has what it needs, each sort key is found by its name. */
static void test_columns(void **state)
{
	struct column_context x = { .mono_ns = 9 * SECOND };
	struct ranking_row row = { .since_ns = 2 * SECOND, .retrans_percent = 1.5 };
	unsigned int count;

	(void)state;
	for (int by = 0; by < BY_COUNT; by++) {
		const uint8_t *columns = columns_of((enum ranking_by)by, &count);

		assert_true(count <= COLUMNS_MAX);
		assert_in_range(columns_names((enum ranking_by)by), 1, count);
		for (unsigned int i = 0; i < count; i++) {
			const struct column *c = &column_table[columns[i]];

			assert_non_null(c->header);
			assert_true(strlen(c->header) <= c->width);
			for (unsigned int j = 0; j < i; j++)
				assert_int_not_equal(columns[i], columns[j]);
			row.by = (uint8_t)by;
			column_put(&output.text, c, &row, &x);
			assert_string_not_equal(printed(), "");
		}
	}
	for (unsigned int i = 0; i < column_count; i++) {
		assert_non_null(column_table[i].help);
		if (column_table[i].key)
			assert_int_equal(column_by_key(column_table[i].key), i);
	}
	assert_int_equal(column_by_key("planet"), -1);
	assert_null(column_key(column_count));
}

static void test_listener_json(void **state)
{
	struct ranking_row row = { .by = BY_LISTENER,
				   .direction = DIRECTION_IN,
				   .proto = IPPROTO_TCP,
				   .family = 4,
				   .lport = 80,
				   .listeners = 1,
				   .queue = 3,
				   .backlog = 128,
				   .drops = 4,
				   .retrans_percent = -1 };

	(void)state;
	columns_put_json(&output.text, &row, 3723 * SECOND, SECOND);
	assert_string_equal(
		printed(),
		"{\"event\":\"top\",\"time\":\"1970-01-01T01:02:03.000000000Z\",\"mono_ns\":1000000000,"
		"\"proto\":\"tcp\",\"family\":4,\"direction\":\"in\",\"laddr\":\"0.0.0.0\",\"lport\":80,"
		"\"tx_bytes\":0,\"rx_bytes\":0,\"retrans\":0,\"drops\":4,\"recv_q\":3,\"send_q\":128,\"connections\":0,"
		"\"by\":\"listener\",\"tx_rate\":0,\"rx_rate\":0,\"drop_rate\":0,\"open_rate\":0,\"fail_rate\":0,"
		"\"close_rate\":0,\"retrans_rate\":0,\"opening\":0,\"close_wait\":0,\"closing\":0,\"listeners\":1,"
		"\"opens\":0,\"closes\":0,\"fails\":0}\n");
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
		cmocka_unit_test_setup_teardown(test_rung, setup, teardown),
		cmocka_unit_test_setup_teardown(test_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remote_and_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_finish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sparkline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listener_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rates, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
