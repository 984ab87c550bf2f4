/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/connection_table.h"

#define NETNS 4026531840u

static struct connection_change change;

static void ids(struct event *e, enum event_type type, uint64_t cookie, uint64_t start_ns,
		uint64_t mono_ns)
{
	event_init(e, type, 1000000000, mono_ns);
	e->cookie = cookie;
	e->start_ns = start_ns;
	e->proto = IPPROTO_TCP;
	e->netns = NETNS;
	event_set(e, FIELD_ID);
	event_set(e, FIELD_PROTO);
	event_set(e, FIELD_NETNS);
}

static void own(struct event *e, unsigned int owner, uint32_t pid, const char *comm)
{
	e->owner = owner;
	e->pid = pid;
	e->uid = pid + 1000;
	snprintf(e->comm, sizeof(e->comm), "%s", comm);
	event_set(e, FIELD_OWNER);
	event_set(e, FIELD_PID);
	event_set(e, FIELD_UID);
	event_set(e, FIELD_COMM);
}

static void ends(struct event *e, const char *laddr, uint16_t lport, const char *raddr,
		 uint16_t rport)
{
	sscanf(laddr, "%hhu.%hhu.%hhu.%hhu", &e->laddr[0], &e->laddr[1], &e->laddr[2],
	       &e->laddr[3]);
	sscanf(raddr, "%hhu.%hhu.%hhu.%hhu", &e->raddr[0], &e->raddr[1], &e->raddr[2],
	       &e->raddr[3]);
	e->family = 4;
	e->lport = lport;
	e->rport = rport;
	event_set(e, FIELD_FAMILY);
	event_set(e, FIELD_LADDR);
	event_set(e, FIELD_LPORT);
	event_set(e, FIELD_RADDR);
	event_set(e, FIELD_RPORT);
}

static void bytes(struct event *e, uint64_t tx, uint64_t rx)
{
	e->tx_bytes = tx;
	e->rx_bytes = rx;
	event_set(e, FIELD_TX_BYTES);
	event_set(e, FIELD_RX_BYTES);
}

static void in_state(struct event *e, unsigned int state)
{
	e->state = state;
	event_set(e, FIELD_STATE);
}

static int is_on_port(void *port, const struct connection *listener)
{
	return listener->lport == *(uint16_t *)port && listener->netns == NETNS;
}

static bool listens(const struct connection_table *t, uint16_t port)
{
	return connection_table_listeners(t, is_on_port, &port);
}

static void test_life(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_CONNECT, 7, 50, 60);
	own(&e, OWNER_CONNECT, 42, "curl");
	ends(&e, "127.0.0.1", 4000, "127.0.0.2", 80);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_true(change.opened);
	assert_false(change.closed);
	assert_int_equal(connection_table_count(t), 1);
	assert_ptr_equal(change.row, connection_table_find(t, 7, 50));
	assert_int_equal(change.row->state, STATE_ESTABLISHED);
	assert_int_equal(change.row->direction, DIRECTION_OUT);
	assert_null(connection_table_find(t, 7, 51));

	/* the second program told of the same */
	ids(&e, EVENT_CONNECT, 7, 50, 61);
	assert_int_equal(connection_table_apply(t, &e, &change), 1);
	assert_false(change.opened);

	/* what the event lacks comes from the row */
	ids(&e, EVENT_CLOSE, 7, 50, 70);
	bytes(&e, 100, 2000);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_true(change.closed);
	assert_int_equal(change.tx_bytes, 100);
	assert_int_equal(change.rx_bytes, 2000);
	assert_int_equal(e.pid, 42);
	assert_string_equal(e.comm, "curl");
	assert_int_equal(e.owner, OWNER_CONNECT);
	assert_int_equal(e.rport, 80);
	assert_true(event_has(&e, FIELD_RADDR));
	assert_false(event_has(&e, FIELD_RETRANS));

	/* can still be read, but is neither found nor counted nor listed */
	assert_int_equal(change.row->cookie, 7);
	assert_null(connection_table_find(t, 7, 50));
	assert_int_equal(connection_table_count(t), 0);
	assert_null(connection_table_first(t));

	/* a second close counts nothing again and is old news; a late sweep does not revive it */
	ids(&e, EVENT_CLOSE, 7, 50, 71);
	bytes(&e, 100, 2000);
	assert_int_equal(connection_table_apply(t, &e, &change), 1);
	assert_int_equal(change.tx_bytes, 0);
	assert_null(change.row);
	ids(&e, EVENT_SOCKET, 7, 50, 72);
	assert_int_equal(connection_table_apply(t, &e, &change), 1);
	assert_int_equal(connection_table_count(t), 0);
	connection_table_free(t);
}

