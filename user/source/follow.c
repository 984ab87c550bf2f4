// SPDX-License-Identifier: BSD-2-Clause
#include "source/follow.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "model/pid_set.h"
#include "source/descendants.h"

/* Beyond it those that are gone make room: their last connections have ended by then, or are not told of. */
#define CROWDED (PID_SET_MAX / 4 * 3)
#define LOOK_EVERY 1024 /* of those that came since */

static int put(const struct kernel_source *k, uint32_t pid)
{
	const __u32 value = 1;

	return bpf_map__update_elem(k->object.maps.followed, &pid, sizeof(pid), &value,
				    sizeof(value), BPF_ANY);
}

static int put_all(const struct kernel_source *k)
{
	int err = 0;

	for (size_t i = 0; !err && i < k->followed->slot_count; i++)
		if (k->followed->slots[i])
			err = put(k, k->followed->slots[i]);
	return err;
}

int follow_begin(struct kernel_source *k)
{
	return k->followed ? put_all(k) : 0;
}

int follow_descendants(struct kernel_source *k)
{
	int err;

	if (!k->followed)
		return 0;
	err = descendants_add(k->followed);
	return err ? err : put_all(k);
}

static bool is_gone(uint32_t pid)
{
	return kill((pid_t)pid, 0) && errno == ESRCH;
}

static void make_room(struct kernel_source *k)
{
	uint32_t *gone = malloc(k->followed->count * sizeof(*gone));
	size_t count = 0;

	if (!gone)
		return;
	for (size_t i = 0; i < k->followed->slot_count; i++)
		if (k->followed->slots[i] && is_gone(k->followed->slots[i]))
			gone[count++] = k->followed->slots[i];
	for (size_t i = 0; i < count; i++) {
		pid_set_remove(k->followed, gone[i]);
		bpf_map__delete_elem(k->object.maps.followed, &gone[i], sizeof(gone[i]), 0);
	}
	free(gone);
}

int follow_record(struct kernel_source *k, const struct record *r)
{
	int err;

	if (!k->followed || !r->pid)
		return 0;
	if (!r->value) {
		pid_set_remove(k->followed, r->pid);
		return 0;
	}
	if (k->followed->count > CROWDED && k->followed->count % LOOK_EVERY == 0)
		make_room(k);
	err = pid_set_add(k->followed, r->pid);
	return err == -ENOSPC ? 0 : err; /* counted where it found no room in the map */
}
