/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events kept small: only the fields that are present, in a store that grows by blocks. A row of a list takes some 200 bytes instead
 * of an event's 600. Driven by the field table, so that a new field is kept without further ado.
 */
#ifndef NETTRACE_EVENT_PACK_H
#define NETTRACE_EVENT_PACK_H

#include "model/event.h"

struct event_store;

/* NULL when out of memory. */
struct event_store *event_store_new(void);
void event_store_free(struct event_store *s);
/* Forgets all events; their memory is kept for the next ones. */
void event_store_clear(struct event_store *s);

/*
 * A copy of the event, strings and holders included; `event`, `time`, `mono_ns` and `hooks` are not kept. NULL when out of memory.
 * Valid until the store is cleared.
 */
const void *event_pack(struct event_store *s, const struct event *e);

/* The event again, as a `socket` at these clocks. Borrows from the store. */
void event_unpack(const void *packed, uint64_t time_ns, uint64_t mono_ns, struct event *e);

#endif
