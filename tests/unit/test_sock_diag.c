/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/sock_diag.h"
#include "source/socket_rows.h"
#include "source/table_source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * An answer as the kernel makes them; exactly as long as allocated, so that a sanitizer sees an
 * overread.
 */
static struct nlmsghdr *make_message(uint8_t state, const void *info, size_t info_size)
{
	size_t size =
		NLMSG_LENGTH(sizeof(struct inet_diag_msg)) + (info ? RTA_SPACE(info_size) : 0);
	struct nlmsghdr *message = calloc(1, size);
	struct inet_diag_msg *m;
	struct rtattr *a;

	assert_non_null(message);
	m = NLMSG_DATA(message);
	message->nlmsg_len = (uint32_t)size;
	m->idiag_family = AF_INET;
	m->idiag_state = state;
	m->id.idiag_sport = htons(80);
	m->id.idiag_dport = htons(50000);
	m->id.idiag_src[0] = htonl(0xc0000201);
	m->id.idiag_dst[0] = htonl(0xc0000202);
	m->id.idiag_cookie[0] = 0x11;
	m->id.idiag_cookie[1] = 0x22;
	m->idiag_rqueue = 3;
	m->idiag_wqueue = 4;
	m->idiag_uid = 1000;
	m->idiag_inode = 777;
	if (info) {
		a = (struct rtattr *)((char *)message + NLMSG_LENGTH(sizeof(*m)));
		a->rta_type = INET_DIAG_INFO;
		a->rta_len = (unsigned short)RTA_LENGTH(info_size);
		memcpy(RTA_DATA(a), info, info_size);
	}
	return message;
}

static const struct tcp_info info = {
	.tcpi_rtt = 1500,
	.tcpi_min_rtt = 900,
	.tcpi_total_retrans = 2,
	.tcpi_bytes_sent = 1100,
	.tcpi_bytes_retrans = 100,
	.tcpi_bytes_received = 501,
	.tcpi_bytes_acked = 1002,
	.tcpi_segs_out = 12,
	.tcpi_segs_in = 13,
};

static void full_answer(void **state)
{
	struct nlmsghdr *message = make_message(STATE_ESTABLISHED, &info, sizeof(info));
	struct socket_row row;
	struct event e;

	(void)state;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	row.netns = 4026531833;
	socket_row_to_event(&row, NULL, false, 5, 6, &e);
	assert_int_equal(e.type, EVENT_SOCKET);
	assert_true(e.cookie == 0x2200000011 && e.start_ns == 0);
	assert_int_equal(e.family, 4);
	assert_memory_equal(e.laddr, "\xc0\x00\x02\x01", 4);
	assert_memory_equal(e.raddr, "\xc0\x00\x02\x02", 4);
	assert_int_equal(e.lport, 80);
	assert_int_equal(e.rport, 50000);
	assert_int_equal(e.recv_q, 3);
	assert_int_equal(e.send_q, 4);
	assert_int_equal(e.uid, 1000);
	assert_int_equal(e.inode, 777);
	assert_int_equal(e.netns, 4026531833);
	assert_int_equal(e.tx_bytes, 1000);
	assert_int_equal(e.rx_bytes, 501);
	assert_int_equal(e.retrans, 2);
	assert_int_equal(e.srtt_us, 1500);
	assert_int_equal(e.rtt_min_us, 900);
	assert_int_equal(e.tx_segs, 12);
	assert_int_equal(e.rx_segs, 13);
	assert_int_equal(e.owner, OWNER_UNKNOWN);
	assert_true(event_has(&e, FIELD_TX_BYTES) && event_has(&e, FIELD_RTT_MIN_US) &&
		    event_has(&e, FIELD_RX_SEGS));
	assert_false(event_has(&e, FIELD_PID));
	free(message);
}

static void fin_is_not_payload(void **state)
{
	static const uint8_t after_fin[] = { STATE_CLOSE_WAIT, STATE_LAST_ACK, STATE_CLOSING };
	static const uint8_t before_fin[] = { STATE_ESTABLISHED, STATE_FIN_WAIT1, STATE_FIN_WAIT2 };
	struct tcp_info nothing = { 0 };
	struct nlmsghdr *message;
	struct socket_row row;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		message = make_message(after_fin[i], &info, sizeof(info));
		assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
		assert_int_equal(row.rx_bytes, 500);
		free(message);
		message = make_message(before_fin[i], &info, sizeof(info));
		assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
		assert_int_equal(row.rx_bytes, 501);
		free(message);
	}
	message = make_message(STATE_CLOSE_WAIT, &nothing, sizeof(nothing));
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_int_equal(row.rx_bytes, 0);
	free(message);
}

