/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/csv.h"

#include <time.h>

#include "base/number.h"
#include "model/event_fields.h"

static bool is_between(int f, enum event_field first, enum event_field last)
{
	return f >= (int)first && f <= (int)last;
}

/* The order of the fields groups them: see enum event_field. */
static bool is_column(enum csv_columns columns, int f)
{
	if (f == FIELD_HOOKS)
		return false;
	if (columns == CSV_EVENTS)
		return !is_between(f, FIELD_RECV_Q, FIELD_CONGESTION);
	if (is_between(f, FIELD_EVENT, FIELD_MONO_NS) || is_between(f, FIELD_ID, FIELD_STATE) ||
	    is_between(f, FIELD_TX_BYTES, FIELD_CONGESTION))
		return true;
	return f == FIELD_BACKLOG || f == FIELD_OUTCOME || f == FIELD_DURATION_US;
}

/* What was put since `from` in quotes, where a reader would take it apart otherwise. */
static void quote(struct text *t, size_t from)
{
	size_t length = t->length - from, quotes = 0;
	bool needed = false;

	for (size_t i = from; i < t->length; i++) {
		quotes += t->data[i] == '"';
		needed |= t->data[i] == '"' || t->data[i] == ',';
	}
	if (!needed || !text_reserve(t, quotes + 2))
		return;
	t->length += quotes + 2;
	t->data[t->length - 1] = '"';
	/* From the end, so that nothing is overwritten before it was read. */
	for (size_t to = t->length - 2, i = from + length; i > from; i--) {
		char c = t->data[i - 1];

		t->data[to--] = c;
		if (c == '"')
			t->data[to--] = '"';
	}
	t->data[from] = '"';
}

static void put_time(struct text *t, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	char *p;

	gmtime_r(&seconds, &tm);
	text_printf(t, "%04d-%02d-%02dT%02d:%02d:%02d.", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (!text_reserve(t, 10))
		return;
	p = number_9digits(t->data + t->length, (uint32_t)(ns % 1000000000));
	*p++ = 'Z';
	t->length = (size_t)(p - t->data);
}

static void put_holders(struct text *t, const struct event *e)
{
	for (uint32_t i = 0; i < e->holder_count; i++) {
		const struct holder *h = &e->holders[i];

		if (i)
			text_char(t, ' ');
		text_u64(t, h->pid);
		text_char(t, ':');
		if (h->fd >= 0)
			text_u64(t, (uint64_t)h->fd);
		text_char(t, ':');
		text_escaped(t, h->comm, strnlen(h->comm, sizeof(h->comm)));
	}
}

static void put_number(struct text *t, const struct field *f, const char *at)
{
	uint64_t u64 = 0;
	uint32_t u32;
	uint16_t u16;

	if (f->type == FIELD_TYPE_U64) {
		memcpy(&u64, at, sizeof(u64));
	} else if (f->type == FIELD_TYPE_U32) {
		memcpy(&u32, at, sizeof(u32));
		u64 = u32;
	} else if (f->type == FIELD_TYPE_U16) {
		memcpy(&u16, at, sizeof(u16));
		u64 = u16;
	} else {
		u64 = *(const uint8_t *)at;
	}
	text_u64(t, u64);
}

static void put_value(struct text *t, const struct field *f, const struct event *e)
{
	const char *at = (const char *)e + f->offset, *string;
	uint64_t time_ns;

	switch (f->type) {
	case FIELD_TYPE_U64:
	case FIELD_TYPE_U32:
	case FIELD_TYPE_U16:
	case FIELD_TYPE_U8:
		put_number(t, f, at);
		break;
	case FIELD_TYPE_NAME:
		string = f->to_name(*(const uint8_t *)at);
		if (*string != '?')
			text_puts(t, string);
		break;
	case FIELD_TYPE_BOOL:
		text_puts(t, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_TYPE_COMM:
		text_escaped(t, at, strnlen(at, 16));
		break;
	case FIELD_TYPE_ADDRESS:
		text_address(t, e->family, (const uint8_t *)at);
		break;
	case FIELD_TYPE_ID:
		text_hex(t, e->cookie);
		text_char(t, '-');
		text_hex(t, e->start_ns);
		break;
	case FIELD_TYPE_TIME:
		memcpy(&time_ns, at, sizeof(time_ns));
		put_time(t, time_ns);
		break;
	case FIELD_TYPE_EVENT:
		text_puts(t, event_type_name(e->type));
		break;
	case FIELD_TYPE_STRING:
		memcpy(&string, at, sizeof(string));
		if (string)
			text_escaped(t, string, strlen(string));
		break;
	case FIELD_TYPE_HOLDERS:
		put_holders(t, e);
		break;
	case FIELD_TYPE_STRINGS:
		break;
	}
}

void csv_write_header(struct text *t, enum csv_columns columns)
{
	bool first = true;

	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!is_column(columns, f))
			continue;
		if (!first)
			text_char(t, ',');
		text_puts(t, event_fields[f].name);
		first = false;
	}
	text_char(t, '\n');
}

void csv_write_event(struct text *t, enum csv_columns columns, const struct event *e)
{
	bool first = true;
	size_t from;

	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!is_column(columns, f))
			continue;
		if (!first)
			text_char(t, ',');
		first = false;
		from = t->length;
		if (event_has(e, (enum event_field)f))
			put_value(t, &event_fields[f], e);
		quote(t, from);
	}
	text_char(t, '\n');
}
