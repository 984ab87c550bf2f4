// SPDX-License-Identifier: BSD-2-Clause
/* Records in, events out: what passes straight through, what is held back, and how it is completed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "source/assembly.h"

#define MS 1000000ULL

struct seen {
	struct event events[16];
	int count, stop_after;
	struct assembly *assembly;
	struct record_names names;
};

static int take(void *context, struct event *e)
{
	struct seen *s = context;

	assert_in_range(s->count, 0, 15);
	s->events[s->count++] = *e;
	return s->stop_after && s->count >= s->stop_after ? -ECANCELED : 0;
}

static int setup(void **state)
{
	static struct seen seen;

	memset(&seen, 0, sizeof(seen));
	seen.names.wall_offset_ns = 1000;
	seen.assembly = assembly_new(&seen.names, take, &seen);
	*state = &seen;
	return seen.assembly ? 0 : -1;
}

static int teardown(void **state)
{
	struct seen *s = *state;

	assembly_free(s->assembly);
	return 0;
}

static struct record a_record(enum record_type type, uint64_t mono_ns)
{
	struct record r = { .type = (uint8_t)type,
			    .owner = OWNER_CONNECT,
			    .direction = DIRECTION_OUT,
			    .family = AF_INET,
			    .lport = 40000,
			    .rport = 443,
			    .netns = 1,
			    .mono_ns = mono_ns,
			    .cookie = 7,
			    .start_ns = 1 * MS,
			    .established_ns = 2 * MS,
			    .pid = 10,
			    .tid = 11,
			    .uid = 12,
			    .comm = "client",
			    .laddr = { 10, 0, 0, 1 },
			    .raddr = { 10, 0, 0, 2 },
			    .protocol = IPPROTO_TCP };

	return r;
}

static struct record_close a_close(uint64_t mono_ns, uint8_t last_state, uint8_t flags,
				   uint32_t error)
{
	struct record_close c = {
		.head = a_record(RECORD_CLOSE, mono_ns),
		.counters = { .tx_bytes = 100, .rx_bytes = 200, .rtt_min_us = UINT32_MAX }
	};

	c.head.old_state = last_state;
	c.head.new_state = STATE_CLOSE;
	c.head.flags = flags;
	c.head.value = error;
	return c;
}

static void put(struct seen *s, const void *record, size_t size)
{
	assert_int_equal(assembly_record(s->assembly, record, size), 0);
}

static void connect_passes_with_latency(void **state)
{
	struct seen *s = *state;
	struct record r = a_record(RECORD_CONNECT, 5 * MS);

	put(s, &r, sizeof(r));
	assert_int_equal(s->count, 1);
	assert_int_equal(s->events[0].type, EVENT_CONNECT);
	assert_int_equal(s->events[0].time_ns, 5 * MS + 1000);
	assert_true(event_has(&s->events[0], FIELD_LATENCY_US));
	assert_int_equal(s->events[0].latency_us, 4000);
	assert_int_equal(s->events[0].pid, 10);
	assert_int_equal(s->events[0].tid, 11);
	assert_string_equal(s->events[0].comm, "client");
	assert_false(event_has(&s->events[0], FIELD_OPENER_PID));
}

static void reconciled_has_no_latency(void **state)
{
	struct seen *s = *state;
	struct record r = a_record(RECORD_CONNECT, 5 * MS);

	r.flags = RECORD_RECONCILED;
	put(s, &r, sizeof(r));
	assert_true(s->events[0].reconciled);
	assert_false(event_has(&s->events[0], FIELD_LATENCY_US));
}

static void ordered_close_passes_at_once(void **state)
{
	struct seen *s = *state;
	struct record_close c = a_close(9 * MS, STATE_LAST_ACK, 0, 0);

	put(s, &c, sizeof(c));
	assert_int_equal(s->count, 1);
	assert_int_equal(s->events[0].outcome, OUTCOME_CLEAN);
	assert_int_equal(s->events[0].closed_by, SIDE_REMOTE);
	assert_int_equal(s->events[0].duration_us, 8000);
	assert_int_equal(s->events[0].rx_bytes, 200);
	assert_false(event_has(&s->events[0], FIELD_RTT_MIN_US));
	assert_false(event_has(&s->events[0], FIELD_SRTT_US));
}

static void reset_after_close_explains_it(void **state)
{
	struct seen *s = *state;
	struct record_close c = a_close(9 * MS, STATE_ESTABLISHED, 0, 0);
	struct record r = a_record(RECORD_RESET, 9 * MS + 3);

	put(s, &c, sizeof(c));
	assert_int_equal(s->count, 0);
	assert_int_equal(assembly_held(s->assembly), 1);
	r.detail = SIDE_LOCAL;
	r.new_state = STATE_CLOSE;
	put(s, &r, sizeof(r));
	assert_int_equal(s->count, 2);
	assert_int_equal(s->events[0].type, EVENT_RESET);
	assert_int_equal(s->events[1].type, EVENT_CLOSE);
	assert_int_equal(s->events[1].outcome, OUTCOME_RESET_SENT);
	assert_int_equal(s->events[1].closed_by, SIDE_LOCAL);
	assert_int_equal(assembly_held(s->assembly), 0);
}

static void unexplained_end_is_aborted_after_a_while(void **state)
{
	struct seen *s = *state;
	struct record_close c = a_close(9 * MS, STATE_ESTABLISHED, 0, 0);

	put(s, &c, sizeof(c));
	assert_int_equal(assembly_expire(s->assembly, 50 * MS), 0);
	assert_int_equal(s->count, 0);
	assert_int_equal(assembly_expire(s->assembly, 109 * MS), 0);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->events[0].outcome, OUTCOME_ABORTED);
}

static void error_names_the_outcome(void **state)
{
	static const struct {
		uint32_t error;
		enum outcome outcome;
	} cases[] = { { ETIMEDOUT, OUTCOME_TIMED_OUT },
		      { EHOSTUNREACH, OUTCOME_UNREACHABLE },
		      { ECONNRESET, OUTCOME_RESET_RECEIVED },
		      { EPIPE, OUTCOME_RESET_RECEIVED },
		      { ECONNABORTED, OUTCOME_ABORTED } };
	struct seen *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct record_close c = a_close(9 * MS, STATE_ESTABLISHED, 0, cases[i].error);

		put(s, &c, sizeof(c));
		assert_int_equal(s->count, i + 1);
		assert_int_equal(s->events[i].outcome, cases[i].outcome);
		assert_int_equal(s->events[i].error, cases[i].error);
	}
}

/* Data after close(): the kernel calls its own tcp_reset first, then sends the RST. */
static void data_after_close_is_a_reset_sent(void **state)
{
	struct seen *s = *state;
	struct record theirs = a_record(RECORD_RESET, 8 * MS),
		      ours = a_record(RECORD_RESET, 10 * MS);
	struct record_close c = a_close(9 * MS, STATE_FIN_WAIT2, RECORD_RST_RECEIVED, ECONNRESET);

	theirs.detail = SIDE_REMOTE;
	theirs.new_state = STATE_FIN_WAIT2;
	ours.detail = SIDE_LOCAL;
	put(s, &theirs, sizeof(theirs));
	put(s, &c, sizeof(c));
	assert_int_equal(s->count, 0);
	put(s, &ours, sizeof(ours));
	assert_int_equal(s->count, 2);
	assert_int_equal(s->events[0].by, SIDE_LOCAL);
	assert_int_equal(s->events[1].outcome, OUTCOME_RESET_SENT);
}

