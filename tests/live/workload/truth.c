/* SPDX-License-Identifier: BSD-2-Clause */
/* What is true of each end: kept in shared memory, filled in by whoever did it, printed as JSON. */
#include "workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ENDS 4096

struct truth {
	atomic_uint count;
	atomic_uint current;
	char shape[24];
	struct end ends[MAX_ENDS];
};

static struct truth *truth;
static int memory = -1;

void truth_open(int fd)
{
	if (fd < 0) {
		/* Not CLOEXEC: a process that is exec'ed goes on writing. */
		fd = memfd_create("truth", 0);
		if (fd < 0)
			die("memfd_create");
		if (ftruncate(fd, sizeof(*truth)) < 0)
			die("ftruncate");
	}
	memory = fd;
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (truth == MAP_FAILED)
		die("mmap");
}

int truth_fd(void)
{
	return memory;
}

void truth_shape(const char *shape)
{
	snprintf(truth->shape, sizeof(truth->shape), "%s", shape);
}

unsigned int truth_count(void)
{
	return atomic_load(&truth->count);
}

struct end *truth_end(unsigned int index)
{
	errno = 0;
	if (index >= truth_count())
		die("no end %u", index);
	return &truth->ends[index];
}

unsigned int truth_index(const struct end *e)
{
	return (unsigned int)(e - truth->ends);
}

void truth_set_current(const struct end *e)
{
	atomic_store(&truth->current, truth_index(e));
}

struct end *truth_current(void)
{
	return truth_end(atomic_load(&truth->current));
}

static struct end *end_new(enum end_role role, int socket_family, const char *detail)
{
	unsigned int index = atomic_fetch_add(&truth->count, 1);
	struct end *e = &truth->ends[index];

	errno = 0;
	if (index >= MAX_ENDS)
		die("more than %d ends", MAX_ENDS);
	memset(e, 0, sizeof(*e));
	e->role = role;
	memcpy(e->shape, truth->shape, sizeof(e->shape));
	snprintf(e->detail, sizeof(e->detail), "%s", detail);
	e->socket_family = socket_family;
	e->netns = process_netns();
	e->uid = getuid();
	return e;
}

/* Process names are given by process_name: in a thread too, that of the process. */
static void end_opened(struct end *e, const char *event)
{
	snprintf(e->open_event, sizeof(e->open_event), "%s", event);
	e->open_pid = (uint32_t)getpid();
	snprintf(e->open_comm, sizeof(e->open_comm), "%s", process_comm());
}

void end_closing(struct end *e, const char *outcome, const char *closed_by)
{
	e->close_pid = (uint32_t)getpid();
	snprintf(e->close_comm, sizeof(e->close_comm), "%s", process_comm());
	snprintf(e->outcome, sizeof(e->outcome), "%s", outcome);
	snprintf(e->closed_by, sizeof(e->closed_by), "%s", closed_by);
}

void end_close(struct end *e, int fd, const char *outcome, const char *closed_by)
{
	end_closing(e, outcome, closed_by);
	if (close(fd) < 0)
		die("close");
}

struct end *end_listen(int *fd, union address *a, int backlog, const char *detail)
{
	struct end *e = end_new(ROLE_LISTENER, a->any.sa_family, detail);

	*fd = socket_listen(a, backlog);
	e->local = *a;
	end_opened(e, "listen");
	return e;
}

void end_unlisten(struct end *listener, int fd)
{
	end_close(listener, fd, "", "");
}

struct end *end_socket(int *fd, const union address *to, const char *detail)
{
	struct end *e = end_new(ROLE_CLIENT, to->any.sa_family, detail);

	*fd = socket(to->any.sa_family, SOCK_STREAM, 0);
	if (*fd < 0)
		die("socket");
	e->remote = *to;
	return e;
}

static void end_note_local(struct end *e, int fd)
{
	socklen_t length = sizeof(e->local);

	if (getsockname(fd, &e->local.any, &length) < 0)
		die("getsockname");
}

void end_connected(struct end *e, int fd)
{
	end_note_local(e, fd);
	end_opened(e, "connect");
}

void end_failed(struct end *e, int fd, int error)
{
	end_note_local(e, fd);
	/* The port is still there, the address that the route gave is not: on loopback it is the remote's. */
	if (e->local.any.sa_family == AF_INET && e->local.in.sin_addr.s_addr == htonl(INADDR_ANY))
		e->local.in.sin_addr = e->remote.in.sin_addr;
	end_opened(e, "fail");
	e->error = error;
}

void end_connect(struct end *e, int fd)
{
	if (connect(fd, &e->remote.any, address_length(&e->remote)) < 0)
		die("connect");
	end_connected(e, fd);
}

struct end *end_open(int *fd, const union address *to, const char *detail)
{
	struct end *e = end_socket(fd, to, detail);

	end_connect(e, *fd);
	return e;
}

/* The same address as a socket of this family has it: IPv4 in an IPv6 socket is mapped. */
static union address address_in_family(const union address *a, int family)
{
	union address other;

