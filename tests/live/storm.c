/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes in namespaces of their own that open, close, hand on and inherit sockets at random, exit and are killed, until
 * a given number of operations is done; then everything rests.
 *
 * usage: storm OPERATIONS NAMESPACES SEED
 *
 * Prints one line when all rests: the inodes of the namespaces. Holds everything until its standard input ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NODES_MAX 12   /* processes in a namespace */
#define NODES_LEAST 4  /* below it another one is started */
#define SOCKETS_MAX 60 /* of a process */
#define NAMESPACES_MAX 16

struct node {
	_Atomic int pid; /* 0: free; negative: being started, by that process */
	_Atomic bool rests;
};

/* Shared by all processes. */
struct shared {
	_Atomic long left; /* operations */
	struct node nodes[NAMESPACES_MAX][NODES_MAX];
	_Atomic uint64_t inode[NAMESPACES_MAX]; /* of the namespaces; set when all of it rests */
};

struct held {
	int fd;
	bool listens;
};

static struct shared *shared;
static struct node *nodes; /* of this namespace */
static int self;	   /* this process's slot */
static int exchange
	[2]; /* where descriptors are handed on: anybody in the namespace takes them from [1] */
static struct held sockets[SOCKETS_MAX];
static size_t socket_count;
static uint64_t random_state;

static void fail(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

static void hold(int fd, bool listens)
{
	if (fd < 0)
		return;
	if (socket_count == SOCKETS_MAX)
		close(fd);
	else
		sockets[socket_count++] = (struct held){ fd, listens };
}

static void drop(size_t i)
{
	close(sockets[i].fd);
	sockets[i] = sockets[--socket_count];
}

/* One of those that listen, or do not; -1: none is held. */
static int pick(bool listens)
{
	size_t found[SOCKETS_MAX], n = 0;

	for (size_t i = 0; i < socket_count; i++)
		if (sockets[i].listens == listens)
			found[n++] = i;
	return n ? (int)found[draw((uint32_t)n)] : -1;
}

static int loopback_socket(int type, struct sockaddr_in *address)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*address);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)address, size) ||
	    getsockname(fd, (struct sockaddr *)address, &size)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void open_listener(void)
{
	struct sockaddr_in address;
	int fd = loopback_socket(SOCK_STREAM, &address);

	if (fd >= 0 && listen(fd, 8))
		fail("listen");
	hold(fd, true);
}

/* Both ends here, or only ours: then the other one waits in the queue. */
static void open_connection(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int listener = pick(true), fd;

	if (listener < 0) {
		open_listener();
		return;
	}
	if (getsockname(sockets[listener].fd, (struct sockaddr *)&address, &size))
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno != EINPROGRESS) {
		close(fd);
		return;
	}
	hold(fd, false);
	if (draw(8))
		hold(accept4(sockets[listener].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC),
		     false);
}

static void open_datagrams(void)
{
	struct sockaddr_in a, b;
	int fd = loopback_socket(SOCK_DGRAM, &a), peer = loopback_socket(SOCK_DGRAM, &b);

	if (fd < 0 || peer < 0 || connect(fd, (struct sockaddr *)&b, sizeof(b)) ||
	    connect(peer, (struct sockaddr *)&a, sizeof(a)) || send(fd, "storm", 5, 0) != 5) {
		close(fd);
		close(peer);
		return;
	}
	hold(fd, false);
	hold(peer, false);
}

static void write_some(void)
{
	static const char data[4096];
	int i = pick(false);

	if (i >= 0)
		send(sockets[i].fd, data, 1 + draw(sizeof(data)), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void read_some(void)
{
	char data[8192];
	int i = pick(false);

	if (i >= 0)
		recv(sockets[i].fd, data, sizeof(data), MSG_DONTWAIT);
}

static void end_one_side(void)
{
	int i = pick(false);

	if (i >= 0)
		shutdown(sockets[i].fd, SHUT_WR);
}

static void close_one(void)
{
	if (socket_count)
		drop(draw((uint32_t)socket_count));
}

/* The descriptor and whether it listens. */
static void hand_on(void)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	size_t i;
	struct iovec data;
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	if (!socket_count)
		return;
	i = draw((uint32_t)socket_count);
	data = (struct iovec){ &sockets[i].listens, sizeof(sockets[i].listens) };
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &sockets[i].fd, sizeof(int));
	if (sendmsg(exchange[0], &message, MSG_DONTWAIT) > 0 && draw(2))
		drop(i);
}

