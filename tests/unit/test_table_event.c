/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_event.h"

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

static const struct table_names names = { .time_ns = 100, .mono_ns = 50, .hz = 250 };

static const struct table_socket connection = {
	.record = TABLE_SOCKET,
	.kind = TABLE_TCP,
	.family = AF_INET,
	.state = STATE_ESTABLISHED,
	.fd = 3,
	.netns = 4026531840u,
	.cookie = 0x8000000000000001,
	.inode = 777,
	.recv_q = 5,
	.send_q = UINT32_MAX,
	.lport = 80,
	.rport = 50000,
	.laddr = { 192, 0, 2, 1 },
	.raddr = { 192, 0, 2, 2 },
	.tx_bytes = UINT64_MAX,
	.rx_bytes = 9,
	.srtt_us = 1500,
	.rtt_min_us = 900,
	.retrans = 1,
	.tx_segs = 2,
	.rx_segs = 3,
	.drops = 4,
};

/* Exactly as long as allocated, so that a sanitizer sees an overread. */
static size_t size_of_first(const void *data, size_t left)
{
	char *exact = malloc(left ? left : 1);
	size_t size;

	assert_non_null(exact);
	memcpy(exact, data, left);
	size = table_record_size(exact, left);
	free(exact);
	return size;
}

static void record_sizes(void **state)
{
	static const size_t sizes[] = { [TABLE_NONE] = 0,
					[TABLE_PROCESS] = sizeof(struct table_process),
					[TABLE_SOCKET] = sizeof(struct table_socket),
					[TABLE_DETAIL] = sizeof(struct table_detail),
					[TABLE_KNOWN] = sizeof(struct table_known) };
	unsigned char data[256] = { 0 };

	(void)state;
	for (unsigned int kind = 0; kind < 256; kind++) {
		size_t whole = kind <= TABLE_KNOWN ? sizes[kind] : 0;

		data[0] = (unsigned char)kind;
		for (size_t left = 0; left <= sizeof(data); left++)
			assert_int_equal(size_of_first(data, left), left >= whole ? whole : 0);
		assert_int_equal(whole % 8, 0);
	}
}

static void tcp_connection(void **state)
{
	struct table_socket s = connection;
	struct event e;

	(void)state;
	table_socket_to_event(&s, NULL, &names, &e);
	assert_int_equal(e.type, EVENT_SOCKET);
	assert_true(e.time_ns == 100 && e.mono_ns == 50);
	assert_true(e.cookie == s.cookie && event_has(&e, FIELD_ID));
	assert_int_equal(e.proto, IPPROTO_TCP);
	assert_int_equal(e.family, 4);
	assert_memory_equal(e.laddr, s.laddr, 4);
	assert_memory_equal(e.raddr, s.raddr, 4);
	assert_true(e.lport == 80 && e.rport == 50000 && event_has(&e, FIELD_RPORT));
	assert_int_equal(e.netns, 4026531840u);
	assert_int_equal(e.inode, 777);
	assert_true(e.recv_q == 5 && e.send_q == UINT32_MAX);
	assert_int_equal(e.direction, DIRECTION_OUT);
	assert_int_equal(e.owner, OWNER_UNKNOWN);
	assert_false(event_has(&e, FIELD_PID) || event_has(&e, FIELD_HOLDERS));
	/* What was not read is not told, and drops are a listener's. */
	assert_false(event_has(&e, FIELD_TX_BYTES) || event_has(&e, FIELD_SRTT_US) ||
		     event_has(&e, FIELD_TIMER) || event_has(&e, FIELD_DROPS) ||
		     event_has(&e, FIELD_MSS) || event_has(&e, FIELD_MPTCP) ||
		     event_has(&e, FIELD_BACKLOG));
	s.flags = TABLE_CHILD | TABLE_MPTCP | TABLE_IN_USE;
	s.inode = 0;
	table_socket_to_event(&s, NULL, &names, &e);
	assert_int_equal(e.direction, DIRECTION_IN);
	assert_true(e.mptcp && event_has(&e, FIELD_MPTCP));
	assert_int_equal(e.owner, OWNER_KERNEL);
	assert_false(event_has(&e, FIELD_INODE));
}

