/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_networks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/selection.h"

/* What has no file: requests, what waits for the last segments, and its small successors. */
#define STATES_WITHOUT_FILE (1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT | 1u << STATE_FIN_WAIT2)

void table_networks_done(struct table_networks *t)
{
	for (size_t i = 0; t->sockets && i < t->networks.count; i++) {
		rows_done(&t->sockets[i].unheld);
		socket_rows_done(&t->sockets[i].diag);
	}
	free(t->sockets);
	networks_done(&t->networks);
	*t = (struct table_networks){ 0 };
}

/* Shared by the threads. Borrowed: all. */
struct reading {
	struct table_networks *t;
	const struct table_pass *pass;
	const struct sock_diag_query *query;
};

/* In a thread that is in that namespace, unless it could not enter it. */
static void read_one(void *context, size_t index, int entered)
{
	const struct reading *r = context;
	struct network_sockets *s = &r->t->sockets[index];
	struct sock_diag_query query = *r->query;

	s->entered = entered;
	if (entered)
		return;
	if (r->pass && query.tcp && !table_pass_unheld(r->pass, &s->unheld))
		query.tcp_states &= STATES_WITHOUT_FILE;
	s->error = sock_diag_read(&query, &s->diag);
}

static bool is_wanted(const struct u32_list *netns, uint32_t inode)
{
	for (uint32_t i = 0; netns && i < netns->count; i++)
		if (netns->values[i] == inode)
			return true;
	return !netns || !netns->count;
}

int table_networks_read(struct table_networks *t, const struct table_pass *pass,
			const struct sock_diag_query *query, const struct u32_list *netns)
{
	AUTO_FREE size_t *indexes = calloc(t->networks.count + 1, sizeof(*indexes));
	struct reading r = { t, pass && table_pass_sees_unheld(pass) ? pass : NULL, query };
	size_t count = 0;

	t->sockets = calloc(t->networks.count + 1, sizeof(*t->sockets));
	if (!indexes || !t->sockets)
		return -ENOMEM;
	for (size_t i = 0; i < t->networks.count; i++) {
		if (is_wanted(netns, t->networks.list[i].inode))
			indexes[count++] = i;
		else
			t->sockets[i].entered = -ECANCELED;
	}
	networks_visit(&t->networks, indexes, count, read_one, &r);
	return 0;
}

int table_networks_read_again(struct table_networks *t, const struct sock_diag_query *query)
{
	AUTO_FREE size_t *indexes = calloc(t->networks.count + 1, sizeof(*indexes));
	struct reading r = { t, NULL, query };
	size_t count = 0;

	if (!indexes)
		return -ENOMEM;
	for (size_t i = 0; i < t->networks.count; i++)
		if (t->sockets[i].again)
			indexes[count++] = i;
	networks_visit(&t->networks, indexes, count, read_one, &r);
	return 0;
}

bool table_networks_saw(const struct table_networks *t, uint32_t inode)
{
	for (size_t i = 0; t->sockets && i < t->networks.count; i++)
		if (t->networks.list[i].inode == inode)
			return !t->sockets[i].entered && !t->sockets[i].error;
	return false;
}
