/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by table_source.c and table_read.c. */
#ifndef NETTRACE_TABLE_SOURCE_PRIVATE_H
#define NETTRACE_TABLE_SOURCE_PRIVATE_H

#include "source/polling.h"
#include "source/table_join.h"
#include "source/table_networks.h"
#include "source/table_source.h"

#define ROUNDS 2 /* namespaces that processes are in, then those that only sockets lead to */

/* What a row was read from, in table_row's part: held by files, or of a namespace. */
#define PART_HELD 0
#define PART_UNHELD(network) (1 + 2 * (uint32_t)(network))
#define PART_DIAG(network) (2 + 2 * (uint32_t)(network))

/* Owned: pass, cgroups, and what the last read left: join, rounds, processes, polling. */
struct table_source {
	struct table_options options;
	struct table_pass *pass; /* NULL: sock_diag and /proc */
	struct cgroup_cache *cgroups;
	struct table_gaps gaps;
	struct table_names names;

	struct table_join *join;
	struct table_networks rounds[ROUNDS];
	struct proc_sockets processes;
	struct polling_join *polling;

	struct network_sockets *network; /* while reading: the one at hand */
	uint32_t network_number;
	table_sink *sink;
	void *context;
	int error; /* of a callback that returns none */
};

/* Both tell what they read to t->sink. 0, what that returned, or -errno. */
int table_read_with_ebpf(struct table_source *t);
int table_read_without_ebpf(struct table_source *t);

/* A row of sock_diag as an event, with its holders. 0 or -ENOMEM. */
int table_diag_event(struct table_source *t, const struct socket_rows *rows,
		     const struct socket_row *row, struct event *e);

#endif
