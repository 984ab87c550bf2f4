// SPDX-License-Identifier: BSD-2-Clause
/* UDP records, passes and the kernel's map in, events out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "source/datagrams.h"

#define SECOND 1000000000ULL
#define NOW (1000 * SECOND)
#define STORED_MAX 16

struct world {
	struct event events[STORED_MAX];
	int count, stop_after;
	struct flow_key keys[STORED_MAX]; /* the kernel's map */
	struct flow flows[STORED_MAX];
	size_t stored;
	struct record_names names;
	struct datagrams *datagrams;
};

static int sink(void *context, struct event *e)
{
	struct world *w = context;

	assert_in_range(w->count, 0, STORED_MAX - 1);
	w->events[w->count++] = *e;
	return w->stop_after && w->count >= w->stop_after ? -ECANCELED : 0;
}

static int take(void *context, const struct flow_key *key, struct flow *flow)
{
	struct world *w = context;

	for (size_t i = 0; i < w->stored; i++) {
		if (memcmp(&w->keys[i], key, sizeof(*key)))
			continue;
		*flow = w->flows[i];
		w->stored--;
		w->keys[i] = w->keys[w->stored];
		w->flows[i] = w->flows[w->stored];
		return 0;
	}
	return -ENOENT;
}

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.names.wall_offset_ns = 5;
	w.datagrams = datagrams_new(&w.names, &(struct datagram_store){ take, &w }, sink, &w);
	*state = &w;
	return w.datagrams ? 0 : -1;
}

static int teardown(void **state)
{
	datagrams_free(((struct world *)*state)->datagrams);
	return 0;
}

/* Of the flow of socket 7 with 10.0.0.`peer`. */
static struct record a_record(enum record_type type, uint8_t peer, uint8_t detail)
{
	return (struct record){ .type = (uint8_t)type,
				.flags = RECORD_NO_LATENCY,
				.owner = OWNER_CONNECT,
				.direction = DIRECTION_OUT,
				.family = AF_INET,
				.detail = detail,
				.lport = 5353,
				.rport = 53,
				.netns = 3,
				.mono_ns = NOW,
				.cookie = 7,
				.start_ns = NOW - 10 * SECOND + peer,
				.pid = 10,
				.tid = 11,
				.comm = "resolver",
				.laddr = { 10, 0, 0, 100 },
				.raddr = { 10, 0, 0, peer },
				.protocol = IPPROTO_UDP };
}

/* The map gets a flow of that peer, last heard of at `last_ns`. */
static void store(struct world *w, uint8_t peer, uint64_t last_ns)
{
	w->keys[w->stored] = (struct flow_key){
		.cookie = 7, .raddr = { 10, 0, 0, peer }, .rport = 53, .family = AF_INET
	};
	w->flows[w->stored++] = (struct flow){
		.start_ns = NOW - 10 * SECOND + peer,
		.counters = { .tx_bytes = 100 + peer, .tx_datagrams = 1, .last_ns = last_ns },
		.laddr = { 10, 0, 0, 100 },
		.lport = 5353,
		.direction = DIRECTION_IN
	};
}

static void tell_further(struct world *w, uint8_t peer)
{
	const struct record r = a_record(RECORD_ACCEPT, peer, FLOW_FURTHER);

	store(w, peer, NOW);
	assert_int_equal(datagrams_record(w->datagrams, &r, sizeof(r)), 0);
}

static int run_pass(struct world *w, struct record_flow *sockets, size_t count, uint64_t mono_ns,
		    bool full)
{
	struct flow_key keys[STORED_MAX];
	struct flow flows[STORED_MAX];
	const struct datagram_pass pass = { sockets, count, keys, flows, w->stored, mono_ns, full };

	memcpy(keys, w->keys, sizeof(keys));
	memcpy(flows, w->flows, sizeof(flows));
	return datagrams_pass(w->datagrams, &pass, sink, w);
}

