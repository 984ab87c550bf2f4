/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/event_fields.h"
#include "source/replay_fast.h"

#define COMM_MAX 15

/* One line being decoded. Borrowed: all. */
struct decoding {
	struct replay_decoder *decoder;
	struct event *event;
	const struct field *field;   /* at work */
	const json_t *laddr, *raddr; /* wait for `family`, which may stand behind them */
	char *what;
	size_t size;
};

void replay_decoder_done(struct replay_decoder *d)
{
	if (!d)
		return;
	replay_strings_done(&d->strings);
	free(d->holders);
	d->holders = NULL;
}

__attribute__((format(printf, 2, 3))) static int complain(struct decoding *c, const char *format,
							  ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(c->what, c->size, format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static int wrong_type(struct decoding *c, const char *wanted)
{
	return complain(c, "field \"%s\" is not %s", c->field->name, wanted);
}

static int read_number(struct decoding *c, const json_t *value, json_int_t min, json_int_t max,
		       json_int_t *out)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return wrong_type(c, "a whole number");
	if (number < min || number > max)
		return complain(c, "field \"%s\": %lld is out of range", c->field->name,
				(long long)number);
	*out = number;
	return 0;
}

static int read_integer_member(struct decoding *c, const json_t *value, void *member)
{
	json_int_t number = 0;
	int error;

	switch (c->field->type) {
	case FIELD_TYPE_U8:
		error = read_number(c, value, 0, UINT8_MAX, &number);
		if (!error)
			*(uint8_t *)member = (uint8_t)number;
		return error;
	case FIELD_TYPE_U16:
		error = read_number(c, value, 0, UINT16_MAX, &number);
		if (!error)
			*(uint16_t *)member = (uint16_t)number;
		return error;
	case FIELD_TYPE_U32:
		error = read_number(c, value, 0, UINT32_MAX, &number);
		if (!error)
			*(uint32_t *)member = (uint32_t)number;
		return error;
	default:
		error = read_number(c, value, 0, INT64_MAX, &number);
		if (!error)
			*(uint64_t *)member = (uint64_t)number;
		return error;
	}
}

static int read_name(struct decoding *c, const json_t *value, uint8_t *member)
{
	int number;

	if (!json_is_string(value))
		return wrong_type(c, "a string");
	number = c->field->from_name(json_string_value(value));
	if (number < 0)
		return complain(c, "field \"%s\": no such name: \"%s\"", c->field->name,
				json_string_value(value));
	*member = (uint8_t)number;
	return 0;
}

/*
 * A comm of 15 raw bytes can be 45 in JSON, where each invalid byte is U+FFFD. To have it fit
 * again, and be the same in JSON once more, each U+FFFD of such a one is folded into a byte that is
 * never valid.
 */
static int read_comm(struct decoding *c, const json_t *value, char *member)
{
	const char *s = json_string_value(value);
	size_t length = json_string_length(value), n = 0;

	if (!json_is_string(value))
		return wrong_type(c, "a string");
	if (length <= COMM_MAX) {
		memcpy(member, s, length);
		member[length] = '\0';
		return 0;
	}
	for (size_t i = 0; i < length; n++) {
		bool replaced = length - i >= 3 && !memcmp(s + i, "\xef\xbf\xbd", 3);

		if (n == COMM_MAX)
			return complain(c, "field \"%s\" is longer than %d bytes", c->field->name,
					COMM_MAX);
		member[n] = replaced ? '\xff' : s[i];
		i += replaced ? 3 : 1;
	}
	member[n] = '\0';
	return 0;
}

static int read_string(struct decoding *c, const json_t *value, const char **member)
{
	int error;

	if (!json_is_string(value))
		return wrong_type(c, "a string");
	error = replay_strings_intern(&c->decoder->strings, json_string_value(value),
				      json_string_length(value), member);
	if (error == -E2BIG)
		return complain(c, "field \"%s\" is longer than %d bytes", c->field->name,
				REPLAY_STRING_MAX);
	if (error == -ENOSPC)
		return complain(c, "field \"%s\": too many different strings in this recording",
				c->field->name);
	return error;
}

static int read_hooks(struct decoding *c, const json_t *value)
{
	struct event *e = c->event;
	size_t count = json_array_size(value);

	if (!json_is_array(value))
		return wrong_type(c, "an array of strings");
	if (count > REPLAY_HOOKS_MAX)
		return complain(c, "field \"%s\" has more than %d entries", c->field->name,
				REPLAY_HOOKS_MAX);
	for (size_t i = 0; i < count; i++) {
		int error = read_string(c, json_array_get(value, i), &c->decoder->hooks[i]);

		if (error)
			return error;
	}
	e->hooks = c->decoder->hooks;
	e->hook_count = (uint32_t)count;
	return 0;
}

static int read_holder(struct decoding *c, const json_t *value, struct holder *holder)
{
	const json_t *pid = json_object_get(value, "pid"), *fd = json_object_get(value, "fd");
	const json_t *comm = json_object_get(value, "comm");
	json_int_t number = 0;
	int error;

	if (!pid || !fd || !comm)
		return wrong_type(c, "an array of {\"pid\",\"fd\",\"comm\"}");
	error = read_number(c, pid, 0, UINT32_MAX, &number);
	if (error)
		return error;
	holder->pid = (uint32_t)number;
	error = read_number(c, fd, INT32_MIN, INT32_MAX, &number);
	if (error)
		return error;
	holder->fd = (int32_t)number;
	return read_comm(c, comm, holder->comm);
}

/* As many as a line can hold: REPLAY_LINE_MAX bounds them. */
static int read_holders(struct decoding *c, const json_t *value)
{
	struct replay_decoder *d = c->decoder;
	size_t count = json_array_size(value);

	if (!json_is_array(value))
		return wrong_type(c, "an array");
	if (count > d->holder_capacity) {
		struct holder *holders = realloc(d->holders, count * sizeof(*holders));

		if (!holders)
			return -ENOMEM;
		d->holders = holders;
		d->holder_capacity = count;
	}
	for (size_t i = 0; i < count; i++) {
		int error = read_holder(c, json_array_get(value, i), &d->holders[i]);

		if (error)
			return error;
	}
	c->event->holders = d->holders;
	c->event->holder_count = (uint32_t)count;
	return 0;
}

static int read_id(struct decoding *c, const json_t *value)
{
	if (!json_is_string(value))
		return wrong_type(c, "a string");
	if (!replay_parse_id(json_string_value(value), &c->event->cookie, &c->event->start_ns))
		return complain(c, "field \"id\": \"%s\" is not of the form cookie-start",
				json_string_value(value));
	return 0;
}

static int read_time(struct decoding *c, const json_t *value, uint64_t *member)
{
	if (!json_is_string(value))
		return wrong_type(c, "a string");
	if (!replay_parse_time(&c->decoder->second, json_string_value(value),
			       json_string_length(value), member))
		return complain(c, "field \"%s\": \"%s\" is not RFC 3339 in UTC", c->field->name,
				json_string_value(value));
	return 0;
}

/* `family` decides how addresses read; where it is missing the first address decides. */
static int read_address(struct decoding *c, enum event_field f, const json_t *value)
{
	struct event *e = c->event;
	uint8_t *member;
	const char *s;

	if (!value)
		return 0;
	c->field = &event_fields[f];
	member = (uint8_t *)e + c->field->offset;
	s = json_string_value(value);
	if (!json_is_string(value))
		return wrong_type(c, "a string");
	if (!e->family)
		e->family = strchr(s, ':') ? 6 : 4;
	if (inet_pton(e->family == 4 ? AF_INET : AF_INET6, s, member) != 1)
		return complain(c, "field \"%s\": \"%s\" is not an IPv%u address", c->field->name,
				s, e->family);
	event_set(e, f);
	return 0;
}

static int read_family(struct decoding *c, const json_t *value, uint8_t *member)
{
	int error = read_integer_member(c, value, member);

	if (!error && *member != 4 && *member != 6)
		return complain(c, "field \"family\": %u is out of range", *member);
	return error;
}

/* The value into its member; sets the presence bit. 0 or -errno. */
static int read_field(struct decoding *c, enum event_field f, const json_t *value)
{
	void *member = (char *)c->event + event_fields[f].offset;
	int error = 0;

	c->field = &event_fields[f];
	switch (c->field->type) {
	case FIELD_TYPE_EVENT:
		break; /* done first of all */
	case FIELD_TYPE_U8:
		error = f == FIELD_FAMILY ? read_family(c, value, member)
					  : read_integer_member(c, value, member);
		break;
	case FIELD_TYPE_U16:
	case FIELD_TYPE_U32:
	case FIELD_TYPE_U64:
		error = read_integer_member(c, value, member);
		break;
	case FIELD_TYPE_NAME:
		error = read_name(c, value, member);
		break;
	case FIELD_TYPE_BOOL:
		if (!json_is_boolean(value))
			return wrong_type(c, "true or false");
		*(bool *)member = json_is_true(value);
		break;
	case FIELD_TYPE_COMM:
		error = read_comm(c, value, member);
		break;
	case FIELD_TYPE_STRING:
		error = read_string(c, value, member);
		break;
	case FIELD_TYPE_STRINGS:
		error = read_hooks(c, value);
		break;
	case FIELD_TYPE_TIME:
		error = read_time(c, value, member);
		break;
	case FIELD_TYPE_ID:
		error = read_id(c, value);
		break;
	case FIELD_TYPE_HOLDERS:
		error = read_holders(c, value);
		break;
	case FIELD_TYPE_ADDRESS:
		*(f == FIELD_LADDR ? &c->laddr : &c->raddr) = value;
		return 0;
	}
	if (!error)
		event_set(c->event, f);
	return error;
}

static int read_members(struct decoding *c, json_t *object)
{
	int error = 0;

	for (void *i = json_object_iter(object); i && !error;
	     i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);
		int f = event_field_from_name(key, strlen(key));

		if (f >= 0)
			error = read_field(c, (enum event_field)f, json_object_iter_value(i));
	}
	if (!error)
		error = read_address(c, FIELD_LADDR, c->laddr);
	if (!error)
		error = read_address(c, FIELD_RADDR, c->raddr);
	return error;
}

