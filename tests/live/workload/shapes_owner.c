/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes that differ in whose hands a socket is in: workers, threads, execs, the dead. */
#include "workload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LOCALHOST "127.0.0.1"
#define WORKERS 4
#define EACH 3 /* connections a worker takes */
#define IDLE_NS 400000000L

/* What a prefork worker does with a connection decides where a tracer can see it. */
enum worker_style { ACCEPT_ADDRESS, ACCEPT_READ, ACCEPT_WRITE, ACCEPT_IDLE };
static const char *const worker_names[WORKERS] = { "wl-w-address", "wl-w-read", "wl-w-write",
						   "wl-w-idle" };

struct prefork {
	struct stage stage;
	struct gate accepted;
};

static void worker_use(enum worker_style style, struct end *e, int fd)
{
	struct timespec idle = { .tv_nsec = IDLE_NS };

	switch (style) {
	case ACCEPT_ADDRESS:
		end_read(e, fd, 100);
		end_write(e, fd, 77);
		break;
	case ACCEPT_READ:
		end_read(e, fd, 100);
		socket_read_end(fd);
		break;
	case ACCEPT_WRITE:
		end_write(e, fd, 77);
		break;
	case ACCEPT_IDLE:
		nanosleep(&idle, NULL);
		break;
	}
	end_close(e, fd, "clean", style == ACCEPT_READ ? "remote" : "local");
}

static void worker_run(struct prefork *p, enum worker_style style)
{
	for (int i = 0; i < EACH; i++) {
		int fd = socket_accept(p->stage.listener, style == ACCEPT_ADDRESS);
		struct end *e;

		/* Only one connection is under way at a time, so it is the one that the client tells of. */
		gate_wait(&p->stage.to_server);
		e = end_accepted(truth_current(), AF_INET);
		snprintf(e->detail, sizeof(e->detail), "%s", worker_names[style] + strlen("wl-w-"));
		gate_pass(&p->accepted, (uint8_t)style);
		worker_use(style, e, fd);
	}
	_exit(0);
}

static void prefork_client(struct prefork *p)
{
	for (int i = 0; i < WORKERS * EACH; i++) {
		int fd;
		struct end *e = stage_connect(&p->stage, &fd, "");
		enum worker_style style = gate_wait(&p->accepted);

		if (style == ACCEPT_ADDRESS || style == ACCEPT_READ)
			end_write(e, fd, 100);
		if (style == ACCEPT_ADDRESS || style == ACCEPT_WRITE)
			end_read(e, fd, 77);
		if (style != ACCEPT_READ)
			socket_read_end(fd);
		end_close(e, fd, "clean", style == ACCEPT_READ ? "local" : "remote");
	}
	_exit(0);
}

static void shape_prefork(void)
{
	struct prefork p;
	pid_t workers[WORKERS], client;

	process_name("wl-parent");
	stage_open(&p.stage, LOCALHOST, 16);
	gate_init(&p.accepted);
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = process_fork(worker_names[i]);
		if (!workers[i])
			worker_run(&p, (enum worker_style)i);
	}
	client = process_fork("wl-client");
	if (!client) {
		close(p.stage.listener);
		prefork_client(&p);
	}
	for (int i = 0; i < WORKERS; i++)
		process_wait(workers[i], false);
	process_wait(client, false);
	stage_close(&p.stage);
}

/* A thread's own name is not the process's. */
static void thread_name(const char *name)
{
	if (prctl(PR_SET_NAME, name) < 0)
		die("prctl");
}

static void thread_run(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run, argument);

	errno = error;
	if (error)
		die("pthread_create");
	error = pthread_join(thread, NULL);
	errno = error;
	if (error)
		die("pthread_join");
}

static void *threads_server(void *argument)
{
	struct stage *s = argument;
	struct end *e;
	int fd;

	thread_name("wl-s-thread");
	e = stage_accept(s, &fd);
	talk_as_server(s, e, fd);
	return NULL;
}

static void *threads_client(void *argument)
{
	struct stage *s = argument;
	struct end *e;
	int fd;

	thread_name("wl-c-thread");
	e = stage_connect(s, &fd, "");
	talk_as_client(s, e, fd);
	return NULL;
}

static void threads_client_process(struct stage *s)
{
	thread_run(threads_client, s);
}

static void shape_threads(void)
{
	struct stage s;
	pid_t client;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	client = stage_fork(&s, "wl-client", threads_client_process);
	thread_run(threads_server, &s);
	process_wait(client, false);
	stage_close(&s);
}

/*
 * Becomes the workload once more, under this name and without prctl's help: `what` connects to the stage, or
 * finishes the end `e` on `fd`.
 */
