/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/recording_part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void recording_start_done(struct recording_start *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->hooks && i < s->event.hook_count; i++)
		free(s->hooks[i]);
	free(s->hooks);
	free((char *)s->event.version);
	free((char *)s->event.kernel);
	free((char *)s->event.host);
	*s = (struct recording_start){ 0 };
}

static bool copy_string(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

int recording_start_set(struct recording_start *s, const struct event *start)
{
	struct recording_start copy = { .event = *start, .known = true };
	bool all = copy_string(&copy.event.version, start->version);

	all = copy_string(&copy.event.kernel, start->kernel) && all;
	all = copy_string(&copy.event.host, start->host) && all;

	copy.hooks = calloc(start->hook_count + 1UL, sizeof(*copy.hooks));
	all = all && copy.hooks;
	for (uint32_t i = 0; all && i < start->hook_count; i++)
		all = (copy.hooks[i] = strdup(start->hooks[i])) != NULL;
	copy.event.hooks = (const char *const *)copy.hooks;
	if (!all) {
		recording_start_done(&copy);
		return -ENOMEM;
	}
	recording_start_done(s);
	*s = copy;
	return 0;
}

void recording_head(struct event *head, const struct recording_options *o,
		    const struct event *start, char run_text[2 * FRAME_RUN_BYTES + 1],
		    uint64_t part, uint64_t sockets)
{
	event_init(head, EVENT_RECORDING, start->time_ns, start->mono_ns);
	for (size_t i = 0; i < FRAME_RUN_BYTES; i++)
		snprintf(run_text + 2 * i, 3, "%02x", o->run[i]);
	head->schema = EVENT_SCHEMA;
	head->version = start->version;
	head->host = start->host;
	head->boot = o->boot;
	head->run = run_text;
	head->part = part;
	head->sockets = sockets;
	head->netns = o->own_netns;
	event_set(head, FIELD_SCHEMA);
	if (head->version)
		event_set(head, FIELD_VERSION);
	if (head->host)
		event_set(head, FIELD_HOST);
	if (*o->boot)
		event_set(head, FIELD_BOOT);
	if (o->own_netns)
		event_set(head, FIELD_NETNS);
	event_set(head, FIELD_RUN);
	event_set(head, FIELD_PART);
	event_set(head, FIELD_SOCKETS);
}
