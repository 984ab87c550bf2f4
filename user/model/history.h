/* SPDX-License-Identifier: BSD-2-Clause */
/* The last events, compact: what happened, of all connections and of one. */
#ifndef NETTRACE_HISTORY_H
#define NETTRACE_HISTORY_H

#include "model/event.h"

struct history;

/* Keeps the last `max` events. NULL when out of memory. */
struct history *history_new(size_t max);
void history_free(struct history *h);

void history_add(struct history *h, const struct event *e);
/* How many are kept, and how many went to make room. */
size_t history_count(const struct history *h);
uint64_t history_evicted(const struct history *h);
/* The i-th newest as an event, i < history_count: of its fields those that a line of the stream shows. Its strings are
 * the history's, valid until the next add. */
void history_event(const struct history *h, size_t i, struct event *e);
/* Is the i-th newest of this connection? */
bool history_is_of(const struct history *h, size_t i, uint64_t cookie, uint64_t start_ns);

#endif
