/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes of UDP: who sends first, from what kind of socket, how many at once, in whose hands. */
#include "datagram.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif
#define ONE_SHOTS 2000
#define PEERS 500
#define FLOOD 300
#define THREADS 4
#define THREAD_SENDS 3000

static const size_t sizes[] = { 1, 0, 1400, 9000 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* A client process and a server process: each datagram there, its double size back. */
static void echo(const char *server_address, const char *client_address, const char *target)
{
	union address at = address_make(server_address, 0), from = address_make(client_address, 0),
		      to, peer, local;
	struct flow_truth *f = NULL;
	int server, client;
	size_t size;
	pid_t pid;

	process_name("wl-udpserver");
	server = udp_bind(&at);
	to = address_make(target, ntohs(at.in.sin_port));
	pid = process_fork("wl-udpclient");
	if (!pid) {
		close(server);
		client = udp_connect(&from, &to);
		f = flow_begin(client, &from, &to, true);
		for (size_t i = 0; i < SIZES; i++) {
			udp_send(f, client, NULL, sizes[i]);
			udp_receive(f, client, NULL);
		}
		flow_end(f);
		close(client);
		_exit(0);
	}
	for (size_t i = 0; i < SIZES; i++) {
		struct flow_truth first = { 0 };

		size = udp_receive(f ? f : &first, server, &peer);
		if (!f) {
			/* At a wildcard the flow has the address that the client meant. */
			local = at;
			if (at.any.sa_family == AF_INET6 &&
			    IN6_IS_ADDR_UNSPECIFIED(&at.in6.sin6_addr))
				local = address_make(IN6_IS_ADDR_V4MAPPED(&peer.in6.sin6_addr)
							     ? "::ffff:127.0.0.1"
							     : "::1",
						     ntohs(at.in.sin_port));
			f = flow_begin(server, &local, &peer, false);
			f->rx_bytes = first.rx_bytes;
			f->rx_datagrams = first.rx_datagrams;
		}
		udp_send(f, server, &peer, size * 2);
	}
	process_wait(pid, false);
	flow_end(f);
	close(server);
}

static void shape_echo(void)
{
	echo("127.0.0.1", "127.0.0.1", "127.0.0.1");
}

static void shape_echo_ipv6(void)
{
	if (stage_has_ipv6())
		echo("::1", "::1", "::1");
}

static void shape_mapped_server(void)
{
	if (stage_has_ipv6())
		echo("::", "127.0.0.1", "127.0.0.1");
}

static void shape_mapped_client(void)
{
	if (stage_has_ipv6())
		echo("127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.1");
}

static void shape_wildcard_ipv6(void)
{
	if (stage_has_ipv6())
		echo("::", "::1", "::1");
}

static void shape_own_network(void)
{
	process_unshare_netns();
	echo("127.0.0.1", "127.0.0.1", "127.0.0.1");
}

/* A datagram that needs fragments is one, of its whole size. */
static void shape_fragments(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_mtu = 1500 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	process_unshare_netns();
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFMTU, &request))
		die("the MTU of lo");
	close(fd);
	echo("127.0.0.1", "127.0.0.1", "127.0.0.1");
	if (stage_has_ipv6())
		echo("::1", "::1", "::1");
}

/* Both ends in this process, bound; the flow of `a` sends first. */
struct couple {
	union address at_a, at_b;
	int a, b;
	struct flow_truth *flow_a, *flow_b;
};

static void couple_make(struct couple *c, const char *address, bool connected)
{
	c->at_a = address_make(address, 0);
	c->at_b = address_make(address, 0);
	c->b = udp_bind(&c->at_b);
	c->a = connected ? udp_connect(&c->at_a, &c->at_b) : udp_bind(&c->at_a);
	c->flow_a = flow_begin(c->a, &c->at_a, &c->at_b, true);
	c->flow_b = flow_begin(c->b, &c->at_b, &c->at_a, false);
}

static void couple_close(struct couple *c)
{
	flow_end(c->flow_a);
	flow_end(c->flow_b);
	close(c->a);
	close(c->b);
}

/* IPv6 with destination options between its header and UDP's. */
static void shape_extension_header(void)
{
	static const uint8_t padding[8] = { 0, 0, 1, 4 };
	struct couple c;

	if (!stage_has_ipv6())
		return;
	process_name("wl-options");
	couple_make(&c, "::1", true);
	if (setsockopt(c.a, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding)))
		die("IPV6_DSTOPTS");
	udp_send(c.flow_a, c.a, NULL, 700);
	udp_receive(c.flow_b, c.b, NULL);
	couple_close(&c);
}

