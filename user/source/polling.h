/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inventory without eBPF: sock_diag and /proc. Connections that begin and end between two
 * snapshots are not seen.
 */
#ifndef NETTRACE_POLLING_H
#define NETTRACE_POLLING_H

#include "model/event.h"
#include "source/proc.h"

/*
 * One `socket` event for each TCP and UDP socket of the caller's network namespace, the TCP
 * listeners first. Owner (snapshot): of a listener or an unconnected UDP socket the oldest process
 * that holds it, of a connection the youngest; all holders are listed, the owner first. Sockets
 * that no visible process holds have the owner unknown. A TCP connection on a port that is listened
 * on is `in`, else `out`. 0, what the sink returned, or -errno.
 */
int polling_snapshot(event_sink *sink, void *context);

/* Joins sockets with holders: what polling_snapshot does to each event. For tests. */
struct polling_join;

/* Borrowed: processes. NULL when out of memory. */
struct polling_join *polling_join_new(const struct proc_sockets *processes, event_sink *sink,
				      void *context);
void polling_join_free(struct polling_join *j);
/* An event_sink with the join as its context. */
int polling_join_event(void *join, struct event *e);

#endif
