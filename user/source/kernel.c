// SPDX-License-Identifier: BSD-2-Clause
#include "source/kernel.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "model/pid_set.h"
#include "source/clock.h"
#include "source/follow.h"
#include "source/kernel_private.h"
#include "source/types_check.h"

#define CONNECTIONS_PER_ENTRY \
	8 /* an entry of the hash takes about 300 bytes, and is never given back */
#define HASH_MIN 65536
#define HASH_MAX (1u << 20)
#define FLOW_ENDS_A_TURN 4096 /* of sockets with many peers: others want to be told of as well */

static void set_filters(struct object *o, bool fallback, const struct kernel_options *options)
{
	const struct selection *s = options->selection;
	const struct filter_pushdown *p = options->pushdown;

	*o->rodata.tell_states = options->states;
	*o->rodata.own_tgid = (__u32)getpid();
	*o->rodata.wakeup_bytes = (__u32)(options->buffer_bytes / 4);
	/* Early, by the socket; -4 can't be decided so: IPv4 may run over an AF_INET6 socket. */
	if (s && s->ipv6 && !s->ipv4)
		*o->rodata.filter_family = AF_INET6;
	if (!p)
		return;
	*o->rodata.filter_atom_count =
		filter_pushdown_first(p, fallback ? FILTER_ATOMS_FALLBACK : FILTER_ATOMS);
	if (*o->rodata.filter_atom_count)
		memcpy(o->rodata.filter_atoms, p->atoms,
		       *o->rodata.filter_atom_count * sizeof(*p->atoms));
}

static int take_record(struct kernel_source *k, const void *data, size_t size)
{
	const struct record *r = data;

	if (size >= sizeof(*r) && r->type == RECORD_FOLLOW)
		return follow_record(k, r);
	if (k->datagrams && size >= sizeof(*r) && r->protocol == IPPROTO_UDP)
		return datagrams_record(k->datagrams, data, size);
	return assembly_record(k->assembly, data, size);
}

static int on_record(void *context, void *data, size_t size)
{
	struct kernel_source *k = context;
	int err = take_record(k, data, size);

	if (err == -EBADMSG)
		return 0; /* counted; one bad record does not end the rest */
	/* libbpf stops for a negative number only, and hands it on. */
	k->sink_error = err;
	return err ? -ECANCELED : 0;
}

/* Where sockets are kept by address: sizes are fixed when the maps are made, for all of the memory is taken at once. */
static int set_hash_sizes(struct kernel_source *k, const struct kernel_options *options)
{
	uint64_t entries = options->max_connections / CONNECTIONS_PER_ENTRY;
	int err;

	if (entries < HASH_MIN)
		entries = HASH_MIN;
	if (entries > HASH_MAX)
		entries = HASH_MAX;
	err = bpf_map__set_max_entries(k->object.maps.sockets, (__u32)entries);
	if (err)
		return err;
	return bpf_map__set_max_entries(k->object.maps.datagram_sockets,
					k->datagrams ? HASH_MIN : 1);
}

static int set_cookie_key(struct kernel_source *k)
{
	__u64 key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return -EIO;
	*k->object.rodata.cookie_key = key | 1;
	return 0;
}

static int load_set(struct kernel_source *k, const struct kernel_options *options,
		    enum hooks_set set)
{
	int err = object_open(&k->object, k->rung != RUNG_STORAGE, options->btf_path);

	if (err)
		return err;
	hooks_choose(k, options, set);
	set_filters(&k->object, k->rung != RUNG_STORAGE, options);
	err = bpf_map__set_max_entries(k->object.maps.ring, (__u32)options->buffer_bytes);
	if (!err && options->followed)
		err = bpf_map__set_max_entries(k->object.maps.followed, PID_SET_MAX);
	if (!err && k->rung != RUNG_STORAGE) {
		err = set_hash_sizes(k, options);
		if (!err)
			err = set_cookie_key(k);
	}
	return err ? err : object_load(&k->object);
}

