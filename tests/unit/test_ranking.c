/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/ranking.h"

#define SECOND 1000000000ull

#define SILENT 2

struct fixture {
	struct connection_table *table;
	struct ranking *ranking;
	struct ranking_list list;
	struct ranking_row *rows;
};

static struct ranking_query query;

static void setup(struct fixture *f, enum ranking_by by)
{
	*f = (struct fixture){ .table = connection_table_new(200000) };
	f->ranking = ranking_new(f->table, 1u << by, SILENT);
	query = (struct ranking_query){ .by = by };
}

static void done(struct fixture *f)
{
	ranking_list_done(&f->list);
	ranking_free(f->ranking);
	connection_table_free(f->table);
	free(f->rows);
}

static double by_rate(const void *context, const struct ranking_row *r)
{
	(void)context;
	return r->tx_rate + r->rx_rate;
}

static double by_connections(const void *context, const struct ranking_row *r)
{
	(void)context;
	return (double)r->connections;
}

static double by_name(const void *context, const struct ranking_row *r)
{
	(void)context;
	(void)r;
	return 0; /* only marks it: names are sorted without a number */
}

static const char *place; /* unit of the events to come */

/* One event of connection `cookie` (begun at 1 ns) at `ms`, with counters so far unless tx is negative. */
static void tell(struct fixture *f, enum event_type type, uint64_t cookie, uint32_t pid,
		 const char *comm, uint64_t ms, int64_t tx, int64_t rx)
{
	bool listens = type == EVENT_LISTEN || type == EVENT_UNLISTEN || type == EVENT_DROP;
	struct connection_change change;
	struct event e;

	event_init(&e, type, 1, SECOND + ms * 1000000);
	e.cookie = cookie;
	e.start_ns = 1;
	e.proto = IPPROTO_TCP;
	e.family = 4;
	e.lport = listens ? 81 : cookie % 2 ? 80 : (uint16_t)(cookie + 1000);
	e.rport = cookie % 2 ? (uint16_t)(cookie + 1000) : 443;
	e.direction = cookie % 2 ? DIRECTION_IN : DIRECTION_OUT;
	e.laddr[0] = 10;
	e.raddr[0] = 192;
	e.raddr[3] = (uint8_t)(cookie % 10);
	for (int field = FIELD_ID; field <= FIELD_DIRECTION; field++)
		event_set(&e, field);
	for (int field = FIELD_LADDR; field <= FIELD_RPORT; field++)
		event_set(&e, field);
	if (pid) {
		e.pid = pid;
		snprintf(e.comm, sizeof(e.comm), "%s", comm);
		e.owner = OWNER_CONNECT;
		event_set(&e, FIELD_PID);
		event_set(&e, FIELD_COMM);
		event_set(&e, FIELD_OWNER);
	}
	if (tx >= 0) {
		e.tx_bytes = (uint64_t)tx;
		e.rx_bytes = (uint64_t)rx;
		event_set(&e, FIELD_TX_BYTES);
		event_set(&e, FIELD_RX_BYTES);
	}
	e.count = type == EVENT_DROP ? 3 : 0;
	if (type == EVENT_FAIL || type == EVENT_CLOSE) {
		e.outcome = type == EVENT_FAIL ? OUTCOME_REFUSED : OUTCOME_CLEAN;
		event_set(&e, FIELD_OUTCOME);
	}
	if (place) {
		e.unit = place;
		event_set(&e, FIELD_UNIT);
	}
	connection_table_apply(f->table, &e, &change);
	assert_int_equal(ranking_add(f->ranking, &e, &change), 0);
}

static const struct ranking_row *
list(struct fixture *f, double (*value)(const void *, const struct ranking_row *), size_t *n)
{
	query.value = value == by_name ? NULL : value;
	assert_int_equal(ranking_list(f->ranking, &query, &f->list), 0);
	*n = f->list.count;
	f->rows = realloc(f->rows, (*n + 1) * sizeof(*f->rows));
	assert_non_null(f->rows);
	for (size_t i = 0; i < *n; i++)
		ranking_list_row(&f->list, i, &f->rows[i]);
	return f->rows;
}

static const struct ranking_row *interval(struct fixture *f, uint64_t ms,
					  double (*value)(const void *, const struct ranking_row *),
					  size_t *n)
{
	ranking_interval(f->ranking, query.by, SECOND + ms * 1000000);
	return list(f, value, n);
}

