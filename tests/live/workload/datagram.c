/* SPDX-License-Identifier: BSD-2-Clause */
/* workload datagrams --truth FILE SHAPE...|all; workload datagrams --list */
#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLOWS_MAX 16384

static struct {
	uint32_t count;
	char shape[24];
	struct flow_truth flows[FLOWS_MAX];
} * truth;

void flow_truth_open(void)
{
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (truth == MAP_FAILED)
		die("mmap");
}

void flow_truth_shape(const char *shape)
{
	snprintf(truth->shape, sizeof(truth->shape), "%s", shape);
}

struct flow_truth *flow_begin(int fd, const union address *local, const union address *remote,
			      bool out)
{
	uint32_t index = __sync_fetch_and_add(&truth->count, 1);
	struct flow_truth *f = &truth->flows[index];
	socklen_t length = sizeof(f->socket_family);

	if (index >= FLOWS_MAX)
		die("too many flows");
	memcpy(f->shape, truth->shape, sizeof(f->shape));
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &f->socket_family, &length))
		die("SO_DOMAIN");
	f->local = *local;
	f->remote = *remote;
	f->netns = process_netns();
	f->out = out;
	f->open_pid = (uint32_t)getpid();
	snprintf(f->open_comm, sizeof(f->open_comm), "%s", process_comm());
	return f;
}

struct flow_truth *flow_find(const union address *local, const union address *remote)
{
	for (uint32_t i = 0; i < truth->count; i++) {
		struct flow_truth *f = &truth->flows[i];

		if (!strcmp(f->shape, truth->shape) && f->local.in.sin_port == local->in.sin_port &&
		    f->remote.in.sin_port == remote->in.sin_port && !f->out)
			return f;
	}
	return NULL;
}

void flow_end(struct flow_truth *f)
{
	f->close_pid = (uint32_t)getpid();
	snprintf(f->close_comm, sizeof(f->close_comm), "%s", process_comm());
	if (f->close_pid != f->open_pid)
		f->opener_pid = f->open_pid;
}

static void print_end(FILE *out, const char *side, const union address *a)
{
	char text[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof(text));
	else if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], text, sizeof(text));
	else
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text));
	fprintf(out, ",\"%saddr\":\"%s\",\"%sport\":%u", side, text, side, ntohs(a->in.sin_port));
}

void flow_truth_print(int fd)
{
	FILE *out = fdopen(fd, "w");

	if (!out)
		die("fdopen");
	for (uint32_t i = 0; i < truth->count; i++) {
		const struct flow_truth *f = &truth->flows[i];
		bool mapped = f->remote.any.sa_family == AF_INET6 &&
			      IN6_IS_ADDR_V4MAPPED(&f->remote.in6.sin6_addr);

		if (!f->close_pid)
			die("shape %s left a flow open", f->shape);
		fprintf(out,
			"{\"shape\":\"%s\",\"family\":%d,\"v4mapped\":%s,\"direction\":\"%s\",\"netns\":%u",
			f->shape, f->remote.any.sa_family == AF_INET || mapped ? 4 : 6,
			mapped ? "true" : "false", f->out ? "out" : "in", f->netns);
		print_end(out, "l", &f->local);
		print_end(out, "r", &f->remote);
		fprintf(out,
			",\"open_pid\":%u,\"open_comm\":\"%s\",\"close_pid\":%u,\"close_comm\":\"%s\",\"opener_pid\":%u",
			f->open_pid, f->open_comm, f->close_pid, f->close_comm, f->opener_pid);
		fprintf(out,
			",\"tx_bytes\":%llu,\"rx_bytes\":%llu,\"tx_datagrams\":%llu,\"rx_datagrams\":%llu,\"drops\":%llu}\n",
			(unsigned long long)f->tx_bytes, (unsigned long long)f->rx_bytes,
			(unsigned long long)f->tx_datagrams, (unsigned long long)f->rx_datagrams,
			(unsigned long long)f->drops);
	}
	if (fclose(out))
		die("writing the truth");
}

int udp_bind(union address *a)
{
	int fd = socket(a->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(*a);
	union address bound;

	if (fd < 0 || bind(fd, &a->any, address_length(a)) || getsockname(fd, &bound.any, &length))
		die("a bound UDP socket");
	a->in.sin_port = bound.in.sin_port;
	return fd;
}

int udp_connect(union address *local, const union address *to)
{
	int fd = udp_bind(local);

	if (connect(fd, &to->any, address_length(to)))
		die("connect");
	return fd;
}

void udp_send(struct flow_truth *f, int fd, const union address *to, size_t size)
{
	static char data[65536];

	if (sendto(fd, data, size, 0, to ? &to->any : NULL, to ? address_length(to) : 0) !=
	    (ssize_t)size)
		die("sendto %zu bytes", size);
	f->tx_bytes += size;
	f->tx_datagrams++;
}

size_t udp_receive(struct flow_truth *f, int fd, union address *from)
{
	static char data[65536];
	union address peer;
	socklen_t length = sizeof(peer);
	ssize_t n =
		recvfrom(fd, data, sizeof(data), 0, from ? &peer.any : NULL, from ? &length : NULL);

	if (n < 0)
		die("recvfrom");
	if (from)
		*from = peer;
	f->rx_bytes += (size_t)n;
	f->rx_datagrams++;
	return (size_t)n;
}

static bool is_wanted(const char *name, char **wanted)
{
	for (; *wanted; wanted++)
		if (!strcmp(*wanted, "all") || !strcmp(*wanted, name))
			return true;
	return false;
}

int datagram_main(int argc, char **argv)
{
	int fd;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (const struct datagram_shape *s = datagram_shapes; s->name; s++)
			printf("%-20s %s\n", s->name, s->shows);
		return 0;
	}
	if (argc < 4 || strcmp(argv[1], "--truth")) {
		fputs("usage: workload datagrams --truth FILE SHAPE...|all\n       workload datagrams --list\n",
		      stderr);
		return 2;
	}
	fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		die("%s", argv[2]);
	flow_truth_open();
	for (const struct datagram_shape *s = datagram_shapes; s->name; s++) {
		pid_t pid;

		if (!is_wanted(s->name, argv + 3))
			continue;
		flow_truth_shape(s->name);
		pid = process_fork("wl-shape");
		if (!pid) {
			s->run();
			_exit(0);
		}
		process_wait(pid, false);
	}
	flow_truth_print(fd);
	return 0;
}
