// SPDX-License-Identifier: BSD-2-Clause
/* Reads what the kernel counted of UDP: the sockets' storages by an iterator, the map of further flows in batches. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "source/clock.h"
#include "source/kernel_private.h"

#define BATCH 4096

int datagram_take(void *kernel_source, const struct flow_key *key, struct flow *flow)
{
	struct kernel_source *k = kernel_source;
	int map = bpf_map__fd(k->object.maps.flows);

	/* Not lookup_and_delete: hash maps have that since 5.14 only, and a datagram between the two is one after the end. */
	if (bpf_map_lookup_elem(map, key, flow))
		return -errno;
	return bpf_map_delete_elem(map, key) ? -errno : 0;
}

/* All flows of the map; room for FLOWS_MAX in both arrays. How many, or -errno. */
static long read_flows(int map, struct flow_key *keys, struct flow *flows)
{
	uint64_t position = 0;
	size_t count = 0;
	__u32 n = 0;
	int err = 0;

	while (!err && count < FLOWS_MAX) {
		n = FLOWS_MAX - count < BATCH ? (__u32)(FLOWS_MAX - count) : BATCH;
		err = bpf_map_lookup_batch(map, count ? &position : NULL, &position, keys + count,
					   flows + count, &n, NULL);
		if (err &&
		    errno != ENOENT) /* a bucket of more than a batch, or what is no such map */
			return -errno;
		count += n;
		if (!n)
			break;
	}
	return (long)count;
}

int kernel_source_sweep_datagrams(struct kernel_source *k, enum sweep_mode mode, event_sink *sink,
				  void *context)
{
	struct datagram_pass pass = { .full = mode == SWEEP_ALL };
	AUTO_FREE struct flow_key *keys = NULL;
	AUTO_FREE struct flow *flows = NULL;
	struct rows rows = { 0 };
	long count = 0;
	int err = 0;

	if (!k->datagrams)
		return 0;
	if (*k->object.bss.further_flows) {
		keys = malloc(FLOWS_MAX * sizeof(*keys));
		flows = malloc(FLOWS_MAX * sizeof(*flows));
		if (!keys || !flows)
			return -ENOMEM;
		count = read_flows(bpf_map__fd(k->object.maps.flows), keys, flows);
		if (count < 0)
			return (int)count;
	}
	*k->object.bss.sweep_mode = mode;
	err = rows_read(k->object.progs.datagrams_tracked,
			bpf_map__fd(k->object.maps.datagram_sockets), &rows);
	if (!err)
		err = kernel_source_catch_up(k);
	pass.sockets = rows.data;
	pass.socket_count = rows.bytes / sizeof(*pass.sockets);
	pass.keys = keys;
	pass.flows = flows;
	pass.flow_count = (size_t)count;
	pass.mono_ns = clock_mono_ns();
	if (!err)
		err = datagrams_pass(k->datagrams, &pass, sink, context);
	free(rows.data);
	return err;
}
