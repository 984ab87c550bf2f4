/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_fast.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "model/event_fields.h"

#define NS_PER_S 1000000000ULL
#define COMM_MAX 15
#define ESCAPED_MAX \
	512 /* bytes of a string with escapes; a longer one is left to the other parser */
#define NAMES_MAX 32

/* Borrowed: all. `p` is NULL once the line is none of ours. */
struct line {
	const char *p, *end;
	struct replay_decoder *decoder;
	struct event *event;
};

static bool begins(const struct line *l, const char *text, size_t length)
{
	return (size_t)(l->end - l->p) >= length && !memcmp(l->p, text, length);
}

static bool take(struct line *l, char c)
{
	if (l->p == l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

/* A whole number as JSON has it: no leading zero, no sign, no fraction (what follows is looked at by the caller). */
static bool take_number(struct line *l, uint64_t max, uint64_t *out)
{
	const char *p = l->p;
	uint64_t value = 0;

	while (p < l->end && *p >= '0' && *p <= '9') {
		if (p - l->p == 19) /* 19 digits always fit 64 bits */
			return false;
		value = 10 * value + (uint64_t)(*p++ - '0');
	}
	if (p == l->p || value > max || (*l->p == '0' && p - l->p > 1))
		return false;
	l->p = p;
	*out = value;
	return true;
}

/* Up to the closing quote, which is passed; false where there is anything but plain ASCII. */
static bool take_plain(struct line *l, const char **begin, size_t *length)
{
	const char *p;

	if (!take(l, '"'))
		return false;
	for (p = l->p; p < l->end && *p != '"'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '\\')
			return false;
	if (p == l->end)
		return false;
	*begin = l->p;
	*length = (size_t)(p - l->p);
	l->p = p + 1;
	return true;
}

static bool take_comm(struct line *l, char *member)
{
	const char *s;
	size_t length;

	if (!take_plain(l, &s, &length) || length > COMM_MAX)
		return false;
	memcpy(member, s, length);
	member[length] = '\0';
	return true;
}

static bool equals(const char *name, const char *s, size_t length)
{
	return !strncmp(name, s, length) && !name[length];
}

static bool take_name(struct line *l, const struct field *field, uint8_t *member)
{
	const char *s;
	size_t length;

	if (!take_plain(l, &s, &length) || !length || *s == '?')
		return false;
	for (unsigned int i = 0; i < NAMES_MAX; i++)
		if (equals(field->to_name(i), s, length)) {
			*member = (uint8_t)i;
			return true;
		}
	return false;
}

/* A string with the escapes that names in paths have: systemd writes a blank as \x20. */
static bool take_escaped(struct line *l, char *to, size_t *length)
{
	const char *p = l->p + 1;
	size_t n = 0;

	for (; p < l->end && *p != '"'; p++) {
		if (*p == '\\' && (++p == l->end || (*p != '\\' && *p != '"' && *p != '/')))
			return false;
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || n == ESCAPED_MAX)
			return false;
		to[n++] = *p;
	}
	if (p == l->end)
		return false;
	*length = n;
	l->p = p + 1;
	return true;
}

/* Most often the same as in the line before, as it stands there. */
static bool take_string(struct line *l, enum event_field f, const char **member)
{
	struct replay_last_string *last = &l->decoder->last_strings[f];
	const char *begin = l->p, *s;
	char escaped[ESCAPED_MAX];
	size_t length;

	if (last->string && begins(l, last->raw, last->length)) {
		*member = last->string;
		l->p += last->length;
		return true;
	}
	if (!take_plain(l, &s, &length)) {
		l->p = begin;
		if (l->p == l->end || *l->p != '"' || !take_escaped(l, escaped, &length))
			return false;
		s = escaped;
	}
	if (replay_strings_intern(&l->decoder->strings, s, length, member))
		return false;
	length = (size_t)(l->p - begin);
	if (length <= sizeof(last->raw)) {
		memcpy(last->raw, begin, length);
		last->length = (uint16_t)length;
		last->string = *member;
	}
	return true;
}

static bool take_hex(struct line *l, uint64_t *out)
{
	const char *p = l->p;
	uint64_t value = 0;

	for (; p < l->end; p++) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned int)(*p - 'a') + 10;
		else
			break;
		if (p - l->p == 16)
			return false;
		value = value << 4 | digit;
	}
	if (p == l->p || (*l->p == '0' && p - l->p > 1))
		return false;
	l->p = p;
	*out = value;
	return true;
}