	if (a->any.sa_family == family)
		return *a;
	memset(&other, 0, sizeof(other));
	if (family == AF_INET6) {
		other.in6.sin6_family = AF_INET6;
		other.in6.sin6_port = a->in.sin_port;
		other.in6.sin6_addr.s6_addr[10] = 0xff;
		other.in6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&other.in6.sin6_addr.s6_addr[12], &a->in.sin_addr, 4);
	} else {
		other.in.sin_family = AF_INET;
		other.in.sin_port = a->in6.sin6_port;
		memcpy(&other.in.sin_addr, &a->in6.sin6_addr.s6_addr[12], 4);
	}
	return other;
}

struct end *end_accepted(struct end *client, int socket_family)
{
	struct end *e = end_new(ROLE_SERVER, socket_family, client->detail);

	e->peer = truth_index(client) + 1;
	client->peer = truth_index(e) + 1;
	e->local = address_in_family(&client->remote, socket_family);
	e->remote = address_in_family(&client->local, socket_family);
	end_opened(e, "accept");
	return e;
}

struct end *end_accept(int *fd, int listener, struct end *client, bool address)
{
	int family;
	socklen_t length = sizeof(family);

	if (getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0)
		die("SO_DOMAIN");
	*fd = socket_accept(listener, address);
	return end_accepted(client, family);
}

void end_write(struct end *e, int fd, size_t size)
{
	static const char zeros[16384];

	for (size_t left = size; left;) {
		size_t part = left < sizeof(zeros) ? left : sizeof(zeros);

		socket_write(fd, zeros, part);
		left -= part;
	}
	e->tx_bytes += size;
}

void end_read(struct end *e, int fd, size_t size)
{
	char buffer[16384];

	for (size_t left = size; left;) {
		size_t part = left < sizeof(buffer) ? left : sizeof(buffer);

		socket_read(fd, buffer, part);
		left -= part;
	}
	e->rx_bytes += size;
}

/* Address as text; *mapped is set where it is an IPv4 one in an IPv6 socket. */
static const char *address_text(const union address *a, char *text, size_t size, bool *mapped)
{
	const struct in6_addr *v6 = &a->in6.sin6_addr;

	if (a->any.sa_family == AF_INET)
		return inet_ntop(AF_INET, &a->in.sin_addr, text, (socklen_t)size);
	if (!IN6_IS_ADDR_V4MAPPED(v6))
		return inet_ntop(AF_INET6, v6, text, (socklen_t)size);
	*mapped = true;
	return inet_ntop(AF_INET, &v6->s6_addr[12], text, (socklen_t)size);
}

static int print_close(const struct end *e, char *text, size_t size)
{
	if (!e->close_pid)
		return snprintf(text, size, "null");
	if (e->role == ROLE_LISTENER)
		return snprintf(text, size, "{\"pid\":%u,\"comm\":\"%s\"}", e->close_pid,
				e->close_comm);
	return snprintf(
		text, size,
		"{\"pid\":%u,\"comm\":\"%s\",\"tx_bytes\":%llu,\"rx_bytes\":%llu,\"outcome\":\"%s\",\"closed_by\":\"%s\"}",
		e->close_pid, e->close_comm, (unsigned long long)e->tx_bytes,
		(unsigned long long)e->rx_bytes, e->outcome, e->closed_by);
}

static void end_print(int fd, const struct end *e)
{
	static const char *const roles[] = { "client", "server", "listener" };
	static const char *const directions[] = { "\"out\"", "\"in\"", "null" };
	char line[1024], laddr[INET6_ADDRSTRLEN], raddr[INET6_ADDRSTRLEN] = "", closed[256];
	bool mapped = false, fail = !strcmp(e->open_event, "fail");
	int n;

	errno = 0;
	if (!e->open_event[0] || !e->close_pid != fail)
		die("shape %s: end %u (%s) is incomplete", e->shape, truth_index(e),
		    roles[e->role]);
	address_text(&e->local, laddr, sizeof(laddr), &mapped);
	if (e->role != ROLE_LISTENER)
		address_text(&e->remote, raddr, sizeof(raddr), &mapped);
	print_close(e, closed, sizeof(closed));
	n = snprintf(
		line, sizeof(line),
		"{\"shape\":\"%s\",\"detail\":\"%s\",\"role\":\"%s\",\"direction\":%s,\"family\":%d,\"v4mapped\":%s,"
		"\"laddr\":\"%s\",\"lport\":%u,\"raddr\":\"%s\",\"rport\":%u,\"netns\":%u,\"uid\":%u,"
		"\"open\":{\"event\":\"%s\",\"pid\":%u,\"comm\":\"%s\",\"never_accepted\":%s,\"unseen\":%s,\"errno\":%d},"
		"\"close\":%s}\n",
		e->shape, e->detail, roles[e->role], directions[e->role],
		e->socket_family == AF_INET || mapped ? 4 : 6, mapped ? "true" : "false", laddr,
		ntohs(e->local.in.sin_port), raddr, ntohs(e->remote.in.sin_port), e->netns, e->uid,
		e->open_event, e->open_pid, e->open_comm, e->never_accepted ? "true" : "false",
		e->unseen ? "true" : "false", e->error, closed);
	if (n < 0 || (size_t)n >= sizeof(line))
		die("a line of truth is too long");
	if (write(fd, line, (size_t)n) != n)
		die("cannot write the truth");
}

void truth_print(int fd, unsigned int first)
{
	for (unsigned int i = first; i < truth_count(); i++)
		end_print(fd, &truth->ends[i]);
}
