/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network namespaces themselves tell: of sockets without a file, of unix sockets, and without eBPF of all. */
#ifndef NETTRACE_TABLE_NETWORKS_H
#define NETTRACE_TABLE_NETWORKS_H

#include "model/selection.h"
#include "source/namespaces.h"
#include "source/socket_rows.h"
#include "source/sockstat.h"
#include "source/table_pass.h"

/* Of one namespace. */
struct network_sockets {
	struct rows unheld;	 /* of table_pass_unheld */
	struct socket_rows diag; /* of sock_diag */
	int entered;		 /* 0, or -errno: nothing is known of it */
	int error;		 /* 0 or -errno of reading */
	bool again;		 /* a socket there has a file that no pass over files met */
	struct sockstat stat;	 /* how many TCP sockets it says that there are */
	bool counted;		 /* it says so */
	uint64_t held,
		requests; /* what the pass over files met of it: TCP sockets; and half-open requests of listeners */
};

/* Owned: all. All zero is ready. */
struct table_networks {
	struct networks networks;
	struct network_sockets *sockets; /* as many */
};

void table_networks_done(struct table_networks *t);

/*
 * Reads those of t->networks whose inode is wanted (`netns`: an empty list: all), several at once. `pass`: NULL, or its
 * table_pass_unheld is used where there is one; then `query` needs no states that only files have. 0 or -ENOMEM.
 */
int table_networks_read(struct table_networks *t, const struct table_pass *pass,
			const struct sock_diag_query *query, const struct u32_list *netns);
/*
 * After table_networks_read without TCP, and with `held` and `requests` filled in: reads the TCP sockets of those namespaces
 * that have some beside them.
 */
int table_networks_read_rest(struct table_networks *t, const struct table_pass *pass);
/* Reads once more those that are marked `again`, without `pass`, into `diag`. */
int table_networks_read_again(struct table_networks *t, const struct sock_diag_query *query);

/* What was read of this namespace, or NULL: it is none of them. Borrowed. */
struct network_sockets *table_networks_find(struct table_networks *t, uint32_t inode);
/* Was this namespace looked into? */
bool table_networks_saw(const struct table_networks *t, uint32_t inode);

#endif