static void counters(void **state)
{
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.flags = TABLE_COUNTED;
	table_socket_to_event(&s, NULL, &names, &e);
	assert_true(e.tx_bytes == UINT64_MAX && e.rx_bytes == 9);
	assert_true(e.retrans == 1 && e.tx_segs == 2 && e.rx_segs == 3);
	assert_true(e.srtt_us == 1500 && e.rtt_min_us == 900);
	assert_true(event_has(&e, FIELD_SRTT_US) && event_has(&e, FIELD_RTT_MIN_US));
	/* Without a sample. */
	s.srtt_us = 0;
	s.rtt_min_us = UINT32_MAX;
	table_socket_to_event(&s, NULL, &names, &e);
	assert_true(event_has(&e, FIELD_TX_BYTES));
	assert_false(event_has(&e, FIELD_SRTT_US) || event_has(&e, FIELD_RTT_MIN_US));
}

static void listener(void **state)
{
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.state = STATE_LISTEN;
	s.send_q = 128;
	s.syn_queue = 6;
	table_socket_to_event(&s, NULL, &names, &e);
	assert_int_equal(e.backlog, 128);
	assert_int_equal(e.syn_queue, 6);
	assert_int_equal(e.drops, 4);
	assert_true(event_has(&e, FIELD_BACKLOG) && event_has(&e, FIELD_DROPS));
	assert_false(event_has(&e, FIELD_RADDR) || event_has(&e, FIELD_RPORT) ||
		     event_has(&e, FIELD_DIRECTION));
}

static void udp_and_raw(void **state)
{
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.state = STATE_CLOSE;
	for (int i = 0; i < 2; i++) {
		s.kind = i ? TABLE_RAW : TABLE_UDP;
		table_socket_to_event(&s, NULL, &names, &e);
		assert_int_equal(e.proto, i ? PROTO_RAW : IPPROTO_UDP);
		assert_true(e.drops == 4 && event_has(&e, FIELD_DROPS));
		assert_false(event_has(&e, FIELD_DIRECTION) || event_has(&e, FIELD_BACKLOG));
	}
}

static void unix_socket(void **state)
{
	static const uint8_t types[][2] = { { SOCK_STREAM, SOCKET_TYPE_STREAM },
					    { SOCK_DGRAM, SOCKET_TYPE_DGRAM },
					    { SOCK_SEQPACKET, SOCKET_TYPE_SEQPACKET },
					    { 0, SOCKET_TYPE_NONE },
					    { 255, SOCKET_TYPE_NONE } };
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.kind = TABLE_UNIX;
	s.family = AF_UNIX;
	s.timer = TABLE_TIMER_ON;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		s.type = types[i][0];
		table_socket_to_event(&s, NULL, &names, &e);
		assert_int_equal(e.proto, PROTO_UNIX);
		assert_int_equal(e.socket_type, types[i][1]);
		assert_int_equal(event_has(&e, FIELD_SOCKET_TYPE), types[i][1] != 0);
		assert_false(event_has(&e, FIELD_LADDR) || event_has(&e, FIELD_LPORT) ||
			     event_has(&e, FIELD_RECV_Q) || event_has(&e, FIELD_TIMER));
	}
}

static void timers(void **state)
{
	const struct table_names unknown_hz = { .hz = 0 };
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.timer = TABLE_TIMER_KEEPALIVE;
	s.timer_jiffies = 1250;
	s.timer_retrans = 2;
	table_socket_to_event(&s, NULL, &names, &e);
	assert_int_equal(e.timer, TIMER_KEEPALIVE);
	assert_int_equal(e.timer_us, 5000000);
	assert_int_equal(e.timer_retrans, 2);
	s.timer_jiffies = UINT32_MAX; /* more than 32 bits in microseconds */
	table_socket_to_event(&s, NULL, &names, &e);
	assert_true(e.timer_us == UINT32_MAX * 4000ULL);
	table_socket_to_event(&s, NULL, &unknown_hz, &e);
	assert_int_equal(e.timer_us, 0);
}