static void first_flow(void **state)
{
	struct world *w = *state;
	const struct record open = a_record(RECORD_CONNECT, 1, 0);
	const struct record_flow close = { a_record(RECORD_FLOW_CLOSE, 1, 0),
					   { 100, 200, 3, 4, 5, NOW - SECOND } };
	const struct event *e = &w->events[0];

	assert_int_equal(datagrams_record(w->datagrams, &open, sizeof(open)), 0);
	assert_int_equal(datagrams_record(w->datagrams, &close, sizeof(close)), 0);
	assert_int_equal(w->count, 2);
	assert_int_equal(e->type, EVENT_CONNECT);
	assert_int_equal(e->proto, IPPROTO_UDP);
	assert_int_equal(e->cookie, 7);
	assert_int_equal(e->time_ns, NOW + 5);
	assert_false(event_has(e, FIELD_LATENCY_US));
	assert_false(event_has(e, FIELD_STATE));
	e = &w->events[1];
	assert_int_equal(e->type, EVENT_CLOSE);
	assert_int_equal(e->start_ns, w->events[0].start_ns);
	assert_int_equal(e->outcome, OUTCOME_CLEAN);
	assert_true(event_has(e, FIELD_DURATION_US) && e->duration_us == 9999999);
	assert_true(event_has(e, FIELD_TX_BYTES) && e->tx_bytes == 100);
	assert_true(event_has(e, FIELD_RX_BYTES) && e->rx_bytes == 200);
	assert_true(event_has(e, FIELD_TX_DATAGRAMS) && e->tx_datagrams == 3);
	assert_true(event_has(e, FIELD_RX_DATAGRAMS) && e->rx_datagrams == 4);
	assert_true(event_has(e, FIELD_DROPS) && e->drops == 5);
	assert_false(event_has(e, FIELD_RETRANS) || event_has(e, FIELD_LAST_STATE) ||
		     event_has(e, FIELD_SRTT_US));
	assert_int_equal(datagrams_count(w->datagrams), 0);
}

static void from_before(void **state)
{
	struct world *w = *state;
	struct record_flow close = { a_record(RECORD_FLOW_CLOSE, 1, 0), { .tx_bytes = 1 } };

	close.head.start_ns = 0;
	close.head.flags |= RECORD_BEFORE;
	close.head.direction = DIRECTION_UNKNOWN;
	assert_int_equal(datagrams_record(w->datagrams, &close, sizeof(close)), 0);
	assert_false(event_has(&w->events[0], FIELD_DURATION_US));
	assert_false(event_has(&w->events[0], FIELD_DIRECTION));
	assert_int_equal(w->events[0].outcome, OUTCOME_CLEAN);
}

/* The socket ends: its first flow at once, the others with what the map has, by the last owner, some at a time. */
static void further_flows(void **state)
{
	struct world *w = *state;
	struct record_flow close = { a_record(RECORD_FLOW_CLOSE, 1, 0), { .tx_bytes = 1 } };
	uint64_t bytes = 0;

	for (uint8_t peer = 2; peer < 7; peer++)
		tell_further(w, peer);
	assert_int_equal(datagrams_count(w->datagrams), 5);
	tell_further(w, 2); /* a second word on the same */
	w->stored--;
	assert_int_equal(datagrams_count(w->datagrams), 5);
	w->count = 0;
	close.head.value = 5;
	close.head.pid = 99;
	close.head.owner = OWNER_HANDED;
	assert_int_equal(datagrams_record(w->datagrams, &close, sizeof(close)), 0);
	assert_int_equal(w->count, 1);
	assert_int_equal(datagrams_turn(w->datagrams, 2), 0);
	assert_int_equal(w->count, 3);
	/* Ending: a pass leaves them alone. */
	assert_int_equal(run_pass(w, NULL, 0, NOW + 500 * SECOND, true), 0);
	assert_int_equal(w->count, 3);
	assert_int_equal(datagrams_turn(w->datagrams, 100), 0);
	assert_int_equal(w->count, 6);
	for (int i = 1; i < 6; i++) {
		const struct event *e = &w->events[i];

		assert_int_equal(e->type, EVENT_CLOSE);
		assert_int_equal(e->pid, 99);
		assert_int_equal(e->owner, OWNER_HANDED);
		assert_int_equal(e->direction, DIRECTION_IN);
		assert_int_equal(e->tx_bytes, 100 + e->raddr[3]);
		assert_int_equal(e->start_ns, NOW - 10 * SECOND + e->raddr[3]);
		bytes += e->tx_bytes;
	}
	assert_int_equal(bytes, 520);
	assert_int_equal(w->stored, 0);
	assert_int_equal(datagrams_count(w->datagrams), 0);
}

