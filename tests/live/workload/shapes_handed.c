/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes in which a socket is handed on: one process opens it, another uses and closes it. */
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOCALHOST "127.0.0.1"

/* Hands the socket on to a child and lets go of it before the child uses it. */
static void fork_hand_on(const char *name, struct stage *s, struct end *e, int fd,
			 void (*talk)(struct stage *, struct end *, int))
{
	struct gate go;
	pid_t heir;

	gate_init(&go);
	heir = process_fork(name);
	if (!heir) {
		if (s->listener >= 0)
			close(s->listener);
		gate_wait(&go);
		talk(s, e, fd);
		_exit(0);
	}
	if (close(fd) < 0)
		die("close");
	gate_pass(&go, 0);
	process_wait(heir, false);
}

static void fork_client(struct stage *s)
{
	int fd;
	struct end *e = stage_connect(s, &fd, "");

	fork_hand_on("wl-client-heir", s, e, fd, talk_as_client);
}

/* Where nobody asks for the peer's address, the acceptor does nothing that names him before the heir's turn. */
static struct end *accept_to_hand_on(struct stage *s, int *fd, bool address)
{
	struct end *e = address ? stage_accept_address(s, fd) : stage_accept(s, fd);

	e->unseen = !address;
	return e;
}

static void fork_both(bool address)
{
	struct stage s;
	struct end *e;
	pid_t client;
	int fd;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	client = stage_fork(&s, "wl-client", fork_client);
	e = accept_to_hand_on(&s, &fd, address);
	fork_hand_on("wl-server-heir", &s, e, fd, talk_as_server);
	process_wait(client, false);
	stage_close(&s);
}

static void shape_fork(void)
{
	fork_both(true);
}

static void shape_fork_unseen(void)
{
	fork_both(false);
}

/* One byte over a UNIX socket, with a descriptor beside it. */
static void descriptor_send(int unix_fd, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(unix_fd, &message, MSG_NOSIGNAL) != 1)
		die("sendmsg");
}

static int descriptor_receive(int unix_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(unix_fd, &message, 0) != 1)
		die("recvmsg");
	c = CMSG_FIRSTHDR(&message);
	errno = 0;
	if (!c || c->cmsg_type != SCM_RIGHTS)
		die("no descriptor came");
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* A process that is there before the connection is, so that it can't have inherited it. */
static pid_t taker_start(struct stage *s, int unix_fds[2], const char *name,
			 void (*talk)(struct stage *, struct end *, int))
{
	struct end *e;
	pid_t pid;
	int fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, unix_fds) < 0)
		die("socketpair");
	pid = process_fork(name);
	if (pid)
		return pid;
	if (s->listener >= 0)
		close(s->listener);
	fd = descriptor_receive(unix_fds[1]);
	/* A second byte tells that the giver has closed his; the first word was the end's index. */
	if (read(unix_fds[1], &e, sizeof(e)) != sizeof(e))
		die("read from a UNIX socket");
	talk(s, e, fd);
	_exit(0);
}

static void descriptor_give(int unix_fd, struct end *e, int fd)
{
	descriptor_send(unix_fd, fd);
	if (close(fd) < 0)
		die("close");
	if (write(unix_fd, &e, sizeof(e)) != sizeof(e))
		die("write to a UNIX socket");
}

static void passed_client(struct stage *s)
{
	int unix_fds[2], fd;
	pid_t taker = taker_start(s, unix_fds, "wl-client-taker", talk_as_client);
	struct end *e = stage_connect(s, &fd, "");

	descriptor_give(unix_fds[0], e, fd);
	process_wait(taker, false);
}

static void passed_both(bool address)
{
	struct stage s;
	int unix_fds[2], fd;
	pid_t client, taker;
	struct end *e;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	taker = taker_start(&s, unix_fds, "wl-server-taker", talk_as_server);
	client = stage_fork(&s, "wl-client", passed_client);
	e = accept_to_hand_on(&s, &fd, address);
	descriptor_give(unix_fds[0], e, fd);
	process_wait(taker, false);
	process_wait(client, false);
	stage_close(&s);
}

static void shape_passed(void)
{
	passed_both(true);
}

static void shape_passed_unseen(void)
{
	passed_both(false);
}

static void inherited_client(struct stage *s)
{
	int fd;
	struct end *e = stage_connect(s, &fd, "");

	talk_as_client(s, e, fd);
}

/* As inetd and systemd do it: one listens, another accepts and is the last to hold the listener. */
static void inherited_server(struct stage *s, struct gate *go)
{
	struct end *e;
	int fd;

	gate_wait(go);
	e = stage_accept(s, &fd);
	talk_as_server(s, e, fd);
	stage_close(s);
	_exit(0);
}

static void shape_inherited(void)
{
	struct stage s;
	struct gate go;
	pid_t server, client;

	process_name("wl-parent");
	gate_init(&go);
	stage_open(&s, LOCALHOST, 16);
	server = process_fork("wl-server");
	if (!server)
		inherited_server(&s, &go);
	client = stage_fork(&s, "wl-client", inherited_client);
	if (close(s.listener) < 0)
		die("close");
	gate_pass(&go, 0);
	process_wait(client, false);
	process_wait(server, false);
}

const struct shape handed_shapes[] = {
	{ "fork", shape_fork, "a child uses and closes what its parent opened, on both sides" },
	{ "fork-unseen", shape_fork_unseen, "the same, accepted without asking for the address" },
	{ "passed", shape_passed, "descriptors passed to other processes, on both sides" },
	{ "passed-unseen", shape_passed_unseen,
	  "the same, accepted without asking for the address" },
	{ "inherited", shape_inherited,
	  "a child accepts on and closes the listener of its parent" },
	{ 0 },
};
