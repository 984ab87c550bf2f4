/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes that differ in how the connection ends, or never begins. */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LOCALHOST "127.0.0.1"

static void server_first_client(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_write(e, fd, 300);
	end_read(e, fd, 700);
	socket_read_end(fd);
	end_close(e, fd, "clean", "remote");
}

static void server_first_server(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_read(e, fd, 300);
	end_write(e, fd, 700);
	end_close(e, fd, "clean", "local");
}

static void shape_server_first(void)
{
	stage_run(LOCALHOST, server_first_server, server_first_client);
}

static void half_close_client(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_write(e, fd, 1234);
	if (shutdown(fd, SHUT_WR) < 0)
		die("shutdown");
	end_read(e, fd, 4321);
	socket_read_end(fd);
	end_close(e, fd, "clean", "local");
}

static void half_close_server(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_read(e, fd, 1234);
	socket_read_end(fd);
	end_write(e, fd, 4321);
	end_close(e, fd, "clean", "remote");
}

static void shape_half_close(void)
{
	stage_run(LOCALHOST, half_close_server, half_close_client);
}

/* The end that sends a RST, and the one that gets it; either may be the server. */
static void linger_close(struct stage *s, struct end *e, int fd)
{
	end_read(e, fd, 50);
	socket_set_linger0(fd);
	end_close(e, fd, "reset_sent", "local");
	(void)s;
}

static void linger_suffer(struct stage *s, struct end *e, int fd)
{
	end_write(e, fd, 50);
	socket_wait_reset(fd);
	end_close(e, fd, "reset_received", "remote");
	(void)s;
}

static void shape_reset_by_client(void)
{
	stage_run(LOCALHOST, linger_suffer, linger_close);
}

static void shape_reset_by_server(void)
{
	stage_run(LOCALHOST, linger_close, linger_suffer);
}

/* Closing with data unread is a RST too; the data did arrive. */
static void unread_close(struct stage *s, struct end *e, int fd)
{
	socket_wait_readable(fd, 5000);
	e->rx_bytes += 5000;
	end_close(e, fd, "reset_sent", "local");
	(void)s;
}

static void unread_suffer(struct stage *s, struct end *e, int fd)
{
	end_write(e, fd, 5000);
	socket_wait_reset(fd);
	end_close(e, fd, "reset_received", "remote");
	(void)s;
}

static void shape_unread_by_client(void)
{
	stage_run(LOCALHOST, unread_suffer, unread_close);
}

static void shape_unread_by_server(void)
{
	stage_run(LOCALHOST, unread_close, unread_suffer);
}

/* An address of a port that is free, and stays so: bound but not listened on. */
static union address closed_port(int *holder)
{
	union address a = address_make(LOCALHOST, 0);
	socklen_t length = sizeof(a);

	*holder = socket(AF_INET, SOCK_STREAM, 0);
	if (*holder < 0 || bind(*holder, &a.any, address_length(&a)) < 0)
		die("bind");
	if (getsockname(*holder, &a.any, &length) < 0)
		die("getsockname");
	return a;
}

static void refused_connect(const char *detail, bool bind_first, bool nonblocking)
{
	union address local = address_make(LOCALHOST, 0);
	int fd, holder, error = 0;
	socklen_t length = sizeof(error);
	union address to = closed_port(&holder);
	struct end *e = end_socket(&fd, &to, detail);

	if (bind_first && bind(fd, &local.any, address_length(&local)) < 0)
		die("bind");
	if (nonblocking && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("O_NONBLOCK");
	if (!connect(fd, &to.any, address_length(&to)))
		die("a closed port took a connection");
	error = errno;
	if (error == EINPROGRESS) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (poll(&p, 1, PROCESS_SECONDS * 1000) != 1)
			die("poll");
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			die("SO_ERROR");
	}
	errno = error;
	if (error != ECONNREFUSED)
		die("not refused");
	end_failed(e, fd, error);
	close(fd);
	close(holder);
}

static void shape_refused(void)
{
	process_name("wl-client");
	refused_connect("unbound", false, false);
	refused_connect("bound", true, false);
	refused_connect("nonblocking", false, true);
}

