/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accept() and connect() through io_uring, by raw system calls.
 *
 * usage: uring MODE accept          listens on 127.0.0.1, prints its port, takes one connection
 *        uring MODE connect PORT    connects there
 *
 * MODE: inline (tried in the caller's context), async (by a worker thread of the kernel), sqpoll (by a kernel
 * thread that polls the ring). Then both write 100 bytes, read 100 and, at the end of standard input, close. Prints
 * "done LPORT RPORT" once the bytes are there. Exit status: 0, 1 when something failed, 77 when the kernel has no
 * io_uring for us (its errno is printed).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4
#define SIZE 100
#define NO_URING 77

struct ring {
	int fd;
	struct io_uring_params params;
	unsigned char *submission, *completion; /* mapped rings */
	struct io_uring_sqe *entries;
};

static void fail(const char *what, int error)
{
	fprintf(stderr, "uring: %s: %s\n", what, strerror(error));
	exit(1);
}

static void *map(int fd, size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (p == MAP_FAILED)
		fail("mmap", errno);
	return p;
}

static void ring_init(struct ring *r, int polled)
{
	struct io_uring_params *p = &r->params;

	memset(p, 0, sizeof(*p));
	if (polled) {
		p->flags = IORING_SETUP_SQPOLL;
		p->sq_thread_idle = 1000; /* ms */
	}
	r->fd = (int)syscall(__NR_io_uring_setup, ENTRIES, p);
	if (r->fd < 0) {
		printf("none: %s\n", strerror(errno));
		exit(NO_URING);
	}
	r->submission =
		map(r->fd, p->sq_off.array + p->sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	r->completion = map(r->fd, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
			    IORING_OFF_CQ_RING);
	r->entries = map(r->fd, p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

static _Atomic uint32_t *word(unsigned char *base, uint32_t offset)
{
	return (_Atomic uint32_t *)(void *)(base + offset);
}

/* One request, waited for: its result, negative errno. */
static int ring_do(struct ring *r, const struct io_uring_sqe *request, int polled)
{
	_Atomic uint32_t *tail = word(r->submission, r->params.sq_off.tail);
	_Atomic uint32_t *head = word(r->completion, r->params.cq_off.head);
	uint32_t *array = (uint32_t *)(void *)(r->submission + r->params.sq_off.array);
	const struct io_uring_cqe *results = (void *)(r->completion + r->params.cq_off.cqes);
	uint32_t slot = *tail & (r->params.sq_entries - 1);
	unsigned int flags = IORING_ENTER_GETEVENTS;
	uint32_t at;
	int result;

	r->entries[slot] = *request;
	array[slot] = slot;
	atomic_store(tail, *tail + 1);
	if (polled && (*word(r->submission, r->params.sq_off.flags) & IORING_SQ_NEED_WAKEUP))
		flags |= IORING_ENTER_SQ_WAKEUP;
	while (*word(r->completion, r->params.cq_off.tail) == *head)
		if (syscall(__NR_io_uring_enter, r->fd, polled ? 0 : 1, 1, flags, NULL, 0) < 0 &&
		    errno != EINTR)
			fail("io_uring_enter", errno);
	at = *head & (r->params.cq_entries - 1);
	result = results[at].res;
	atomic_store(head, *head + 1);
	return result;
}

static uint16_t port_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	if (get(fd, (struct sockaddr *)&a, &size) < 0)
		fail("port", errno);
	return ntohs(a.sin_port);
}

/* The bytes both ways, then waits to be told to close. */
static void exchange(int fd)
{
	char buffer[SIZE] = { 0 };
	size_t got = 0;

	if (write(fd, buffer, SIZE) != SIZE)
		fail("write", errno);
	while (got < SIZE) {
		ssize_t n = read(fd, buffer, SIZE - got);

		if (n <= 0)
			fail("read", n ? errno : EPIPE);
		got += (size_t)n;
	}
	printf("done %u %u\n", port_of(fd, getsockname), port_of(fd, getpeername));
	fflush(stdout);
	while (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct io_uring_sqe request = { 0 };
	int polled, accepting, fd, result;
	struct ring ring;

	if (argc < 3 || (strcmp(argv[2], "accept") && (strcmp(argv[2], "connect") || argc != 4))) {
		fprintf(stderr, "usage: uring inline|async|sqpoll accept|connect [PORT]\n");
		return 2;
	}
	polled = !strcmp(argv[1], "sqpoll");
	accepting = !strcmp(argv[2], "accept");
	ring_init(&ring, polled);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket", errno);
	request.fd = fd;
	request.flags = strcmp(argv[1], "async") ? 0 : IOSQE_ASYNC;
	if (accepting) {
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		    listen(fd, 16) < 0)
			fail("listen", errno);
		printf("port %u\n", port_of(fd, getsockname));
		fflush(stdout);
		request.opcode =
			IORING_OP_ACCEPT; /* without an address: the caller does not ask for the peer */
	} else {
		address.sin_port = htons((uint16_t)atoi(argv[3]));
		request.opcode = IORING_OP_CONNECT;
		request.addr = (uintptr_t)&address;
		request.off = sizeof(address);
	}
	result = ring_do(&ring, &request, polled);
	if (result < 0)
		fail(argv[2], -result);
	exchange(accepting ? result : fd);
	return 0;
}
