/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_networks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/selection.h"

/* What has no file: requests, what waits for the last segments, and its small successors. */
#define STATES_WITHOUT_FILE (1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT | 1u << STATE_FIN_WAIT2)

#define FEW_SOCKETS 1000

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
	if (!query.tcp)
		s->counted = !sockstat_read(&s->stat);
	if (r->pass && query.tcp && !table_pass_unheld(r->pass, &s->unheld))
		query.tcp_states &= STATES_WITHOUT_FILE;
	s->error = sock_diag_read(&query, &s->diag);
}

/* All full sockets there are held by files. */
static bool is_all_held(const struct network_sockets *s)
{
	return s->counted && s->stat.tcp_inuse == s->held;
}

/* Few enough for sock_diag to tell of all of them: one walk, where the iterator and sock_diag after it make two. */
static bool has_few(const struct network_sockets *s)
{
	return s->counted && s->stat.tcp_inuse + s->stat.tcp_tw <= FEW_SOCKETS;
}

/* As read_one, of what the pass over files can't have met. */
static void read_rest_of_one(void *context, size_t index, int entered)
{
	const struct reading *r = context;
	struct network_sockets *s = &r->t->sockets[index];
	struct sock_diag_query query = *r->query;

	if (entered)
		return;
	if (is_all_held(s) || (r->pass && !has_few(s) && !table_pass_unheld(r->pass, &s->unheld)))
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

int table_networks_read_rest(struct table_networks *t, const struct table_pass *pass)
{
	const struct sock_diag_query query = { .tcp = true, .tcp_states = ~0u };
	AUTO_FREE size_t *indexes = calloc(t->networks.count + 1, sizeof(*indexes));
	struct reading r = { t, table_pass_sees_unheld(pass) ? pass : NULL, &query };
	size_t count = 0;

	if (!indexes)
		return -ENOMEM;
	for (size_t i = 0; i < t->networks.count; i++) {
		const struct network_sockets *s = &t->sockets[i];

		if (s->entered || s->error)
			continue;
		if (!is_all_held(s) || s->stat.tcp_tw || s->requests)
			indexes[count++] = i;
	}
	networks_visit(&t->networks, indexes, count, read_rest_of_one, &r);
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

struct network_sockets *table_networks_find(struct table_networks *t, uint32_t inode)
{
	ssize_t i = t->sockets ? networks_find_place(&t->networks, inode) : -1;

	return i < 0 ? NULL : &t->sockets[i];
}

bool table_networks_saw(const struct table_networks *t, uint32_t inode)
{
	ssize_t i = t->sockets ? networks_find_place(&t->networks, inode) : -1;

	return i >= 0 && !t->sockets[i].entered && !t->sockets[i].error;
}