static void test_short_lived(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_CLOSE, 9, 5, 70);
	own(&e, OWNER_ACCEPT, 8, "nginx");
	bytes(&e, 10, 20);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_non_null(change.row);
	assert_int_equal(change.tx_bytes, 10);
	assert_int_equal(change.rx_bytes, 20);
	assert_true(change.closed);

	/* began before us and was never seen: what it moved was not moved under our eyes */
	ids(&e, EVENT_CLOSE, 10, 0, 71);
	bytes(&e, 1u << 30, 20);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_int_equal(change.tx_bytes, 0);
	assert_true(change.closed);
	assert_null(connection_table_find(t, 9, 5));

	ids(&e, EVENT_FAIL, 11, 72, 73);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_true(change.failed);
	assert_false(change.opened);
	assert_false(change.closed);

	/* no row at all */
	event_init(&e, EVENT_LOST, 1, 2);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_null(change.row);
	assert_int_equal(connection_table_count(t), 0);
	connection_table_free(t);
}

static void test_baseline(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_SOCKET, 1, 0, 10);
	in_state(&e, STATE_ESTABLISHED);
	bytes(&e, 5000, 6000);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.tx_bytes, 0);
	assert_int_equal(change.rx_bytes, 0);

	ids(&e, EVENT_SOCKET, 1, 0, 20);
	bytes(&e, 5100, 5900); /* rx: an older value */
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.tx_bytes, 100);
	assert_int_equal(change.rx_bytes, 0);
	assert_int_equal(change.row->rx_bytes, 6000);

	ids(&e, EVENT_CLOSE, 1, 0, 30);
	bytes(&e, 5150, 6001);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.tx_bytes, 50);
	assert_int_equal(change.rx_bytes, 1);

	/* began under our eyes, first heard of by a sweep: all of it counts */
	ids(&e, EVENT_SOCKET, 2, 15, 31);
	bytes(&e, 77, 0);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.tx_bytes, 77);
	connection_table_free(t);
}

static void test_retransmit(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_RETRANSMIT, 1, 0, 10); /* seven before us, this is the eighth */
	e.retrans = 8;
	event_set(&e, FIELD_RETRANS);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.retrans, 1);
	ids(&e, EVENT_RETRANSMIT, 1, 0, 11);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.retrans, 1);
	ids(&e, EVENT_SOCKET, 1, 0, 12);
	e.retrans = 9;
	event_set(&e, FIELD_RETRANS);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.retrans, 0);
	connection_table_free(t);
}

static void test_owner(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_SOCKET, 1, 0, 10);
	own(&e, OWNER_SNAPSHOT, 5, "old");
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_STATE, 1, 0, 20);
	own(&e, OWNER_CONNECT, 6, "caught");
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.row->pid, 6);
	ids(&e, EVENT_SOCKET, 1, 0, 30);
	own(&e, OWNER_SNAPSHOT, 7, "guess");
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.row->pid, 6);
	assert_int_equal(change.row->owner, OWNER_CONNECT);
	ids(&e, EVENT_SOCKET, 1, 0, 40);
	own(&e, OWNER_HANDED, 8, "heir");
	e.opener_pid = 6;
	event_set(&e, FIELD_OPENER_PID);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.row->pid, 8);
	assert_int_equal(change.row->opener_pid, 6);
	assert_string_equal(change.row->comm, "heir");

	/* an event that knows nobody is told who it was; the name after an exec is taken */
	ids(&e, EVENT_SOCKET, 1, 0, 50);
	own(&e, OWNER_SNAPSHOT, 8, "exec'd");
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_RESET, 1, 0, 60);
	e.owner = OWNER_UNKNOWN;
	event_set(&e, FIELD_OWNER);
	connection_table_apply(t, &e, &change);
	assert_int_equal(e.pid, 8);
	assert_int_equal(e.owner, OWNER_HANDED);
	assert_string_equal(e.comm, "exec'd");
	assert_int_equal(e.uid, 1008);
	connection_table_free(t);
}