static int load_rung(struct kernel_source *k, const struct kernel_options *options)
{
	int err = -EINVAL;

	for (enum hooks_set set = HOOKS_ALL; set < HOOKS_SET_COUNT; set++) {
		if (!options->udp &&
		    (set == HOOKS_WITHOUT_DATAGRAM_OWNERS || set == HOOKS_WITHOUT_DATAGRAMS))
			continue;
		err = load_set(k, options, set);
		if (!err || err == -EPERM || err == -ENOMEM)
			return err;
		/* Without TCP there is nothing below it. */
		if (!options->tcp && set == HOOKS_WITHOUT_DATAGRAM_OWNERS)
			return err;
		object_close(&k->object);
	}
	return err;
}

/* Is there any use in trying this rung? 0, or why not. */
static int probe_rung(const struct kernel_source *k, unsigned int rung)
{
	int err;

	if (rung == RUNG_RAW)
		return k->btf ? ladder_raw_tracepoint("inet_sock_set_state") : -ENOENT;
	err = ladder_typed_tracepoint(k->btf, "inet_sock_set_state");
	if (err || rung != RUNG_STORAGE)
		return err;
	err = ladder_storage(k->btf);
	return err == -ETIME ? 0 : err; /* it did not run just then: not for want of memory */
}

static int load(struct kernel_source *k, const struct kernel_options *options)
{
	unsigned int first = options->rung ? options->rung : RUNG_STORAGE;
	unsigned int last = options->rung ? options->rung : RUNG_RAW;
	int err = -ENOENT;

	/* Types from a file are for kernels without; typed programs are made with the kernel's own. */
	if (options->btf_path && !options->rung)
		first = RUNG_RAW;
	for (unsigned int rung = first; rung <= last; rung++) {
		err = probe_rung(k, rung);
		if (err) {
			report_debug("rung %u is not possible: %s", rung, strerror(-err));
			continue;
		}
		k->rung = rung;
		err = load_rung(k, options);
		if (!err)
			return 0;
		report_debug("rung %u does not load: %s", rung, strerror(-err));
		object_close(&k->object);
		if (err == -ENOMEM)
			return err;
	}
	return err;
}

static int load_btf(struct kernel_source *k, const char *path, struct kernel_error *error)
{
	if (path)
		return types_from_file(path, &k->btf, error);
	k->btf = btf__load_vmlinux_btf();
	return k->btf ? 0 : kernel_error_no_btf(error, NULL, -errno);
}

static int start(struct kernel_source *k, const struct kernel_options *options,
		 struct kernel_error *error)
{
	const char *which = "";
	int err = load_btf(k, options->btf_path, error);

	if (err)
		return err;
	err = load(k, options);
	if (!err) {
		k->ring = ring_buffer__new(bpf_map__fd(k->object.maps.ring), on_record, k, NULL);
		err = k->ring ? 0 : -errno;
	}
	if (err) {
		kernel_error_explain(error, err);
		return err;
	}
	err = follow_begin(k);
	if (!err)
		err = hooks_attach(k, &which);
	if (!err)
		err = follow_descendants(k);
	if (err) {
		snprintf(error->what, sizeof(error->what), "can't attach %s: %s", which,
			 strerror(-err));
		snprintf(error->advice, sizeof(error->advice), "'nettrace -a' works without it");
	}
	return err;
}

int kernel_source_open(const struct kernel_options *options, event_sink *sink, void *context,
		       struct kernel_source **out, struct kernel_error *error)
{
	struct kernel_source *k = calloc(1, sizeof(*k));
	int err;

	memset(error, 0, sizeof(*error));
	if (!k) {
		kernel_error_explain(error, -ENOMEM);
		return -ENOMEM;
	}
	kernel_error_report_libbpf();
	k->followed = options->followed;
	k->names.wall_offset_ns = clock_wall_offset_ns();
	k->names.cgroups = cgroup_cache_new();
	k->names.reset_reason = hooks_reset_reason;
	k->names.context = k;
	k->assembly = assembly_new(&k->names, sink, context);
	if (options->udp)
		k->datagrams = datagrams_new(
			&k->names, &(struct datagram_store){ datagram_take, k }, sink, context);
	if (!k->assembly || (options->udp && !k->datagrams)) {
		err = -ENOMEM;
		kernel_error_explain(error, err);
	} else {
		err = start(k, options, error);
	}
	if (err) {
		kernel_source_close(k);
		return err;
	}
	/* Megabytes, needed to load only. */
	btf__free(k->btf);
	k->btf = NULL;
	malloc_trim(0);
	*out = k;
	return 0;
}