static void nonblocking_client(struct stage *s)
{
	struct pollfd p = { .events = POLLOUT };
	int error = 0;
	socklen_t length = sizeof(error);
	struct end *e = end_socket(&p.fd, &s->at, "");

	if (fcntl(p.fd, F_SETFL, O_NONBLOCK) < 0)
		die("O_NONBLOCK");
	if (connect(p.fd, &s->at.any, address_length(&s->at)) < 0 && errno != EINPROGRESS)
		die("connect");
	if (poll(&p, 1, PROCESS_SECONDS * 1000) != 1)
		die("poll");
	if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error)
		die("connect: error %d", error);
	end_connected(e, p.fd);
	if (fcntl(p.fd, F_SETFL, 0) < 0)
		die("F_SETFL");
	stage_connected(s, e);
	talk_as_client(s, e, p.fd);
}

static void shape_nonblocking(void)
{
	struct stage s;
	struct end *e;
	pid_t client;
	int fd;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	client = stage_fork(&s, "wl-client", nonblocking_client);
	e = stage_accept(&s, &fd);
	talk_as_server(&s, e, fd);
	process_wait(client, false);
	stage_close(&s);
}

static void never_accepted_client(struct stage *s)
{
	int fd, gone_fd;
	struct end *gone, *e;

	/* Leaves before the listener does. */
	gone = end_open(&gone_fd, &s->at, "gone");
	end_write(gone, gone_fd, 300);
	socket_wait_acked(gone_fd);
	socket_shutdown_acked(gone_fd);
	end_close(gone, gone_fd, "clean", "local");
	stage_connected(s, gone);
	gate_wait(&s->to_client);

	e = end_open(&fd, &s->at, "waiting");
	end_write(e, fd, 200);
	socket_wait_acked(fd);
	stage_connected(s, e);
	socket_wait_reset(fd);
	end_close(e, fd, "reset_received", "remote");
}

/* Nobody takes it, so the listener's owner counts, and its close resets what waits. */
static struct end *never_accept(struct stage *s, const char *closed_by)
{
	struct end *client, *e;

	gate_wait(&s->to_server);
	client = truth_current();
	e = end_accepted(client, AF_INET);
	e->never_accepted = true;
	e->rx_bytes = client->tx_bytes;
	end_closing(e, "reset_sent", closed_by);
	return e;
}

static void shape_never_accepted(void)
{
	struct stage s;
	pid_t client;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	client = stage_fork(&s, "wl-client", never_accepted_client);
	never_accept(&s, "remote");
	gate_pass(&s.to_client, 0);
	never_accept(&s, "local");
	stage_close(&s);
	process_wait(client, false);
}

/* connect(AF_UNSPEC) resets the connection and leaves the socket usable for another one. */
static void reconnect_client(struct stage *s)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct end *first, *second;
	int fd, unused;

	first = stage_connect(s, &fd, "first");
	end_write(first, fd, 111);
	gate_wait(&s->to_client);
	end_closing(first, "reset_sent", "local");
	if (connect(fd, &nowhere, sizeof(nowhere)) < 0)
		die("connect(AF_UNSPEC)");

	second = end_socket(&unused, &s->at, "second");
	close(unused);
	end_connect(second, fd);
	stage_connected(s, second);
	talk_as_client(s, second, fd);
}

static void shape_reconnect(void)
{
	struct stage s;
	struct end *e;
	pid_t client;
	int fd;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	client = stage_fork(&s, "wl-client", reconnect_client);
	e = stage_accept(&s, &fd);
	end_read(e, fd, 111);
	gate_pass(&s.to_client, 0);
	socket_wait_reset(fd);
	end_close(e, fd, "reset_received", "remote");
	e = stage_accept(&s, &fd);
	talk_as_server(&s, e, fd);
	process_wait(client, false);
	stage_close(&s);
}

const struct shape ending_shapes[] = {
	{ "server-first", shape_server_first, "the server closes first" },
	{ "half-close", shape_half_close,
	  "the client ends its sending side, the server answers and closes" },
	{ "reset-by-client", shape_reset_by_client, "the client closes with SO_LINGER 0" },
	{ "reset-by-server", shape_reset_by_server, "the server closes with SO_LINGER 0" },
	{ "unread-by-client", shape_unread_by_client, "the client closes with data unread" },
	{ "unread-by-server", shape_unread_by_server, "the server closes with data unread" },
	{ "refused", shape_refused, "connects to a closed port, blocking and not, bound and not" },
	{ "nonblocking", shape_nonblocking, "a non-blocking connect with poll" },
	{ "never-accepted", shape_never_accepted, "the listener closes before anybody accepts" },
	{ "reconnect", shape_reconnect,
	  "one socket, two connections: connect(AF_UNSPEC) in between" },
	{ 0 },
};
