/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters. A wrong one has a column within the text and one clean line; a right one is printed as one that means the same,
 * and the kernel's part of it lets through all that matches.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/filter_pushdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int port_of(const char *service)
{
	return !strcmp(service, "https") ? 443 : -1;
}

static const char *nearest_service(const char *mistyped)
{
	return *mistyped == 'h' ? "https" : NULL;
}

static bool user_of(const char *name, uint32_t *uid)
{
	*uid = 1000;
	return !strcmp(name, "alice");
}

static const struct filter_names names = { port_of, nearest_service, user_of };

/* Of several kinds, some with all fields, some with few. */
static void make_event(struct event *e, unsigned int i)
{
	event_init(e, (enum event_type)(EVENT_LISTEN + i % 10), 1, 1);
	memset(e->present, i & 1 ? 0xff : (int)(0x55 * i & 0xff), sizeof(e->present));
	e->cookie = i;
	e->proto = i & 2 ? IPPROTO_TCP : IPPROTO_UDP;
	e->family = i & 4 ? 4 : 6;
	memset(e->laddr, (int)i, e->family == 4 ? 4 : 16);
	e->raddr[0] = 10;
	e->lport = (uint16_t)(440 + i);
	e->rport = 22;
	e->pid = i;
	e->uid = 1000;
	e->opener_pid = 2;
	strcpy(e->comm, i & 1 ? "curl" : "python3");
	e->state = e->new_state = e->last_state = (uint8_t)(i % 13);
	e->outcome = (uint8_t)(i % 10);
	e->owner = OWNER_CONNECT;
	e->tx_bytes = 1ULL << i;
	e->netns = 1;
	e->container = e->unit = e->cgroup = e->reason = "a.service";
}

static void check_error(const struct filter_error *error, size_t length)
{
	size_t n = strnlen(error->message, sizeof(error->message));

	if (!n || n == sizeof(error->message) || error->column < 1 || error->column > length + 1)
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)error->message[i] < ' ' || error->message[i] == 0x7f)
			abort();
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '\\')
			return false;
	return true;
}

static void check_printed(const struct filter *f, const char *text)
{
	struct filter_error error;
	struct filter *again = NULL;
	struct text first = { 0 }, second = { 0 };

	filter_print(f, &first);
	text_char(&first, '\0');
	/* What is escaped for a terminal need not be what was typed, and may be longer than a word can be. */
	if (is_plain(text) && first.length <= FILTER_TEXT_MAX) {
		if (filter_parse(first.data, &names, &again, &error))
			abort();
		filter_print(again, &second);
		text_char(&second, '\0');
		if (strcmp(first.data, second.data) != 0)
			abort();
	}
	filter_free(again);
	text_done(&first);
	text_done(&second);
}

static void check_decisions(const struct filter *f)
{
	struct filter_pushdown p;
	struct text t = { 0 };

	filter_explain(NULL, f, &t);
	text_done(&t);
	if (filter_pushdown_init(&p, NULL, f))
		abort();
	for (unsigned int i = 0; i < 24; i++) {
		struct event e;

		make_event(&e, i);
		if (filter_match(f, &e) && !filter_pushdown_wants(&p, &e))
			abort();
	}
	filter_pushdown_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct filter_error error;
	struct filter *f = NULL;
	int err;

	memcpy(text, data, size);
	text[size] = '\0';
	err = filter_parse(text, &names, &f, &error);
	if (err == -EINVAL) {
		check_error(&error, strlen(text));
	} else if (f) {
		check_printed(f, text);
		check_decisions(f);
		filter_wants_closed(f);
	}
	filter_free(f);
	free(text);
	return 0;
}
