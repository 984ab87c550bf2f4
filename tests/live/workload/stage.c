/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of most shapes: a listener, a process on either side, gates that order what they do. */
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void stage_open(struct stage *s, const char *address, int backlog)
{
	gate_init(&s->to_client);
	gate_init(&s->to_server);
	s->at = address_make(address, 0);
	s->listening = end_listen(&s->listener, &s->at, backlog, "");
}

pid_t stage_fork(struct stage *s, const char *name, void (*run)(struct stage *))
{
	pid_t pid = process_fork(name);

	if (pid)
		return pid;
	close(s->listener);
	s->listener = -1;
	run(s);
	_exit(0);
}

void stage_connected(struct stage *s, const struct end *e)
{
	truth_set_current(e);
	gate_pass(&s->to_server, 0);
}

struct end *stage_connect(struct stage *s, int *fd, const char *detail)
{
	struct end *e = end_open(fd, &s->at, detail);

	stage_connected(s, e);
	return e;
}

struct end *stage_accept(struct stage *s, int *fd)
{
	gate_wait(&s->to_server);
	return end_accept(fd, s->listener, truth_current(), false);
}

struct end *stage_accept_address(struct stage *s, int *fd)
{
	gate_wait(&s->to_server);
	return end_accept(fd, s->listener, truth_current(), true);
}

void stage_close(struct stage *s)
{
	end_unlisten(s->listening, s->listener);
	s->listener = -1;
}

void stage_run(const char *address, void (*server)(struct stage *s, struct end *e, int fd),
	       void (*client)(struct stage *s, struct end *e, int fd))
{
	struct stage s;
	struct end *e;
	pid_t pid;
	int fd;

	process_name("wl-server");
	stage_open(&s, address, 16);
	pid = process_fork("wl-client");
	if (!pid) {
		close(s.listener);
		e = stage_connect(&s, &fd, "");
		client(&s, e, fd);
		_exit(0);
	}
	e = stage_accept(&s, &fd);
	server(&s, e, fd);
	process_wait(pid, false);
	stage_close(&s);
}

void talk_as_client(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_write(e, fd, 1000);
	end_read(e, fd, 2000);
	end_close(e, fd, "clean", "local");
}

void talk_as_server(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_read(e, fd, 1000);
	end_write(e, fd, 2000);
	socket_read_end(fd);
	end_close(e, fd, "clean", "remote");
}

bool stage_has_ipv6(void)
{
	union address a = address_make("::1", 0);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool works = fd >= 0 && !bind(fd, &a.any, address_length(&a));

	if (fd >= 0)
		close(fd);
	if (!works)
		fprintf(stderr, "workload: no IPv6 here: a shape is left out\n");
	return works;
}
