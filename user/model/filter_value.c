// SPDX-License-Identifier: BSD-2-Clause
/* The values of a filter: numbers with units, ports, names of known sets. Addresses: filter_address.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/glob.h"
#include "base/parse.h"
#include "model/event_fields.h"
#include "model/filter_address.h"
#include "model/state_groups.h"

#define ERRNO_MAX 4096
#define NAMES_MAX 32 /* numbers of a named field: bits of a mask */

struct unit {
	const char *name;
	uint64_t factor;
};

/* To µs. */
static const struct unit time_units[] = {
	{ "us", 1 },
	{ "ms", 1000 },
	{ "s", 1000000 },
	{ "m", 60000000ULL },
	{ "min", 60000000ULL },
	{ "h", 3600000000ULL },
	{ "d", 86400000000ULL },
	{ NULL, 0 },
};

/* K as the options have it; KB as nettrace prints it. */
static const struct unit size_units[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", 1ULL << 10 },
	{ "kib", 1ULL << 10 },
	{ "kb", 1000 },
	{ "m", 1ULL << 20 },
	{ "mib", 1ULL << 20 },
	{ "mb", 1000000 },
	{ "g", 1ULL << 30 },
	{ "gib", 1ULL << 30 },
	{ "gb", 1000000000ULL },
	{ "t", 1ULL << 40 },
	{ "tib", 1ULL << 40 },
	{ "tb", 1000000000000ULL },
	{ NULL, 0 },
};

static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* Digits, up to 9 more behind a point, and a unit; what is beyond 64 bits is refused. */
static bool parse_number(const char *s, const struct unit *units, bool bare_ok, uint64_t *number)
{
	uint64_t whole = 0, part = 0, scale = 1, value;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*s - '0'), &whole))
			return false;
	if (*s == '.') {
		if (units == no_units || s[1] < '0' || s[1] > '9')
			return false;
		for (s++; *s >= '0' && *s <= '9'; s++) {
			if (scale == 1000000000)
				return false;
			part = part * 10 + (uint64_t)(*s - '0');
			scale *= 10;
		}
	}
	if (!*s && (bare_ok || (!whole && !part))) {
		*number = whole;
		return scale == 1;
	}
	while (units->name && strcasecmp(units->name, s))
		units++;
	if (!units->name || __builtin_mul_overflow(whole, units->factor, &value))
		return false;
	/* part < scale <= 10^9, so that the quotient fits however large the unit is. */
	part = (uint64_t)((unsigned __int128)part * units->factor / scale);
	if (__builtin_add_overflow(value, part, &value))
		return false;
	*number = value;
	return true;
}

bool filter_port_parse(const char *word, const struct filter_names *names, uint16_t *port,
		       const char **nearest)
{
	uint64_t number;
	int found;

	if (!parse_count(word, 0, UINT16_MAX, &number)) {
		*port = (uint16_t)number;
		return true;
	}
	found = names && names->port ? names->port(word) : -1;
	if (found < 0) {
		*nearest = names && names->nearest_service ? names->nearest_service(word) : NULL;
		return false;
	}
	*port = (uint16_t)found;
	return true;
}

/* ss writes :443 and *:443. */
static const char *skip_port_prefix(const char *word)
{
	if (word[0] == '*' && word[1] == ':')
		return word + 2;
	return word[0] == ':' ? word + 1 : word;
}

static bool parse_user(const char *word, const struct filter_names *names, uint64_t *number)
{
	uint32_t uid;

	if (!parse_count(word, 0, UINT32_MAX - 1, number))
		return true;
	if (!names || !names->user || !names->user(word, &uid))
		return false;
	*number = uid;
	return true;
}

static bool parse_family(const char *word, uint64_t *number)
{
	static const struct {
		const char *name;
		unsigned int family;
	} families[] = { { "4", 4 },	{ "6", 6 },    { "ipv4", 4 },
			 { "ipv6", 6 }, { "inet", 4 }, { "inet6", 6 } };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (!strcasecmp(word, families[i].name)) {
			*number = families[i].family;
			return true;
		}
	}
	return false;
}