static void test_stale_snapshot(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_STATE, 1, 5, 100);
	own(&e, OWNER_HANDED, 9, "now");
	e.new_state = STATE_CLOSE_WAIT;
	event_set(&e, FIELD_NEW_STATE);
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_SOCKET, 1, 5, 90); /* read before that event */
	own(&e, OWNER_CONNECT, 3, "then");
	in_state(&e, STATE_ESTABLISHED);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.row->state, STATE_CLOSE_WAIT);
	assert_int_equal(change.row->pid, 9);
	connection_table_free(t);
}

static void test_listener_accept(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_LISTEN, 1, 5, 6);
	own(&e, OWNER_LISTEN, 50, "master");
	ends(&e, "0.0.0.0", 80, "0.0.0.0", 0);
	e.backlog = 511;
	event_set(&e, FIELD_BACKLOG);
	connection_table_apply(t, &e, &change);
	assert_false(change.opened);
	assert_int_equal(change.row->send_q, 511);
	assert_true(listens(t, 80));
	assert_false(listens(t, 81));

	/* unknown owner and direction: the listener's */
	ids(&e, EVENT_STATE, 2, 10, 11);
	ends(&e, "10.0.0.1", 80, "10.0.0.2", 999);
	e.new_state = STATE_ESTABLISHED;
	event_set(&e, FIELD_NEW_STATE);
	connection_table_apply(t, &e, &change);
	assert_int_equal(e.pid, 50);
	assert_string_equal(e.comm, "master");
	assert_int_equal(e.owner, OWNER_LISTENER);
	assert_int_equal(e.direction, DIRECTION_IN);

	ids(&e, EVENT_ACCEPT, 2, 10, 12);
	own(&e, OWNER_LISTENER, 50, "master");
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_true(change.opened);
	ids(&e, EVENT_ACCEPT, 2, 10, 13);
	own(&e, OWNER_ACCEPT, 51, "worker");
	assert_int_equal(connection_table_apply(t, &e, &change), 1);
	assert_int_equal(change.row->pid, 51);
	assert_int_equal(change.row->owner, OWNER_ACCEPT);

	/* a second listener, of another process, on the same port: no guess, but it is incoming */
	ids(&e, EVENT_LISTEN, 3, 14, 14);
	own(&e, OWNER_LISTEN, 60, "rival");
	ends(&e, "0.0.0.0", 80, "0.0.0.0", 0);
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_STATE, 4, 15, 15);
	ends(&e, "10.0.0.1", 80, "10.0.0.2", 998);
	connection_table_apply(t, &e, &change);
	assert_false(event_has(&e, FIELD_PID));
	assert_int_equal(e.direction, DIRECTION_IN);

	/* one on the very address fits better */
	ids(&e, EVENT_LISTEN, 5, 16, 16);
	own(&e, OWNER_LISTEN, 70, "exact");
	ends(&e, "10.0.0.1", 80, "0.0.0.0", 0);
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_STATE, 6, 17, 17);
	ends(&e, "10.0.0.1", 80, "10.0.0.2", 997);
	connection_table_apply(t, &e, &change);
	assert_int_equal(e.pid, 70);

	for (uint64_t cookie = 1; cookie <= 5; cookie += 2) {
		static const uint64_t starts[] = { 0, 5, 0, 14, 0, 16 };

		ids(&e, EVENT_UNLISTEN, cookie, starts[cookie], 20);
		assert_int_equal(connection_table_apply(t, &e, &change), 0);
		assert_false(change.closed);
	}
	assert_false(listens(t, 80));
	connection_table_free(t);
}

