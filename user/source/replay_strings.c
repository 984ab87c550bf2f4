/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 256

struct replay_string {
	char *bytes; /* NULL: free slot */
	uint32_t hash, length;
};

void replay_strings_done(struct replay_strings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->slot_count; i++)
		free(s->slots[i].bytes);
	free(s->slots);
	*s = (struct replay_strings){ 0 };
}

/*
 * FNV-1a from a start that differs from run to run. A recording made to collide costs its reader at
 * most REPLAY_STRINGS_MAX probes a string, not memory.
 */
static uint32_t hash_bytes(const char *bytes, size_t length)
{
	static uint32_t seed;
	uint32_t hash;

	if (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = 2166136261u;
	hash = seed |= 1;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static struct replay_string *find_slot(struct replay_string *slots, size_t slot_count,
				       uint32_t hash, const char *bytes, size_t length)
{
	size_t mask = slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct replay_string *slot = &slots[i];

		if (!slot->bytes)
			return slot;
		if (slot->hash == hash && slot->length == length &&
		    !memcmp(slot->bytes, bytes, length))
			return slot;
	}
}

static int grow(struct replay_strings *s)
{
	size_t slot_count = s->slot_count ? 2 * s->slot_count : FIRST_SLOTS;
	struct replay_string *slots = calloc(slot_count, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < s->slot_count; i++) {
		const struct replay_string *old = &s->slots[i];

		if (old->bytes)
			*find_slot(slots, slot_count, old->hash, old->bytes, old->length) = *old;
	}
	free(s->slots);
	s->slots = slots;
	s->slot_count = slot_count;
	return 0;
}

int replay_strings_intern(struct replay_strings *s, const char *bytes, size_t length,
			  const char **out)
{
	uint32_t hash = hash_bytes(bytes, length);
	struct replay_string *slot;
	char *copy;

	if (length > REPLAY_STRING_MAX)
		return -E2BIG;
	if (2 * (s->count + 1) > s->slot_count) {
		int error = grow(s);

		if (error)
			return error;
	}
	slot = find_slot(s->slots, s->slot_count, hash, bytes, length);
	if (!slot->bytes) {
		if (s->count >= REPLAY_STRINGS_MAX || s->bytes + length > REPLAY_STRINGS_BYTES)
			return -ENOSPC;
		copy = malloc(length + 1);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, bytes, length);
		copy[length] = '\0';
		*slot = (struct replay_string){ .bytes = copy,
						.hash = hash,
						.length = (uint32_t)length };
		s->count++;
		s->bytes += length;
	}
	*out = slot->bytes;
	return 0;
}