static const char *errno_word(void *context, size_t i)
{
	(void)context;
	return strerrorname_np((int)i);
}

static bool parse_errno(const char *word, uint64_t *number, const char **nearest)
{
	if (!parse_count(word, 0, UINT32_MAX, number))
		return true;
	for (int i = 1; i < ERRNO_MAX; i++) {
		const char *name = strerrorname_np(i);

		if (name && !strcasecmp(name, word)) {
			*number = (uint64_t)i;
			return true;
		}
	}
	*nearest = parse_nearest(word, 134, errno_word, NULL);
	return false;
}

static bool parse_bool(const char *word, uint64_t *number)
{
	static const char *const words[] = { "no", "yes", "false", "true", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(word, words[i])) {
			*number = i & 1;
			return true;
		}
	}
	return false;
}

/* "1f-3a2": cookie and start in hexadecimal, as `id` is written. */
static bool parse_id(const char *word, struct filter_value *value)
{
	static const char digits[] = "0123456789abcdef";
	size_t first = strspn(word, digits), second;

	if (!first || first > 16 || word[first] != '-')
		return false;
	second = strspn(word + first + 1, digits);
	if (!second || second > 16 || word[first + 1 + second])
		return false;
	value->number = strtoull(word, NULL, 16);
	value->start_ns = strtoull(word + first + 1, NULL, 16);
	return true;
}

/* The name of a number of the field, or NULL; SOCKET and the like are as good as any. */
static const char *name_of(const struct filter_field *field, unsigned int number)
{
	enum event_field f = field->fields[0];
	const char *name;

	if (field->kind == FILTER_STATE)
		name = tcp_state_name(number);
	else if (f == FIELD_EVENT)
		name = event_type_name((enum event_type)number);
	else
		name = event_fields[f].to_name(number);
	return strcmp(name, "?") ? name : NULL;
}

static const char *name_word(void *context, size_t i)
{
	return name_of(context, (unsigned int)i);
}

static uint32_t mask_of(const struct filter_field *field, bool glob, const char *word)
{
	uint32_t mask = 0;

	if (field->kind == FILTER_STATE && !glob)
		return state_bits_from_name(word);
	for (unsigned int i = 0; i < NAMES_MAX; i++) {
		const char *name = name_of(field, i);

		if (name && (glob ? glob_match(word, name, true) : !strcasecmp(word, name)))
			mask |= 1u << i;
	}
	return mask;
}

static bool parse_names(const struct filter_field *field, bool glob, const char *word,
			struct filter_value *value, struct filter_value_error *error)
{
	value->mask = mask_of(field, glob, word);
	if (value->mask)
		return true;
	if (glob)
		error->what = "a pattern that fits something";
	else if (field->kind == FILTER_STATE)
		error->nearest = parse_nearest(word, state_word_count, state_word, NULL);
	else
		error->nearest =
			parse_nearest(word, NAMES_MAX, name_word, (void *)(uintptr_t)field);
	return false;
}

static int copy_string(const struct filter_field *field, enum filter_operator op, const char *word,
		       struct filter_value *value)
{
	bool glob = op == FILTER_GLOB || op == FILTER_NOT_GLOB;

	if (!*word)
		return -EINVAL;
	value->string = strdup(word);
	if (!value->string)
		return -ENOMEM;
	/* The kernel keeps 15 bytes of a name: a longer one would never match, its beginning does. */
	if (field->kind == FILTER_COMM && !glob && strlen(word) > 15)
		value->string[15] = '\0';
	return 0;
}

int filter_value_parse(const struct filter_field *field, enum filter_operator op, bool named_us,
		       const char *word, const struct filter_names *names,
		       struct filter_value *value, struct filter_value_error *error)
{
	bool glob = op == FILTER_GLOB || op == FILTER_NOT_GLOB, good = false;