static void test_inventory_order(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_SOCKET, 2, 0, 11);
	ends(&e, "10.0.0.1", 22, "10.0.0.2", 999);
	in_state(&e, STATE_ESTABLISHED);
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_SOCKET, 3, 0, 11);
	own(&e, OWNER_SNAPSHOT, 1, "sshd");
	ends(&e, "0.0.0.0", 22, "0.0.0.0", 0);
	in_state(&e, STATE_LISTEN);
	connection_table_apply(t, &e, &change);
	event_init(&e, EVENT_START, 1, 12);
	connection_table_apply(t, &e, &change);
	assert_int_equal(connection_table_find(t, 2, 0)->direction, DIRECTION_IN);
	assert_int_equal(connection_table_find(t, 2, 0)->owner, OWNER_LISTENER);
	assert_int_equal(connection_table_find(t, 2, 0)->pid, 1);
	connection_table_free(t);
}

static void test_full(void **state)
{
	struct connection_table *t = connection_table_new(2);
	struct event e;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		ids(&e, EVENT_CONNECT, i, i, i);
		assert_int_equal(connection_table_apply(t, &e, &change), 0);
		assert_true(change.opened);
		assert_int_equal(change.row != NULL, i <= 2);
	}
	assert_int_equal(connection_table_count(t), 2);
	assert_int_equal(connection_table_refused(t), 3);
	/* its traffic is counted all the same, once */
	ids(&e, EVENT_CLOSE, 5, 5, 9);
	bytes(&e, 11, 12);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_int_equal(change.tx_bytes, 11);
	assert_true(change.closed);
	/* a closed one makes room */
	ids(&e, EVENT_CLOSE, 1, 1, 10);
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_CONNECT, 6, 6, 11);
	connection_table_apply(t, &e, &change);
	assert_non_null(change.row);
	connection_table_free(t);
}

static size_t count_closed(const struct connection_table *t)
{
	size_t n = 0;

	for (const struct connection *c = connection_table_closed(t); c; c = c->next) {
		assert_true(c->closed_ns > 0);
		if (c->next)
			assert_true(c->next->closed_ns >= c->closed_ns);
		n++;
	}
	assert_int_equal(n, connection_table_closed_count(t));
	return n;
}

/* Connection `i` opens at i and closes at `end`. */
static void open_and_close(struct connection_table *t, uint64_t i, uint64_t end)
{
	struct event e;

	ids(&e, EVENT_CONNECT, i, i, i);
	own(&e, OWNER_CONNECT, 7, "curl");
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	ids(&e, EVENT_CLOSE, i, i, end);
	bytes(&e, i, 2 * i);
	e.outcome = OUTCOME_RESET_SENT;
	event_set(&e, FIELD_OUTCOME);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
}

static void test_closed(void **state)
{
	struct connection_table *t = connection_table_new(100);
	const struct connection *c;
	struct event e;

	(void)state;
	open_and_close(t, 1000, 5000);
	assert_int_equal(count_closed(t), 0); /* only where they are wanted */

	connection_table_keep_closed(t, 3, 100);
	for (uint64_t i = 1; i <= 5; i++)
		open_and_close(t, 9000 + i, 10000 + i);
	assert_non_null(change.row);
	assert_int_equal(connection_table_count(t), 0);
	assert_int_equal(count_closed(t), 3);
	assert_int_equal(connection_table_evicted(t), 2);
	c = connection_table_closed(t);
	assert_int_equal(c->cookie, 9003);
	assert_null(connection_table_find(t, 9003, 9003));
	assert_true(connection_table_opened(t, 9003, 9003));
	connection_to_event(c, &e, 1, 20000);
	assert_int_equal(e.outcome, OUTCOME_RESET_SENT);
	assert_int_equal(e.state, STATE_CLOSE);
	assert_int_equal(e.pid, 7);
	assert_int_equal(e.tx_bytes, 9003);
	assert_int_equal(e.duration_us, 1); /* until it closed: 1000 ns */

	connection_table_age(t, 10103);
	assert_int_equal(count_closed(t), 2);
	ids(&e, EVENT_LISTEN, 77, 77, 10104); /* any event knows the time too */
	connection_table_apply(t, &e, &change);
	assert_int_equal(count_closed(t), 1);
	ids(&e, EVENT_UNLISTEN, 77, 77, 10104); /* was no connection */
	connection_table_apply(t, &e, &change);
	assert_int_equal(count_closed(t), 1);
	assert_int_equal(connection_table_evicted(t), 2);
	connection_table_free(t);
}