/* A FIN that came between: the head's state is from before it, the counters are not. */
static void fin_while_the_kernel_answers(void **state)
{
	struct tcp_info late = info;
	struct nlmsghdr *message;
	struct socket_row row;

	(void)state;
	late.tcpi_state = STATE_CLOSE_WAIT;
	message = make_message(STATE_ESTABLISHED, &late, sizeof(late));
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_int_equal(row.state, STATE_CLOSE_WAIT);
	assert_int_equal(row.rx_bytes, 500);
	free(message);
	late.tcpi_state = STATE_COUNT;
	message = make_message(STATE_ESTABLISHED, &late, sizeof(late));
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_int_equal(row.state, STATE_ESTABLISHED);
	free(message);
}

static void what_is_not_told_is_absent(void **state)
{
	struct tcp_info unmeasured = { .tcpi_min_rtt = UINT32_MAX };
	struct nlmsghdr *message = make_message(STATE_TIME_WAIT, NULL, 0);
	struct socket_row row;
	struct event e;

	(void)state;
	((struct inet_diag_msg *)NLMSG_DATA(message))->idiag_inode = 0;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	socket_row_to_event(&row, NULL, false, 5, 6, &e);
	assert_false(event_has(&e, FIELD_TX_BYTES) || event_has(&e, FIELD_RETRANS) ||
		     event_has(&e, FIELD_SRTT_US) || event_has(&e, FIELD_TX_SEGS) ||
		     event_has(&e, FIELD_INODE) || event_has(&e, FIELD_UID) ||
		     event_has(&e, FIELD_NETNS));
	free(message);

	message = make_message(STATE_SYN_SENT, &unmeasured, sizeof(unmeasured));
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	row.netns = 1;
	socket_row_to_event(&row, NULL, false, 5, 6, &e);
	assert_true(event_has(&e, FIELD_TX_BYTES));
	assert_false(event_has(&e, FIELD_SRTT_US) || event_has(&e, FIELD_RTT_MIN_US));
	free(message);

	/* A listener's numbers are its queue's. */
	message = make_message(STATE_LISTEN, &info, sizeof(info));
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_false(row.has_bytes || row.has_segs || row.srtt_us);
	free(message);

	/* A kernel before 4.19. */
	message =
		make_message(STATE_ESTABLISHED, &info, offsetof(struct tcp_info, tcpi_bytes_sent));
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_true(!row.has_bytes && row.has_segs && row.has_retrans);
	free(message);
}

static void broken_answers(void **state)
{
	struct nlmsghdr *message = make_message(STATE_ESTABLISHED, &info, sizeof(info));
	struct inet_diag_msg *m = NLMSG_DATA(message);
	struct rtattr *a = (struct rtattr *)((char *)message + NLMSG_LENGTH(sizeof(*m)));
	uint32_t whole = message->nlmsg_len;
	struct socket_row row;

	(void)state;
	for (uint32_t length = 0; length < whole; length++) {
		struct nlmsghdr *cut = malloc(length < sizeof(*cut) ? sizeof(*cut) : length);
		int err;

		assert_non_null(cut);
		memcpy(cut, message, length < sizeof(*cut) ? sizeof(*cut) : length);
		cut->nlmsg_len = length;
		err = sock_diag_parse(cut, IPPROTO_TCP, &row);
		assert_int_equal(err, length < NLMSG_LENGTH(sizeof(*m)) ? -EBADMSG : 0);
		free(cut);
	}
	/* An attribute whose padding would reach past the end, and one that claims to be empty. */
	message->nlmsg_len = NLMSG_LENGTH(sizeof(*m)) + 5;
	a->rta_len = 5;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_false(row.has_bytes);
	a->rta_len = 0;
	message->nlmsg_len = whole;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), 0);
	assert_false(row.has_bytes);
	m->idiag_state = STATE_COUNT;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), -EBADMSG);
	m->idiag_state = 0;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), -EBADMSG);
	m->idiag_state = 1;
	m->idiag_family = AF_UNIX;
	assert_int_equal(sock_diag_parse(message, IPPROTO_TCP, &row), -EBADMSG);
	free(message);
}

