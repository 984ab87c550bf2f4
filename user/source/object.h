/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF object in one of its two forms (bpf/access.bpf.h): the same programs, maps and variables, but not at the same
 * places, so that everybody else goes through these pointers.
 */
#ifndef NETTRACE_OBJECT_H
#define NETTRACE_OBJECT_H

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "atom.h"
#include "event.h"

/* Owned: memory and skeleton. The rest points into them. */
struct object {
	void *memory;
	struct bpf_object_skeleton *skeleton; /* NULL: not open */
	struct bpf_object *bpf;
	struct {
		struct bpf_map *ring, *sockets, *datagram_sockets, *flows, *followed;
	} maps;
	struct {
		struct bpf_program *holders, *tracked, *datagrams_tracked;
	} progs;
	struct { /* settings: until it is loaded */
		__u32 *wakeup_bytes, *own_tgid;
		bool *tell_states, *follow_datagrams;
		__u32 *filter_family, *filter_atom_count;
		struct filter_atom *filter_atoms;
		__u32 *retransmit_args, *send_reset_args, *receive_failed_args;
		__u64 *cookie_key; /* NULL: this form has none */
	} rodata;
	struct { /* shared with the running programs */
		__u64 *counters;
		__s64 *unconfirmed;
		__u32 *wakeup_pending, *sweep_mode, *datagrams_on, *further_flows;
	} bss;
};

/* `fallback`: for rungs 2 and 3. `btf_path`: types in place of the running kernel's, or NULL. 0 or -errno. */
int object_open(struct object *o, bool fallback, const char *btf_path);
/* 0 or -errno: what the kernel refused. */
int object_load(struct object *o);
void object_close(struct object *o);

#endif