/* Closed ones are the first to go; only then is anything refused. */
static void test_closed_make_room(void **state)
{
	struct connection_table *t = connection_table_new(3);
	struct event e;

	(void)state;
	connection_table_keep_closed(t, 10, 1000000);
	open_and_close(t, 1, 10);
	open_and_close(t, 2, 11);
	for (uint64_t i = 3; i <= 6; i++) {
		ids(&e, EVENT_CONNECT, i, i, 20);
		connection_table_apply(t, &e, &change);
		assert_int_equal(change.row != NULL, i <= 5);
	}
	assert_int_equal(connection_table_count(t), 3);
	assert_int_equal(count_closed(t), 0);
	assert_int_equal(connection_table_evicted(t), 2);
	assert_int_equal(connection_table_refused(t), 1);
	connection_table_free(t);
}

static void test_touch(void **state)
{
	struct connection_table *t = connection_table_new(10);
	struct connection *c;
	struct event e;

	(void)state;
	ids(&e, EVENT_CONNECT, 1, 1, 100);
	connection_table_apply(t, &e, &change);
	c = connection_table_find(t, 1, 1);
	assert_false(connection_table_touch(t, 2, 2, 200, STATE_ESTABLISHED));
	/* the pass began before the event: it may have looked before it, too */
	assert_true(connection_table_touch(t, 1, 1, 50, STATE_SYN_SENT));
	assert_int_equal(c->state, STATE_ESTABLISHED);
	assert_int_equal(connection_table_stale(t, 150), 1);
	assert_true(connection_table_touch(t, 1, 1, 200, STATE_CLOSE_WAIT));
	assert_int_equal(c->state, STATE_CLOSE_WAIT);
	assert_int_equal(connection_table_stale(t, 150), 0);
	/* an end has its own record */
	assert_true(connection_table_touch(t, 1, 1, 300, STATE_CLOSE));
	assert_int_equal(c->state, STATE_CLOSE_WAIT);
	connection_table_free(t);
}

/* The one seen at work has let go, its child holds the socket and did nothing yet. */
static void test_heir(void **state)
{
	struct connection_table *t = connection_table_new(10);
	struct connection *c;
	struct event e;

	(void)state;
	ids(&e, EVENT_ACCEPT, 1, 1, 100);
	own(&e, OWNER_ACCEPT, 7, "parent");
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_SOCKET, 1, 1, 200);
	own(&e, OWNER_HANDED, 8, "child");
	e.opener_pid = 7;
	strcpy(e.opener_comm, "parent");
	event_set(&e, FIELD_OPENER_PID);
	event_set(&e, FIELD_OPENER_COMM);
	e.heir = true;
	connection_table_apply(t, &e, &change);
	c = connection_table_find(t, 1, 1);
	assert_int_equal(c->pid, 8);
	assert_int_equal(c->opener_pid, 7);

	/* the kernel side has not learned of it yet: it is told what the table knows */
	ids(&e, EVENT_RETRANSMIT, 1, 1, 300);
	own(&e, OWNER_ACCEPT, 7, "parent");
	connection_table_apply(t, &e, &change);
	assert_int_equal(e.pid, 8);
	assert_string_equal(e.comm, "child");
	assert_int_equal(e.owner, OWNER_HANDED);
	assert_int_equal(e.opener_pid, 7);
	assert_int_equal(c->pid, 8);

	/* a pass that finds the parent among the holders again knows better */
	ids(&e, EVENT_SOCKET, 1, 1, 400);
	own(&e, OWNER_ACCEPT, 7, "parent");
	connection_table_apply(t, &e, &change);
	assert_int_equal(c->pid, 7);
	assert_false(c->heir);
	connection_table_free(t);
}

