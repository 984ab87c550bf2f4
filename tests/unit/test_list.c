/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "view/view.h"

static struct view_options options;
static struct selection selection;
static struct output output;
static struct connection_table *table;

static int setup(void **state)
{
	(void)state;
	memset(&options, 0, sizeof(options));
	memset(&selection, 0, sizeof(selection));
	output_init(&output, -1);
	table = connection_table_new(1000);
	return table ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	connection_table_free(table);
	output_done(&output);
	return 0;
}

struct row {
	uint64_t cookie;
	unsigned int proto, state;
	const char *laddr; /* 4 bytes */
	uint16_t lport;
	const char *raddr;
	uint16_t rport;
	uint32_t pid; /* 0: unknown */
	const char *comm;
	struct holder holders[3];
	uint32_t holder_count;
};

static void add(const struct row *r)
{
	struct connection_change change;
	struct event e;

	event_init(&e, EVENT_SOCKET, 1, 1);
	e.cookie = r->cookie;
	e.proto = r->proto;
	e.state = r->state;
	e.family = 4;
	memcpy(e.laddr, r->laddr, 4);
	memcpy(e.raddr, r->raddr, 4);
	e.lport = r->lport;
	e.rport = r->rport;
	e.recv_q = 0;
	e.send_q = r->state == STATE_LISTEN ? 4096 : 0;
	e.inode = r->cookie + 10000;
	for (int f = FIELD_ID; f <= FIELD_FAMILY; f++)
		event_set(&e, f);
	for (int f = FIELD_LADDR; f <= FIELD_RPORT; f++)
		event_set(&e, f);
	event_set(&e, FIELD_STATE);
	event_set(&e, FIELD_RECV_Q);
	event_set(&e, FIELD_SEND_Q);
	event_set(&e, FIELD_INODE);
	if (r->pid) {
		e.pid = r->pid;
		e.uid = 33;
		snprintf(e.comm, sizeof(e.comm), "%s", r->comm);
		e.owner = OWNER_SNAPSHOT;
		event_set(&e, FIELD_PID);
		event_set(&e, FIELD_UID);
		event_set(&e, FIELD_COMM);
		event_set(&e, FIELD_OWNER);
	}
	e.holders = r->holders;
	e.holder_count = r->holder_count;
	event_set(&e, FIELD_HOLDERS);
	connection_table_apply(table, &e, &change);
}

static const struct row rows[] = {
	{ 5,
	  IPPROTO_TCP,
	  STATE_ESTABLISHED,
	  "\x0a\0\0\1",
	  40000,
	  "\xc0\0\2\xc8",
	  443,
	  9,
	  "curl",
	  { { 9, 5, "curl" } },
	  1 },
	{ 4,
	  IPPROTO_TCP,
	  STATE_ESTABLISHED,
	  "\x7f\0\0\1",
	  80,
	  "\x7f\0\0\1",
	  50001,
	  8,
	  "nginx",
	  { { 7, 0, "x" } },
	  0 },
	{ 3,
	  IPPROTO_TCP,
	  STATE_TIME_WAIT,
	  "\x7f\0\0\1",
	  80,
	  "\x7f\0\0\1",
	  50000,
	  0,
	  NULL,
	  { { 0 } },
	  0 },
	{ 2,
	  IPPROTO_UDP,
	  STATE_CLOSE,
	  "\x7f\0\0\x35",
	  53,
	  "\0\0\0",
	  0,
	  6,
	  "resolved",
	  { { 6, 12, "resolved" } },
	  1 },
	{ 1,
	  IPPROTO_TCP,
	  STATE_LISTEN,
	  "\0\0\0",
	  80,
	  "\0\0\0",
	  0,
	  8,
	  "nginx",
	  { { 7, 6, "nginx" }, { 8, 6, "nginx" } },
	  2 },
};

static void add_all(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add(&rows[i]);
}

/* The table, once. */
static const char *listed(void)
{
	struct view *v = list_view_new(&output, &options, table, &selection);

	output.text.length = 0;
	assert_non_null(v);
	assert_int_equal(v->next_tick_ns, 0);
	assert_int_equal(v->ops->finish(v, 1000000000, 2), 0);
	view_free(v);
	text_char(&output.text, '\0');
	return output.text.data;
}

static void test_all(void **state)
{
	(void)state;
	add_all();
	assert_string_equal(
		listed(),
		"Netid State       Recv-Q Send-Q Local Address:Port  Peer Address:Port  Process\n"
		"udp   UNCONN      0      0         127.0.0.53:53         0.0.0.0:*     users:((\"resolved\",pid=6,fd=12))\n"
		"tcp   LISTEN      0      4096         0.0.0.0:80         0.0.0.0:*     "
		"users:((\"nginx\",pid=8,fd=6),(\"nginx\",pid=7,fd=6))\n"
		"tcp   TIME_WAIT   0      0          127.0.0.1:80       127.0.0.1:50000\n"
		"tcp   ESTABLISHED 0      0          127.0.0.1:80       127.0.0.1:50001 owner:(\"nginx\",pid=8)\n"
		"tcp   ESTABLISHED 0      0           10.0.0.1:40000  192.0.2.200:443   users:((\"curl\",pid=9,fd=5))\n");
}