/* Addresses stand there as the host prints the 32-bit words that it holds in network order. */
static void word_digits(char *out, const char *address, int family)
{
	uint32_t words[4];
	size_t count = family == AF_INET6 ? 4 : 1;

	assert_int_equal(inet_pton(family, address, words), 1);
	for (size_t i = 0; i < count; i++)
		sprintf(out + i * 8, "%08X", words[i]);
}

static void proc_net_lines(void **state)
{
	char local[33], remote[33], line[256];
	uint8_t expected[16];
	struct socket_row row, other;

	(void)state;
	word_digits(local, "127.0.0.1", AF_INET);
	word_digits(remote, "192.0.2.7", AF_INET);
	snprintf(
		line, sizeof(line),
		"   1: %s:1F90 %s:C350 01 00000010:0000000A 02:000A7214 00000000  1000        0 15724 2 x\n",
		local, remote);
	assert_true(proc_net_parse(line, AF_INET, IPPROTO_TCP, &row));
	assert_memory_equal(row.laddr, "\x7f\0\0\1", 4);
	assert_memory_equal(row.raddr, "\xc0\0\2\7", 4);
	assert_int_equal(row.lport, 8080);
	assert_int_equal(row.rport, 50000);
	assert_int_equal(row.state, STATE_ESTABLISHED);
	assert_int_equal(row.send_q, 16);
	assert_int_equal(row.recv_q, 10);
	assert_int_equal(row.uid, 1000);
	assert_int_equal(row.inode, 15724);
	assert_false(row.has_bytes || row.has_segs || row.has_retrans);
	assert_false(proc_net_parse(line, AF_INET6, IPPROTO_TCP, &row));

	word_digits(local, "2001:db8::1", AF_INET6);
	word_digits(remote, "::", AF_INET6);
	snprintf(
		line, sizeof(line),
		"10: %s:0050 %s:0000 0A 00000000:00000005 00:00000000 00000000     0        0 9 1 x\n",
		local, remote);
	assert_true(proc_net_parse(line, AF_INET6, IPPROTO_TCP, &row));
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", expected), 1);
	assert_memory_equal(row.laddr, expected, 16);
	assert_int_equal(row.state, STATE_LISTEN);

	/* Of two in TIME_WAIT, without an inode, each has an identity of its own. */
	word_digits(local, "127.0.0.1", AF_INET);
	snprintf(
		line, sizeof(line),
		"2: %s:0050 %s:1000 06 00000000:00000000 03:00000000 00000000     0        0 0 3 x\n",
		local, local);
	assert_true(proc_net_parse(line, AF_INET, IPPROTO_TCP, &row));
	assert_false(row.has_uid);
	snprintf(
		line, sizeof(line),
		"2: %s:0050 %s:1001 06 00000000:00000000 03:00000000 00000000     0        0 0 3 x\n",
		local, local);
	assert_true(proc_net_parse(line, AF_INET, IPPROTO_TCP, &other));
	assert_true(row.cookie != other.cookie);
}

static void proc_net_rubbish(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n",
		"1: 0100007F:1F90",
		"1: 0100007F:1F90 00000000:0000 FF 00000000:00000000 00:00000000 00000000 0 0 1",
		"1: 0100007F:1F90 00000000:0000 00 00000000:00000000 00:00000000 00000000 0 0 1",
		"1: 0100007:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1",
		"1: 0100007F0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1",
		"1: 0100007F01000000000000000100007F01000000000000000:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1",
	};
	struct socket_row row;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(proc_net_parse(bad[i], AF_INET, IPPROTO_TCP, &row));
}

/* A connection of our own, as the system at hand tells of it. */
struct own {
	uint16_t lport, rport;
	struct event listener, client, server;
	unsigned int seen;
	bool others_before_listeners, late_listener;
};

static int look(void *context, struct event *e, struct table_row row)
{
	struct own *o = context;

	(void)row;
	if (e->proto != IPPROTO_TCP)
		return 0;
	if (e->state != STATE_LISTEN)
		o->others_before_listeners = true;
	else if (o->others_before_listeners)
		o->late_listener = true;
	if (e->state == STATE_LISTEN && e->lport == o->lport) {
		o->listener = *e;
		o->seen |= 1;
	} else if (e->lport == o->lport && e->rport == o->rport) {
		o->server = *e;
		o->seen |= 2;
	} else if (e->lport == o->rport && e->rport == o->lport) {
		o->client = *e;
		o->seen |= 4;
	}
	return 0;
}