/* The first flow fell silent before: the socket's end is told by a record of its own. */
static void only_further(void **state)
{
	struct world *w = *state;
	struct record end = a_record(RECORD_DESTROY, 1, 0);

	tell_further(w, 2);
	end.value = 1;
	assert_int_equal(datagrams_record(w->datagrams, &end, sizeof(end)), 0);
	assert_int_equal(w->count, 1);
	assert_int_equal(datagrams_turn(w->datagrams, 1), 0);
	assert_int_equal(w->count, 2);
	assert_int_equal(w->events[1].type, EVENT_CLOSE);
	assert_int_equal(w->events[1].owner, OWNER_ACCEPT); /* it came in */
}

static void passes(void **state)
{
	struct world *w = *state;
	struct record_flow sockets[2] = { { a_record(RECORD_SOCKET, 1, 0), { .rx_bytes = 9 } },
					  { a_record(RECORD_FLOW_CLOSE, 9, FLOW_IDLE),
					    { .tx_bytes = 4, .last_ns = NOW - 9 * SECOND } } };
	const struct event *e = w->events;

	sockets[1].head.cookie = 3;
	store(w, 2, NOW);		     /* its beginning was lost */
	store(w, 3, NOW - FLOW_IDLE_NS - 1); /* silent */
	assert_int_equal(run_pass(w, sockets, 2, NOW, true), 0);
	assert_int_equal(w->count, 4);
	assert_int_equal(e[0].type, EVENT_CLOSE);
	assert_int_equal(e[0].outcome, OUTCOME_IDLE);
	assert_int_equal(e[0].duration_us, 999999); /* to its last datagram */
	assert_int_equal(e[1].type, EVENT_SOCKET);
	assert_int_equal(e[1].state, STATE_ESTABLISHED);
	assert_int_equal(e[1].rx_bytes, 9);
	assert_int_equal(e[2].type, EVENT_SOCKET);
	assert_int_equal(e[2].tx_bytes, 102);
	assert_int_equal(e[2].pid, 10);
	assert_int_equal(e[2].netns, 3);
	assert_int_equal(e[3].type, EVENT_CLOSE);
	assert_int_equal(e[3].outcome, OUTCOME_IDLE);
	assert_int_equal(e[3].tx_bytes, 103);
	assert_int_equal(w->stored, 1);
	assert_int_equal(datagrams_count(w->datagrams), 1);

	/* Only what moved, and nothing ends. The sockets are in order now. */
	w->count = 0;
	sockets[0] = sockets[1];
	sockets[0].head.type = RECORD_NONE;
	assert_int_equal(run_pass(w, sockets, 1, NOW + 2 * FLOW_IDLE_NS, false), 0);
	assert_int_equal(w->count, 0);
	w->flows[0].counters.rx_bytes++;
	assert_int_equal(run_pass(w, sockets, 1, NOW + 2 * FLOW_IDLE_NS, false), 0);
	assert_int_equal(w->count, 1);
	assert_int_equal(e[0].type, EVENT_SOCKET);
	assert_int_equal(e[0].rx_bytes, 1);
}

