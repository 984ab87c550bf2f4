/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes that differ in what the connection runs over: families, volume, namespaces. */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define BULK_BYTES (20u << 20)

static void shape_plain(void)
{
	stage_run("127.0.0.1", talk_as_server, talk_as_client);
}

static void shape_ipv6(void)
{
	if (stage_has_ipv6())
		stage_run("::1", talk_as_server, talk_as_client);
}

static void connect_by_ipv4(struct stage *s)
{
	struct end *e;
	int fd;

	s->at = address_make("127.0.0.1", ntohs(s->at.in6.sin6_port));
	e = stage_connect(s, &fd, "");
	talk_as_client(s, e, fd);
}

static void shape_dual_stack(void)
{
	struct stage s;
	struct end *e;
	pid_t client;
	int fd;

	if (!stage_has_ipv6())
		return;
	process_name("wl-server");
	stage_open(&s, "::", 16);
	client = stage_fork(&s, "wl-client", connect_by_ipv4);
	e = stage_accept(&s, &fd);
	talk_as_server(&s, e, fd);
	process_wait(client, false);
	stage_close(&s);
}

static void connect_by_mapped(struct stage *s)
{
	struct end *e;
	int fd;

	s->at = address_make("::ffff:127.0.0.1", ntohs(s->at.in.sin_port));
	e = stage_connect(s, &fd, "");
	talk_as_client(s, e, fd);
}

static void shape_mapped_client(void)
{
	struct stage s;
	struct end *e;
	pid_t client;
	int fd;

	if (!stage_has_ipv6())
		return;
	process_name("wl-server");
	stage_open(&s, "127.0.0.1", 16);
	client = stage_fork(&s, "wl-client", connect_by_mapped);
	e = stage_accept(&s, &fd);
	talk_as_server(&s, e, fd);
	process_wait(client, false);
	stage_close(&s);
}

/* Sends and receives BULK_BYTES at the same time. */
static void bulk_exchange(struct end *e, int fd)
{
	size_t size = 256 * 1024;
	char *buffer = calloc(1, size);

	if (!buffer || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("bulk");
	while (e->tx_bytes < BULK_BYTES || e->rx_bytes < BULK_BYTES) {
		struct pollfd p = { .fd = fd };
		size_t left = BULK_BYTES - e->tx_bytes;
		ssize_t n;

		p.events = (short)((left ? POLLOUT : 0) | (e->rx_bytes < BULK_BYTES ? POLLIN : 0));
		if (poll(&p, 1, PROCESS_SECONDS * 1000) < 1)
			die("poll");
		if (p.revents & POLLIN) {
			n = recv(fd, buffer, size, 0);
			if (n <= 0)
				die("recv");
			e->rx_bytes += (uint64_t)n;
		}
		if (p.revents & POLLOUT) {
			n = send(fd, buffer, left < size ? left : size, MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				die("send");
			if (n > 0)
				e->tx_bytes += (uint64_t)n;
		}
		errno = 0;
		if (p.revents & (POLLERR | POLLHUP))
			die("the peer is gone");
	}
	free(buffer);
	if (fcntl(fd, F_SETFL, 0) < 0)
		die("F_SETFL");
}

static void bulk_client(struct stage *s, struct end *e, int fd)
{
	bulk_exchange(e, fd);
	gate_wait(&s->to_client);
	end_close(e, fd, "clean", "local");
}

static void bulk_server(struct stage *s, struct end *e, int fd)
{
	bulk_exchange(e, fd);
	gate_pass(&s->to_client, 0);
	socket_read_end(fd);
	end_close(e, fd, "clean", "remote");
}

static void shape_bulk(void)
{
	stage_run("127.0.0.1", bulk_server, bulk_client);
}

static void shape_netns(void)
{
	process_unshare_netns();
	stage_run("127.0.0.1", talk_as_server, talk_as_client);
}

const struct shape network_shapes[] = {
	{ "plain", shape_plain, "nothing special: two processes, request and answer" },
	{ "ipv6", shape_ipv6, "both ends IPv6" },
	{ "dual-stack", shape_dual_stack,
	  "an IPv4 client of a listener on ::, whose end is v4mapped" },
	{ "mapped-client", shape_mapped_client,
	  "an IPv6 socket that connects to an IPv4-mapped address" },
	{ "bulk", shape_bulk, "20 MB both ways at the same time" },
	{ "netns", shape_netns, "both ends in a network namespace of their own" },
	{ 0 },
};