static void test_churn(void **state)
{
	struct connection_table *t = connection_table_new(100000);
	struct event e;
	size_t rows = 0;

	(void)state;
	for (uint64_t i = 1; i <= 50000; i++) {
		ids(&e, EVENT_CONNECT, i, i * 3, i);
		ends(&e, "10.0.0.1", i & 0xffff, "10.0.0.2", 80);
		assert_int_equal(connection_table_apply(t, &e, &change), 0);
	}
	for (uint64_t i = 1; i <= 50000; i += 2) {
		ids(&e, EVENT_CLOSE, i, i * 3, 60000);
		assert_int_equal(connection_table_apply(t, &e, &change), 0);
	}
	assert_int_equal(connection_table_count(t), 25000);
	for (uint64_t i = 2; i <= 50000; i += 2)
		assert_non_null(connection_table_find(t, i, i * 3));
	for (uint64_t i = 3; i < 49000; i += 2)
		assert_null(connection_table_find(t, i, i * 3));
	for (struct connection *c = connection_table_first(t); c; c = c->next) {
		rows++;
		if (c->next)
			assert_true(c->next->cookie > c->cookie); /* in order of insertion */
	}
	assert_int_equal(rows, 25000);
	connection_table_free(t);
}

struct swept {
	struct connection_table *table; /* NULL: the sink keeps the events to itself */
	unsigned int closes, unlistens, refuse_after;
	uint64_t last_rx;
};

static int swept_sink(void *context, struct event *e)
{
	struct swept *s = context;
	struct connection_change ignored;

	assert_true(event_has(e, FIELD_RECONCILED) && e->reconciled);
	assert_false(event_has(e, FIELD_STATE));
	assert_false(event_has(e, FIELD_DURATION_US));
	if (e->type == EVENT_CLOSE) {
		s->closes++;
		s->last_rx = e->rx_bytes;
		assert_int_equal(e->last_state, STATE_ESTABLISHED);
		assert_int_equal(e->pid, 77);
	} else {
		assert_int_equal(e->type, EVENT_UNLISTEN);
		s->unlistens++;
	}
	if (s->table)
		assert_int_equal(connection_table_apply(s->table, e, &ignored), 0);
	return s->refuse_after && s->closes + s->unlistens >= s->refuse_after ? -EPIPE : 0;
}

static void sweep_setup(struct connection_table *t)
{
	struct event e;

	for (uint64_t i = 1; i <= 6; i++) {
		ids(&e, i == 6 ? EVENT_LISTEN : EVENT_CONNECT, i, i, i);
		own(&e, OWNER_CONNECT, 77, "x");
		bytes(&e, 1, 100 + i);
		connection_table_apply(t, &e, &change);
	}
	ids(&e, EVENT_SOCKET, 7, 0, 7); /* only lingers */
	in_state(&e, STATE_TIME_WAIT);
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_SOCKET, 3, 3, 50); /* the sweep tells of this one only */
	connection_table_apply(t, &e, &change);
	ids(&e, EVENT_CLOSE, 1, 1, 51); /* and this one is on its way out */
	connection_table_apply(t, &e, &change);
}

static void test_expire(void **state)
{
	for (int applies = 0; applies < 2; applies++) {
		struct connection_table *t = connection_table_new(100);
		struct swept s = { .table = applies ? t : NULL };

		(void)state;
		sweep_setup(t);
		assert_int_equal(connection_table_expire(t, 40, 1, 60, swept_sink, &s), 4);
		assert_int_equal(s.closes, 3);
		assert_int_equal(s.unlistens, 1);
		assert_int_equal(s.last_rx, 105);
		assert_int_equal(connection_table_count(t), 1);
		assert_int_equal(connection_table_first(t)->cookie, 3);
		connection_table_free(t);
	}
}

