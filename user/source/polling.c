/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/polling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/cgroup.h"

#define SLOTS_LEAST 256

/* Owned: holders, listening. */
struct polling_join {
	const struct proc_sockets *processes;
	struct cgroup_cache *cgroups;
	event_sink *sink;
	void *context;
	struct holder *holders; /* of the event at hand */
	size_t capacity;
	uint64_t *
		listening; /* listeners' namespaces and ports, which come first; open addressing, 0: free */
	size_t slot_count, used;
};

struct polling_join *polling_join_new(const struct proc_sockets *processes,
				      struct cgroup_cache *cgroups, event_sink *sink, void *context)
{
	struct polling_join *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->processes = processes;
	j->cgroups = cgroups;
	j->sink = sink;
	j->context = context;
	return j;
}

void polling_join_free(struct polling_join *j)
{
	if (!j)
		return;
	free(j->holders);
	free(j->listening);
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

/* Never 0: who listens has a port. */
static uint64_t port_key(const struct event *e)
{
	return (uint64_t)(event_has(e, FIELD_NETNS) ? e->netns : 0) << 16 | e->lport;
}

/* Where this key is, or belongs. There is a free slot. */
static size_t slot_of(const struct polling_join *j, uint64_t key)
{
	size_t at = (key * 0x9e3779b97f4a7c15ULL >> 20) & (j->slot_count - 1);

	while (j->listening[at] && j->listening[at] != key)
		at = (at + 1) & (j->slot_count - 1);
	return at;
}

static int grow_slots(struct polling_join *j)
{
	uint64_t *old = j->listening;
	size_t before = j->slot_count;

	j->slot_count = before ? before * 2 : SLOTS_LEAST;
	j->listening = calloc(j->slot_count, sizeof(*j->listening));
	if (!j->listening) {
		j->listening = old;
		j->slot_count = before;
		return -ENOMEM;
	}
	for (size_t i = 0; i < before; i++)
		if (old[i])
			j->listening[slot_of(j, old[i])] = old[i];
	free(old);
	return 0;
}

static int add_listening(struct polling_join *j, uint64_t key)
{
	size_t at;

	if (j->used * 4 >= j->slot_count * 3) {
		int err = grow_slots(j);

		if (err)
			return err;
	}
	at = slot_of(j, key);
	j->used += !j->listening[at];
	j->listening[at] = key;
	return 0;
}

static bool is_listening(const struct polling_join *j, uint64_t key)
{
	return j->used && j->listening[slot_of(j, key)] == key;
}

static int set_direction(struct polling_join *j, struct event *e)
{
	if (e->proto != IPPROTO_TCP || e->state == STATE_CLOSE || !e->lport)
		return 0;
	if (e->state == STATE_LISTEN)
		return add_listening(j, port_key(e));
	e->direction = is_listening(j, port_key(e)) ? DIRECTION_IN : DIRECTION_OUT;
	event_set(e, FIELD_DIRECTION);
	return 0;
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
	if (owner->cgroup_id)
		cgroup_to_event(j->cgroups, owner->cgroup_id, e);
	return 0;
}

int polling_join_complete(struct polling_join *j, struct event *e)
{
	const struct proc_holder *found = NULL;
	size_t count = 0;
	int err = set_direction(j, e);

	if (!err && event_has(e, FIELD_INODE))
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
