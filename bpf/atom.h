/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the selection and the filter is decided in the kernel: atoms, joined to clauses. A record is wanted when each
 * clause has an atom that is true. Included by bpf/ (after vmlinux.h) and by user/.
 */
#ifndef NETTRACE_BPF_ATOM_H
#define NETTRACE_BPF_ATOM_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define FILTER_ATOMS 64
#define FILTER_ATOMS_FALLBACK 8 /* where the verifier goes through them for each call */

enum filter_subject {
	SUBJECT_PID,	  /* the owner or the opener */
	SUBJECT_FOLLOWED, /* likewise, one of a set that grows: --follow */
	SUBJECT_COMM,	  /* likewise */
	SUBJECT_UID,
	SUBJECT_LPORT,
	SUBJECT_RPORT,
	SUBJECT_PORT, /* either */
	SUBJECT_LADDR,
	SUBJECT_RADDR,
	SUBJECT_FAMILY,
	SUBJECT_NETNS,
	SUBJECT_COUNT
};

struct filter_atom {
	__u8 subject; /* enum filter_subject */
	__u8 negate;
	__u8 absent; /* what it is where the subject has no such thing */
	__u8 last;   /* of its clause */
	__u32 low;   /* numbers: low <= n <= high; addresses: both are the family, 4 or 6 */
	__u32 high;
	__u32 word[4]; /* addresses (network byte order) and names: (x & mask) == word */
	__u32 mask[4];
};
_Static_assert(sizeof(struct filter_atom) == 44, "no padding");

/* What is known of a record before it is made. */
struct filter_facts {
	__u32 pid; /* 0: not known yet */
	__u32 opener_pid;
	__u32 uid;
	__u32 netns; /* 0: unknown */
	__u16 lport; /* host byte order; 0: unknown */
	__u16 rport;
	__u8 family;	/* 4 or 6, of the addresses below; 0: unknown, and they too */
	__u8 no_owner;	/* nobody's, and will be nobody's */
	__u8 any_owner; /* its owner will only be known later */
	__u8 unused;
	__u32 comm[4];
	__u32 laddr[4]; /* network byte order, IPv4 in the first; all 0: unknown */
	__u32 raddr[4];
};

#endif