static void test_process(void **state)
{
	struct ranking_row total;
	const struct ranking_row *rows;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_PROCESS);
	tell(&f, EVENT_LISTEN, 90, 7, "nginx", 0, -1, 0);
	tell(&f, EVENT_CONNECT, 2, 5, "curl", 0, -1, 0);
	tell(&f, EVENT_SOCKET, 2, 5, "curl", 1000, 100, 4000);
	tell(&f, EVENT_CONNECT, 4, 5, "curl", 1200, -1, 0);
	tell(&f, EVENT_CLOSE, 4, 5, "curl", 1300, 20, 40); /* short-lived: its close counts */
	tell(&f, EVENT_FAIL, 6, 6, "dig", 1400, -1, 0);
	tell(&f, EVENT_ACCEPT, 1, 0, NULL, 1500, 9000, 0);
	rows = interval(&f, 2000, by_rate, &n);
	assert_int_equal(n, 4); /* nginx only listens */
	/* 9000 bytes in the real two seconds since the first event */
	assert_false(rows[0].has_pid);
	assert_float_equal(rows[0].tx_rate, 4500, 0.001);
	assert_int_equal(rows[1].pid, 5);
	assert_string_equal(rows[1].comm, "curl");
	assert_float_equal(rows[1].rx_rate, 2020, 0.001);
	assert_float_equal(rows[1].open_rate, 1, 0.001);
	assert_float_equal(rows[1].close_rate, 0.5, 0.001);
	assert_int_equal(rows[1].connections, 1);
	assert_int_equal(rows[1].opens, 2);
	assert_int_equal(rows[1].tx_bytes, 120);
	assert_int_equal(rows[2].fails, 1);
	assert_int_equal(rows[2].opens, 0);
	ranking_totals(f.ranking, &total);
	assert_int_equal(total.tx_bytes, 9120);
	assert_int_equal(total.connections, 2);
	assert_float_equal(total.fail_rate, 0.5, 0.001);

	rows = interval(&f, 3000, by_rate, &n);
	assert_int_equal(n, 4); /* nginx only listens */
	assert_float_equal(rows[0].tx_rate, 0, 0.001);
	assert_int_equal(rows[0].tx_bytes, 9000); /* ties by total */
	rows = interval(&f, 4000, by_rate, &n);
	assert_int_equal(n, 3); /* dig is gone: nothing open and silent for two intervals */
	tell(&f, EVENT_CLOSE, 2, 5, "curl", 4100, 101, 4000);
	rows = interval(&f, 5000, by_connections, &n);
	assert_int_equal(rows[0].connections, 1);
	assert_int_equal(rows[1].connections, 0);
	assert_float_equal(rows[1].tx_rate, 1, 0.001);
	ranking_totals(f.ranking, &total);
	assert_int_equal(total.fails, 1); /* also of groups that are gone */
	done(&f);
}

static void test_names_and_handover(void **state)
{
	const struct ranking_row *rows;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_PROCESS);
	tell(&f, EVENT_CONNECT, 2, 5, "sh", 0, 10, 0);
	tell(&f, EVENT_SOCKET, 2, 5, "wget", 500, 30, 0); /* after exec: a group of its own */
	rows = interval(&f, 1000, by_name, &n);
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].comm, "sh");
	assert_int_equal(rows[0].tx_bytes, 10);
	assert_int_equal(rows[0].connections, 0); /* it went with the connection */
	assert_string_equal(rows[1].comm, "wget");
	assert_int_equal(rows[1].tx_bytes, 20);
	assert_int_equal(rows[1].connections, 1);
	done(&f);
}

static void test_connection(void **state)
{
	const struct ranking_row *rows;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_CONNECTION);
	for (uint64_t cookie = 2; cookie <= 8; cookie += 2)
		tell(&f, EVENT_CONNECT, cookie, 5, "curl", 0, (int64_t)cookie, 0);
	rows = interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 4);
	assert_int_equal(rows[0].cookie, 8);
	assert_int_equal(rows[0].lport, 1008);
	assert_int_equal(rows[0].rport, 443);
	assert_int_equal(rows[0].state, STATE_ESTABLISHED);
	assert_int_equal(rows[0].pid, 5);
	assert_int_equal(rows[3].cookie, 2);
	done(&f);
}