static void shape_several_clients(void)
{
	union address at = address_make("127.0.0.1", 0), peer;
	struct flow_truth *flows[5] = { 0 };
	int server, n = 0;
	pid_t pids[5];

	process_name("wl-udpserver");
	server = udp_bind(&at);
	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "wl-client%d", i);
		pids[i] = process_fork(name);
		if (!pids[i]) {
			union address from = address_make("127.0.0.1", 0);
			int fd = udp_bind(&from);
			struct flow_truth *f = flow_begin(fd, &from, &at, true);

			for (int k = 0; k <= i; k++)
				udp_send(f, fd, &at, 100 + (size_t)i);
			for (int k = 0; k <= i; k++)
				udp_receive(f, fd, &peer);
			flow_end(f);
			_exit(0); /* closes it */
		}
	}
	for (int total = 1 + 2 + 3 + 4 + 5; total; total--) {
		struct flow_truth one = { 0 }, *f = NULL;
		size_t size = udp_receive(&one, server, &peer);

		for (int i = 0; i < n; i++)
			if (!memcmp(&flows[i]->remote.in, &peer.in, sizeof(peer.in)))
				f = flows[i];
		if (!f)
			f = flows[n++] = flow_begin(server, &at, &peer, false);
		f->rx_bytes += size;
		f->rx_datagrams++;
		udp_send(f, server, &peer, size);
	}
	for (int i = 0; i < 5; i++)
		process_wait(pids[i], false);
	for (int i = 0; i < n; i++)
		flow_end(flows[i]);
	close(server);
}

static void shape_many_at_once(void)
{
	char data[50][64];
	struct iovec pieces[50];
	struct mmsghdr messages[50] = { 0 };
	struct couple c;

	process_name("wl-mmsg");
	couple_make(&c, "127.0.0.1", true);
	for (int i = 0; i < 50; i++) {
		pieces[i] = (struct iovec){ data[i], (size_t)i };
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		c.flow_a->tx_bytes += (size_t)i;
	}
	c.flow_b->rx_bytes = c.flow_a->tx_bytes;
	c.flow_a->tx_datagrams = c.flow_b->rx_datagrams = 50;
	if (sendmmsg(c.a, messages, 50, 0) != 50)
		die("sendmmsg");
	for (int i = 0; i < 50; i++)
		pieces[i].iov_len = sizeof(data[i]);
	for (int got = 0, n; got < 50; got += n) {
		n = recvmmsg(c.b, messages + got, (unsigned int)(50 - got), 0, NULL);
		if (n <= 0)
			die("recvmmsg");
	}
	couple_close(&c);
}

/* One send that the kernel cuts into 21 datagrams; the receiver takes them one by one or, with UDP_GRO, at once. */
static void segments(bool together)
{
	static char data[65536];
	const int segment = 1200, on = 1;
	const size_t total = 20 * 1200 + 500;
	struct couple c;
	size_t got = 0;

	couple_make(&c, "127.0.0.1", true);
	if (setsockopt(c.a, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) ||
	    (together && setsockopt(c.b, IPPROTO_UDP, UDP_GRO, &on, sizeof(on))))
		die("UDP_SEGMENT or UDP_GRO");
	if (send(c.a, data, total, 0) != (ssize_t)total)
		die("send");
	while (got < total) {
		ssize_t n = recv(c.b, data, sizeof(data), 0);

		if (n <= 0 || (!together && n > segment))
			die("recv: %zd", n);
		got += (size_t)n;
	}
	c.flow_a->tx_bytes = c.flow_b->rx_bytes = total;
	c.flow_a->tx_datagrams = c.flow_b->rx_datagrams = 21;
	couple_close(&c);
}

static void shape_segments(void)
{
	process_name("wl-segments");
	segments(false);
	segments(true);
}

/* The parent opens and lets go; the child asks for the sender's address, or not. */
static void hand(bool asks)
{
	union address at = address_make("127.0.0.1", 0), from = address_make("127.0.0.1", 0), peer;
	struct flow_truth *served, *f;
	int server, client;
	struct gate gate;
	pid_t pid;

	process_name("wl-parent");
	server = udp_bind(&at);
	client = udp_connect(&from, &at);
	served = flow_begin(server, &at, &from, false);
	f = flow_begin(client, &from, &at, true);
	gate_init(&gate);
	pid = process_fork("wl-child");
	if (!pid) {
		gate_wait(&gate);
		udp_receive(served, server, asks ? &peer : NULL);
		udp_send(served, server, &from, 30);
		flow_end(served);
		close(server);
		_exit(0);
	}
	close(server);
	udp_send(f, client, NULL, 20);
	gate_pass(&gate, 1);
	udp_receive(f, client, NULL);
	process_wait(pid, false);
	flow_end(f);
	close(client);
}

static void shape_handed(void)
{
	hand(true);
	hand(false);
}

/* What this socket dropped so far. */
static uint32_t drops_of(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(memory);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size))
		die("SO_MEMINFO");
	return memory[SK_MEMINFO_DROPS];
}