static bool take_id(struct line *l)
{
	return take(l, '"') && take_hex(l, &l->event->cookie) && take(l, '-') &&
	       take_hex(l, &l->event->start_ns) && take(l, '"');
}

/* Only with nine digits, and in the second of the line before or in one that the other parser accepts. */
static bool take_time(struct line *l, uint64_t *out)
{
	struct replay_second *second = &l->decoder->second;
	const char *s;
	size_t length;
	char text[32];

	if (!take_plain(l, &s, &length) || length != 30)
		return false;
	memcpy(text, s, length);
	text[length] = '\0';
	return replay_parse_time(second, text, length, out);
}

static bool take_ipv4(const char *s, size_t length, uint8_t *address)
{
	const char *end = s + length;

	for (int i = 0; i < 4; i++) {
		unsigned int value = 0;
		const char *begin = s;

		while (s < end && *s >= '0' && *s <= '9' && s - begin < 3)
			value = 10 * value + (unsigned int)(*s++ - '0');
		if (s == begin || value > 255 || (*begin == '0' && s - begin > 1))
			return false;
		if (i < 3 && (s == end || *s++ != '.'))
			return false;
		address[i] = (uint8_t)value;
	}
	return s == end;
}

static bool take_address(struct line *l, uint8_t *member)
{
	char text[INET6_ADDRSTRLEN];
	const char *s;
	size_t length;

	/* without a family before it the other parser decides */
	if (!l->event->family || !take_plain(l, &s, &length) || length >= sizeof(text))
		return false;
	if (l->event->family == 4)
		return take_ipv4(s, length, member);
	memcpy(text, s, length);
	text[length] = '\0';
	return inet_pton(AF_INET6, text, member) == 1;
}

static bool take_bool(struct line *l, bool *member)
{
	*member = begins(l, "true", 4);
	if (!*member && !begins(l, "false", 5))
		return false;
	l->p += *member ? 4 : 5;
	return true;
}

static bool take_text(struct line *l, const char *text)
{
	size_t length = strlen(text);

	if (!begins(l, text, length))
		return false;
	l->p += length;
	return true;
}

static bool take_holder(struct line *l, struct holder *holder)
{
	uint64_t pid, fd;
	bool negative;

	if (!take_text(l, "{\"pid\":") || !take_number(l, UINT32_MAX, &pid) ||
	    !take_text(l, ",\"fd\":"))
		return false;
	negative = take(l, '-');
	if (!take_number(l, INT32_MAX, &fd) || !take_text(l, ",\"comm\":") ||
	    !take_comm(l, holder->comm) || !take(l, '}'))
		return false;
	holder->pid = (uint32_t)pid;
	holder->fd = negative ? -(int32_t)fd : (int32_t)fd;
	return true;
}

static bool room_for_holder(struct replay_decoder *d, size_t count)
{
	size_t capacity = d->holder_capacity ? 2 * d->holder_capacity : 16;
	struct holder *holders;

	if (count < d->holder_capacity)
		return true;
	holders = realloc(d->holders, capacity * sizeof(*holders));
	if (!holders)
		return false;
	d->holders = holders;
	d->holder_capacity = capacity;
	return true;
}

static bool take_holders(struct line *l)
{
	struct replay_decoder *d = l->decoder;
	size_t count = 0;

	if (!take(l, '['))
		return false;
	if (!take(l, ']')) {
		do {
			if (!room_for_holder(d, count) || !take_holder(l, &d->holders[count++]))
				return false;
		} while (take(l, ','));
		if (!take(l, ']'))
			return false;
	}
	l->event->holders = d->holders;
	l->event->holder_count = (uint32_t)count;
	return true;
}

