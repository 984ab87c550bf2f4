/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/polling.h"

#include "source/clock.h"
#include "source/socket_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORTS 65536

/* Owned: holders. */
struct polling_join {
	const struct proc_sockets *processes;
	event_sink *sink;
	void *context;
	struct holder *holders; /* of the event at hand */
	size_t capacity;
	uint64_t listening[PORTS / 64]; /* TCP ports: the listeners come first */
};

struct polling_join *polling_join_new(const struct proc_sockets *processes, event_sink *sink,
				      void *context)
{
	struct polling_join *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->processes = processes;
	j->sink = sink;
	j->context = context;
	return j;
}

void polling_join_free(struct polling_join *j)
{
	if (!j)
		return;
	free(j->holders);
	free(j);
}

/*
 * Is it one that many share by design, so that who made it counts? A connection is handed on, so
 * there the last counts.
 */
static bool is_shared(const struct event *e)
{
	return e->state == STATE_LISTEN || e->state == STATE_CLOSE;
}

static void set_direction(struct polling_join *j, struct event *e)
{
	if (e->proto != IPPROTO_TCP || e->state == STATE_CLOSE)
		return;
	if (e->state == STATE_LISTEN) {
		j->listening[e->lport / 64] |= 1ULL << (e->lport & 63);
		return;
	}
	e->direction = j->listening[e->lport / 64] >> (e->lport & 63) & 1 ? DIRECTION_IN
									  : DIRECTION_OUT;
	event_set(e, FIELD_DIRECTION);
}

/* The holders in the order of age, then the owner moved to the front. */
static int set_holders(struct polling_join *j, struct event *e, const struct proc_holder *found,
		       size_t count)
{
	const struct proc_process *processes = j->processes->processes, *owner;
	size_t first = is_shared(e) ? 0 : count - 1;

	if (count > UINT32_MAX)
		count = UINT32_MAX;
	if (count > j->capacity) {
		struct holder *holders = realloc(j->holders, count * sizeof(*holders));

		if (!holders)
			return -ENOMEM;
		j->holders = holders;
		j->capacity = count;
	}
	/* Of a process with several fds of it the lowest one is named first. */
	while (first && found[first - 1].process == found[first].process)
		first--;
	for (size_t i = 0; i < count; i++) {
		size_t from = i == 0 ? first : i <= first ? i - 1 : i;
		const struct proc_process *process = &processes[found[from].process];

		j->holders[i] = (struct holder){ .pid = process->pid, .fd = found[from].fd };
		memcpy(j->holders[i].comm, process->comm, sizeof(process->comm));
	}
	e->holders = j->holders;
	e->holder_count = (uint32_t)count;
	event_set(e, FIELD_HOLDERS);

	owner = &processes[found[first].process];
	e->owner = OWNER_SNAPSHOT;
	e->pid = owner->pid;
	memcpy(e->comm, owner->comm, sizeof(e->comm));
	event_set(e, FIELD_PID);
	event_set(e, FIELD_COMM);
	if (owner->has_uid) {
		e->uid = owner->uid;
		event_set(e, FIELD_UID);
	}
	return 0;
}

int polling_join_complete(struct polling_join *j, struct event *e)
{
	const struct proc_holder *found = NULL;
	size_t count = 0;
	int err = 0;

	set_direction(j, e);
	if (event_has(e, FIELD_INODE))
		found = proc_sockets_find(j->processes, e->inode, &count);
	if (found)
		err = set_holders(j, e, found, count);
	return err;
}

int polling_join_event(void *join, struct event *e)
{
	struct polling_join *j = join;
	int err = polling_join_complete(j, e);

	return err ? err : j->sink(j->context, e);
}

/* Tells the rows that are listeners, or those that are not. */
static int tell_rows(const struct socket_rows *rows, bool listeners, struct polling_join *join)
{
	uint64_t mono_ns = clock_mono_ns(), time_ns = clock_wall_ns(mono_ns);
	struct event e;
	int err = 0;

	for (size_t i = 0; !err && i < rows->count; i++) {
		if ((rows->rows[i].state == STATE_LISTEN) != listeners)
			continue;
		socket_row_to_event(&rows->rows[i], NULL, false, time_ns, mono_ns, &e);
		err = polling_join_event(join, &e);
	}
	return err;
}

int polling_snapshot(event_sink *sink, void *context)
{
	const struct sock_diag_query query = { .tcp = true,
					       .udp = true,
					       .tcp_states = (1u << STATE_COUNT) - 1 };
	struct socket_rows rows = { 0 };
	struct proc_sockets processes;
	/*
	 * Holders first: a socket made between the two passes lacks an owner, one that is gone is
	 * not told of at all.
	 */
	int err = proc_sockets_read(&processes, "/proc");
	struct polling_join *join = err ? NULL : polling_join_new(&processes, sink, context);

	if (!err && !join)
		err = -ENOMEM;
	if (!err)
		err = sock_diag_read(&query, &rows);
	if (!err)
		err = tell_rows(&rows, true, join);
	if (!err)
		err = tell_rows(&rows, false, join);
	polling_join_free(join);
	socket_rows_done(&rows);
	proc_sockets_done(&processes);
	return err;
}
