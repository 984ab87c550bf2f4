/* SPDX-License-Identifier: BSD-2-Clause */
/* One reading of all sockets: which passes run, and which of them tells of a socket. */
#include <errno.h>
#include <pthread.h>

#include "source/table_source_private.h"

#define STATES_ALL ((1u << STATE_COUNT) - 1)

static struct sock_diag_query query_of(const struct table_options *o)
{
	return (struct sock_diag_query){ .tcp = o->tcp,
					 .udp = o->udp,
					 .raw = o->raw,
					 .unix_sockets = o->unix_sockets,
					 .tcp_states = STATES_ALL };
}

static void note_gaps(struct table_source *t, const struct table_networks *round)
{
	for (size_t i = 0; i < round->networks.count; i++) {
		int err = round->sockets[i].entered ? round->sockets[i].entered
						    : round->sockets[i].error;

		/* Not asked for; or it went meanwhile. */
		if (!err || err == -ECANCELED || err == -ESTALE)
			continue;
		if (!t->gaps.networks++) {
			t->gaps.first = round->networks.list[i].inode;
			t->gaps.error = err;
		}
	}
}

static int read_networks(struct table_source *t, struct table_networks *round)
{
	const struct sock_diag_query query = query_of(&t->options);
	int err = table_networks_read(round, t->pass, &query, t->options.netns);

	if (!err)
		note_gaps(t, round);
	return err;
}

static void count_held(void *context, uint32_t netns, uint32_t requests)
{
	struct table_networks *round = context;
	struct network_sockets *s = table_networks_find(round, netns);

	if (!s)
		return;
	s->held++;
	s->requests += requests;
}

/*
 * TCP comes last: of most namespaces their own count says that files hold all there is, and walking through the hash tables of
 * a host with many sockets, once for each namespace, would take longer than all the rest.
 */
static int read_rest(struct table_source *t, struct table_networks *round)
{
	int err = 0;

	if (t->options.tcp) {
		table_join_count_tcp(t->join, count_held, round);
		err = table_networks_read_rest(round, t->pass);
	}
	if (!err)
		note_gaps(t, round);
	return err;
}

/* The pass over files, beside the namespaces' own. */
struct file_pass {
	struct table_pass *pass;
	struct rows parts[TABLE_SHARES_MAX];
	int error;
};

static void *run_file_pass(void *context)
{
	struct file_pass *f = context;

	f->error = table_pass_holders(f->pass, f->parts);
	return NULL;
}

/* Both at once: neither needs the other. But for TCP, that is. */
static int read_files_and_networks(struct table_source *t)
{
	struct sock_diag_query query = query_of(&t->options);
	struct file_pass f = { .pass = t->pass };
	pthread_t thread;
	bool beside = !pthread_create(&thread, NULL, run_file_pass, &f);
	int err = networks_find(&t->rounds[0].networks);

	query.tcp = false;
	if (!err)
		err = table_networks_read(&t->rounds[0], t->pass, &query, t->options.netns);
	if (beside)
		pthread_join(thread, NULL);
	else
		run_file_pass(&f);
	if (!err)
		err = f.error;
	for (size_t i = 0; i < TABLE_SHARES_MAX; i++) {
		if (!err && f.parts[i].bytes)
			err = table_join_add(t->join, &f.parts[i]);
		rows_done(&f.parts[i]);
	}
	return err ? err : read_rest(t, &t->rounds[0]);
}

static void add_network(void *context, uint32_t netns, uint32_t pid, int32_t fd)
{
	struct table_source *t = context;

	if (!networks_has(&t->rounds[0].networks, netns) && !t->error)
		t->error = networks_add_holder(&t->rounds[1].networks, netns, pid, fd);
}

/* Namespaces that no process is in and that have no name: a socket that was handed out of one leads into it. */
static int read_hidden_networks(struct table_source *t)
{
	table_join_networks(t->join, add_network, t);
	if (t->error || !t->rounds[1].networks.count)
		return t->error;
	return read_networks(t, &t->rounds[1]);
}

/* Those of both rounds, numbered on. */
static int each_network(struct table_source *t,
			int (*visit)(struct table_source *t, struct network_sockets *s))
{
	int err = 0;

	t->network_number = 0;
	for (int round = 0; round < ROUNDS; round++) {
		size_t count = t->rounds[round].sockets ? t->rounds[round].networks.count : 0;

		for (size_t i = 0; !err && i < count; i++, t->network_number++) {
			t->network = &t->rounds[round].sockets[i];
			err = visit(t, t->network);
		}
	}
	return err;
}

/* A row's real cookie, where it has only one that stands in for it and a process holds the socket. */
static uint64_t cookie_of(struct table_source *t, const struct socket_row *row)
{
	uint64_t cookie;

	if (row->cookie & STAND_IN_COOKIE && row->inode &&
	    table_join_has_inode(t->join, row->inode, &cookie))
		return cookie;
	return row->cookie;
}

static int miss_known(void *context, uint64_t cookie, uint64_t inode)
{
	struct table_source *t = context;

	if (table_join_has(t->join, cookie))
		return 0;
	t->network->again = true;
	return table_join_miss(t->join, cookie, inode);
}

/* Sockets that have a file and that the pass over files did not tell of: they or their files were on the move. */
static int find_missing(struct table_source *t, struct network_sockets *s)
{
	int err = table_rows_unheld(&s->unheld, &t->names, miss_known, NULL, t);

	for (size_t i = 0; !err && i < s->diag.count; i++) {
		const struct socket_row *row = &s->diag.rows[i];

		if (row->inode && !(row->cookie & STAND_IN_COOKIE) &&
		    !table_join_has(t->join, row->cookie))
			err = table_join_miss(t->join, row->cookie, row->inode);
	}
	return err;
}