static void reset_in_fin_wait_is_told_with_its_close(void **state)
{
	struct seen *s = *state;
	struct record theirs = a_record(RECORD_RESET, 8 * MS);
	struct record_close c = a_close(9 * MS, STATE_FIN_WAIT1, RECORD_RST_RECEIVED, ECONNRESET);

	theirs.detail = SIDE_REMOTE;
	theirs.new_state = STATE_FIN_WAIT1;
	put(s, &theirs, sizeof(theirs));
	put(s, &c, sizeof(c));
	assert_int_equal(assembly_flush(s->assembly), 0);
	assert_int_equal(s->count, 2);
	assert_int_equal(s->events[0].type, EVENT_RESET);
	assert_int_equal(s->events[0].by, SIDE_REMOTE);
	assert_int_equal(s->events[0].state, STATE_FIN_WAIT1);
	assert_int_equal(s->events[1].outcome, OUTCOME_RESET_RECEIVED);
}

static struct record_close an_untaken_close(uint64_t mono_ns)
{
	struct record_close c = a_close(mono_ns, STATE_ESTABLISHED,
					RECORD_UNCONFIRMED | RECORD_RST_RECEIVED, ECONNRESET);

	c.head.owner = OWNER_LISTENER;
	c.head.direction = DIRECTION_IN;
	strcpy(c.head.comm, "parent");
	return c;
}