static bool take_over(void)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	bool listens = false;
	struct iovec data = { &listens, sizeof(listens) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(exchange[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return false;
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_type == SCM_RIGHTS) {
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		hold(fd, listens);
	}
	return true;
}

static void run_node(int slot, int starter, uint64_t seed) __attribute__((noreturn));

/* In a free slot, with what the caller holds. */
static void start_node(void)
{
	for (int i = 0; i < NODES_MAX; i++) {
		int none = 0, pid, starter = -getpid();
		uint64_t seed = random_state ^ (uint64_t)i << 32 ^ 0x9e3779b97f4a7c15ULL;

		draw(2);
		if (!atomic_compare_exchange_strong(&nodes[i].pid, &none, starter))
			continue;
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (!pid)
			run_node(i, starter, seed);
		return;
	}
}

static void kill_other(void)
{
	int i = (int)draw(NODES_MAX), pid = atomic_load(&nodes[i].pid);

	if (i != self && pid > 0)
		kill(pid, SIGKILL);
}

static void operate(void)
{
	static const struct {
		void (*run)(void);
		unsigned int weight;
	} operations[] = {
		{ open_connection, 30 }, { open_datagrams, 5 }, { open_listener, 3 },
		{ write_some, 12 },	 { read_some, 8 },	{ end_one_side, 4 },
		{ close_one, 26 },	 { hand_on, 8 },	{ start_node, 2 },
		{ kill_other, 1 },
	};
	unsigned int n = draw(100);

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (n < operations[i].weight) {
			operations[i].run();
			return;
		}
		n -= operations[i].weight;
	}
	take_over(); /* the rest to 100 */
}

static void run_node(int slot, int starter, uint64_t seed)
{
	struct node *me = &nodes[slot];

	self = slot;
	random_state = seed | 1;
	prctl(PR_SET_NAME, slot % 2 ? "storm-odd" : "storm-even");
	if (!atomic_compare_exchange_strong(&me->pid, &starter, getpid()))
		_exit(0); /* the slot was given to another */
	/* An heir of some of it. */
	for (size_t i = socket_count; i-- > 0;)
		if (draw(2))
			drop(i);
	while (atomic_fetch_sub(&shared->left, 1) > 0) {
		operate();
		if (!draw(150))
			_exit(0);
	}
	while (take_over())
		;
	atomic_store(&me->rests, true);
	for (;;)
		pause();
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		fail("lo");
	close(fd);
	/* What nobody holds any more is gone soon. */
	fd = open("/proc/sys/net/ipv4/tcp_fin_timeout", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		fail("tcp_fin_timeout");
	close(fd);
}

/* Clears the slots of those that are gone. How many there are, and whether all of them rest. */
static int count_nodes(bool *rest)
{
	int n = 0;

	*rest = true;
	for (int i = 0; i < NODES_MAX; i++) {
		int pid = atomic_load(&nodes[i].pid);

		if (pid && kill(abs(pid), 0) && errno == ESRCH) {
			/* Only we free a slot, and it is free with this flag down. */
			atomic_store(&nodes[i].rests, false);
			atomic_store(&nodes[i].pid, 0);
			continue;
		}
		n += pid != 0;
		if (pid)
			*rest = *rest && atomic_load(&nodes[i].rests);
	}
	return n;
}

/* Starts processes while there is something to do. Runs as their init, which gets the orphans. */
static void run_namespace(int number, uint64_t seed)
{
	const struct timespec turn = { 0, 1000000 };
	struct stat own;
	bool rest;

	nodes = shared->nodes[number];
	random_state = seed | 1;
	self = -1;
	loopback_up();
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, exchange))
		fail("socketpair");
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int n = count_nodes(&rest);

		if (atomic_load(&shared->left) <= 0 && rest)
			break;
		if (atomic_load(&shared->left) > 0 && n < NODES_LEAST)
			start_node();
		nanosleep(&turn, NULL);
	}
	while (take_over()) /* from who was killed last */
		;
	while (socket_count)
		drop(0);
	if (stat("/proc/self/ns/net", &own))
		fail("ns/net");
	atomic_store(&shared->inode[number], own.st_ino);
	for (;;)
		pause();
}

/* Process ids of its own too: nobody else's process is killed, and all of it ends with its init. */
static void start_namespace(int number, uint64_t seed)
{
	int pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return;
	if (unshare(CLONE_NEWNET | CLONE_NEWPID))
		fail("unshare");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_namespace(number, seed);
	}
	pause();
}

static long number(const char *text, long least, long most)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < least || value > most) {
		fprintf(stderr, "storm: %s is no number from %ld to %ld\n", text, least, most);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	const struct timespec turn = { 0, 1000000 };
	char byte;
	long count;

	if (argc != 4) {
		fprintf(stderr, "usage: storm OPERATIONS NAMESPACES SEED\n");
		return 2;
	}
	count = number(argv[2], 1, NAMESPACES_MAX);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		fail("mmap");
	atomic_store(&shared->left, number(argv[1], 1, 10000000));
	setpgid(0, 0);
	signal(SIGPIPE, SIG_IGN);
	for (long i = 0; i < count; i++)
		start_namespace((int)i, (uint64_t)number(argv[3], 0, 1000000000) * 77 +
						(uint64_t)i * 0x5bd1e995ULL + 1);
	for (long i = 0; i < count; i++) {
		while (!atomic_load(&shared->inode[i]))
			nanosleep(&turn, NULL);
		printf("%llu%s", (unsigned long long)shared->inode[i], i + 1 < count ? " " : "\n");
	}
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return 0;
}
