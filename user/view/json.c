/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/json.h"

#include <stdio.h>
#include <time.h>

#include "base/number.h"
#include "model/event_fields.h"

/*
 * The hot path of the stream: a busy host makes some 100 000 records a second. Room for everything
 * of fixed size is reserved once an event, keys are copied as ready-made blocks, and only the
 * members that are present are visited.
 */
#define KEY_MAX 24 /* ,"unattributed": is 16; copied whole, which is cheaper than exactly */
#define VALUE_MAX \
	96 /* the longest value of fixed size: a comm of 15 bytes, each as \u00NN, in quotes */
#define FIXED_MAX (FIELD_COUNT * (KEY_MAX + VALUE_MAX) + KEY_MAX)
#define HOLDER_MAX 192 /* {"pid":4294967295,"fd":-2147483648,"comm":…}, */
#define COMM_MAX 15

struct key {
	char bytes[KEY_MAX];
	uint8_t length;
};

/*
 * What is worth keeping between calls. Thread-local: any thread may write JSON, each into its own
 * text.
 */
static _Thread_local struct {
	bool ready;
	struct key keys[FIELD_COUNT];
	uint64_t second; /* since 1970, of `date` */
	char date[20];	 /* 2026-11-21T07:43:18. */
} cache;

static void write_date(uint64_t second)
{
	time_t time = (time_t)second;
	struct tm tm;
	char text[64];

	gmtime_r(&time, &tm); /* cannot fail: 64 bits of ns end in 2554 */
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(cache.date, text, sizeof(cache.date));
	cache.second = second;
}

static void fill_cache(void)
{
	for (int f = 0; f < FIELD_COUNT; f++) {
		struct key *key = &cache.keys[f];
		char text[64];
		int length = snprintf(text, sizeof(text), "%c\"%s\":", f ? ',' : '{',
				      event_fields[f].name);

		memcpy(key->bytes, text, sizeof(key->bytes));
		key->length = (uint8_t)length; /* < KEY_MAX: the unit test looks at each name */
	}
	write_date(0);
	cache.ready = true;
}

static inline char *put_bytes(char *p, const char *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static char *put_time(char *p, uint64_t ns)
{
	uint64_t second = ns / 1000000000;

	if (second != cache.second)
		write_date(second);
	*p++ = '"';
	p = put_bytes(p, cache.date, sizeof(cache.date));
	p = number_9digits(p, (uint32_t)(ns - second * 1000000000));
	return put_bytes(p, "Z\"", 2);
}

static char *put_name(char *p, const char *name)
{
	*p++ = '"';
	p = put_bytes(p, name, strlen(name));
	*p++ = '"';
	return p;
}

/* At most COMM_MAX bytes, whatever they are: 6 * 15 + 2 characters. */
static char *put_comm(char *p, const char *comm)
{
	char *begin = p;
	int i;

	*p++ = '"';
	for (i = 0; i < COMM_MAX && comm[i]; i++) {
		unsigned char c = (unsigned char)comm[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
			/* rare: the general writer, into the room that is reserved here */
			struct text t = { .data = begin, .capacity = VALUE_MAX };

			text_json_string(&t, comm, strnlen(comm, COMM_MAX));
			return begin + t.length;
		}
		*p++ = (char)c;
	}
	*p++ = '"';
	return p;
}

static char *put_address(char *p, unsigned int family, const uint8_t *address)
{
	*p++ = '"';
	p = family == 4 ? number_ipv4(p, address) : number_ipv6(p, address);
	*p++ = '"';
	return p;
}

static char *put_id(char *p, uint64_t cookie, uint64_t start_ns)
{
	*p++ = '"';
	p = number_hex(p, cookie);
	*p++ = '-';
	p = number_hex(p, start_ns);
	*p++ = '"';
	return p;
}

/*
 * Values of any length: written through the text, which may move; afterwards there is again room
 * for the rest of the event. NULL when out of memory.
 */
static char *put_string(struct text *t, char *p, const char *s)
{
	t->length = (size_t)(p - t->data);
	text_json_string(t, s, strlen(s));
	return text_reserve(t, FIXED_MAX) && !t->failed ? t->data + t->length : NULL;
}

static char *put_strings(struct text *t, char *p, const char *const *strings, uint32_t count)
{
	*p++ = '[';
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			*p++ = ',';
		p = put_string(t, p, strings[i]);
		if (!p)
			return NULL;
	}
	*p++ = ']';
	return p;
}