static void test_remote(void **state)
{
	const struct ranking_row *rows;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_REMOTE);
	tell(&f, EVENT_ACCEPT, 1, 5, "nginx", 0, 1, 1);	 /* 192.0.0.1, port 1001 */
	tell(&f, EVENT_ACCEPT, 11, 6, "nginx", 0, 1, 1); /* the same client from port 1011 */
	tell(&f, EVENT_CONNECT, 2, 7, "curl", 0, 1, 0);
	tell(&f, EVENT_CONNECT, 12, 8, "wget", 0, 1, 0); /* the same server */
	tell(&f, EVENT_CONNECT, 4, 7, "curl", 0, 1, 0);
	rows = interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 3);
	assert_int_equal(rows[0].connections, 2);
	assert_int_equal(rows[0].direction, DIRECTION_IN);
	assert_int_equal(rows[0].rport, 0);
	assert_false(rows[0].has_pid);
	assert_int_equal(rows[1].connections, 2);
	assert_int_equal(rows[1].rport, 443);
	assert_int_equal(rows[2].raddr[3], 4);
	done(&f);
}

static void test_bounded(void **state)
{
	struct ranking_row total;
	const struct ranking_row *rows;
	struct fixture f;
	uint64_t connections = 0, others = 0;
	size_t n;

	(void)state;
	setup(&f, BY_CONNECTION);
	/* 50 that are over, then more open ones than there is room for: the idle go first */
	for (uint64_t cookie = 1; cookie <= 50; cookie++) {
		tell(&f, EVENT_CONNECT, cookie, 5, "gone", 0, -1, 0);
		tell(&f, EVENT_CLOSE, cookie, 5, "gone", 1, 1, 0);
	}
	interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 50);
	for (uint64_t cookie = 1001; cookie <= 101050; cookie++)
		tell(&f, EVENT_CONNECT, cookie, 5, "open", 1100, 1, 0);
	rows = interval(&f, 2000, by_connections, &n);
	assert_int_equal(n, 100051); /* 50 have no group of their own, but are in the table */
	for (size_t i = 0; i < n; i++)
		others += !strcmp(rows[i].comm, "(other)") ? rows[i].tx_bytes : 0;
	assert_int_equal(others, 50);
	for (size_t i = 0; i < n; i++)
		connections += rows[i].connections;
	assert_int_equal(connections, 100050);
	ranking_totals(f.ranking, &total);
	assert_int_equal(total.connections, 100050);
	assert_int_equal(total.opens, 100100);
	done(&f);
}

static void test_listener(void **state)
{
	const struct ranking_row *rows;
	struct ranking_row total;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_LISTENER);
	tell(&f, EVENT_LISTEN, 90, 7, "nginx", 0, -1, 0); /* port 81, where nobody comes */
	tell(&f, EVENT_ACCEPT, 1, 8, "worker", 0, 10,
	     20); /* port 80, whose listener is not known */
	tell(&f, EVENT_CONNECT, 2, 9, "curl", 0, 1, 2);
	tell(&f, EVENT_DROP, 90, 7, "nginx", 500, -1, 0);
	rows = interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 3);
	assert_int_equal(rows[0].lport, 80);
	assert_int_equal(rows[0].connections, 1);
	assert_int_equal(rows[1].direction, DIRECTION_OUT);
	assert_int_equal(rows[1].lport, 0);
	assert_int_equal(rows[2].lport, 81);
	assert_int_equal(rows[2].listeners, 1);
	assert_int_equal(rows[2].drops, 3);
	assert_float_equal(rows[2].drop_rate, 3, 0.001);
	assert_string_equal(rows[2].comm, "nginx");
	ranking_totals(f.ranking, &total);
	assert_int_equal(total.listeners, 1);
	assert_int_equal(total.connections, 2);
	assert_float_equal(total.tx_rate, rows[0].tx_rate + rows[1].tx_rate + rows[2].tx_rate,
			   0.001);
	for (uint64_t ms = 2000; ms < 6000; ms += 1000)
		rows = interval(&f, ms, by_rate, &n);
	assert_int_equal(n, 3); /* what listens stays, however silent */
	tell(&f, EVENT_UNLISTEN, 90, 7, "nginx", 6100, -1, 0);
	for (uint64_t ms = 7000; ms < 10000; ms += 1000)
		rows = interval(&f, ms, by_rate, &n);
	assert_int_equal(n, 2);
	done(&f);
}