static bool take_value(struct line *l, enum event_field f)
{
	const struct field *field = &event_fields[f];
	void *member = (char *)l->event + field->offset;
	uint64_t number;

	switch (field->type) {
	case FIELD_TYPE_U8:
		if (!take_number(l, UINT8_MAX, &number))
			return false;
		*(uint8_t *)member = (uint8_t)number;
		return f != FIELD_FAMILY || number == 4 || number == 6;
	case FIELD_TYPE_U16:
		if (!take_number(l, UINT16_MAX, &number))
			return false;
		*(uint16_t *)member = (uint16_t)number;
		return true;
	case FIELD_TYPE_U32:
		if (!take_number(l, UINT32_MAX, &number))
			return false;
		*(uint32_t *)member = (uint32_t)number;
		return true;
	case FIELD_TYPE_U64:
		return take_number(l, INT64_MAX, member);
	case FIELD_TYPE_NAME:
		return take_name(l, field, member);
	case FIELD_TYPE_BOOL:
		return take_bool(l, member);
	case FIELD_TYPE_COMM:
		return take_comm(l, member);
	case FIELD_TYPE_STRING:
		return take_string(l, f, member);
	case FIELD_TYPE_TIME:
		return take_time(l, member);
	case FIELD_TYPE_ID:
		return take_id(l);
	case FIELD_TYPE_ADDRESS:
		return take_address(l, member);
	case FIELD_TYPE_HOLDERS:
		return take_holders(l);
	case FIELD_TYPE_EVENT: /* came first */
	case FIELD_TYPE_STRINGS:
		return false;
	}
	return false;
}

/* The key with its colon. The field that came after `before` the last time is tried first. Or -1. */
static int take_key(struct line *l, int before)
{
	uint8_t *follows = &l->decoder->follows[l->event->type][before];
	const struct replay_key *key = &l->decoder->keys[*follows];
	const char *name;
	size_t length;
	int f;

	if (*follows && begins(l, key->text, key->length)) {
		l->p += key->length;
		return *follows;
	}
	if (!take_plain(l, &name, &length) || !take(l, ':'))
		return -1;
	f = event_field_from_name(name, length);
	if (f > 0)
		*follows = (uint8_t)f;
	return f;
}

/* {"event":"connect" and the like. */
static bool take_type(struct line *l)
{
	const char *name;
	size_t length;

	if (!take_text(l, "{\"event\":") || !take_plain(l, &name, &length) || !length)
		return false;
	for (int type = EVENT_START; type < EVENT_TYPE_COUNT; type++)
		if (equals(event_type_name((enum event_type)type), name, length)) {
			l->event->type = (enum event_type)type;
			return type != EVENT_TOP;
		}
	return false;
}

static void fill_keys(struct replay_decoder *d)
{
	for (int f = 0; f < FIELD_COUNT; f++) {
		size_t length = strlen(event_fields[f].name);
		struct replay_key *key = &d->keys[f];

		key->text[0] = '"';
		memcpy(key->text + 1, event_fields[f].name, length);
		memcpy(key->text + 1 + length, "\":", 2);
		key->length = (uint8_t)(length + 3);
	}
}

bool replay_fast(struct replay_decoder *d, const char *line, size_t length, struct event *e)
{
	struct line l = { .p = line, .end = line + length, .decoder = d, .event = e };
	int f = FIELD_EVENT;

	if (!d->keys[0].length)
		fill_keys(d);
	memset(e, 0, sizeof(*e));
	if (!take_type(&l))
		return false;
	event_set(e, FIELD_EVENT);
	while (take(&l, ',')) {
		f = take_key(&l, f);
		if (f <= FIELD_EVENT || event_has(e, (enum event_field)f) ||
		    !take_value(&l, (enum event_field)f))
			return false;
		event_set(e, (enum event_field)f);
	}
	return take(&l, '}') && l.p == l.end;
}
