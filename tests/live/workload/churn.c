/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many short connections, as fast as the machine makes them.
 *
 * Pairs of processes, a client and a server each. They go in batches: the client connects BATCH times and writes a
 * request each time, the server accepts, reads and answers, and then the end that is the odd or even one's turn closes
 * first, seen by the other before it closes. Both know by the batch's number which listener is meant, so that neither
 * ever polls. Listeners are spread over addresses: a tuple in TIME_WAIT is not needed again.
 *
 * The truth is kept in memory and written after the last connection, so that it does not disturb a measurement.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define LISTENERS 32
#define REQUEST 16
#define ANSWER 48
#define MAX_PAIRS 64
#define CHURN_SECONDS 600 /* no process of a churn lives longer */
#define MAX_CONNECTIONS 20000000ULL

/* A connection as its client knows it; the server's end is the mirror image. */
struct churned {
	uint32_t raddr; /* network byte order; the client's own address is 127.0.0.1 */
	uint16_t lport, rport;
};

struct pair {
	uint64_t count; /* connections to make */
	uint64_t made;
	uint32_t client_pid, server_pid;
	uint64_t started_ns, ended_ns; /* the client's */
	union address addresses[LISTENERS];
	struct churned *log; /* count entries, shared, or NULL */
};

struct churn {
	struct pair *pairs; /* shared */
	unsigned int pair_count;
	struct gate ready, go;
	uint64_t connections;
	const char *truth; /* file, or NULL */
	bool own_netns;
	uint32_t netns;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *shared_new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap of %zu bytes", size);
	return p;
}

static unsigned int batch_size(const struct pair *p, uint64_t done)
{
	return p->count - done < BATCH ? (unsigned int)(p->count - done) : BATCH;
}

static void churn_serve(struct pair *p, const int *listeners)
{
	char request[REQUEST], answer[ANSWER] = { 0 };
	int fds[BATCH];
	unsigned int waiting;

	for (uint64_t done = 0, b = 0; done < p->count; b++) {
		unsigned int n = batch_size(p, done);

		waiting = 0;
		for (unsigned int i = 0; i < n; i++) {
			/* Both ways: a tracer may see one of them better than the other. */
			int fd = socket_accept(listeners[b % LISTENERS], !(b & 1));

			socket_read(fd, request, sizeof(request));
			socket_write(fd, answer, sizeof(answer));
			if (request[0])
				fds[waiting++] = fd;
			else
				close(fd);
		}
		while (waiting) {
			socket_read_end(fds[--waiting]);
			close(fds[waiting]);
		}
		done += n;
	}
}

static void client_note(struct pair *p, uint64_t index, int fd, const union address *to)
{
	union address local;
	socklen_t length = sizeof(local);

	if (getsockname(fd, &local.any, &length) < 0)
		die("getsockname");
	p->log[index] = (struct churned){
		.raddr = to->in.sin_addr.s_addr,
		.lport = ntohs(local.in.sin_port),
		.rport = ntohs(to->in.sin_port),
	};
}

static void churn_connect(struct pair *p)
{
	char request[REQUEST] = { 0 }, answer[ANSWER];
	int fds[BATCH];

	for (uint64_t b = 0; p->made < p->count; b++) {
		const union address *to = &p->addresses[b % LISTENERS];
		unsigned int n = batch_size(p, p->made);

		for (unsigned int i = 0; i < n; i++) {
			fds[i] = socket(AF_INET, SOCK_STREAM, 0);
			if (fds[i] < 0)
				die("socket");
			if (connect(fds[i], &to->any, sizeof(to->in)) < 0)
				die("connect");
			if (p->log)
				client_note(p, p->made + i, fds[i], to);
			/* Says who closes first: with several CPUs they are not accepted in this order. */
			request[0] = i & 1;
			socket_write(fds[i], request, sizeof(request));
		}
		for (unsigned int i = 0; i < n; i++) {
			socket_read(fds[i], answer, sizeof(answer));
			if (!(i & 1))
				socket_read_end(fds[i]);
			close(fds[i]);
		}
		p->made += n;
	}
}

static void server_run(struct churn *c, unsigned int index)
{
	struct pair *p = &c->pairs[index];
	int listeners[LISTENERS];
	char text[32];

	alarm(CHURN_SECONDS);
	p->server_pid = (uint32_t)getpid();
	for (unsigned int i = 0; i < LISTENERS; i++) {
		snprintf(text, sizeof(text), "127.0.%u.%u", index + 1, i + 1);
		p->addresses[i] = address_make(text, 0);
		listeners[i] = socket_listen(&p->addresses[i], 4 * BATCH);
	}
	gate_pass(&c->ready, 0);
	churn_serve(p, listeners);
	_exit(0);
}

static void client_run(struct churn *c, unsigned int index)
{
	struct pair *p = &c->pairs[index];

	alarm(CHURN_SECONDS);
	p->client_pid = (uint32_t)getpid();
	gate_pass(&c->ready, 0);
	gate_wait(&c->go);
	p->started_ns = clock_ns();
	churn_connect(p);
	p->ended_ns = clock_ns();
	_exit(0);
}