static void test_container(void **state)
{
	const struct ranking_row *rows;
	struct fixture f;
	char name[] = "b.service";
	size_t n;

	(void)state;
	setup(&f, BY_CONTAINER);
	place = "a.service";
	tell(&f, EVENT_CONNECT, 2, 5, "curl", 0, 10, 0);
	tell(&f, EVENT_CONNECT, 4, 6, "wget", 0, 20, 0);
	place = "b.service";
	tell(&f, EVENT_CONNECT, 6, 7, "dig", 0, 5, 0);
	place = name; /* the same name, another string */
	tell(&f, EVENT_FAIL, 8, 7, "dig", 0, -1, 0);
	place = NULL;
	rows = interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].place, "a.service");
	assert_int_equal(rows[0].place_kind, PLACE_UNIT);
	assert_int_equal(rows[0].connections, 2);
	assert_int_equal(rows[1].fails, 1);
	assert_int_equal(rows[1].outcomes[OUTCOME_REFUSED], 1);
	done(&f);
}

static bool is_curl(void *context, const struct ranking_row *row, const struct connection *c)
{
	(void)context;
	(void)c;
	return !strcmp(row->comm, "curl");
}

static bool is_port_443(void *context, const struct connection *c)
{
	(void)context;
	return c->rport == 443;
}

/* The first rows of a long list are those of the whole list, whatever the limit; reversed, the last come first. */
static void test_limit(void **state)
{
	uint64_t all[300];
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_CONNECTION);
	for (uint64_t i = 0; i < 300; i++)
		tell(&f, EVENT_CONNECT, 2 + 2 * i, 5, i % 3 ? "curl" : "wget", 0,
		     (int64_t)(i * 7919 % 101), 0);
	interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 300);
	for (size_t i = 0; i < n; i++) {
		all[i] = f.rows[i].cookie;
		assert_true(!i || f.rows[i - 1].tx_rate >= f.rows[i].tx_rate);
	}
	for (query.limit = 1; query.limit < 300; query.limit += 37) {
		list(&f, by_rate, &n);
		assert_int_equal(n, query.limit);
		assert_int_equal(f.list.matched, 300);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(f.rows[i].cookie, all[i]);
	}
	query.reverse = true;
	query.limit = 10;
	list(&f, by_rate, &n);
	for (size_t i = 1; i < n; i++)
		assert_true(f.rows[i - 1].tx_rate <= f.rows[i].tx_rate);
	assert_float_equal(f.rows[0].tx_rate, 0, 0.001);
	query.limit = 0;
	query.match = is_curl;
	list(&f, by_rate, &n);
	assert_int_equal(n, 200);
	done(&f);
}

/* What rests needs no group of its own: the table has it. A connection is never shown twice. */
static void test_resting(void **state)
{
	struct ranking_row row;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_CONNECTION);
	tell(&f, EVENT_CONNECT, 2, 5, "curl", 0, 100, 0);
	tell(&f, EVENT_CONNECT, 4, 5, "curl", 0, 50, 0);
	for (uint64_t ms = 1000; ms <= 5000; ms += 1000) {
		interval(&f, ms, by_rate, &n);
		assert_int_equal(n, 2);
		assert_int_equal(f.rows[0].cookie, 2); /* by their totals, when nothing moves */
	}
	assert_int_equal(ranking_count(f.ranking, BY_CONNECTION), 0);
	assert_int_equal(f.rows[0].tx_bytes, 100);
	tell(&f, EVENT_SOCKET, 4, 5, "curl", 5500, 70, 0);
	interval(&f, 6000, by_rate, &n);
	assert_int_equal(n, 2);
	assert_int_equal(f.rows[0].cookie, 4);
	assert_float_equal(f.rows[0].tx_rate, 20, 0.001);
	assert_int_equal(f.rows[0].tx_bytes, 70);
	assert_true(ranking_find(f.ranking, &f.rows[1], &row));
	assert_int_equal(row.cookie, 2);
	tell(&f, EVENT_CLOSE, 4, 5, "curl", 6500, 90, 5);
	interval(&f, 7000, by_rate, &n);
	assert_int_equal(n, 2);
	assert_int_equal(f.rows[0].state, STATE_CLOSE);
	assert_int_equal(f.rows[0].tx_bytes, 90);
	assert_int_equal(f.rows[0].connections, 0);
	assert_int_equal(f.rows[0].outcome, OUTCOME_CLEAN);
	done(&f);
}