/* A receiver that never reads: what finds no room is a drop, and nobody's. Another CPU may still deliver: it waits for all. */
static void shape_overflow(void)
{
	const int small = 20000;
	struct flow_truth got = { 0 };
	static char data[2048];
	struct couple c;

	process_name("wl-overflow");
	couple_make(&c, "127.0.0.1", true);
	if (setsockopt(c.b, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)))
		die("SO_RCVBUF");
	for (int i = 0; i < FLOOD; i++)
		udp_send(c.flow_a, c.a, NULL, 1000);
	while (!drops_of(c.b))
		sched_yield();
	for (;;) {
		ssize_t n = recv(c.b, data, sizeof(data), MSG_DONTWAIT);

		if (n >= 0) {
			got.rx_bytes += (size_t)n;
			got.rx_datagrams++;
		} else if (got.rx_datagrams + drops_of(c.b) >= FLOOD) {
			break;
		}
	}
	if (!got.rx_datagrams || got.rx_datagrams == FLOOD)
		die("the buffer did not overflow");
	c.flow_b->rx_bytes = got.rx_bytes;
	c.flow_b->rx_datagrams = got.rx_datagrams;
	c.flow_b->drops = FLOOD - got.rx_datagrams;
	couple_close(&c);
}

static void shape_refused(void)
{
	union address at = address_make("127.0.0.1", 0), from = address_make("127.0.0.1", 0);
	struct flow_truth *f;
	char byte;
	int fd;

	process_name("wl-refused");
	close(udp_bind(&at));
	fd = udp_connect(&from, &at);
	f = flow_begin(fd, &from, &at, true);
	udp_send(f, fd, NULL, 10);
	if (recv(fd, &byte, 1, 0) >= 0 || errno != ECONNREFUSED)
		die("not refused");
	flow_end(f);
	close(fd);
}

/* As a resolver: a socket for each question. */
static void shape_one_shots(void)
{
	union address at = address_make("127.0.0.1", 0), peer;
	struct flow_truth *f;
	int server;
	pid_t pid;

	process_name("wl-resolved");
	server = udp_bind(&at);
	pid = process_fork("wl-resolver");
	if (!pid) {
		close(server);
		for (int i = 0; i < ONE_SHOTS; i++) {
			union address from = address_make("127.0.0.1", 0);
			int fd = i & 1 ? udp_connect(&from, &at) : udp_bind(&from);

			f = flow_begin(fd, &from, &at, true);
			udp_send(f, fd, i & 1 ? NULL : &at, 40);
			udp_receive(f, fd, i & 2 ? &peer : NULL);
			flow_end(f);
			close(fd);
		}
		_exit(0);
	}
	for (int i = 0; i < ONE_SHOTS; i++) {
		struct flow_truth one = { 0 };

		udp_receive(&one, server, &peer);
		/* A port that is chosen twice continues the flow of this peer. */
		f = flow_find(&at, &peer);
		if (!f)
			f = flow_begin(server, &at, &peer, false);
		f->rx_bytes += one.rx_bytes;
		f->rx_datagrams++;
		udp_send(f, server, &peer, 120);
		flow_end(f);
	}
	process_wait(pid, false);
	close(server);
}

static void shape_many_peers(void)
{
	union address from = address_make("127.0.0.1", 0), peer;
	struct flow_truth *f[PEERS], *s[PEERS];
	int servers[PEERS], fd;

	process_name("wl-peers");
	fd = udp_bind(&from);
	/* All are open at the same time, so that no port is chosen twice. */
	for (size_t i = 0; i < PEERS; i++) {
		union address at = address_make("127.0.0.1", 0);

		servers[i] = udp_bind(&at);
		f[i] = flow_begin(fd, &from, &at, true);
		s[i] = flow_begin(servers[i], &at, &from, false);
		udp_send(f[i], fd, &at, 100);
		udp_receive(s[i], servers[i], &peer);
		udp_send(s[i], servers[i], &peer, i);
		udp_receive(f[i], fd, &peer);
	}
	for (int i = 0; i < PEERS; i++) {
		flow_end(f[i]);
		flow_end(s[i]);
		close(servers[i]);
	}
	close(fd);
}

