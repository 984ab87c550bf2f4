/* SPDX-License-Identifier: BSD-2-Clause */
/* The live kernel: loads and attaches the BPF programs, drains their ring, runs their iterators. */
#ifndef NETTRACE_KERNEL_H
#define NETTRACE_KERNEL_H

#include "event.h"
#include "model/event.h"
#include "model/filter_pushdown.h"
#include "model/selection.h"
#include "source/kernel_error.h"

struct kernel_source;
struct pid_set;

struct kernel_options {
	uint64_t buffer_bytes; /* of the ring: a power of two, at least a page */
	bool states;	       /* tell every transition */
	bool tcp, udp;	       /* which to follow */
	unsigned int rung;     /* of ladder.h: this one only, 1 to 3; 0: the best that there is */
	const char *btf_path;  /* the kernel's types, in place of /sys/kernel/btf/vmlinux; NULL */
	uint64_t max_connections;	   /* sizes the hash of rungs 2 and 3 */
	const struct selection *selection; /* borrowed; may be NULL */
	struct pid_set *followed; /* borrowed; --follow: what they fork is added; NULL without */
	const struct filter_pushdown *pushdown; /* borrowed; what the kernel drops; may be NULL */
};

#define KERNEL_HOOKS_MAX 32

/*
 * Loads and attaches everything that this kernel has; from its return on nothing is missed. `sink` gets the events that
 * kernel_source_drain and kernel_source_flush make. 0, or -errno with *error filled (*out untouched):
 * -EPERM no privilege, -ENOENT no BTF, another one: what the kernel refused.
 */
int kernel_source_open(const struct kernel_options *options, event_sink *sink, void *context,
		       struct kernel_source **out, struct kernel_error *error);
void kernel_source_close(struct kernel_source *k);

/* Readable when a quarter of the ring is full; otherwise drain at leisure, every 20 to 100 ms. */
int kernel_source_fd(const struct kernel_source *k);
/* Tells all records in the ring, and the closes that were held back long enough. How many, or what the sink returned. */
int kernel_source_drain(struct kernel_source *k);
/* The same for who does not ask how many: 0 or what the sink returned. */
int kernel_source_catch_up(struct kernel_source *k);
/* Takes the programs off, so that what is drained afterwards is the last. Idempotent. */
void kernel_source_detach(struct kernel_source *k);
/* Tells what is still held back. 0 or what the sink returned. */
int kernel_source_flush(struct kernel_source *k);

/* Records lost since the last call; *where names the reason (static text). */
uint64_t kernel_source_lost(struct kernel_source *k, const char **where);
/* Accepted or accept-queued connections whose acceptor is not known yet; a hint, may drift. */
long kernel_source_unconfirmed(const struct kernel_source *k);

/* Is UDP followed? False where it was not asked for, or this kernel refuses its programs. */
bool kernel_source_follows_udp(const struct kernel_source *k);

/* On which rung of ladder.h it runs: 1 to 3. */
unsigned int kernel_source_rung(const struct kernel_source *k);
/* The names of the cgroups that its events have. Borrowed; may be NULL. */
struct cgroup_cache *kernel_source_cgroups(const struct kernel_source *k);

/* Names of what is attached, for `start`. Borrowed. */
const char *const *kernel_source_hooks(const struct kernel_source *k, uint32_t *count);

/* A report on what happened inside, for -v: written into `text`, at most `size` bytes. */
void kernel_source_describe(struct kernel_source *k, char *text, size_t size);

/*
 * All TCP and UDP sockets that processes hold, in all namespaces, with their holders (iter/task_file): one `socket`
 * event each. Also gives every TCP socket that has no owner in the kernel one, and confirms acceptors.
 * `drain_first`: what happened up to the end of the pass is told before its rows.
 * 0, what the sink returned, or -errno (-EOPNOTSUPP: this kernel has no such iterator).
 */
int kernel_source_inventory(struct kernel_source *k, bool drain_first, event_sink *sink,
			    void *context);

/*
 * Tracked TCP sockets (iter/bpf_sk_storage_map), one `socket` event each, without holders; what happened up to
 * the end of the pass is told before. SWEEP_TAKEN tells of what kernel_source_inventory can find the acceptor of.
 * An end that was not seen comes as `close`, while the socket is there. May miss some while others come and go.
 * 0, what the sink returned, or -errno.
 */
int kernel_source_sweep(struct kernel_source *k, enum sweep_mode mode, event_sink *sink,
			void *context);

/* The cheapest pass: only which connections live. May miss some of them too, though seldom. As kernel_source_sweep. */
int kernel_source_alive(struct kernel_source *k,
			void (*visit)(void *context, const struct record_alive *alive),
			void *context);

/*
 * The same of UDP flows (nothing where UDP is not followed). SWEEP_ALL also ends what fell silent, and what no socket
 * belongs to any more: `close` events.
 */
int kernel_source_sweep_datagrams(struct kernel_source *k, enum sweep_mode mode, event_sink *sink,
				  void *context);

#endif