	memset(value, 0, sizeof(*value));
	*error = (struct filter_value_error){ .what = field->what };
	switch (field->kind) {
	case FILTER_NUMBER:
		good = parse_number(word, no_units, true, &value->number);
		break;
	case FILTER_SIZE:
		good = parse_number(word, size_units, true, &value->number);
		break;
	case FILTER_TIME:
		good = parse_number(word, time_units, named_us, &value->number);
		break;
	case FILTER_PORT:
		good = filter_port_parse(skip_port_prefix(word), names, &value->port,
					 &error->nearest);
		value->number = value->port;
		break;
	case FILTER_ADDRESS:
		good = filter_address_parse(word, names, value, error);
		break;
	case FILTER_USER:
		good = parse_user(word, names, &value->number);
		break;
	case FILTER_FAMILY:
		good = parse_family(word, &value->number);
		break;
	case FILTER_ERRNO:
		good = parse_errno(word, &value->number, &error->nearest);
		break;
	case FILTER_BOOL:
		good = parse_bool(word, &value->number);
		break;
	case FILTER_ID:
		good = parse_id(word, value);
		break;
	case FILTER_NAME:
	case FILTER_STATE:
		good = parse_names(field, glob, word, value, error);
		break;
	case FILTER_STRING:
	case FILTER_COMM:
	case FILTER_CONTAINER:
		return copy_string(field, op, word, value);
	}
	return good ? 0 : -EINVAL;
}

/* The largest unit that divides it. */
static void print_scaled(struct text *t, uint64_t number, const struct unit *units)
{
	const struct unit *best = NULL;

	for (; units->name; units++)
		if (number && number % units->factor == 0 &&
		    (!best || units->factor > best->factor))
			best = units;
	text_u64(t, best ? number / best->factor : number);
	if (best)
		text_puts(t, best->name);
}

static void print_size(struct text *t, uint64_t number)
{
	static const struct unit binary[] = { { "", 1 },	   { "K", 1ULL << 10 },
					      { "M", 1ULL << 20 }, { "G", 1ULL << 30 },
					      { "T", 1ULL << 40 }, { NULL, 0 } };

	print_scaled(t, number, binary);
}

static void print_mask(struct text *t, const struct filter_field *field, uint32_t mask)
{
	bool first = true;

	for (unsigned int i = 0; i < NAMES_MAX; i++) {
		if (!(mask >> i & 1))
			continue;
		if (!first)
			text_char(t, ',');
		first = false;
		text_puts(t, name_of(field, i));
	}
}

/* Quoted where it would not be read as one word; what text_escaped does to a backslash is right within double quotes. */
static void print_string(struct text *t, const char *s)
{
	struct filter_token token;

	filter_lex(s, 0, &token);
	if (token.kind == FILTER_TOKEN_WORD && !token.begin && !s[token.end] && !strchr(s, '\\')) {
		text_escaped(t, s, strlen(s));
		return;
	}
	text_char(t, '"');
	for (;;) {
		size_t n = strcspn(s, "\"");

		text_escaped(t, s, n);
		s += n;
		if (!*s++)
			break;
		text_puts(t, "\\\"");
	}
	text_char(t, '"');
}

void filter_value_print(const struct filter_field *field, const struct filter_value *value,
			struct text *t)
{
	switch (field->kind) {
	case FILTER_SIZE:
		print_size(t, value->number);
		break;
	case FILTER_TIME:
		print_scaled(t, value->number, time_units);
		break;
	case FILTER_ADDRESS:
		filter_address_print(value, t);
		break;
	case FILTER_BOOL:
		text_puts(t, value->number ? "yes" : "no");
		break;
	case FILTER_ERRNO:
		if (value->number < ERRNO_MAX && strerrorname_np((int)value->number))
			text_puts(t, strerrorname_np((int)value->number));
		else
			text_u64(t, value->number);
		break;
	case FILTER_ID:
		text_hex(t, value->number);
		text_char(t, '-');
		text_hex(t, value->start_ns);
		break;
	case FILTER_NAME:
	case FILTER_STATE:
		print_mask(t, field, value->mask);
		break;
	case FILTER_STRING:
	case FILTER_COMM:
	case FILTER_CONTAINER:
		print_string(t, value->string);
		break;
	default:
		text_u64(t, value->number);
	}
}
