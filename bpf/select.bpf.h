/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sockets are wanted: what is known of one, put before the atoms that user space has made of selection and filter. */
#ifndef NETTRACE_SELECT_BPF_H
#define NETTRACE_SELECT_BPF_H

#include "maps.bpf.h"

#include "atom.h"

/* Written by user space before loading. */
const volatile __u32 filter_atom_count __weak = 0; /* 0: everything is wanted */
const volatile struct filter_atom filter_atoms[FILTER_ATOMS] __weak = {};

/*
 * --follow: user space puts in the processes of -p and those that they had forked before, follow.bpf.c what they fork from
 * then on; deleted when the number comes to another process. Its size is set before loading: 1 without --follow.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} followed SEC(".maps") __weak;

static __always_inline __u64 filter_followed(__u32 pid)
{
	return bpf_map_lookup_elem(&followed, &pid) ? 1 : 0;
}

#define FILTER_INLINE static __always_inline
#include "wanted.h"

static __always_inline void facts_set_owner(struct filter_facts *f, __u32 pid, __u32 opener_pid,
					    __u32 uid, __u8 owner, const char *comm)
{
	f->pid = pid;
	f->opener_pid = opener_pid;
	f->uid = uid;
	f->no_owner = owner == OWNER_KERNEL;
	__builtin_memcpy(f->comm, comm, sizeof(f->comm));
}

/*
 * Global, so that the verifier looks at its loop once and not for each way that leads to a call. It takes pointers in such
 * functions since 5.12: the fallback does without, and gets fewer atoms.
 */
#ifndef FALLBACK
__weak
#else
static __attribute__((unused))
#endif
	__noinline int
	facts_wanted(const struct filter_facts *f)
{
	return f ? (int)filter_wanted(filter_atoms, filter_atom_count, f) : 1;
}

#endif