static char *put_holders(struct text *t, char *p, const struct holder *holders, uint32_t count)
{
	t->length = (size_t)(p - t->data);
	if (!text_reserve(t, (size_t)count * HOLDER_MAX + FIXED_MAX))
		return NULL;
	p = t->data + t->length;
	*p++ = '[';
	for (uint32_t i = 0; i < count; i++) {
		const struct holder *h = &holders[i];

		if (i)
			*p++ = ',';
		p = put_bytes(p, "{\"pid\":", 7);
		p = number_u64(p, h->pid);
		p = put_bytes(p, ",\"fd\":", 6);
		if (h->fd < 0)
			*p++ = '-';
		p = number_u64(p, h->fd < 0 ? -(uint64_t)h->fd : (uint64_t)h->fd);
		p = put_bytes(p, ",\"comm\":", 8);
		p = put_comm(p, h->comm);
		*p++ = '}';
	}
	*p++ = ']';
	return p;
}

/*
 * The value of field f at p; `key` is where its key began. A value that cannot be told is left out
 * together with its key (returns `key`): a name that is out of range, a missing pointer, and a
 * number that is beyond what JSON readers take, which only a counter that wrapped can be.
 */
static char *put_value(struct text *t, char *p, char *key, const struct event *e,
		       const struct field *field)
{
	const char *at = (const char *)e + field->offset;
	const char *name;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (field->type) {
	case FIELD_TYPE_U64:
		memcpy(&u64, at, sizeof(u64));
		return u64 <= INT64_MAX ? number_u64(p, u64) : key;
	case FIELD_TYPE_U32:
		memcpy(&u32, at, sizeof(u32));
		return number_u64(p, u32);
	case FIELD_TYPE_U16:
		memcpy(&u16, at, sizeof(u16));
		return number_u64(p, u16);
	case FIELD_TYPE_U8:
		return number_u64(p, (uint8_t)*at);
	case FIELD_TYPE_NAME:
		name = field->to_name((uint8_t)*at);
		return *name != '?' ? put_name(p, name) : key;
	case FIELD_TYPE_BOOL:
		return *(const bool *)at ? put_bytes(p, "true", 4) : put_bytes(p, "false", 5);
	case FIELD_TYPE_COMM:
		return put_comm(p, at);
	case FIELD_TYPE_ADDRESS:
		return put_address(p, e->family, (const uint8_t *)at);
	case FIELD_TYPE_ID:
		return put_id(p, e->cookie, e->start_ns);
	case FIELD_TYPE_TIME:
		memcpy(&u64, at, sizeof(u64));
		return put_time(p, u64);
	case FIELD_TYPE_EVENT:
		return put_name(p, event_type_name(e->type));
	case FIELD_TYPE_STRING:
		memcpy(&name, at, sizeof(name));
		return name ? put_string(t, p, name) : key;
	case FIELD_TYPE_STRINGS:
		return e->hooks || !e->hook_count ? put_strings(t, p, e->hooks, e->hook_count)
						  : key;
	case FIELD_TYPE_HOLDERS:
		return e->holders || !e->holder_count
			       ? put_holders(t, p, e->holders, e->holder_count)
			       : key;
	}
	return key;
}

void json_write_event(struct text *t, const struct event *e)
{
	size_t begin = t->length;
	char *p;

	if (!cache.ready)
		fill_cache();
	if (!text_reserve(t, FIXED_MAX))
		return;
	p = t->data + begin;
	for (int word = 0; word < 2; word++) {
		uint64_t bits = e->present[word];

		if (!word)
			bits |= 1ULL << FIELD_EVENT; /* always there, and what opens the brace */
		for (; bits; bits &= bits - 1) {
			int f = word * 64 + __builtin_ctzll(bits);
			char *key = p;

			if (f >= FIELD_COUNT)
				break;
			memcpy(p, cache.keys[f].bytes, KEY_MAX);
			p = put_value(t, p + cache.keys[f].length, key, e, &event_fields[f]);
			if (!p) { /* no memory: no half a line */
				t->length = begin;
				return;
			}
		}
	}
	*p++ = '}';
	*p++ = '\n';
	t->length = (size_t)(p - t->data);
}