static int refuse(void *context, struct event *e, struct table_row row)
{
	(void)e;
	(void)row;
	++*(int *)context;
	return 42;
}

static void own_connection(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0),
	    server, calls = 0;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(address);
	const struct table_options options = { .tcp = true, .without_ebpf = true };
	struct kernel_error error;
	struct table_source *source = NULL;
	struct own o = { 0 };
	char block[1000] = { 0 };

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 7), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	o.lport = ntohs(address.sin_port);
	assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(client, (struct sockaddr *)&address, &size), 0);
	o.rport = ntohs(address.sin_port);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(send(client, block, sizeof(block), 0), sizeof(block));
	assert_int_equal(recv(server, block, sizeof(block), MSG_WAITALL), sizeof(block));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	/* The end of the stream: the FIN has come. */
	assert_int_equal(recv(server, block, sizeof(block), 0), 0);

	assert_int_equal(table_source_open(&options, &source, &error), 0);
	assert_false(table_source_has_ebpf(source));
	assert_int_equal(table_source_read(source, look, &o), 0);
	assert_int_equal(o.seen, 7);
	assert_false(o.late_listener);
	assert_int_equal(o.listener.pid, getpid());
	assert_int_equal(o.listener.send_q, 7);
	assert_int_equal(o.server.pid, getpid());
	assert_int_equal(o.server.uid, getuid());
	assert_int_equal(o.server.direction, DIRECTION_IN);
	assert_int_equal(o.server.state, STATE_CLOSE_WAIT);
	assert_int_equal(o.server.holder_count, 1);
	assert_int_equal(o.client.direction, DIRECTION_OUT);
	/* The FIN's acknowledgement may be delayed. */
	assert_true(o.client.state == STATE_FIN_WAIT1 || o.client.state == STATE_FIN_WAIT2);
	assert_true(o.client.cookie != o.server.cookie);
	/* /proc/net has no counters. */
	if (event_has(&o.server, FIELD_RX_BYTES)) {
		assert_int_equal(o.server.rx_bytes, sizeof(block));
		assert_int_equal(o.client.tx_bytes, sizeof(block));
	}
	assert_int_equal(table_source_read(source, refuse, &calls), 42);
	assert_int_equal(calls, 1);
	table_source_close(source);
	close(server);
	close(client);
	close(listener);
}

/* Both ways to the same sockets agree. */
static void proc_net_agrees(void **state)
{
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	struct socket_rows a = { 0 }, b = { 0 };
	socklen_t size = sizeof(address);
	const struct socket_row *found[2] = { NULL, NULL };

	(void)state;
	if (listener < 0 || netlink_dump_sockets(AF_INET6, IPPROTO_TCP, UINT32_MAX >> 20, &a)) {
		socket_rows_done(&a);
		skip();
	}
	socket_rows_done(&a);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(netlink_dump_sockets(AF_INET6, IPPROTO_TCP, UINT32_MAX >> 20, &a), 0);
	assert_int_equal(proc_net_sockets(AF_INET6, IPPROTO_TCP, &b), 0);
	for (size_t i = 0; i < a.count; i++) {
		if (a.rows[i].lport == ntohs(address.sin6_port) && a.rows[i].state == STATE_LISTEN)
			found[0] = &a.rows[i];
	}
	for (size_t i = 0; i < b.count; i++) {
		if (b.rows[i].lport == ntohs(address.sin6_port) && b.rows[i].state == STATE_LISTEN)
			found[1] = &b.rows[i];
	}
	assert_non_null(found[0]);
	assert_non_null(found[1]);
	assert_int_equal(found[0]->inode, found[1]->inode);
	assert_int_equal(found[0]->uid, found[1]->uid);
	assert_memory_equal(found[0]->laddr, found[1]->laddr, 16);
	socket_rows_done(&a);
	socket_rows_done(&b);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_answer),
		cmocka_unit_test(fin_is_not_payload),
		cmocka_unit_test(fin_while_the_kernel_answers),
		cmocka_unit_test(broken_answers),
		cmocka_unit_test(what_is_not_told_is_absent),
		cmocka_unit_test(proc_net_lines),
		cmocka_unit_test(proc_net_rubbish),
		cmocka_unit_test(own_connection),
		cmocka_unit_test(proc_net_agrees),
	};

	return cmocka_run_group_tests_name("sock_diag", tests, NULL, NULL);
}
