/* SPDX-License-Identifier: BSD-2-Clause */
/* Owners and holders without eBPF: what sock_diag tells, joined with what /proc tells. */
#ifndef NETTRACE_POLLING_H
#define NETTRACE_POLLING_H

#include "model/event.h"
#include "source/proc.h"

/*
 * Joins sockets with holders. Owner (snapshot): of a listener or an unconnected socket the oldest process
 * that holds it, of a connection the youngest; all holders are listed, the owner first. Sockets
 * that no visible process holds have the owner unknown. A TCP connection on a port that is listened
 * on in its namespace is `in`, else `out`: the listeners must come first.
 */
struct polling_join;

/* Borrowed: processes, cgroups (those that proc_sockets_read was given). NULL when out of memory. */
struct polling_join *polling_join_new(const struct proc_sockets *processes,
				      struct cgroup_cache *cgroups, event_sink *sink,
				      void *context);
void polling_join_free(struct polling_join *j);
/* Adds holders, owner and direction; valid up to the next call. 0 or -ENOMEM. */
int polling_join_complete(struct polling_join *j, struct event *e);
/* An event_sink with the join as its context. 0, what the sink returned, or -ENOMEM. */
int polling_join_event(void *join, struct event *e);

#endif