/* Connected anew, and a word to somebody else in between: three flows of one socket. */
static void shape_reconnected(void)
{
	union address from = address_make("127.0.0.1", 0), at[3], peer;
	struct flow_truth *f[3], *s[3];
	int servers[3], fd;

	process_name("wl-reconnect");
	fd = udp_bind(&from);
	for (int i = 0; i < 3; i++) {
		at[i] = address_make("127.0.0.1", 0);
		servers[i] = udp_bind(&at[i]);
		f[i] = flow_begin(fd, &from, &at[i], true);
		s[i] = flow_begin(servers[i], &at[i], &from, false);
	}
	for (int i = 0; i < 2; i++) {
		if (connect(fd, &at[i].any, address_length(&at[i])))
			die("connect");
		udp_send(f[i], fd, NULL, 11);
		udp_receive(s[i], servers[i], &peer);
		udp_send(s[i], servers[i], &peer, 22);
		udp_receive(f[i], fd, NULL);
		udp_send(f[2], fd, &at[2], 33);
		udp_receive(s[2], servers[2], NULL);
		udp_send(f[i], fd, NULL, 44);
		udp_receive(s[i], servers[i], &peer);
	}
	for (int i = 0; i < 3; i++) {
		flow_end(f[i]);
		flow_end(s[i]);
		close(servers[i]);
	}
	close(fd);
}

static void shape_killed(void)
{
	struct gate gate;
	pid_t pid;

	process_name("wl-parent");
	gate_init(&gate);
	pid = process_fork("wl-killed");
	if (!pid) {
		struct couple c;

		couple_make(&c, "127.0.0.1", true);
		udp_send(c.flow_a, c.a, NULL, 5);
		udp_receive(c.flow_b, c.b, NULL);
		flow_end(c.flow_a);
		flow_end(c.flow_b);
		gate_pass(&gate, 1);
		pause();
		_exit(1);
	}
	gate_wait(&gate);
	kill(pid, SIGKILL);
	process_wait(pid, true);
}

/* Threads that send from one socket to a peer each, at the same time. */
struct sender {
	int fd;
	union address to;
};

static void *send_many(void *argument)
{
	const struct sender *s = argument;

	for (int i = 0; i < THREAD_SENDS; i++)
		if (sendto(s->fd, "0123456789", 10, 0, &s->to.any, address_length(&s->to)) != 10)
			die("sendto");
	return NULL;
}

static void shape_threads(void)
{
	const int large = 64 << 20;
	union address from = address_make("127.0.0.1", 0), at[THREADS];
	struct flow_truth *f[THREADS], *s[THREADS];
	struct sender senders[THREADS];
	pthread_t threads[THREADS];
	int servers[THREADS], fd;

	process_name("wl-threads");
	fd = udp_bind(&from);
	for (int i = 0; i < THREADS; i++) {
		at[i] = address_make("127.0.0.1", 0);
		servers[i] = udp_bind(&at[i]);
		if (setsockopt(servers[i], SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)))
			die("SO_RCVBUFFORCE");
		senders[i] = (struct sender){ fd, at[i] };
		f[i] = flow_begin(fd, &from, &at[i], true);
		s[i] = flow_begin(servers[i], &at[i], &from, false);
	}
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, send_many, &senders[i]))
			die("pthread_create");
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		f[i]->tx_datagrams = THREAD_SENDS;
		f[i]->tx_bytes = THREAD_SENDS * 10;
		for (int k = 0; k < THREAD_SENDS; k++)
			udp_receive(s[i], servers[i], NULL);
		flow_end(f[i]);
		flow_end(s[i]);
		close(servers[i]);
	}
	close(fd);
}

const struct datagram_shape datagram_shapes[] = {
	{ "echo", shape_echo, "a connected client, a server that answers by address" },
	{ "echo-ipv6", shape_echo_ipv6, "the same over IPv6" },
	{ "wildcard-ipv6", shape_wildcard_ipv6, "the same at a server bound to ::" },
	{ "mapped-server", shape_mapped_server, "an IPv4 client of an IPv6 socket" },
	{ "mapped-client", shape_mapped_client, "an IPv6 socket that goes to an IPv4 address" },
	{ "own-network", shape_own_network, "in a namespace of its own" },
	{ "fragments", shape_fragments, "datagrams larger than the MTU" },
	{ "extension-header", shape_extension_header, "IPv6 destination options before UDP" },
	{ "several-clients", shape_several_clients, "five processes at one socket" },
	{ "many-at-once", shape_many_at_once, "sendmmsg and recvmmsg" },
	{ "segments", shape_segments, "UDP_SEGMENT, to a plain receiver and to one with UDP_GRO" },
	{ "handed", shape_handed, "a socket in the hands of a child" },
	{ "overflow", shape_overflow, "a receiver that does not read" },
	{ "refused", shape_refused, "to a port where nobody is" },
	{ "one-shots", shape_one_shots, "2000 sockets for one question each" },
	{ "many-peers", shape_many_peers, "500 peers of one socket" },
	{ "reconnected", shape_reconnected, "a socket connected anew, and sendto beside it" },
	{ "killed", shape_killed, "ends by SIGKILL" },
	{ "threads", shape_threads, "threads that send from one socket to different peers" },
	{ NULL, NULL, NULL },
};
