/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hook in one table: it drives what is loaded and attached (hooks.c), what --check tells, and what the manual has to
 * describe.
 */
#ifndef NETTRACE_HOOK_TABLE_H
#define NETTRACE_HOOK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hook_kind { HOOK_TRACEPOINT, HOOK_FEXIT, HOOK_CGROUP, HOOK_ITERATOR };

enum hook_group {
	HOOK_TCP,
	HOOK_UDP, /* without one of these there is no use in the rest of UDP */
	HOOK_UDP_OWNER, /* without these UDP is followed, but not to whom a socket was handed, and no drops */
	HOOK_FOLLOW, /* --follow */
	HOOK_ALWAYS
};

struct hook {
	const char *program; /* in bpf/ */
	const char *name;    /* in `start` and --check; NULL: it goes with the one before */
	const char *
		other_name; /* of a tracepoint on rung 3, of an iterator on rung 2; NULL: the same */
	enum hook_kind kind;
	enum hook_group group;
	const char *target;			/* tracepoint or function; NULL: none */
	unsigned int program_type, attach_type; /* HOOK_CGROUP: of linux/bpf.h */
	int args;				/* HOOK_FEXIT: how many the function must have */
	bool needed;				/* TCP, or UDP, can't be followed without it */
	bool preempted;				/* only for kernels that preempt its programs */
	const char *without;			/* what is lost without it */
};

#define HOOKS_COUNT 33

extern const struct hook hook_table[HOOKS_COUNT];

/* Its name on this rung; NULL: it has none of its own, or is not there. */
const char *hook_name(const struct hook *hook, unsigned int rung);

#endif