/* A row keeps its place while its number changes little; one that stops falls gently. */
static void test_steady(void **state)
{
	static const int64_t sent[][3] = {
		{ 1000, 990, 0 }, { 2000, 2040, 0 }, { 3000, 3090, 0 }, { 3000, 6090, 0 }
	};
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_PROCESS);
	query.steady = true;
	query.key = 1;
	for (uint64_t i = 0; i < 4; i++) {
		tell(&f, i ? EVENT_SOCKET : EVENT_CONNECT, 2, 5, "a", i * 1000, sent[i][0], 0);
		tell(&f, i ? EVENT_SOCKET : EVENT_CONNECT, 4, 6, "b", i * 1000, sent[i][1], 0);
		interval(&f, (i + 1) * 1000, by_rate, &n);
		assert_int_equal(n, 2);
		/* 5 % more is no reason to change places; three times as much is */
		assert_string_equal(f.rows[0].comm, i < 3 ? "a" : "b");
	}
	query.steady = false;
	list(&f, by_rate, &n);
	assert_string_equal(f.rows[0].comm, "b");
	done(&f);
}

static void test_marks(void **state)
{
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_PROCESS);
	tell(&f, EVENT_CONNECT, 2, 5, "curl", 0, 1, 0); /* to port 443 */
	tell(&f, EVENT_ACCEPT, 1, 6, "nginx", 0, 2, 0); /* from port 1001 */
	interval(&f, 1000, by_rate, &n);
	ranking_mark(f.ranking, BY_PROCESS, is_port_443, NULL);
	list(&f, by_rate, &n);
	assert_int_equal(n, 2);
	assert_string_equal(f.rows[1].comm, "curl");
	assert_true(f.rows[1].marked);
	assert_false(f.rows[0].marked);
	done(&f);
}

static void test_within(void **state)
{
	struct ranking_row connection, group = { .by = BY_REMOTE };
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f, BY_CONNECTION);
	tell(&f, EVENT_ACCEPT, 1, 6, "nginx", 0, 2, 0);
	interval(&f, 1000, by_rate, &n);
	assert_int_equal(n, 1);
	connection = f.rows[0];
	group.family = 4;
	group.proto = IPPROTO_TCP;
	group.direction = DIRECTION_IN;
	memcpy(group.raddr, connection.raddr, sizeof(group.raddr));
	assert_true(ranking_row_within(f.ranking, &connection, &group));
	group.raddr[3]++;
	assert_false(ranking_row_within(f.ranking, &connection, &group));
	group = (struct ranking_row){ .by = BY_PROCESS, .has_pid = true, .pid = 6 };
	strcpy(group.comm, "nginx");
	assert_true(ranking_row_within(f.ranking, &connection, &group));
	group.pid = 7;
	assert_false(ranking_row_within(f.ranking, &connection, &group));
	group = (struct ranking_row){
		.by = BY_LISTENER, .direction = DIRECTION_IN, .proto = IPPROTO_TCP, .lport = 80
	};
	assert_true(ranking_row_within(f.ranking, &connection, &group));
	group.lport = 81;
	assert_false(ranking_row_within(f.ranking, &connection, &group));
	done(&f);
}

static void test_words(void **state)
{
	(void)state;
	for (int i = 0; i < BY_COUNT; i++)
		assert_int_equal(ranking_by_from_name(ranking_by_name((enum ranking_by)i)), i);
	assert_int_equal(ranking_by_from_name("planet"), -1);
	ranking_free(NULL);
	ranking_list_done(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),	   cmocka_unit_test(test_names_and_handover),
		cmocka_unit_test(test_connection), cmocka_unit_test(test_remote),
		cmocka_unit_test(test_bounded),	   cmocka_unit_test(test_words),
		cmocka_unit_test(test_listener),   cmocka_unit_test(test_container),
		cmocka_unit_test(test_limit),	   cmocka_unit_test(test_resting),
		cmocka_unit_test(test_steady),	   cmocka_unit_test(test_marks),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
