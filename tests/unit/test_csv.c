/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/csv.h"

#include "model/event_fields.h"

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

/* Longest line here, with all fields. */
#define CELLS_MAX FIELD_COUNT

/* A line taken apart as RFC 4180 says. */
struct cells {
	char *cell[CELLS_MAX];
	size_t count;
};

static void cells_done(struct cells *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->cell[i]);
	c->count = 0;
}

/* One cell from *at on, which then is behind it. Fails where a quote stands that must not. */
static char *read_cell(const char **at, const char *end)
{
	char *cell = calloc(1, (size_t)(end - *at) + 1);
	size_t n = 0;
	const char *p = *at;

	assert_non_null(cell);
	if (*p != '"') {
		for (; p < end && *p != ','; p++) {
			assert_int_not_equal(*p, '"');
			cell[n++] = *p;
		}
		*at = p;
		return cell;
	}
	for (p++;; p++) {
		assert_true(p < end);
		if (*p == '"' && (p + 1 == end || p[1] != '"'))
			break;
		p += *p == '"';
		cell[n++] = *p;
	}
	*at = p + 1;
	return cell;
}

/* Takes the text over. */
static void take_apart(struct text *t, struct cells *c)
{
	const char *at = t->data, *end;

	c->count = 0;
	assert_false(t->failed);
	assert_true(t->length > 0);
	end = t->data + t->length - 1;
	assert_int_equal(*end, '\n');
	/* One line, whatever is in it. */
	assert_null(memchr(t->data, '\n', t->length - 1));
	assert_null(memchr(t->data, '\r', t->length));
	assert_null(memchr(t->data, '\0', t->length));
	for (;;) {
		assert_true(c->count < CELLS_MAX);
		c->cell[c->count++] = read_cell(&at, end);
		if (at == end)
			break;
		assert_int_equal(*at, ',');
		at++;
	}
	text_done(t);
}

static void header(enum csv_columns columns, struct cells *c)
{
	struct text t = { 0 };

	csv_write_header(&t, columns);
	take_apart(&t, c);
}

static void row(enum csv_columns columns, const struct event *e, struct cells *c)
{
	struct text t = { 0 };

	csv_write_event(&t, columns, e);
	take_apart(&t, c);
}

/* The place of a column, or -1. */
static int column(enum csv_columns columns, const char *name)
{
	struct cells c;
	int found = -1;

	header(columns, &c);
	for (size_t i = 0; i < c.count; i++)
		if (!strcmp(c.cell[i], name))
			found = (int)i;
	cells_done(&c);
	return found;
}

static void assert_cell(enum csv_columns columns, const struct event *e, const char *name,
			const char *expected)
{
	int at = column(columns, name);
	struct cells c;

	assert_true(at >= 0);
	row(columns, e, &c);
	assert_string_equal(c.cell[at], expected);
	cells_done(&c);
}

static void which_columns(void **state)
{
	struct cells c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		enum csv_columns columns = i ? CSV_ROWS : CSV_EVENTS;

		header(columns, &c);
		assert_string_equal(c.cell[0], "event");
		assert_string_equal(c.cell[1], "time");
		assert_string_equal(c.cell[2], "mono_ns");
		cells_done(&c);
		assert_true(column(columns, "laddr") > 0 && column(columns, "comm") > 0);
		assert_int_equal(column(columns, "hooks"), -1);
	}
	assert_true(column(CSV_EVENTS, "version") > 0 && column(CSV_EVENTS, "count") > 0);
	assert_int_equal(column(CSV_EVENTS, "recv_q"), -1);
	assert_int_equal(column(CSV_EVENTS, "congestion"), -1);
	assert_true(column(CSV_ROWS, "recv_q") > 0 && column(CSV_ROWS, "congestion") > 0);
	assert_true(column(CSV_ROWS, "outcome") > 0 && column(CSV_ROWS, "backlog") > 0);
	assert_int_equal(column(CSV_ROWS, "version"), -1);
	assert_int_equal(column(CSV_ROWS, "latency_us"), -1);
}

static void unknown_is_empty(void **state)
{
	struct cells names, c;
	struct event e;

	(void)state;
	event_init(&e, EVENT_SOCKET, 1700000000123456789, 42);
	/* Members without their bit say nothing. */
	e.pid = 7;
	e.recv_q = 9;
	memcpy(e.comm, "cat", 4);
	for (int i = 0; i < 2; i++) {
		header(i ? CSV_ROWS : CSV_EVENTS, &names);
		row(i ? CSV_ROWS : CSV_EVENTS, &e, &c);
		assert_int_equal(c.count, names.count);
		assert_string_equal(c.cell[0], "socket");
		assert_string_equal(c.cell[1], "2023-11-14T22:13:20.123456789Z");
		assert_string_equal(c.cell[2], "42");
		for (size_t f = 3; f < c.count; f++)
			assert_string_equal(c.cell[f], "");
		cells_done(&c);
		cells_done(&names);
	}
}

