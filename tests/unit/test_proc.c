/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/polling.h"
#include "source/proc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define STAT_REST ") S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "

static void stat_names(void **state)
{
	static const struct {
		const char *line, *comm;
		uint64_t start;
	} good[] = {
		{ "1 (init" STAT_REST "77 99\n", "init", 77 },
		{ "1 (a) R 1 (b" STAT_REST "5", "a) R 1 (b", 5 },
		{ "1 (x\ny z" STAT_REST "18446744073709551615 0", "x\ny z", UINT64_MAX },
		{ "1 (\033[2J\xff" STAT_REST "0\n", "\033[2J\xff", 0 },
		{ "1 (" STAT_REST "1\n", "", 1 },
		{ "1 (kworker/u16:3-events_unbound" STAT_REST "1\n", "kworker/u16:3-e", 1 },
	};
	static const char *const bad[] = {
		"",
		"1",
		"1 (init",
		"1 init) S",
		")(",
		"1 (init) S 1 2 3",
		"1 (init) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x9",
		"1 (init) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999",
	};
	char comm[16];
	uint64_t start;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(proc_parse_stat(good[i].line, strlen(good[i].line), comm, &start),
				 0);
		assert_string_equal(comm, good[i].comm);
		assert_true(start == good[i].start);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(proc_parse_stat(bad[i], strlen(bad[i]), comm, &start), -EBADMSG);
}

static void users_and_links(void **state)
{
	uint32_t uid = 0;

	(void)state;
	assert_int_equal(
		proc_parse_uid("Name:\tUid:\\nUid: 5\nUmask:\t0022\nUid:\t1000\t0\t0\t0\n", &uid),
		0);
	assert_int_equal(uid, 1000);
	assert_int_equal(proc_parse_uid("Name:\tx\n", &uid), -EBADMSG);
	assert_int_equal(proc_parse_socket("socket:[4026531833]"), 4026531833);
	assert_int_equal(proc_parse_socket("socket:[12"), 0);
	assert_int_equal(proc_parse_socket("socket:[12]x"), 0);
	assert_int_equal(proc_parse_socket("socket:[-1]"), 0);
	assert_int_equal(proc_parse_socket("socket:[]"), 0);
	assert_int_equal(proc_parse_socket("socket:[99999999999999999999]"), 0);
	assert_int_equal(proc_parse_socket("pipe:[12]"), 0);
	assert_int_equal(proc_parse_socket("/tmp/socket:[12]"), 0);
}

static char root[] = "/tmp/nettrace-proc-XXXXXX";

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A process in a /proc of our own. `fds`: pairs of fd and inode, ended by -1. */
static void make_process(int pid, const char *comm, int start, const int *fds)
{
	char path[128], text[256], link[64];

	snprintf(path, sizeof(path), "%s/%d", root, pid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%d/fd", root, pid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%d/stat", root, pid);
	snprintf(text, sizeof(text), "%d (%s" STAT_REST "%d 0\n", pid, comm, start);
	write_file(path, text);
	snprintf(path, sizeof(path), "%s/%d/status", root, pid);
	snprintf(text, sizeof(text), "Name:\tx\nUid:\t%d\t0\t0\t0\n", pid + 1000);
	write_file(path, text);
	for (; *fds >= 0; fds += 2) {
		snprintf(path, sizeof(path), "%s/%d/fd/%d", root, pid, fds[0]);
		snprintf(link, sizeof(link), "socket:[%d]", fds[1]);
		assert_int_equal(symlink(link, path), 0);
	}
}

/*
 * 10 is the parent of 20 and 5: 5 is the youngest though its number is the lowest. 30 dies before
 * it is read.
 */
static int make_root(void **state)
{
	char path[128];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	make_process(10, "server", 100, (const int[]){ 3, 500, 4, 600, -1 });
	make_process(20, "worker) (1", 200, (const int[]){ 3, 500, 9, 600, 7, 600, -1 });
	make_process(5, "late", 300, (const int[]){ 3, 500, -1 });
	make_process(40, "idle", 50, (const int[]){ -1 });
	make_process(30, "gone", 60, (const int[]){ 3, 500, -1 });
	snprintf(path, sizeof(path), "%s/30/stat", root);
	return unlink(path);
}