static void exec_as(const char *name, const char *what, const struct stage *s, const struct end *e,
		    int fd)
{
	char directory[] = "/tmp/workload.XXXXXX", path[64], self[4096];
	char texts[5][16];
	const int numbers[5] = { truth_fd(), e ? (int)truth_index(e) : -1, fd,
				 ntohs(s->at.in.sin_port), s->to_server.fds[1] };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		die("/proc/self/exe");
	self[n] = '\0';
	if (!mkdtemp(directory))
		die("%s", directory);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (symlink(self, path) < 0)
		die("%s", path);
	for (int i = 0; i < 5; i++)
		snprintf(texts[i], sizeof(texts[i]), "%d", numbers[i]);
	execl(path, path, EXEC_WORD, what, texts[0], texts[1], texts[2], texts[3], texts[4],
	      (char *)NULL);
	die("%s", path);
}

/* WHAT TRUTH_FD END FD PORT GATE_FD; argv[-2] is the path. Its directory is removed again. */
int exec_main(int argc, char **argv)
{
	struct stage s = { .listener = -1 };
	char *path = argv[-2], *slash = strrchr(path, '/');
	struct end *e;
	int fd;

	if (argc != 6 || !slash)
		die("not for you");
	process_adopt_name(slash + 1);
	unlink(path);
	*slash = '\0';
	rmdir(path);
	truth_open(atoi(argv[1]));
	fd = atoi(argv[3]);
	s.at = address_make(LOCALHOST, (uint16_t)atoi(argv[4]));
	s.to_server.fds[1] = atoi(argv[5]);
	e = strcmp(argv[0], "connect") ? truth_end((unsigned int)atoi(argv[2]))
				       : stage_connect(&s, &fd, "before");
	talk_as_client(&s, e, fd);
	return 0;
}

static void exec_before(struct stage *s)
{
	exec_as("wl-execed", "connect", s, NULL, -1);
}

static void exec_after(struct stage *s)
{
	int fd;
	struct end *e = stage_connect(s, &fd, "after");

	exec_as("wl-execed-later", "finish", s, e, fd);
}

static void shape_exec(void)
{
	struct stage s;
	struct end *e;
	pid_t client;
	int fd;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	for (int i = 0; i < 2; i++) {
		client = stage_fork(&s, "wl-client", i ? exec_after : exec_before);
		e = stage_accept(&s, &fd);
		talk_as_server(&s, e, fd);
		process_wait(client, false);
	}
	stage_close(&s);
}

/* Writes and is gone: the kernel closes for it. */
static void gone_client(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_write(e, fd, 500);
	end_closing(e, "clean", "local");
	_exit(0);
}

static void gone_server(struct stage *s, struct end *e, int fd)
{
	(void)s;
	end_read(e, fd, 500);
	socket_read_end(fd);
	end_close(e, fd, "clean", "remote");
}

static void shape_gone(void)
{
	stage_run(LOCALHOST, gone_server, gone_client);
}

/* Says that it is ready to die, and waits for it. */
static void await_death(struct stage *s, struct end *e)
{
	end_closing(e, "clean", "local");
	gate_pass(&s->to_server, 1);
	for (;;)
		pause();
}

static void killed_client(struct stage *s)
{
	int fd;
	struct end *e = stage_connect(s, &fd, "client");

	end_write(e, fd, 600);
	await_death(s, e);
}

static void killed_server(struct stage *s)
{
	int fd;
	struct end *e = stage_accept(s, &fd);

	end_read(e, fd, 900);
	end_write(e, fd, 800);
	await_death(s, e);
}

static void kill_client(struct stage *s)
{
	pid_t client = stage_fork(s, "wl-victim", killed_client);
	int fd;
	struct end *e = stage_accept(s, &fd);

	end_read(e, fd, 600);
	gate_wait(&s->to_server);
	kill(client, SIGKILL);
	process_wait(client, true);
	socket_read_end(fd);
	end_close(e, fd, "clean", "remote");
}

static void kill_server(struct stage *s)
{
	struct end *e;
	pid_t server;
	int fd;

	/* It takes the listener with it, so this process lets go first. */
	server = process_fork("wl-victim");
	if (!server)
		killed_server(s);
	if (close(s->listener) < 0)
		die("close");
	e = stage_connect(s, &fd, "server");
	end_write(e, fd, 900);
	end_read(e, fd, 800);
	gate_wait(&s->to_server);
	kill(server, SIGKILL);
	process_wait(server, true);
	socket_read_end(fd);
	end_close(e, fd, "clean", "remote");
	/* The victim was the last to hold the listener. */
	s->listening->close_pid = (uint32_t)server;
	snprintf(s->listening->close_comm, sizeof(s->listening->close_comm), "wl-victim");
}

static void shape_killed(void)
{
	struct stage s;

	process_name("wl-server");
	stage_open(&s, LOCALHOST, 16);
	kill_client(&s);
	kill_server(&s);
}

const struct shape owner_shapes[] = {
	{ "prefork", shape_prefork,
	  "workers that accept on their parent's listener, each in another way" },
	{ "threads", shape_threads, "threads with names of their own connect and accept" },
	{ "exec", shape_exec, "exec before and after connect" },
	{ "gone", shape_gone, "a client that exits right after it wrote" },
	{ "killed", shape_killed,
	  "a client and a server that are killed with the connection open" },
	{ 0 },
};