static void test_expire_stops(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct swept s = { .table = t, .refuse_after = 2 };

	(void)state;
	sweep_setup(t);
	assert_int_equal(connection_table_expire(t, 40, 1, 60, swept_sink, &s), -EPIPE);
	assert_int_equal(s.closes, 2);
	assert_int_equal(connection_table_count(t), 4);
	connection_table_free(t);
}

static void test_holders(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct holder holders[3] = { { 1, 3, "a" }, { 2, 4, "b" }, { 3, 5, "c" } };
	struct event e, back;

	(void)state;
	ids(&e, EVENT_SOCKET, 1, 0, 10);
	e.holders = holders;
	e.holder_count = 3;
	event_set(&e, FIELD_HOLDERS);
	connection_table_apply(t, &e, &change);
	memset(holders, 0, sizeof(holders)); /* the row has its own copy */
	connection_to_event(change.row, &back, 1, 2);
	assert_int_equal(back.holder_count, 3);
	assert_string_equal(back.holders[2].comm, "c");
	assert_false(event_has(&back, FIELD_DURATION_US));

	ids(&e, EVENT_SOCKET, 1, 0, 11); /* counters only: the holders stay */
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.row->holder_count, 3);
	ids(&e, EVENT_SOCKET, 1, 0, 12);
	event_set(&e, FIELD_HOLDERS);
	connection_table_apply(t, &e, &change);
	assert_int_equal(change.row->holder_count, 0);
	assert_null(change.row->holders);
	connection_table_free(t);
	connection_table_free(NULL);
}

static int keep_last(void *context, struct event *e)
{
	*(struct event *)context = *e;
	return 0;
}

/* Flows of UDP: counted from where we came in, open from their first datagram on, without a state at their end. */
static void test_datagrams(void **state)
{
	struct connection_table *t = connection_table_new(100);
	struct event e;

	(void)state;
	ids(&e, EVENT_SOCKET, 8, 0, 60); /* was there before: its counters begin with us */
	e.proto = IPPROTO_UDP;
	in_state(&e, STATE_ESTABLISHED);
	bytes(&e, 500, 50);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_int_equal(change.tx_bytes, 500);
	assert_int_equal(change.rx_bytes, 50);
	ids(&e, EVENT_CLOSE, 8, 0, 70);
	e.proto = IPPROTO_UDP;
	bytes(&e, 600, 50);
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_int_equal(change.tx_bytes, 100);

	ids(&e, EVENT_ACCEPT, 9, 50, 80);
	e.proto = IPPROTO_UDP;
	assert_int_equal(connection_table_apply(t, &e, &change), 0);
	assert_true(change.opened);
	assert_int_equal(change.row->state, STATE_ESTABLISHED);
	assert_int_equal(connection_table_expire(t, 90, 0, 90, keep_last, &e), 1);
	assert_int_equal(e.type, EVENT_CLOSE);
	assert_true(e.reconciled);
	assert_false(event_has(&e, FIELD_LAST_STATE));
	assert_int_equal(connection_table_count(t), 0);
	connection_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams),	cmocka_unit_test(test_life),
		cmocka_unit_test(test_short_lived),	cmocka_unit_test(test_baseline),
		cmocka_unit_test(test_retransmit),	cmocka_unit_test(test_owner),
		cmocka_unit_test(test_stale_snapshot),	cmocka_unit_test(test_listener_accept),
		cmocka_unit_test(test_inventory_order), cmocka_unit_test(test_full),
		cmocka_unit_test(test_closed),		cmocka_unit_test(test_closed_make_room),
		cmocka_unit_test(test_touch),		cmocka_unit_test(test_heir),
		cmocka_unit_test(test_churn),		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_expire_stops),	cmocka_unit_test(test_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
