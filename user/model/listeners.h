/* SPDX-License-Identifier: BSD-2-Clause */
/* The listeners of a snapshot: whose a socket is that no process holds yet or any more, and which way it came. */
#ifndef NETTRACE_LISTENERS_H
#define NETTRACE_LISTENERS_H

#include "model/event.h"

struct listeners;

/* NULL when out of memory. */
struct listeners *listeners_new(void);
void listeners_free(struct listeners *l);
void listeners_clear(struct listeners *l);

/* A TCP socket that listens; others are passed over. 0 or -ENOMEM. */
int listeners_add(struct listeners *l, const struct event *e);

/*
 * Completes the row of a TCP socket: where somebody listens on its local end it came in (a backlog of 0 leaves no trace in a
 * child), and while no process holds it, it is that listener's. Where several processes listen equally well it is
 * not said whose.
 */
void listeners_complete(const struct listeners *l, struct event *e);

#endif
