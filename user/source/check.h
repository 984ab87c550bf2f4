/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel and these privileges allow, hook by hook: what --check tells. Everything is tried, nothing stays. */
#ifndef NETTRACE_CHECK_H
#define NETTRACE_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "source/hook_table.h"

#define CHECK_RUNGS 3
#define CHECK_TEXT 200

struct check_capability {
	const char *name;
	const char *what_for;
	unsigned int number;
	bool here; /* in the effective set of this process */
};

#define CHECK_CAPABILITIES 6

struct check_hook {
	const char *name;    /* static text; NULL: the entry is not used */
	const char *without; /* static text: what is lost without it */
	int error;	     /* 0: it works; else -errno */
	char reason[CHECK_TEXT], remedy[CHECK_TEXT];
};

struct check {
	struct utsname uts;
	bool btf;
	char lockdown
		[32]; /* "none", "integrity", "confidentiality"; empty: the kernel does not tell */
	char cgroup2[256];	/* where it is mounted; empty: nowhere */
	uint64_t memlock_bytes; /* UINT64_MAX: no limit */
	struct check_capability capabilities[CHECK_CAPABILITIES];
	int rung_errors[CHECK_RUNGS]; /* of rungs 1 to 3: 0 possible, else -errno */
	unsigned int rung;	      /* the best; RUNG_POLLING: nothing may be loaded */
	struct check_hook hooks[HOOKS_COUNT];
	/* What depends on the kernel in other ways than by a hook. */
	const char *accept; /* how an acceptor is found: "fexit", "getpeername", "read", "none" */
	bool reset_reasons; /* reset has a reason */
	bool udp,
		udp_drops_by_flow; /* UDP flows; a drop is counted with its own flow, not the first */
};

/* Fills in all of it. 0 or -ENOMEM. `btf_path`: types from this file, or NULL. */
int check_run(const char *btf_path, struct check *c);

/* How many capabilities or hooks are missing. */
unsigned int check_missing(const struct check *c);

#endif