/*
 * What was missing may have been opened, accepted or handed on meanwhile: a second pass over files finds its holders. What that
 * does not find either is held by no file table (on its way between processes, io_uring): sock_diag describes it.
 */
static int read_missing(struct table_source *t)
{
	const struct sock_diag_query query = { .tcp = true, .tcp_states = STATES_ALL };
	int err = each_network(t, find_missing);
	const uint64_t *inodes;
	size_t count;

	if (err || !table_join_missing(t->join))
		return err;
	inodes = table_join_missing_inodes(t->join, &count);
	err = table_pass_each_holder(t->pass, inodes, count, table_join_add_missing, t->join);
	if (err || !table_join_missing(t->join))
		return err;
	for (int round = 0; !err && round < ROUNDS; round++)
		if (t->rounds[round].sockets)
			err = table_networks_read_again(&t->rounds[round], &query);
	return err;
}

static int tell_held(void *context, struct event *e, uint32_t number)
{
	struct table_source *t = context;

	return t->sink(t->context, e, (struct table_row){ PART_HELD, number });
}

static int tell_unheld(void *context, struct event *e, uint32_t place)
{
	struct table_source *t = context;
	int err;

	if (table_join_has(t->join, e->cookie))
		return 0;
	err = table_join_told(t->join, e->cookie);
	return err ? err
		   : t->sink(t->context, e,
			     (struct table_row){ PART_UNHELD(t->network_number), place });
}

int table_diag_event(struct table_source *t, const struct socket_rows *rows,
		     const struct socket_row *row, struct event *e)
{
	socket_row_to_event(row, row->name ? rows->names + row->name : NULL, t->options.detail,
			    t->names.time_ns, t->names.mono_ns, e);
	if (t->polling)
		return polling_join_complete(t->polling, e);
	e->cookie = cookie_of(t, row);
	return table_join_holders(t->join, e->cookie, &t->names, e);
}

/* Is this row the one to tell of its socket? The pass over files told of what it met, but for unix sockets. */
static bool is_told_here(struct table_source *t, const struct socket_row *row)
{
	uint64_t cookie = cookie_of(t, row);

	if (row->proto == PROTO_UNIX)
		return true;
	if (table_join_has(t->join, cookie))
		return false;
	/* A second look at TCP has all in it: only what was missing is new. */
	return row->proto != IPPROTO_TCP || !row->inode || !table_pass_sees_unheld(t->pass) ||
	       table_join_is_missing(t->join, cookie);
}

static int tell_diag(struct table_source *t, struct network_sockets *s)
{
	struct event e;
	int err = 0;

	for (uint32_t i = 0; !err && i < s->diag.count; i++) {
		const struct socket_row *row = &s->diag.rows[i];

		if (!is_told_here(t, row))
			continue;
		err = table_diag_event(t, &s->diag, row, &e);
		if (!err && row->proto != PROTO_UNIX)
			err = table_join_told(t->join, e.cookie);
		if (!err)
			err = t->sink(t->context, &e,
				      (struct table_row){ PART_DIAG(t->network_number), i });
	}
	return err;
}

static int tell_network(struct table_source *t, struct network_sockets *s)
{
	int err = table_rows_unheld(&s->unheld, &t->names, NULL, tell_unheld, t);

	return err ? err : tell_diag(t, s);
}

static bool is_elsewhere(void *context, uint32_t netns)
{
	const struct table_source *t = context;

	return !table_networks_saw(&t->rounds[0], netns) &&
	       !table_networks_saw(&t->rounds[1], netns);
}

int table_read_with_ebpf(struct table_source *t)
{
	int err;

	t->join = table_join_new();
	if (!t->join)
		return -ENOMEM;
	err = read_files_and_networks(t);
	if (!err)
		err = read_hidden_networks(t);
	if (!err)
		err = read_missing(t);
	if (!err)
		err = table_join_tell(t->join, true, &t->names, is_elsewhere, tell_held, t);
	if (!err)
		err = table_join_tell(t->join, false, &t->names, is_elsewhere, tell_held, t);
	return err ? err : each_network(t, tell_network);
}

static int tell_rows(struct table_source *t, const struct network_sockets *s, bool listeners)
{
	struct event e;
	int err = 0;

	for (uint32_t i = 0; !err && i < s->diag.count; i++) {
		if ((s->diag.rows[i].state == STATE_LISTEN) != listeners)
			continue;
		err = table_diag_event(t, &s->diag, &s->diag.rows[i], &e);
		if (!err)
			err = t->sink(t->context, &e,
				      (struct table_row){ PART_DIAG(t->network_number), i });
	}
	return err;
}

static int tell_listeners(struct table_source *t, struct network_sockets *s)
{
	return tell_rows(t, s, true);
}

static int tell_others(struct table_source *t, struct network_sockets *s)
{
	return tell_rows(t, s, false);
}

int table_read_without_ebpf(struct table_source *t)
{
	/*
	 * Holders first: a socket made between the two passes lacks an owner, one that is gone is
	 * not told of at all.
	 */
	int err = proc_sockets_read(&t->processes, "/proc", t->cgroups);

	if (err)
		return err;
	t->polling = polling_join_new(&t->processes, t->cgroups, NULL, NULL);
	if (!t->polling)
		return -ENOMEM;
	err = networks_find(&t->rounds[0].networks);
	if (!err)
		err = read_networks(t, &t->rounds[0]);
	if (!err)
		err = each_network(t, tell_listeners);
	return err ? err : each_network(t, tell_others);
}
