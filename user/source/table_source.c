/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_source.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "source/clock.h"
#include "source/table_source_private.h"
#include "table.h"

static uint32_t kinds_of(const struct table_options *o)
{
	return (uint32_t)o->tcp << TABLE_TCP | (uint32_t)o->udp << TABLE_UDP |
	       (uint32_t)o->raw << TABLE_RAW | (uint32_t)o->unix_sockets << TABLE_UNIX;
}

/* The coarse clock moves with each tick (KTIME_LOW_RES). */
static uint32_t ticks_a_second(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec <= 0)
		return 0;
	return (uint32_t)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
}

int table_source_open(const struct table_options *options, struct table_source **out,
		      struct kernel_error *error)
{
	struct table_source *t = calloc(1, sizeof(*t));

	*error = (struct kernel_error){ 0 };
	if (!t)
		return -ENOMEM;
	t->options = *options;
	t->names.hz = ticks_a_second();
	t->cgroups = cgroup_cache_new();
	t->names.cgroups = t->cgroups;
	if (!options->without_ebpf)
		table_pass_open(kinds_of(options), options->detail, options->btf_path, &t->pass,
				error);
	*out = t;
	return 0;
}

static void forget(struct table_source *t)
{
	for (int i = 0; i < ROUNDS; i++)
		table_networks_done(&t->rounds[i]);
	table_join_free(t->join);
	t->join = NULL;
	polling_join_free(t->polling);
	t->polling = NULL;
	proc_sockets_done(&t->processes);
}

void table_source_close(struct table_source *t)
{
	if (!t)
		return;
	forget(t);
	table_pass_close(t->pass);
	cgroup_cache_free(t->cgroups);
	free(t);
}

bool table_source_has_ebpf(const struct table_source *t)
{
	return t->pass;
}

struct table_gaps table_source_gaps(const struct table_source *t)
{
	return t->gaps;
}

int table_source_read(struct table_source *t, table_sink *sink, void *context)
{
	uint64_t now = clock_mono_ns();

	forget(t);
	t->gaps = (struct table_gaps){ 0 };
	t->error = 0;
	t->names.mono_ns = now;
	t->names.time_ns = now + (uint64_t)clock_wall_offset_ns();
	t->sink = sink;
	t->context = context;
	return t->pass ? table_read_with_ebpf(t) : table_read_without_ebpf(t);
}

int table_source_row(struct table_source *t, struct table_row row, struct event *e)
{
	uint32_t number = (row.part - 1) / 2;
	int round = number >= t->rounds[0].networks.count;
	struct network_sockets *s;

	if (row.part == PART_HELD)
		return table_join_event(t->join, row.index, &t->names, e);
	if (round)
		number -= (uint32_t)t->rounds[0].networks.count;
	s = &t->rounds[round].sockets[number];
	if (row.part % 2 == 0)
		return table_diag_event(t, &s->diag, &s->diag.rows[row.index], e);
	table_rows_event(&s->unheld, row.index, &t->names, e);
	return 0;
}