static int remove_root(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void assert_cgroup(const char *file, const char *path)
{
	char data[256];
	const char *found;

	snprintf(data, sizeof(data), "%s", file);
	found = proc_parse_cgroup(data);
	if (path)
		assert_string_equal(found, path);
	else
		assert_null(found);
}

/* Version 1's lines stand before and after that of version 2. */
static void cgroups(void **state)
{
	(void)state;
	assert_cgroup("0::/\n", "/");
	assert_cgroup("0::/system.slice/nginx.service\n", "/system.slice/nginx.service");
	assert_cgroup("2:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c d\n", "/c d");
	assert_cgroup("0::/c\n1:cpu:/x\n", "/c");
	assert_cgroup("10::/x\n0::/c\n", "/c");
	assert_cgroup("2:cpu:/a\n1:name=0::/b\n", NULL);
	assert_cgroup("0::/cut", NULL);
	assert_cgroup("0::", NULL);
	assert_cgroup("0::\n1:cpu:/x\n", NULL);
	assert_cgroup("", NULL);
}

static void holders(void **state)
{
	struct proc_sockets p;
	const struct proc_holder *h;
	size_t count;

	(void)state;
	assert_int_equal(proc_sockets_read(&p, root, NULL), 0);
	assert_int_equal(p.process_count, 3);
	h = proc_sockets_find(&p, 500, &count);
	assert_int_equal(count, 3);
	assert_int_equal(p.processes[h[0].process].pid, 10);
	assert_int_equal(p.processes[h[1].process].pid, 20);
	assert_int_equal(p.processes[h[2].process].pid, 5);
	assert_string_equal(p.processes[h[1].process].comm, "worker) (1");
	assert_int_equal(p.processes[h[2].process].uid, 1005);
	h = proc_sockets_find(&p, 600, &count);
	assert_int_equal(count, 3);
	assert_int_equal(h[1].fd, 7);
	assert_int_equal(h[2].fd, 9);
	assert_null(proc_sockets_find(&p, 550, &count));
	assert_int_equal(count, 0);
	assert_null(proc_sockets_find(&p, 700, &count));
	proc_sockets_done(&p);
	assert_null(proc_sockets_find(&p, 500, &count));
	assert_int_equal(proc_sockets_read(&p, "/nonexistent", NULL), -ENOENT);
	proc_sockets_done(&p);
}

struct seen {
	struct event e;
	struct holder holders[8];
	int stop;
};

static int remember(void *context, struct event *e)
{
	struct seen *s = context;

	s->e = *e;
	assert_true(e->holder_count <= 8);
	if (e->holder_count)
		memcpy(s->holders, e->holders, e->holder_count * sizeof(*e->holders));
	return s->stop;
}

static struct event row(uint8_t proto, uint8_t tcp_state, uint16_t lport, uint64_t inode)
{
	struct event e;

	event_init(&e, EVENT_SOCKET, 1, 1);
	e.proto = proto;
	e.state = tcp_state;
	e.lport = lport;
	e.owner = OWNER_UNKNOWN;
	e.inode = inode;
	e.uid = 7;
	event_set(&e, FIELD_OWNER);
	event_set(&e, FIELD_UID);
	if (inode)
		event_set(&e, FIELD_INODE);
	return e;
}

static void join(void **state)
{
	struct proc_sockets p;
	struct seen s = { 0 };
	struct polling_join *j;
	struct event e;

	(void)state;
	assert_int_equal(proc_sockets_read(&p, root, NULL), 0);
	j = polling_join_new(&p, NULL, remember, &s);
	assert_non_null(j);

	/* A listener is its oldest holder's. */
	e = row(IPPROTO_TCP, STATE_LISTEN, 80, 500);
	assert_int_equal(polling_join_event(j, &e), 0);
	assert_int_equal(s.e.owner, OWNER_SNAPSHOT);
	assert_int_equal(s.e.pid, 10);
	assert_int_equal(s.e.uid, 1010);
	assert_string_equal(s.e.comm, "server");
	assert_false(event_has(&s.e, FIELD_DIRECTION));
	assert_int_equal(s.e.holder_count, 3);

	/* A connection is its youngest holder's, who is named first; the others follow by age. */
	e = row(IPPROTO_TCP, STATE_ESTABLISHED, 80, 500);
	assert_int_equal(polling_join_event(j, &e), 0);
	assert_int_equal(s.e.direction, DIRECTION_IN);
	assert_int_equal(s.e.pid, 5);
	assert_int_equal(s.holders[0].pid, 5);
	assert_int_equal(s.holders[1].pid, 10);
	assert_int_equal(s.holders[2].pid, 20);

	/* Twice in one process: its lowest fd comes first. */
	e = row(IPPROTO_TCP, STATE_CLOSE_WAIT, 81, 600);
	assert_int_equal(polling_join_event(j, &e), 0);
	assert_int_equal(s.e.direction, DIRECTION_OUT);
	assert_int_equal(s.e.pid, 20);
	assert_int_equal(s.holders[0].fd, 7);
	assert_int_equal(s.holders[1].pid, 10);
	assert_int_equal(s.holders[2].fd, 9);

	/* Nobody's: as it came. */
	e = row(IPPROTO_TCP, STATE_TIME_WAIT, 80, 0);
	assert_int_equal(polling_join_event(j, &e), 0);
	assert_int_equal(s.e.owner, OWNER_UNKNOWN);
	assert_int_equal(s.e.uid, 7);
	assert_int_equal(s.e.direction, DIRECTION_IN);
	assert_false(event_has(&s.e, FIELD_PID));
	assert_false(event_has(&s.e, FIELD_HOLDERS));

	/* A port that is listened on in another namespace, and in its own one, also among many. */
	for (uint16_t port = 1000; port < 3000; port++) {
		e = row(IPPROTO_TCP, STATE_LISTEN, port, 0);
		e.netns = 7;
		event_set(&e, FIELD_NETNS);
		assert_int_equal(polling_join_event(j, &e), 0);
	}
	for (uint16_t port = 900; port < 3100; port++) {
		e = row(IPPROTO_TCP, STATE_ESTABLISHED, port, 0);
		assert_int_equal(polling_join_event(j, &e), 0);
		assert_int_equal(s.e.direction, DIRECTION_OUT);
		e.netns = 7;
		event_set(&e, FIELD_NETNS);
		assert_int_equal(polling_join_event(j, &e), 0);
		assert_int_equal(s.e.direction,
				 port >= 1000 && port < 3000 ? DIRECTION_IN : DIRECTION_OUT);
	}

	/* UDP has no direction here; a bound socket is its oldest holder's. */
	e = row(IPPROTO_UDP, STATE_CLOSE, 80, 600);
	s.stop = 3;
	assert_int_equal(polling_join_event(j, &e), 3);
	assert_int_equal(s.e.pid, 10);
	assert_false(event_has(&s.e, FIELD_DIRECTION));

	polling_join_free(j);
	polling_join_free(NULL);
	proc_sockets_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_names), cmocka_unit_test(users_and_links),
		cmocka_unit_test(cgroups),    cmocka_unit_test(holders),
		cmocka_unit_test(join),
	};

	return cmocka_run_group_tests_name("proc", tests, make_root, remove_root);
}