static void test_which(void **state)
{
	const char *text;

	(void)state;
	add_all();
	options.no_header = true;
	options.listening = true;
	text = listed();
	assert_non_null(strstr(text, "LISTEN"));
	assert_non_null(strstr(text, "UNCONN"));
	assert_null(strstr(text, "TIME_WAIT"));
	assert_null(strstr(text, "Netid"));
	options.listening = false;
	options.connected = true;
	text = listed();
	assert_null(strstr(text, "LISTEN"));
	assert_null(strstr(text, "UNCONN"));
	assert_non_null(strstr(text, "TIME_WAIT"));
	selection.tcp = true;
	selection.ports = (struct u32_list){ 1, { 443 } };
	assert_string_equal(listed(),
			    "tcp   ESTABLISHED 0      0           10.0.0.1:40000  192.0.2.200:443  "
			    "users:((\"curl\",pid=9,fd=5))\n");
}

static void test_extended(void **state)
{
	(void)state;
	add_all();
	options.no_header = true;
	options.extended = true;
	selection.ports = (struct u32_list){ 2, { 443, 50000 } };
	assert_string_equal(
		listed(),
		"tcp   TIME_WAIT   0      0          127.0.0.1:80       127.0.0.1:50000 ino:10003 sk:3\n"
		"tcp   ESTABLISHED 0      0           10.0.0.1:40000  192.0.2.200:443   "
		"users:((\"curl\",pid=9,fd=5)) uid:33 ino:10005 sk:5\n");
}

static void test_empty(void **state)
{
	(void)state;
	assert_string_equal(
		listed(),
		"Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n");
	options.json = true;
	assert_string_equal(listed(), "");
}

static void test_hostile(void **state)
{
	struct row evil = rows[0];

	(void)state;
	snprintf(evil.holders[0].comm, sizeof(evil.holders[0].comm), "a\",pid=1)\n\033");
	add(&evil);
	assert_non_null(strstr(listed(), "users:((\"a\\\",pid=1)\\x0a\\x1b\",pid=9,fd=5))\n"));
	memset(evil.holders[0].comm, 'z', sizeof(evil.holders[0].comm)); /* no end */
	add(&evil);
	assert_non_null(strstr(listed(), "users:((\"zzzzzzzzzzzzzzzz\",pid=9,fd=5))\n"));
}

static void test_json(void **state)
{
	(void)state;
	add_all();
	options.json = true;
	selection.ports = (struct u32_list){ 1, { 443 } };
	assert_string_equal(
		listed(),
		"{\"event\":\"socket\",\"time\":\"1970-01-01T00:00:01.000000000Z\",\"mono_ns\":2,"
		"\"id\":\"5-0\",\"proto\":\"tcp\",\"family\":4,\"pid\":9,\"comm\":\"curl\",\"uid\":33,"
		"\"owner\":\"snapshot\",\"laddr\":\"10.0.0.1\",\"lport\":40000,"
		"\"raddr\":\"192.0.2.200\",\"rport\":443,\"state\":\"ESTABLISHED\",\"recv_q\":0,"
		"\"send_q\":0,\"inode\":10005,\"holders\":[{\"pid\":9,\"fd\":5,\"comm\":\"curl\"}]}\n");
}

static void test_interval(void **state)
{
	struct view *v;
	struct event e;

	(void)state;
	options.no_header = true;
	options.interval_ns = 1000;
	options.count = 2;
	add(&rows[2]);
	v = list_view_new(&output, &options, table, &selection);
	event_init(&e, EVENT_START, 1, 500);
	assert_int_equal(v->ops->event(v, &e, NULL), 0);
	assert_int_equal(v->next_tick_ns, 1500);
	assert_int_equal(v->ops->tick(v, 1, 1500), 0);
	assert_int_equal(v->next_tick_ns, 2500);
	assert_int_equal(v->ops->tick(v, 1, 2500), 1);
	assert_int_equal(v->ops->finish(v, 1, 2600), 0);
	view_free(v);
	text_char(&output.text, '\0');
	assert_string_equal(
		output.text.data,
		"tcp   TIME_WAIT 0      0          127.0.0.1:80      127.0.0.1:50000\n\n"
		"tcp   TIME_WAIT 0      0          127.0.0.1:80      127.0.0.1:50000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_which, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interval, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
