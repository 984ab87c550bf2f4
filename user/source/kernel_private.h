/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by kernel.c, hooks.c, inventory.c and datagram_pass.c: with ladder.c and object.c the only files that see libbpf. */
#ifndef NETTRACE_KERNEL_PRIVATE_H
#define NETTRACE_KERNEL_PRIVATE_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "atom.h"
#include "source/assembly.h"
#include "source/cgroup.h"
#include "source/datagrams.h"
#include "source/hook_table.h"
#include "source/kernel.h"
#include "source/ladder.h"
#include "source/object.h"
#include "source/rows.h"

#define REASONS_MAX 64

/* Owned: all members but the sinks. */
struct kernel_source {
	struct object object;
	unsigned int rung;
	struct ring_buffer *ring;
	struct btf *
		btf; /* the running kernel's, or what was given in its place; NULL once all is attached */
	struct assembly *assembly;
	struct record_names names;
	struct pid_set *followed;	     /* borrowed; NULL without --follow */
	struct datagrams *datagrams;	     /* NULL: UDP is not followed */
	struct bpf_link *links[HOOKS_COUNT]; /* as in hook_table */
	const char *hooks[KERNEL_HOOKS_MAX];
	uint32_t hook_count;
	char *reset_reasons[REASONS_MAX]; /* NULL: without a name */
	uint64_t lost_told[COUNTER_COUNT];
	int sink_error; /* what the sink returned while libbpf was in between */
	bool detached;
};

/* Tried in this order: one object loads as a whole, and one program that a kernel refuses must not cost the rest. */
enum hooks_set {
	HOOKS_ALL,
	HOOKS_WITHOUT_DATAGRAM_OWNERS, /* who opened a UDP socket is known, not to whom it was handed; drops are not told */
	HOOKS_WITHOUT_DATAGRAMS,
	HOOKS_WITHOUT_FEXIT,
	HOOKS_WITHOUT_CGROUP,
	HOOKS_NEEDED,
	HOOKS_SET_COUNT
};

/* Decides which programs load, and sets what they must know of this kernel. */
void hooks_choose(struct kernel_source *k, const struct kernel_options *options,
		  enum hooks_set set);
/* Takes them off; nothing else happens in between. */
void hooks_detach(struct kernel_source *k);
/* Attaches them. 0 or -errno: a hook that can't be done without failed (its name in *which). */
int hooks_attach(struct kernel_source *k, const char **which);
/* For record_names: the name of this enum sk_rst_reason, without its prefix, or NULL. */
const char *hooks_reset_reason(void *kernel_source, unsigned int number);
void hooks_forget_reasons(struct kernel_source *k);

/* For datagram_store: reads a flow and deletes it. */
int datagram_take(void *kernel_source, const struct flow_key *key, struct flow *flow);

#endif
