/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is there without eBPF: passes over the TCP sockets of all network namespaces that can be entered, and between them the
 * kernel's notices of those that went away.
 */
#ifndef NETTRACE_POLLING_PASS_H
#define NETTRACE_POLLING_PASS_H

#include "model/selection.h"
#include "source/destroy_notices.h"

#define POLLING_NOTICES_MAX \
	512 /* namespaces that give notice; of the others passes tell what has gone */

struct cgroup_cache;
struct polling_pass;

/*
 * `netns`: inodes of the namespaces to look into; empty: all; borrowed. `cgroups`: gets the names that events have, so it must
 * outlive them; borrowed, NULL: out of memory. `notices`: listen for them too, where they can be had;
 * cookies are then made unique where the kernel's are not (polling_cookie), without it they are the kernel's own. 0 or -ENOMEM.
 */
int polling_pass_open(const struct u32_list *netns, struct cgroup_cache *cgroups, bool notices,
		      struct polling_pass **out);
void polling_pass_close(struct polling_pass *p);

/*
 * One `socket` event for each TCP socket but TIME_WAIT and half-open ones, with owner, holders and direction (polling.h), of a
 * namespace the listeners first. Listens to what is new before it looks there. 0, what the sink returned, -ENOMEM, or
 * -errno: the own namespace could not be read.
 */
int polling_pass_run(struct polling_pass *p, event_sink *sink, void *context);
/* Did the last pass look into all that is there of what an earlier one looked into? Else what it did not meet may live. */
bool polling_pass_is_whole(const struct polling_pass *p);

/* Readable when there are notices; -1: there are none ever. */
int polling_pass_fd(const struct polling_pass *p);
/*
 * Tells the notices that are there; their rows have a netns. Adds to *lost once for each namespace of which some were lost.
 * 0, what the sink returned, or -errno.
 */
int polling_pass_notices(struct polling_pass *p, uint64_t *lost, destroy_notice_sink *sink,
			 void *context);

/*
 * Before Linux 5.10 each namespace counts its cookies from 1 (net/core/sock_diag.c, sock_gen_cookie): one that no other namespace
 * has too. For tests.
 */
uint64_t polling_cookie(uint64_t cookie, uint32_t netns);

#endif