void kernel_source_detach(struct kernel_source *k)
{
	if (k->detached)
		return;
	k->detached = true;
	hooks_detach(k);
}

void kernel_source_close(struct kernel_source *k)
{
	if (!k)
		return;
	kernel_source_detach(k);
	ring_buffer__free(k->ring);
	object_close(&k->object);
	datagrams_free(k->datagrams);
	assembly_free(k->assembly);
	cgroup_cache_free(k->names.cgroups);
	hooks_forget_reasons(k);
	btf__free(k->btf);
	free(k);
}

int kernel_source_fd(const struct kernel_source *k)
{
	return ring_buffer__epoll_fd(k->ring);
}

int kernel_source_drain(struct kernel_source *k)
{
	int n, err;

	k->names.wall_offset_ns = clock_wall_offset_ns();
	/* From here on a full quarter wakes us again. */
	*k->object.bss.wakeup_pending = 0;
	k->sink_error = 0;
	n = ring_buffer__consume(k->ring);
	if (k->sink_error)
		return k->sink_error;
	if (n < 0)
		return n;
	err = assembly_expire(k->assembly, clock_mono_ns());
	if (!err && k->datagrams)
		err = datagrams_turn(k->datagrams, FLOW_ENDS_A_TURN);
	return err ? err : n;
}

int kernel_source_catch_up(struct kernel_source *k)
{
	int n = kernel_source_drain(k);

	return n > 0 ? 0 : n;
}

int kernel_source_flush(struct kernel_source *k)
{
	int err = assembly_flush(k->assembly);

	return err || !k->datagrams ? err : datagrams_turn(k->datagrams, SIZE_MAX);
}

uint64_t kernel_source_lost(struct kernel_source *k, const char **where)
{
	static const char *const names[COUNTER_COUNT] = { [COUNTER_RING_FULL] = "ring",
							  [COUNTER_STORAGE_FAILED] = "storage",
							  [COUNTER_FLOWS_FULL] = "flows",
							  [COUNTER_FOLLOWED_FULL] = "processes" };

	for (int i = 0; i < COUNTER_COUNT; i++) {
		uint64_t now = k->object.bss.counters[i];
		uint64_t lost = now - k->lost_told[i];

		if (!lost || !names[i])
			continue;
		k->lost_told[i] = now;
		*where = names[i];
		return lost;
	}
	return 0;
}

long kernel_source_unconfirmed(const struct kernel_source *k)
{
	return (long)*k->object.bss.unconfirmed;
}

bool kernel_source_follows_udp(const struct kernel_source *k)
{
	return k->datagrams;
}

unsigned int kernel_source_rung(const struct kernel_source *k)
{
	return k->rung;
}

struct cgroup_cache *kernel_source_cgroups(const struct kernel_source *k)
{
	return k->names.cgroups;
}

const char *const *kernel_source_hooks(const struct kernel_source *k, uint32_t *count)
{
	*count = k->hook_count;
	return k->hooks;
}

void kernel_source_describe(struct kernel_source *k, char *text, size_t size)
{
	const __u64 *c = k->object.bss.counters;

	const uint64_t bad = assembly_bad_records(k->assembly) +
			     (k->datagrams ? datagrams_bad_records(k->datagrams) : 0);
	int length;

	length = snprintf(
		text, size,
		"ring full %llu, no storage %llu, transitions missed %llu, seen by a later program only %llu, bad records %llu",
		c[COUNTER_RING_FULL], c[COUNTER_STORAGE_FAILED], c[COUNTER_TRANSITIONS_MISSED],
		c[COUNTER_SECOND_RAN], (unsigned long long)bad);
	if (k->datagrams && length > 0 && (size_t)length < size)
		snprintf(text + length, size - (size_t)length,
			 ", further UDP flows %zu, without room %llu",
			 datagrams_count(k->datagrams), c[COUNTER_FLOWS_FULL]);
}
