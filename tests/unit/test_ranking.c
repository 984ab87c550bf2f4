/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "model/ranking.h"

#define SECOND 1000000000ull

struct fixture {
	struct connection_table *table;
	struct ranking *ranking;
};

static void setup(struct fixture *f, enum ranking_by by)
{
	f->table = connection_table_new(200000);
	f->ranking = ranking_new(by);
}

static void done(struct fixture *f)
{
	ranking_free(f->ranking);
	connection_table_free(f->table);
}

/* One event of connection `cookie` (begun at 1 ns) at `ms`, with counters so far unless tx is negative. */
static void tell(struct fixture *f, enum event_type type, uint64_t cookie, uint32_t pid,
		 const char *comm, uint64_t ms, int64_t tx, int64_t rx)
{
	struct connection_change change;
	struct event e;

	event_init(&e, type, 1, SECOND + ms * 1000000);
	e.cookie = cookie;
	e.start_ns = 1;
	e.proto = IPPROTO_TCP;
	e.family = 4;
	e.lport = type == EVENT_LISTEN ? 81 : cookie % 2 ? 80 : (uint16_t)(cookie + 1000);
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
	connection_table_apply(f->table, &e, &change);
	assert_int_equal(ranking_add(f->ranking, &e, &change), 0);
}

static const struct ranking_row *interval(struct fixture *f, uint64_t ms, enum ranking_key key,
					  size_t *n)
{
	return ranking_interval(f->ranking, f->table, SECOND + ms * 1000000, key, n);
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
	rows = interval(&f, 2000, KEY_RATE, &n);
	assert_int_equal(n, 3);
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

	rows = interval(&f, 3000, KEY_RATE, &n);
	assert_int_equal(n, 3);
	assert_float_equal(rows[0].tx_rate, 0, 0.001);
	assert_int_equal(rows[0].tx_bytes, 9000); /* ties by total */
	rows = interval(&f, 4000, KEY_RATE, &n);
	assert_int_equal(n, 2); /* dig is gone: nothing open and silent for two intervals */
	tell(&f, EVENT_CLOSE, 2, 5, "curl", 4100, 101, 4000);
	rows = interval(&f, 5000, KEY_CONNECTIONS, &n);
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
	rows = interval(&f, 1000, KEY_NAME, &n);
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
	rows = interval(&f, 1000, KEY_TX, &n);
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
	rows = interval(&f, 1000, KEY_RATE, &n);
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
	uint64_t connections = 0;
	size_t n;

	(void)state;
	setup(&f, BY_CONNECTION);
	/* 50 that are over, then more open ones than there is room for: the idle go first */
	for (uint64_t cookie = 1; cookie <= 50; cookie++) {
		tell(&f, EVENT_CONNECT, cookie, 5, "gone", 0, -1, 0);
		tell(&f, EVENT_CLOSE, cookie, 5, "gone", 1, 1, 0);
	}
	interval(&f, 1000, KEY_RATE, &n);
	assert_int_equal(n, 50);
	for (uint64_t cookie = 1001; cookie <= 101050; cookie++)
		tell(&f, EVENT_CONNECT, cookie, 5, "open", 1100, 1, 0);
	rows = interval(&f, 2000, KEY_CONNECTIONS, &n);
	assert_int_equal(n, 100001);
	assert_string_equal(rows[0].comm, "(other)");
	assert_int_equal(rows[0].connections, 50);
	assert_int_equal(rows[0].tx_bytes, 50);
	for (size_t i = 0; i < n; i++)
		connections += rows[i].connections;
	assert_int_equal(connections, 100050);
	ranking_totals(f.ranking, &total);
	assert_int_equal(total.connections, 100050);
	assert_int_equal(total.opens, 100100);
	done(&f);
}

static void test_words(void **state)
{
	(void)state;
	for (int i = 0; i < BY_COUNT; i++)
		assert_int_equal(ranking_by_from_name(ranking_by_name((enum ranking_by)i)), i);
	for (int i = 0; i < KEY_COUNT; i++)
		assert_int_equal(ranking_key_from_name(ranking_key_name((enum ranking_key)i)), i);
	assert_int_equal(ranking_by_from_name("planet"), -1);
	assert_int_equal(ranking_key_from_name(""), -1);
	assert_int_equal(ranking_key_from_name("Total"), KEY_TOTAL);
	ranking_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),	   cmocka_unit_test(test_names_and_handover),
		cmocka_unit_test(test_connection), cmocka_unit_test(test_remote),
		cmocka_unit_test(test_bounded),	   cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