/* A socket that passes do not meet is dead only when that lasts. */
static void missed(void **state)
{
	struct world *w = *state;
	struct record_flow socket = { .head = a_record(RECORD_NONE, 1, 0) };

	tell_further(w, 2);
	w->count = 0;
	assert_int_equal(run_pass(w, NULL, 0, NOW, true), 0);
	assert_int_equal(run_pass(w, NULL, 0, NOW + SECOND, true), 0);
	assert_int_equal(w->count, 0);
	assert_int_equal(run_pass(w, &socket, 1, NOW + 2 * SECOND, true), 0);
	assert_int_equal(w->count, 1);
	assert_int_equal(w->events[0].type, EVENT_SOCKET);
	assert_int_equal(run_pass(w, NULL, 0, NOW + 6 * SECOND, true), 0);
	assert_int_equal(w->count, 1);
	assert_int_equal(run_pass(w, NULL, 0, NOW + 12 * SECOND, true), 0);
	assert_int_equal(w->count, 2);
	assert_int_equal(w->events[1].type, EVENT_CLOSE);
	assert_true(w->events[1].reconciled);
	assert_int_equal(w->events[1].tx_bytes, 102);
	assert_false(event_has(&w->events[1], FIELD_OUTCOME) ||
		     event_has(&w->events[1], FIELD_NETNS) || event_has(&w->events[1], FIELD_PID));
	assert_int_equal(w->stored, 0);
}

static void hostile(void **state)
{
	struct world *w = *state;
	struct record_flow r = { .head = a_record(RECORD_FLOW_CLOSE, 1, 0) };
	uint64_t bad = 0;

	for (size_t size = 0; size < sizeof(r); size++, bad++)
		assert_int_equal(datagrams_record(w->datagrams, &r, size), -EBADMSG);
	for (unsigned int type = 0; type < 256; type++) {
		r.head.type = (uint8_t)type;
		if (type == RECORD_CONNECT || type == RECORD_ACCEPT || type == RECORD_DESTROY ||
		    type == RECORD_FLOW_CLOSE)
			continue;
		assert_int_equal(datagrams_record(w->datagrams, &r, sizeof(r)), -EBADMSG);
		bad++;
	}
	r.head.type = RECORD_CONNECT;
	r.head.protocol = IPPROTO_TCP;
	assert_int_equal(datagrams_record(w->datagrams, &r, sizeof(r)), -EBADMSG);
	assert_int_equal(datagrams_bad_records(w->datagrams), bad + 1);
	assert_int_equal(w->count, 0);
	/* The end of a socket that nothing is known of, and one of which the map has nothing. */
	r.head = a_record(RECORD_DESTROY, 1, 0);
	r.head.value = UINT32_MAX;
	assert_int_equal(datagrams_record(w->datagrams, &r, sizeof(r)), 0);
	tell_further(w, 2);
	w->stored = 0;
	assert_int_equal(datagrams_record(w->datagrams, &r, sizeof(r)), 0);
	assert_int_equal(datagrams_record(w->datagrams, &r, sizeof(r)), 0);
	assert_int_equal(datagrams_turn(w->datagrams, SIZE_MAX), 0);
	assert_int_equal(w->count, 1);
	assert_int_equal(datagrams_count(w->datagrams), 0);
}

/* What the sink says ends the work; nothing is told twice afterwards. */
static void stopped(void **state)
{
	struct world *w = *state;
	struct record end = a_record(RECORD_DESTROY, 1, 0);

	tell_further(w, 2);
	tell_further(w, 3);
	end.value = 2;
	w->stop_after = 3;
	assert_int_equal(datagrams_record(w->datagrams, &end, sizeof(end)), 0);
	assert_int_equal(datagrams_turn(w->datagrams, 10), -ECANCELED);
	assert_int_equal(w->count, 3);
	w->stop_after = 0;
	assert_int_equal(datagrams_turn(w->datagrams, 10), 0);
	assert_int_equal(w->count, 4);
	assert_int_equal(w->stored, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(first_flow), TEST(from_before), TEST(further_flows), TEST(only_further),
		TEST(passes),	  TEST(missed),	     TEST(hostile),	  TEST(stopped),
	};

	return cmocka_run_group_tests_name("datagrams", tests, NULL, NULL);
}