static void details(void **state)
{
	struct table_detail d = { .record = TABLE_DETAIL,
				  .rttvar_us = 1,
				  .rto_jiffies = 50,
				  .mss = 1448,
				  .pmtu = 1500,
				  .cwnd = 10,
				  .ssthresh = 7,
				  .unacked = 0,
				  .congestion = "cubic" };
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.flags = TABLE_COUNTED;
	table_socket_to_event(&s, &d, &names, &e);
	assert_int_equal(e.rto_us, 200000);
	assert_true(e.rttvar_us == 1 && e.mss == 1448 && e.pmtu == 1500 && e.cwnd == 10 &&
		    e.ssthresh == 7);
	assert_string_equal(e.congestion, "cubic");
	for (int f = FIELD_RTTVAR_US; f <= FIELD_CONGESTION; f++)
		assert_true(event_has(&e, (enum event_field)f));
	/* Each has a value that means: not known. */
	s.srtt_us = 0;
	d.pmtu = 0;
	d.ssthresh = 0x7fffffff;
	d.congestion[0] = '\0';
	table_socket_to_event(&s, &d, &names, &e);
	assert_false(event_has(&e, FIELD_RTTVAR_US) || event_has(&e, FIELD_PMTU) ||
		     event_has(&e, FIELD_SSTHRESH) || event_has(&e, FIELD_CONGESTION));
	assert_true(event_has(&e, FIELD_MSS));
}

static void mapped_addresses(void **state)
{
	struct table_socket s = connection;
	struct event e;

	(void)state;
	s.family = AF_INET6;
	memcpy(s.laddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	memcpy(s.raddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\2", 16);
	table_socket_to_event(&s, NULL, &names, &e);
	assert_int_equal(e.family, 4);
	assert_true(e.v4mapped);
	assert_memory_equal(e.laddr, "\x7f\0\0\1", 4);
	assert_memory_equal(e.raddr, "\x7f\0\0\2", 4);
}

/* Whatever the bytes are, only what the tables know is told. */
static void rubbish(void **state)
{
	struct table_socket s;
	struct table_detail d;
	struct event e;

	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		memset(&s, (int)i, sizeof(s));
		memset(&d, (int)i, sizeof(d));
		d.congestion[15] = '\0';
		table_socket_to_event(&s, &d, &names, &e);
		assert_int_equal(e.type, EVENT_SOCKET);
		assert_int_equal(e.state, i);
		if (i >= TABLE_KINDS)
			assert_int_equal(e.proto, 0);
	}
}

static void owners(void **state)
{
	struct table_process p = { .record = TABLE_PROCESS, .pid = 4194304, .uid = UINT32_MAX };
	struct event e;

	(void)state;
	memset(p.comm, 'x', sizeof(p.comm)); /* without an end */
	table_socket_to_event(&connection, NULL, &names, &e);
	table_owner_to_event(&p, &names, &e);
	assert_int_equal(e.owner, OWNER_SNAPSHOT);
	assert_int_equal(e.pid, 4194304);
	assert_int_equal(e.uid, UINT32_MAX);
	assert_string_equal(e.comm, "xxxxxxxxxxxxxxx");
	assert_true(event_has(&e, FIELD_PID) && event_has(&e, FIELD_UID) &&
		    event_has(&e, FIELD_COMM));
	/* Without a cache cgroups stay unnamed. */
	p.cgroup_id = 1;
	table_owner_to_event(&p, &names, &e);
	assert_int_equal(e.cgroup_id, 1);
	assert_false(event_has(&e, FIELD_CGROUP) || event_has(&e, FIELD_UNIT) ||
		     event_has(&e, FIELD_CONTAINER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_sizes),	    cmocka_unit_test(tcp_connection),
		cmocka_unit_test(counters),	    cmocka_unit_test(listener),
		cmocka_unit_test(udp_and_raw),	    cmocka_unit_test(unix_socket),
		cmocka_unit_test(timers),	    cmocka_unit_test(details),
		cmocka_unit_test(mapped_addresses), cmocka_unit_test(rubbish),
		cmocka_unit_test(owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
