/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/pid_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

void pid_set_done(struct pid_set *s)
{
	free(s->slots);
	memset(s, 0, sizeof(*s));
}

/* Where `pid` is, or would be. */
static size_t slot_of(const uint32_t *slots, size_t slot_count, uint32_t pid)
{
	size_t slot = (pid * 0x9e3779b1u >> 7) & (slot_count - 1);

	while (slots[slot] && slots[slot] != pid)
		slot = (slot + 1) & (slot_count - 1);
	return slot;
}

static int grow(struct pid_set *s)
{
	size_t wanted = s->slot_count ? s->slot_count * 2 : SLOTS_FIRST;
	uint32_t *slots = calloc(wanted, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < s->slot_count; i++)
		if (s->slots[i])
			slots[slot_of(slots, wanted, s->slots[i])] = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->slot_count = wanted;
	return 0;
}

int pid_set_add(struct pid_set *s, uint32_t pid)
{
	size_t slot;
	int err;

	if (pid_set_has(s, pid))
		return 0;
	if (s->count >= PID_SET_MAX)
		return -ENOSPC;
	if (s->count * 2 >= s->slot_count) {
		err = grow(s);
		if (err)
			return err;
	}
	slot = slot_of(s->slots, s->slot_count, pid);
	s->slots[slot] = pid;
	s->count++;
	return 0;
}

/* What stands behind it may have been pushed there by it: those are put in again. */
void pid_set_remove(struct pid_set *s, uint32_t pid)
{
	size_t slot, mask = s->slot_count - 1;

	if (!pid_set_has(s, pid))
		return;
	slot = slot_of(s->slots, s->slot_count, pid);
	s->slots[slot] = 0;
	s->count--;
	for (slot = (slot + 1) & mask; s->slots[slot]; slot = (slot + 1) & mask) {
		uint32_t moved = s->slots[slot];

		s->slots[slot] = 0;
		s->slots[slot_of(s->slots, s->slot_count, moved)] = moved;
	}
}

bool pid_set_has(const struct pid_set *s, uint32_t pid)
{
	return s->slot_count && pid && s->slots[slot_of(s->slots, s->slot_count, pid)] == pid;
}
