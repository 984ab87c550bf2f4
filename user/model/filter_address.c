// SPDX-License-Identifier: BSD-2-Clause
#include "model/filter_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define MAPPED_BITS 96

static void mask_address(struct filter_value *v)
{
	for (unsigned int i = 0; i < sizeof(v->address); i++) {
		unsigned int kept = v->prefix > i * 8 ? v->prefix - i * 8 : 0;

		if (kept < 8)
			v->address[i] &= (uint8_t)(0xff00 >> kept);
	}
}

/* ::ffff:192.0.2.1 is 192.0.2.1, as it is in events. */
static void unmap(struct filter_value *v)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	if (v->family != 6 || v->prefix < MAPPED_BITS || memcmp(v->address, prefix, 12))
		return;
	memmove(v->address, v->address + 12, 4);
	memset(v->address + 4, 0, 12);
	v->family = 4;
	v->prefix -= MAPPED_BITS;
}

/* `text`: address and prefix without brackets and port. */
static bool parse_network(char *text, struct filter_value *v)
{
	char *slash = strchr(text, '/');
	uint64_t prefix;

	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, text, v->address) == 1)
		v->family = 4;
	else if (inet_pton(AF_INET6, text, v->address) == 1)
		v->family = 6;
	else
		return false;
	prefix = v->family == 4 ? 32 : 128;
	if (slash && parse_count(slash, 0, prefix, &prefix))
		return false;
	v->prefix = (uint8_t)prefix;
	unmap(v);
	mask_address(v);
	return true;
}

/* Where the port begins (behind its colon), or NULL: behind brackets, or behind the only colon. */
static char *split_port(char *text)
{
	char *bracket = strchr(text, ']'), *colon;

	if (bracket) {
		colon = strchr(bracket, ':');
	} else {
		colon = strchr(text, ':');
		if (colon && strchr(colon + 1, ':'))
			return NULL; /* IPv6 without brackets */
	}
	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* [2001:db8::]/32 and [2001:db8::/32] */
static bool remove_brackets(char *text)
{
	char *end;

	if (*text != '[')
		return true;
	end = strchr(text, ']');
	if (!end || (end[1] && end[1] != '/'))
		return false;
	memmove(end, end + 1, strlen(end));
	memmove(text, text + 1, strlen(text));
	return true;
}

bool filter_address_parse(const char *word, const struct filter_names *names,
			  struct filter_value *v, struct filter_value_error *error)
{
	char text[FILTER_WORD_MAX], *port;

	snprintf(text, sizeof(text), "%s", word);
	port = split_port(text);
	if (port && strcmp(port, "*")) {
		if (!filter_port_parse(port, names, &v->port, &error->nearest)) {
			error->what = "a port behind the address";
			return false;
		}
		v->has_port = true;
	}
	if (!*text ? port != NULL : !strcmp(text, "*"))
		return true; /* family 0: any address */
	if (!remove_brackets(text))
		return false;
	if (parse_network(text, v))
		return true;
	if (strchr(word, '/'))
		error->what = "a network such as 10.0.0.0/8 or 2001:db8::/32";
	return false;
}

void filter_address_print(const struct filter_value *v, struct text *t)
{
	unsigned int whole = v->family == 4 ? 32 : 128;
	bool brackets = v->family == 6 && v->has_port;

	if (brackets)
		text_char(t, '[');
	if (v->family)
		text_address(t, v->family, v->address);
	else
		text_char(t, '*');
	if (brackets)
		text_char(t, ']');
	if (v->family && v->prefix < whole) {
		text_char(t, '/');
		text_u64(t, v->prefix);
	}
	if (v->has_port) {
		text_char(t, ':');
		text_u64(t, v->port);
	}
}

bool filter_address_has(const struct filter_value *v, unsigned int family, const uint8_t *address)
{
	unsigned int bytes = v->prefix / 8, bits = v->prefix % 8;

	if (!v->family)
		return true;
	if (v->family != family || memcmp(v->address, address, bytes))
		return false;
	return !bits || (address[bytes] & (0xff00 >> bits) & 0xff) == v->address[bytes];
}
