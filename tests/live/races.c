/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short lives at full speed, in a network namespace of their own: processes of two families open, accept, hand on, inherit and
 * close sockets and exit, and their pids are taken at once by another family or by processes that hold nothing.
 *
 * usage: races
 *
 * Prints the inode of the namespace, goes on until its standard input ends, then prints how many processes there were and
 * how many of them took a pid of the pool, which another one had before.
 *
 * Which families may hold a socket is in its name: the third number of its address, or the first one behind @races- of a
 * unix socket, is the sum of 1 (tr-first) and 2 (tr-second). Processes called tr-none may hold none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL 12	   /* pids that are used again and again */
#define FAMILIES 3 /* the last one holds nothing */
#define TURNS 40   /* of what a process does in its life */

enum { FIRST = 1, SECOND = 2, BOTH = FIRST | SECOND };

struct shared {
	_Atomic int stop;
	_Atomic long lives, reused;
	pid_t pool[POOL];
};

static const char *const names[FAMILIES] = { "tr-first", "tr-second", "tr-none" };
static struct shared *shared;

static void fail(const char *what)
{
	fprintf(stderr, "races: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	if (unshare(CLONE_NEWNET))
		fail("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		fail("lo");
	close(fd);
}

static int open_inet(int type, unsigned int families, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(0x7f5b0001 | families << 8) };
	if (fd < 0)
		fail("socket");
	if (bind(fd, (struct sockaddr *)address, size) ||
	    getsockname(fd, (struct sockaddr *)address, &size)) {
		close(fd); /* all ports wait in TIME_WAIT */
		return -1;
	}
	return fd;
}

static int open_unix(unsigned int families)
{
	static unsigned int serial;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "races-%u-%d-%u",
			      families, getpid(), serial++);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("unix socket");
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) ||
	    listen(fd, 2)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* All kinds of one set of families; the connection is accepted or not. Returns how many are in fds. */
static size_t open_all(unsigned int families, int turn, int fds[5])
{
	struct sockaddr_in to, own;
	size_t n = 0;

	fds[n] = open_inet(SOCK_DGRAM, families, &own);
	n += fds[n] >= 0;
	fds[n] = open_unix(families);
	n += fds[n] >= 0;
	fds[n] = open_inet(SOCK_STREAM, families, &to);
	if (fds[n] < 0 || listen(fds[n], 4))
		return n + (fds[n] >= 0);
	n++;
	fds[n] = open_inet(SOCK_STREAM, families, &own);
	if (fds[n] < 0)
		return n;
	n++;
	if (connect(fds[n - 1], (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)
		return n;
	if (turn % 3) {
		fds[n] = accept4(fds[n - 2], NULL, NULL, SOCK_NONBLOCK);
		n += fds[n] >= 0;
	}
	return n;
}

/* Closed with a RST half of the time, so that ports come back. */
static void close_all(const int *fds, size_t count, int turn)
{
	struct linger hard = { 1, 0 };

	for (size_t i = 0; i < count; i++) {
		if (turn % 4)
			(void)setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fds[i]);
	}
}

static void give(int channel, const int *fds, size_t count)
{
	char byte = 'x', control[CMSG_SPACE(5 * sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	if (!count)
		return;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	(void)sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* What the other family has handed on: as many as came. */
static size_t take(int channel, int fds[5])
{
	char byte, control[CMSG_SPACE(5 * sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	size_t count;

	if (recvmsg(channel, &message, MSG_DONTWAIT) <= 0)
		return 0;
	c = CMSG_FIRSTHDR(&message);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return 0;
	count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), count * sizeof(int));
	return count;
}

/* A child that inherits all, and may outlive who made it. */
static void inherit(void)
{
	pid_t pid = fork();

	if (pid)
		return;
	sched_yield();
	_exit(0);
}

static void live(int family, int channel, long number)
{
	unsigned int own = family ? SECOND : FIRST;
	int fds[5];

	for (int turn = 0; turn < TURNS && !shared->stop; turn++) {
		/* Every other one leaves all that it has to its end. */
		int keeps = number / 2 % 2;
		size_t n = open_all(own, turn, fds);

		if (turn == (int)(number % TURNS)) {
			inherit();
			if (number % 3 == 0)
				_exit(0); /* while the child holds them */
		}
		if (!keeps)
			close_all(fds, n, turn);
		n = open_all(BOTH, turn, fds);
		give(channel, fds, n);
		close_all(fds, n, turn);
		while ((n = take(channel, fds)))
			if (!keeps)
				close_all(fds, n, turn);
	}
	_exit(0);
}

/* A process with a pid of the pool, or with any where all are in use or can't be asked for. */
static pid_t start(long number)
{
	for (long i = 0; i < POOL; i++) {
		pid_t wanted = shared->pool[(number + i) % POOL];
		struct clone_args a = { .exit_signal = SIGCHLD,
					.set_tid = (uintptr_t)&wanted,
					.set_tid_size = 1 };
		pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));

		if (pid > 0)
			shared->reused++;
		if (pid >= 0)
			return pid;
		if (errno != EEXIST)
			break;
	}
	return fork();
}

static void run_family(int family, int channel)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, names[family]);
	for (long number = family; !shared->stop; number++) {
		pid_t pid = start(number);

		if (pid < 0)
			fail("fork");
		if (!pid && family == FAMILIES - 1)
			_exit(0);
		if (!pid)
			live(family, channel, number);
		shared->lives++;
		/* Two at a time: one works while the other one is on its way out. */
		if (number % 2)
			while (waitpid(-1, NULL, 0) > 0)
				;
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	_exit(0);
}

/* Pids that were free a moment ago. */
static void find_pool(void)
{
	for (int i = 0; i < POOL; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid)
			_exit(0);
		shared->pool[i] = pid;
	}
	while (wait(NULL) > 0)
		;
}

int main(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	pid_t pids[FAMILIES];
	struct stat network;
	int channel[2], failed = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		fail("mmap");
	enter_network();
	if (stat("/proc/self/ns/net", &network) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel))
		fail("start");
	find_pool();
	for (int i = 0; i < FAMILIES; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			fail("fork");
		if (!pids[i])
			run_family(i, channel[i % 2]);
	}
	printf("%ju\n", (uintmax_t)network.st_ino);
	fflush(stdout);
	while (poll(&input, 1, -1) < 0 && errno == EINTR)
		;
	shared->stop = 1;
	for (int i = 0; i < FAMILIES; i++) {
		int status;

		if (waitpid(pids[i], &status, 0) < 0 || status)
			failed = 1;
	}
	printf("%ld %ld\n", shared->lives, shared->reused);
	return failed;
}