/* Runs all pairs to their end; dies when one of the processes does. */
static void churn_run(struct churn *c)
{
	pid_t children[2 * MAX_PAIRS];

	for (unsigned int i = 0; i < 2 * c->pair_count; i++) {
		bool server = i < c->pair_count;

		children[i] = process_fork(server ? "churn-server" : "churn-client");
		if (!children[i] && server)
			server_run(c, i);
		if (!children[i])
			client_run(c, i - c->pair_count);
		/* A client needs its server's addresses, and all start at once. */
		if (i == c->pair_count - 1 || i == 2 * c->pair_count - 1)
			for (unsigned int n = 0; n < c->pair_count; n++)
				gate_wait(&c->ready);
	}
	for (unsigned int i = 0; i < c->pair_count; i++)
		gate_pass(&c->go, 0);
	for (unsigned int i = 0; i < 2 * c->pair_count; i++)
		process_wait(children[i], false);
}

/* One line a connection: [client pid, local port, server pid, remote address, remote port, client closes first]. */
static void churn_write_truth(const struct churn *c)
{
	FILE *f = fopen(c->truth, "we");

	if (!f)
		die("%s", c->truth);
	fprintf(f,
		"{\"netns\":%u,\"laddr\":\"127.0.0.1\",\"request\":%d,\"answer\":%d,"
		"\"client_comm\":\"churn-client\",\"server_comm\":\"churn-server\"}\n",
		c->netns, REQUEST, ANSWER);
	for (unsigned int i = 0; i < c->pair_count; i++) {
		const struct pair *p = &c->pairs[i];

		for (uint64_t n = 0; n < p->made; n++) {
			char raddr[INET_ADDRSTRLEN];

			inet_ntop(AF_INET, &p->log[n].raddr, raddr, sizeof(raddr));
			/* A batch is even, so that the number in it is odd when n is. */
			fprintf(f, "[%u,%u,%u,\"%s\",%u,%u]\n", p->client_pid, p->log[n].lport,
				p->server_pid, raddr, p->log[n].rport, (unsigned int)(n & 1));
		}
	}
	if (fclose(f))
		die("%s", c->truth);
}

/* What was made, by whom and how fast, as one JSON object. */
static void churn_report(const struct churn *c)
{
	uint64_t started = UINT64_MAX, ended = 0, made = 0;

	for (unsigned int i = 0; i < c->pair_count; i++) {
		made += c->pairs[i].made;
		if (c->pairs[i].started_ns < started)
			started = c->pairs[i].started_ns;
		if (c->pairs[i].ended_ns > ended)
			ended = c->pairs[i].ended_ns;
	}
	printf("{\"connections\":%llu,\"seconds\":%.6f,\"netns\":%u,\"pairs\":[",
	       (unsigned long long)made, (double)(ended - started) / 1e9, c->netns);
	for (unsigned int i = 0; i < c->pair_count; i++)
		printf("%s{\"client_pid\":%u,\"server_pid\":%u,\"connections\":%llu}", i ? "," : "",
		       c->pairs[i].client_pid, c->pairs[i].server_pid,
		       (unsigned long long)c->pairs[i].made);
	puts("]}");
}

static uint64_t number_or_die(const char *text, uint64_t most)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || !n || n > most) {
		errno = 0;
		die("not a number from 1 to %llu: %s", (unsigned long long)most, text);
	}
	return n;
}

static void churn_parse(struct churn *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "connections", required_argument, NULL, 'n' },
		{ "processes", required_argument, NULL, 'p' },
		{ "truth", required_argument, NULL, 't' },
		{ "netns", no_argument, NULL, 'N' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			c->connections = number_or_die(optarg, MAX_CONNECTIONS);
			break;
		case 'p':
			c->pair_count = (unsigned int)number_or_die(optarg, MAX_PAIRS);
			break;
		case 't':
			c->truth = optarg;
			break;
		case 'N':
			c->own_netns = true;
			break;
		default:
			fputs("usage: workload churn [--connections N] [--processes PAIRS] "
			      "[--truth FILE] [--netns]\n",
			      stderr);
			exit(2);
		}
	}
}

int churn_main(int argc, char **argv)
{
	struct churn c = { .connections = 10000, .pair_count = 2 };

	churn_parse(&c, argc, argv);
	process_name("churn");
	if (c.own_netns)
		process_unshare_netns();
	c.netns = process_netns();
	c.pairs = shared_new(c.pair_count * sizeof(*c.pairs));
	for (unsigned int i = 0; i < c.pair_count; i++) {
		struct pair *p = &c.pairs[i];

		p->count = c.connections / c.pair_count + (i < c.connections % c.pair_count);
		if (c.truth && p->count)
			p->log = shared_new(p->count * sizeof(*p->log));
	}
	gate_init(&c.ready);
	gate_init(&c.go);
	churn_run(&c);
	if (c.truth)
		churn_write_truth(&c);
	churn_report(&c);
	return 0;
}