static void values(void **state)
{
	struct event e;

	(void)state;
	event_init(&e, EVENT_CLOSE, 0, UINT64_MAX);
	e.cookie = 0xabc;
	e.start_ns = 16;
	e.proto = IPPROTO_TCP;
	e.family = 6;
	e.laddr[15] = 1;
	e.lport = 65535;
	e.uid = UINT32_MAX;
	e.tx_bytes = UINT64_MAX;
	e.mptcp = false;
	e.state = STATE_ESTABLISHED;
	event_set(&e, FIELD_ID);
	event_set(&e, FIELD_PROTO);
	event_set(&e, FIELD_FAMILY);
	event_set(&e, FIELD_LADDR);
	event_set(&e, FIELD_LPORT);
	event_set(&e, FIELD_UID);
	event_set(&e, FIELD_TX_BYTES);
	event_set(&e, FIELD_MPTCP);
	event_set(&e, FIELD_STATE);
	assert_cell(CSV_EVENTS, &e, "time", "1970-01-01T00:00:00.000000000Z");
	assert_cell(CSV_EVENTS, &e, "mono_ns", "18446744073709551615");
	assert_cell(CSV_EVENTS, &e, "id", "abc-10");
	assert_cell(CSV_EVENTS, &e, "proto", "tcp");
	assert_cell(CSV_EVENTS, &e, "family", "6");
	assert_cell(CSV_EVENTS, &e, "laddr", "::1");
	assert_cell(CSV_EVENTS, &e, "lport", "65535");
	assert_cell(CSV_EVENTS, &e, "uid", "4294967295");
	assert_cell(CSV_EVENTS, &e, "tx_bytes", "18446744073709551615");
	assert_cell(CSV_EVENTS, &e, "mptcp", "false");
	assert_cell(CSV_EVENTS, &e, "state", "ESTABLISHED");
	/* A number without a name is not known. */
	e.state = 200;
	assert_cell(CSV_EVENTS, &e, "state", "");
}

static void hostile_names(void **state)
{
	char longest[5000];
	struct event e;

	(void)state;
	event_init(&e, EVENT_SOCKET, 1, 2);
	event_set(&e, FIELD_COMM);
	event_set(&e, FIELD_CGROUP);
	event_set(&e, FIELD_PATH);
	memcpy(e.comm, "\",\"\n\r\x1b,\"\"\\", 10);
	e.cgroup = "\"";
	e.path = ",";
	assert_cell(CSV_ROWS, &e, "comm", "\",\"\\x0a\\x0d\\x1b,\"\"\\\\");
	assert_cell(CSV_ROWS, &e, "cgroup", "\"");
	assert_cell(CSV_ROWS, &e, "path", ",");
	/* Without an end, and a string that is not there. */
	memset(e.comm, '"', sizeof(e.comm));
	e.cgroup = NULL;
	assert_cell(CSV_ROWS, &e, "comm", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"");
	assert_cell(CSV_ROWS, &e, "cgroup", "");
	memset(longest, '"', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	e.path = longest;
	assert_cell(CSV_ROWS, &e, "path", longest);
}

static void holders(void **state)
{
	const struct holder three[] = {
		{ .pid = 1, .fd = 0, .comm = "init" },
		{ .pid = 4194304, .fd = -1, .comm = "a,b" },
		{ .pid = 3, .fd = INT32_MAX, .comm = "x\"y" },
	};
	struct event e;

	(void)state;
	event_init(&e, EVENT_SOCKET, 1, 2);
	event_set(&e, FIELD_HOLDERS);
	assert_cell(CSV_ROWS, &e, "holders", "");
	e.holders = three;
	e.holder_count = 3;
	assert_cell(CSV_ROWS, &e, "holders", "1:0:init 4194304::a,b 3:2147483647:x\"y");
	/* Quoted once for the whole cell. */
	e.holder_count = 1;
	assert_cell(CSV_ROWS, &e, "holders", "1:0:init");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_columns), cmocka_unit_test(unknown_is_empty),
		cmocka_unit_test(values),	 cmocka_unit_test(hostile_names),
		cmocka_unit_test(holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
