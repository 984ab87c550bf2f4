/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection table with synthetic rows: what one costs in memory and in time, at several sizes.
 *
 * usage: rows [COUNT...]
 *
 * A line of JSON for each COUNT (10 000, 100 000 and 1 000 000): rows, bytes_per_row (growth of the resident memory),
 * insert_ns, find_ns and remove_ns for each row, worst_insert_us (the one that makes the index grow).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/connection_table.h"

static uint64_t clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* Of this process: what else the machine does is not counted. */
static uint64_t now_ns(void)
{
	return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static uint64_t resident_bytes(void)
{
	unsigned long long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%llu %llu", &total, &resident) != 2)
		exit(1);
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What the kernel tells of connection `i`. */
static void make_event(struct event *e, enum event_type type, uint64_t i, uint64_t mono_ns)
{
	static const enum event_field fields[] = {
		FIELD_ID,    FIELD_PROTO, FIELD_FAMILY, FIELD_DIRECTION, FIELD_PID,
		FIELD_TID,   FIELD_COMM,  FIELD_UID,	FIELD_OWNER,	 FIELD_LADDR,
		FIELD_LPORT, FIELD_RADDR, FIELD_RPORT,	FIELD_NETNS,	 FIELD_TX_BYTES,
	};

	event_init(e, type, mono_ns, mono_ns);
	for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
		event_set(e, fields[f]);
	e->cookie = i + 1;
	e->start_ns = mono_ns;
	e->proto = IPPROTO_TCP;
	e->family = 4;
	e->direction = DIRECTION_OUT;
	e->owner = OWNER_CONNECT;
	e->pid = e->tid = (uint32_t)(1000 + i % 40);
	strcpy(e->comm, "synthetic");
	memcpy(e->laddr, &i, 4);
	memcpy(e->raddr, &i, 4);
	e->lport = (uint16_t)i;
	e->rport = 443;
	e->netns = 4026531840u;
	e->tx_bytes = i;
}

static void measure(uint64_t count)
{
	struct connection_table *t = connection_table_new(count);
	uint64_t before = resident_bytes(), bytes, worst = 0, began, at, inserted, found, removed;
	struct connection_change change;
	struct event e;
	size_t met = 0;

	if (!t)
		exit(1);
	began = now_ns();
	for (uint64_t i = 0; i < count; i++) {
		make_event(&e, EVENT_CONNECT, i, 1 + i);
		at = clock_of(CLOCK_MONOTONIC);
		connection_table_apply(t, &e, &change);
		at = clock_of(CLOCK_MONOTONIC) - at;
		worst = at > worst ? at : worst;
	}
	inserted = now_ns() - began;
	bytes = resident_bytes() - before;
	began = now_ns();
	for (uint64_t i = 0; i < count; i++)
		met += connection_table_find(t, i + 1, i + 1) != NULL;
	found = now_ns() - began;
	began = now_ns();
	for (uint64_t i = 0; i < count; i++) {
		make_event(&e, EVENT_CLOSE, i, 1 + i);
		connection_table_apply(t, &e, &change);
	}
	removed = now_ns() - began;
	if (met != count || connection_table_count(t) || connection_table_refused(t)) {
		fprintf(stderr, "rows: %zu of %" PRIu64 " found, %zu left\n", met, count,
			connection_table_count(t));
		exit(1);
	}
	printf("{\"rows\":%" PRIu64 ",\"bytes_per_row\":%.1f,\"insert_ns\":%.0f,\"find_ns\":%.0f,"
	       "\"remove_ns\":%.0f,\"worst_insert_us\":%.0f}\n",
	       count, (double)bytes / (double)count, (double)inserted / (double)count,
	       (double)found / (double)count, (double)removed / (double)count, (double)worst / 1e3);
	fflush(stdout);
	connection_table_free(t);
}

/* Each in a process of its own, so that no memory is there before. */
static int measure_alone(uint64_t count)
{
	int status, pid = fork();

	if (!pid) {
		measure(count);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 || status;
}

int main(int argc, char **argv)
{
	static char *usual[] = { "rows", "10000", "100000", "1000000" };

	if (argc < 2) {
		argc = sizeof(usual) / sizeof(usual[0]);
		argv = usual;
	}
	for (int i = 1; i < argc; i++) {
		uint64_t count = strtoull(argv[i], NULL, 10);

		if (!count) {
			fprintf(stderr, "usage: rows [COUNT...]\n");
			return 2;
		}
		if (measure_alone(count))
			return 1;
	}
	return 0;
}