static void late_accept_names_the_owner_of_the_close(void **state)
{
	struct seen *s = *state;
	struct record_close c = an_untaken_close(9 * MS);
	struct record accept = a_record(RECORD_ACCEPT, 300 * MS);

	put(s, &c, sizeof(c));
	assert_int_equal(assembly_expire(s->assembly, 250 * MS), 0);
	assert_int_equal(s->count, 0);
	accept.owner = OWNER_ACCEPT;
	accept.direction = DIRECTION_IN;
	accept.pid = 77;
	strcpy(accept.comm, "worker");
	put(s, &accept, sizeof(accept));
	assert_int_equal(s->count, 2);
	assert_int_equal(s->events[0].type, EVENT_ACCEPT);
	assert_int_equal(s->events[1].type, EVENT_CLOSE);
	assert_int_equal(s->events[1].pid, 77);
	assert_string_equal(s->events[1].comm, "worker");
	assert_int_equal(s->events[1].owner, OWNER_ACCEPT);
	assert_int_equal(s->events[1].mono_ns, 9 * MS);
}

static void never_taken_is_opened_by_the_listener(void **state)
{
	struct seen *s = *state;
	struct record_close c = an_untaken_close(9 * MS);
	struct record destroy = a_record(RECORD_DESTROY, 20 * MS);

	put(s, &c, sizeof(c));
	put(s, &destroy, sizeof(destroy));
	assert_int_equal(s->count, 2);
	assert_int_equal(s->events[0].type, EVENT_ACCEPT);
	assert_int_equal(s->events[0].owner, OWNER_LISTENER);
	assert_false(event_has(&s->events[0], FIELD_QUEUE_US));
	assert_int_equal(s->events[1].type, EVENT_CLOSE);
	assert_int_equal(s->events[1].owner, OWNER_LISTENER);
}

/* A connection on a re-used socket is another one: what belongs to it does not complete the earlier. */
static void other_start_is_another_connection(void **state)
{
	struct seen *s = *state;
	struct record_close c = a_close(9 * MS, STATE_ESTABLISHED, 0, 0);
	struct record r = a_record(RECORD_RESET, 9 * MS + 3);

	put(s, &c, sizeof(c));
	r.detail = SIDE_LOCAL;
	r.start_ns++;
	put(s, &r, sizeof(r));
	assert_int_equal(s->count, 1);
	assert_int_equal(assembly_held(s->assembly), 1);
}

static void bad_records_are_counted(void **state)
{
	struct seen *s = *state;
	struct record r = a_record(RECORD_CLOSE, 1);

	assert_int_equal(assembly_record(s->assembly, &r, sizeof(r)), -EBADMSG);
	r.type = 200;
	assert_int_equal(assembly_record(s->assembly, &r, sizeof(r)), -EBADMSG);
	assert_int_equal(assembly_record(s->assembly, &r, 3), -EBADMSG);
	assert_int_equal(assembly_bad_records(s->assembly), 3);
	assert_int_equal(s->count, 0);
}

/* Beyond its bound the oldest is told early instead of more being kept. */
static void holding_back_is_bounded(void **state)
{
	struct seen *s = *state;
	struct record_close c = a_close(9 * MS, STATE_ESTABLISHED, 0, 0);
	uint64_t n;

	for (n = 0; s->count == 0 && n < 1000000; n++) {
		c.head.cookie = n + 1;
		put(s, &c, sizeof(c));
	}
	assert_int_equal(n, 65537);
	assert_int_equal(s->events[0].cookie, 1);
	assert_int_equal(assembly_held(s->assembly), 65536);
}

static void sink_stops_the_source(void **state)
{
	struct seen *s = *state;
	struct record r = a_record(RECORD_CONNECT, 5 * MS);

	s->stop_after = 1;
	assert_int_equal(assembly_record(s->assembly, &r, sizeof(r)), -ECANCELED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(connect_passes_with_latency),
		TEST(reconciled_has_no_latency),
		TEST(ordered_close_passes_at_once),
		TEST(reset_after_close_explains_it),
		TEST(unexplained_end_is_aborted_after_a_while),
		TEST(error_names_the_outcome),
		TEST(data_after_close_is_a_reset_sent),
		TEST(reset_in_fin_wait_is_told_with_its_close),
		TEST(late_accept_names_the_owner_of_the_close),
		TEST(never_taken_is_opened_by_the_listener),
		TEST(other_start_is_another_connection),
		TEST(bad_records_are_counted),
		TEST(holding_back_is_bounded),
		TEST(sink_stops_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
