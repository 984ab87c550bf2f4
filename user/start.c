/* SPDX-License-Identifier: BSD-2-Clause */
#include "start.h"

#include "options.h"

void start_event(struct event *e, uint64_t time_ns, uint64_t mono_ns, struct utsname *uts,
		 enum trace_mode mode, const char *const *hooks, uint32_t hook_count,
		 uint64_t sockets)
{
	event_init(e, EVENT_START, time_ns, mono_ns);
	uname(uts);
	e->schema = EVENT_SCHEMA;
	e->version = NETTRACE_VERSION;
	e->kernel = uts->release;
	e->host = uts->nodename;
	e->mode = (uint8_t)mode;
	e->hooks = hooks;
	e->hook_count = hook_count;
	e->sockets = sockets;
	event_set(e, FIELD_SCHEMA);
	event_set(e, FIELD_VERSION);
	event_set(e, FIELD_KERNEL);
	event_set(e, FIELD_HOST);
	event_set(e, FIELD_MODE);
	event_set(e, FIELD_HOOKS);
	event_set(e, FIELD_SOCKETS);
}
