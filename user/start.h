/* SPDX-License-Identifier: BSD-2-Clause */
/* `start`: what the running program and machine say of themselves. */
#ifndef NETTRACE_START_H
#define NETTRACE_START_H

#include "model/event.h"

#include <sys/utsname.h>

/* Borrows from *uts, which it fills, and from hooks. */
void start_event(struct event *e, uint64_t time_ns, uint64_t mono_ns, struct utsname *uts,
		 enum trace_mode mode, const char *const *hooks, uint32_t hook_count,
		 uint64_t sockets);

#endif