static int read_object(struct decoding *c, json_t *object)
{
	const json_t *event = json_object_get(object, "event");
	int type, error;

	if (!json_is_object(object))
		return complain(c, "not an object");
	if (!event)
		return complain(c, "no field \"event\"");
	if (!json_is_string(event))
		return complain(c, "field \"event\" is not a string");
	type = event_type_from_name(json_string_value(event));
	if (type < 0 || type == EVENT_TOP)
		return 0;
	memset(c->event, 0, sizeof(*c->event));
	c->event->type = (enum event_type)type;
	error = read_members(c, object);
	return error ? error : 1;
}

int replay_decode_json(struct replay_decoder *d, const char *line, size_t length, struct event *e,
		       char *what, size_t size, bool *not_json)
{
	struct decoding c = { .decoder = d, .event = e, .what = what, .size = size };
	json_error_t problem;
	json_t *object;
	int result;

	*not_json = false;
	if (memchr(line, '\0', length)) {
		*not_json = true;
		return complain(&c, "not JSON: a NUL byte in the line");
	}
	object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &problem);
	if (!object) {
		if (json_error_code(&problem) == json_error_out_of_memory)
			return -ENOMEM;
		*not_json = true;
		return complain(&c, "not JSON: %s", problem.text);
	}
	result = read_object(&c, object);
	json_decref(object);
	return result;
}

int replay_decode(struct replay_decoder *d, const char *line, size_t length, struct event *e,
		  char *what, size_t size, bool *not_json)
{
	if (replay_fast(d, line, length, e)) {
		*not_json = false;
		return 1;
	}
	return replay_decode_json(d, line, length, e, what, size, not_json);
}
