/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many established connections that do nothing, held by a number of processes, in a network namespace of their own.
 *
 * usage: crowd SOCKETS PROCESSES
 *
 * Both ends of a connection are in one process, over loopback. Prints the inode of the namespace when all are there, and
 * holds them until its standard input ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long number(const char *text, long least, long most)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < least || value > most) {
		fprintf(stderr, "crowd: %s is no number from %ld to %ld\n", text, least, most);
		exit(2);
	}
	return value;
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

static void raise_limit(long files)
{
	struct rlimit limit = { (rlim_t)files, (rlim_t)files };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		fail("RLIMIT_NOFILE");
}

/* An address of this process's own: ports are enough for any number of processes. */
static void hold_connections(long index, long connections)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(0x7f010001u + (uint32_t)index) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 128) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		fail("listen");
	for (long i = 0; i < connections; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&address, size) ||
		    accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0)
			fail("connect");
	}
	close(listener);
}

int main(int argc, char **argv)
{
	long sockets, processes, per_process;
	struct stat own;
	int ready[2];
	char byte;

	if (argc != 3) {
		fprintf(stderr, "usage: crowd SOCKETS PROCESSES\n");
		return 2;
	}
	sockets = number(argv[1], 2, 2000000);
	processes = number(argv[2], 1, 10000);
	per_process = sockets / 2 / processes;
	enter_network();
	raise_limit(2 * per_process + 2 + 64);
	if (pipe(ready))
		fail("pipe");
	for (long i = 0; i < processes; i++) {
		int pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold_connections(i, per_process + (i < sockets / 2 % processes));
		if (write(ready[1], "", 1) != 1)
			fail("write");
		for (;;)
			pause();
	}
	close(ready[1]);
	for (long i = 0; i < processes; i++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a process ended");
	if (stat("/proc/self/ns/net", &own))
		fail("ns/net");
	printf("%llu\n", (unsigned long long)own.st_ino);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
