/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event_pack.h"

#include <stdlib.h>
#include <string.h>

#include "model/event_fields.h"

#define BLOCK_SIZE (1u << 20)
#define ALIGN 8

/* Owned: the chain. */
struct block {
	struct block *next;
	size_t size, used;
	char data[];
};

struct event_store {
	struct block *first, *current;
	/* The copy made last of each string field: neighbours mostly have the same cgroup. */
	const char *last[FIELD_COUNT];
};

struct event_store *event_store_new(void)
{
	return calloc(1, sizeof(struct event_store));
}

void event_store_free(struct event_store *s)
{
	struct block *next;

	if (!s)
		return;
	for (struct block *b = s->first; b; b = next) {
		next = b->next;
		free(b);
	}
	free(s);
}

void event_store_clear(struct event_store *s)
{
	for (struct block *b = s->first; b; b = b->next)
		b->used = 0;
	s->current = s->first;
	memset(s->last, 0, sizeof(s->last));
}

/* `size` bytes, aligned; NULL when out of memory. */
static char *store_reserve(struct event_store *s, size_t size)
{
	struct block *b = s->current;
	size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

	while (b && b->size - b->used < size && b->next)
		b = b->next;
	if (!b || b->size - b->used < size) {
		struct block *fresh = malloc(sizeof(*fresh) + room);

		if (!fresh)
			return NULL;
		*fresh = (struct block){ .size = room };
		if (b)
			b->next = fresh;
		else
			s->first = fresh;
		b = fresh;
	}
	s->current = b;
	return b->data + b->used;
}

static void store_take(struct event_store *s, size_t size)
{
	s->current->used += (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (s->current->used > s->current->size)
		s->current->used = s->current->size;
}

/* Bytes of a value of fixed size; 0: it has none, or is not kept. */
static size_t value_size(const struct field *f)
{
	if (f == &event_fields[FIELD_MONO_NS])
		return 0;
	switch (f->type) {
	case FIELD_TYPE_NAME:
	case FIELD_TYPE_U8:
	case FIELD_TYPE_BOOL:
		return 1;
	case FIELD_TYPE_U16:
		return 2;
	case FIELD_TYPE_U32:
		return 4;
	case FIELD_TYPE_U64:
		return 8;
	case FIELD_TYPE_COMM:
	case FIELD_TYPE_ADDRESS:
		return 16;
	case FIELD_TYPE_STRING:
		return sizeof(const char *);
	case FIELD_TYPE_ID:
	case FIELD_TYPE_HOLDERS:
		return 16;
	case FIELD_TYPE_EVENT:
	case FIELD_TYPE_TIME:
	case FIELD_TYPE_STRINGS:
		break;
	}
	return 0;
}

/* NULL when out of memory. */
static const char *keep_string(struct event_store *s, int field, const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy;

	if (s->last[field] && !strcmp(s->last[field], string))
		return s->last[field];
	copy = store_reserve(s, size);
	if (!copy)
		return NULL;
	memcpy(copy, string, size);
	store_take(s, size);
	return s->last[field] = copy;
}

/* NULL when out of memory, or when there are none. */
static const struct holder *keep_holders(struct event_store *s, const struct event *e)
{
	size_t size = e->holder_count * sizeof(*e->holders);
	char *copy = size ? store_reserve(s, size) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, e->holders, size);
	store_take(s, size);
	return (const struct holder *)copy;
}

#define FIXED_MAX ((size_t)FIELD_COUNT * 16 + 16)

/* What can't be kept at once. False when out of memory. */
static bool keep_pointers(struct event_store *s, const struct event *e, struct event *kept)
{
	for (int f = 0; f < FIELD_COUNT; f++) {
		const struct field *field = &event_fields[f];
		const char *string;

		if (field->type != FIELD_TYPE_STRING || !event_has(e, (enum event_field)f))
			continue;
		memcpy(&string, (const char *)e + field->offset, sizeof(string));
		string = keep_string(s, f, string ? string : "");
		if (!string)
			return false;
		memcpy((char *)kept + field->offset, &string, sizeof(string));
	}
	if (!event_has(e, FIELD_HOLDERS) || !e->holder_count)
		return true;
	kept->holders = keep_holders(s, e);
	return kept->holders;
}

const void *event_pack(struct event_store *s, const struct event *e)
{
	struct event pointers; /* only the members that keep_pointers sets are ever read */
	uint64_t present[2] = { e->present[0], e->present[1] };
	char *packed, *p;

	if (!keep_pointers(s, e, &pointers))
		return NULL;
	packed = store_reserve(s, FIXED_MAX);
	if (!packed)
		return NULL;
	p = packed + sizeof(present);
	for (int word = 0; word < 2; word++) {
		for (uint64_t bits = e->present[word]; bits; bits &= bits - 1) {
			int f = word * 64 + __builtin_ctzll(bits);
			const struct field *field = &event_fields[f];
			size_t size = value_size(field);
			const struct event *from = field->type == FIELD_TYPE_STRING ? &pointers : e;

			if (!size) {
				present[word] &= ~(1ULL << (f & 63));
				continue;
			}
			if (field->type == FIELD_TYPE_ID) {
				memcpy(p, &e->cookie, 8);
				memcpy(p + 8, &e->start_ns, 8);
			} else if (field->type == FIELD_TYPE_HOLDERS) {
				uint64_t count = e->holder_count;

				memcpy(p, &count, 8);
				memcpy(p + 8, &pointers.holders, sizeof(pointers.holders));
			} else {
				memcpy(p, (const char *)from + field->offset, size);
			}
			p += size;
		}
	}
	memcpy(packed, present, sizeof(present));
	store_take(s, (size_t)(p - packed));
	return packed;
}

void event_unpack(const void *packed, uint64_t time_ns, uint64_t mono_ns, struct event *e)
{
	uint64_t present[2];
	const char *p = (const char *)packed + sizeof(present);

	memcpy(present, packed, sizeof(present));
	event_init(e, EVENT_SOCKET, time_ns, mono_ns);
	for (int word = 0; word < 2; word++) {
		for (uint64_t bits = present[word]; bits; bits &= bits - 1) {
			const struct field *field =
				&event_fields[word * 64 + __builtin_ctzll(bits)];
			size_t size = value_size(field);
			uint64_t count;

			if (field->type == FIELD_TYPE_ID) {
				memcpy(&e->cookie, p, 8);
				memcpy(&e->start_ns, p + 8, 8);
			} else if (field->type == FIELD_TYPE_HOLDERS) {
				memcpy(&count, p, 8);
				e->holder_count = (uint32_t)count;
				if (count)
					memcpy(&e->holders, p + 8, sizeof(e->holders));
			} else {
				memcpy((char *)e + field->offset, p, size);
			}
			p += size;
		}
		e->present[word] |= present[word];
	}
}
