/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps that all shapes are made of: processes, gates that order them, sockets. */
#include "workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char comm[16] = "workload";

void die(const char *format, ...)
{
	int error = errno;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "workload: %s[%d]: %s%s%s\n", comm, (int)getpid(), text, error ? ": " : "",
		error ? strerror(error) : "");
	_exit(1);
}

void process_name(const char *name)
{
	snprintf(comm, sizeof(comm), "%s", name);
	if (prctl(PR_SET_NAME, comm) < 0)
		die("prctl");
}

void process_adopt_name(const char *name)
{
	snprintf(comm, sizeof(comm), "%s", name);
}

const char *process_comm(void)
{
	return comm;
}

pid_t process_fork(const char *name)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	alarm(PROCESS_SECONDS);
	process_name(name);
	return 0;
}

void process_wait(pid_t pid, bool killed)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	errno = 0;
	if (killed ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL : status != 0)
		die("process %d ended with status 0x%x", (int)pid, status);
}

uint32_t process_netns(void)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st) < 0)
		die("/proc/self/ns/net");
	return (uint32_t)st.st_ino;
}

void process_unshare_netns(void)
{
	struct ifreq request = { 0 };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare(CLONE_NEWNET)");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	strcpy(request.ifr_name, "lo");
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		die("SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("SIOCSIFFLAGS");
	close(fd);
}

void gate_init(struct gate *g)
{
	if (pipe(g->fds) < 0)
		die("pipe");
}

void gate_pass(struct gate *g, uint8_t value)
{
	if (write(g->fds[1], &value, 1) != 1)
		die("write to a pipe");
}

uint8_t gate_wait(struct gate *g)
{
	uint8_t value;
	ssize_t n;

	do
		n = read(g->fds[0], &value, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		die("read from a pipe");
	return value;
}

union address address_make(const char *text, uint16_t port)
{
	union address a;

	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
	} else {
		errno = 0;
		die("not an address: %s", text);
	}
	return a;
}

socklen_t address_length(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

int socket_listen(union address *a, int backlog)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM, 0), off = 0;
	socklen_t length = sizeof(*a);

	if (fd < 0)
		die("socket");
	if (a->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &a->any, address_length(a)) < 0)
		die("bind");
	if (listen(fd, backlog) < 0)
		die("listen");
	if (getsockname(fd, &a->any, &length) < 0)
		die("getsockname");
	return fd;
}

int socket_accept(int listener, bool address)
{
	union address peer;
	socklen_t length = sizeof(peer);
	int fd;

	do
		fd = address ? accept(listener, &peer.any, &length) : accept(listener, NULL, NULL);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		die("accept");
	return fd;
}

void socket_write(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("send");
		at += n;
		size -= (size_t)n;
	}
}

void socket_read(int fd, void *data, size_t size)
{
	char *at = data;

	while (size) {
		ssize_t n = recv(fd, at, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("recv");
		if (!n) {
			errno = 0;
			die("the peer ended %zu bytes too early", size);
		}
		at += n;
		size -= (size_t)n;
	}
}

void socket_read_end(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		die("recv");
	errno = 0;
	if (n)
		die("data where the end was expected");
}

void socket_wait_reset(int fd)
{
	struct pollfd p = { .fd = fd };
	int error = 0;
	socklen_t length = sizeof(error);

	/* No events asked for: only an error or a hangup of both sides wakes it. */
	if (poll(&p, 1, PROCESS_SECONDS * 1000) != 1)
		die("no reset came");
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		die("SO_ERROR");
	errno = error;
	if (error != ECONNRESET && error != EPIPE)
		die("not a reset");
	errno = 0;
}

void socket_set_linger0(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
		die("SO_LINGER");
}

/* The kernel tells nobody when these change: look again each millisecond. */
static void wait_a_little(const char *what, int *turns)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	errno = 0;
	if (++*turns > PROCESS_SECONDS * 1000)
		die("waited too long for %s", what);
	nanosleep(&pause, NULL);
}

void socket_wait_readable(int fd, int bytes)
{
	int have = 0, turns = 0;

	for (;;) {
		if (ioctl(fd, SIOCINQ, &have) < 0)
			die("SIOCINQ");
		if (have >= bytes)
			return;
		wait_a_little("data", &turns);
	}
}

void socket_wait_acked(int fd)
{
	int left = 0, turns = 0;

	for (;;) {
		if (ioctl(fd, SIOCOUTQ, &left) < 0)
			die("SIOCOUTQ");
		if (!left)
			return;
		wait_a_little("an acknowledgement", &turns);
	}
}

void socket_shutdown_acked(int fd)
{
	int turns = 0;

	if (shutdown(fd, SHUT_WR) < 0)
		die("shutdown");
	for (;;) {
		struct tcp_info info;
		socklen_t length = sizeof(info);

		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
			die("TCP_INFO");
		if (info.tcpi_state != TCP_FIN_WAIT1)
			return;
		wait_a_little("the FIN's acknowledgement", &turns);
	}
}
