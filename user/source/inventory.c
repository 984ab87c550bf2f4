// SPDX-License-Identifier: BSD-2-Clause
/* Passes over all sockets: reads the iterators' files, and joins the rows of one socket to one event. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/kernel_private.h"

static int compare_rows(const void *a, const void *b)
{
	const struct record_row *x = a, *y = b;

	if (x->head.cookie != y->head.cookie)
		return x->head.cookie < y->head.cookie ? -1 : 1;
	if (x->holder_start_ns != y->holder_start_ns)
		return x->holder_start_ns < y->holder_start_ns ? -1 : 1;
	if (x->holder_pid != y->holder_pid)
		return x->holder_pid < y->holder_pid ? -1 : 1;
	return x->holder_fd < y->holder_fd ? -1 : x->holder_fd > y->holder_fd;
}

static void set_holder(struct holder *h, const struct record_row *row)
{
	h->pid = row->holder_pid;
	h->fd = row->holder_fd;
	memcpy(h->comm, row->holder_comm, sizeof(h->comm));
	h->comm[sizeof(h->comm) - 1] = '\0';
}

/* The owner's first, then the older processes'. */
static void set_holders(struct holder *holders, const struct record_row *rows, size_t count,
			uint32_t owner)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].holder_pid == owner)
			set_holder(&holders[n++], &rows[i]);
	for (size_t i = 0; i < count; i++)
		if (rows[i].holder_pid != owner)
			set_holder(&holders[n++], &rows[i]);
}

/*
 * Of a listener or a bound socket the oldest holder (workers inherit it), of a connection the youngest (it is
 * handed to a child).
 */
static const struct record_row *likely_owner(const struct record_row *rows, size_t count)
{
	bool shared = rows->head.protocol == IPPROTO_UDP ? !rows->head.rport
							 : rows->head.new_state == STATE_LISTEN;

	return shared ? &rows[0] : &rows[count - 1];
}

static void set_owner(struct record_row *row, const struct record_row *holder, enum owner_kind kind)
{
	row->head.owner = kind;
	row->head.pid = holder->holder_pid;
	row->head.tid = 0;
	row->head.uid = holder->holder_uid;
	row->head.cgroup_id = holder->head.cgroup_id;
	memcpy(row->head.comm, holder->holder_comm, sizeof(row->head.comm));
}

static bool holds(const struct record_row *rows, size_t count, uint32_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].holder_pid == pid)
			return true;
	return false;
}

/*
 * Whom the kernel side saw at work has let go of the socket since, and who holds it now did nothing with it yet. True when
 * there is such an heir.
 */
static bool set_heir(struct record_row *row, const struct record_row *rows, size_t count)
{
	if (row->head.owner == OWNER_KERNEL || !row->head.pid || holds(rows, count, row->head.pid))
		return false;
	if (!row->head.opener_pid) {
		row->head.opener_pid = row->head.pid;
		memcpy(row->head.opener_comm, row->head.comm, sizeof(row->head.opener_comm));
	}
	set_owner(row, likely_owner(rows, count), OWNER_HANDED);
	return true;
}

/* `rows`: all of one socket, oldest holder first. */
static int tell_socket(struct kernel_source *k, const struct record_row *rows, size_t count,
		       event_sink *sink, void *context)
{
	AUTO_FREE struct holder *holders = calloc(count, sizeof(*holders));
	const struct record_row *newest = rows;
	struct record_row row;
	bool heir = false;
	struct event e;

	if (!holders)
		return -ENOMEM;
	/* The pass goes on while sockets live: the row read last knows best. */
	for (size_t i = 1; i < count; i++)
		if (rows[i].head.mono_ns > newest->head.mono_ns)
			newest = &rows[i];
	row = *newest;
	if (row.head.protocol == IPPROTO_UDP) /* keeps no owner in the kernel */
		set_owner(&row, likely_owner(rows, count), OWNER_SNAPSHOT);
	else
		heir = set_heir(&row, rows, count);
	record_to_socket(&row, &k->names, &e);
	e.heir = heir;
	set_holders(holders, rows, count, row.head.pid);
	e.holders = holders;
	e.holder_count = (uint32_t)count;
	event_set(&e, FIELD_HOLDERS);
	return sink(context, &e);
}

int kernel_source_inventory(struct kernel_source *k, bool drain_first, event_sink *sink,
			    void *context)
{
	struct rows all = { 0 };
	struct record_row *rows;
	size_t count, first, i;
	int err;

	if (!bpf_program__autoload(k->object.progs.holders))
		return -EOPNOTSUPP;
	err = rows_read(k->object.progs.holders, -1, &all);
	/* The UDP sockets that were there before have their owners now: what moves from here on is theirs. */
	*k->object.bss.datagrams_on = k->datagrams != NULL;
	if (!err && drain_first)
		err = kernel_source_catch_up(k);
	rows = all.data;
	count = all.bytes / sizeof(*rows);
	if (!err && count)
		qsort(rows, count, sizeof(*rows), compare_rows);
	for (first = 0; !err && first < count; first = i) {
		for (i = first + 1; i < count; i++)
			if (rows[i].head.cookie != rows[first].head.cookie)
				break;
		err = tell_socket(k, rows + first, i - first, sink, context);
	}
	free(all.data);
	return err;
}

/* What happened up to the end of the pass is told before its rows. */
static int tracked_read(struct kernel_source *k, enum sweep_mode mode, struct rows *rows)
{
	int err;

	if (!bpf_program__autoload(k->object.progs.tracked))
		return 0;
	*k->object.bss.sweep_mode = mode;
	err = rows_read(k->object.progs.tracked, bpf_map__fd(k->object.maps.sockets), rows);
	return err ? err : kernel_source_catch_up(k);
}

/* An end that no program saw, found while the socket is still there: nothing of it is missing. */
static void row_to_close(struct kernel_source *k, const struct record_row *row, struct event *e)
{
	const struct record_close close = { row->head, row->counters };

	record_to_close(&close, &k->names, e);
}

int kernel_source_sweep(struct kernel_source *k, enum sweep_mode mode, event_sink *sink,
			void *context)
{
	struct rows all = { 0 };
	const struct record_row *rows;
	struct event e;
	int err = tracked_read(k, mode, &all);

	rows = all.data;
	for (size_t i = 0; !err && i < all.bytes / sizeof(*rows); i++) {
		if (rows[i].head.type == RECORD_CLOSE)
			row_to_close(k, &rows[i], &e);
		else
			record_to_socket(&rows[i], &k->names, &e);
		err = sink(context, &e);
	}
	free(all.data);
	return err;
}

int kernel_source_alive(struct kernel_source *k,
			void (*visit)(void *context, const struct record_alive *alive),
			void *context)
{
	struct rows all = { 0 };
	const struct record_alive *alive;
	int err = tracked_read(k, SWEEP_ALIVE, &all);

	alive = all.data;
	for (size_t i = 0; !err && i < all.bytes / sizeof(*alive); i++)
		visit(context, &alive[i]);
	free(all.data);
	return err;
}
