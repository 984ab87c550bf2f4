/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of selection and filter the kernel can decide. It drops only what can't match, also not later in the same
 * connection: user space checks all of it again.
 */
#ifndef NETTRACE_FILTER_PUSHDOWN_H
#define NETTRACE_FILTER_PUSHDOWN_H

#include "model/filter.h"
#include "model/selection.h"

struct filter_atom;
struct filter_facts;
struct pid_set;

/* Owned: atoms. */
struct filter_pushdown {
	uint32_t count; /* 0: the kernel drops nothing */
	bool all;	/* nothing is left for user space, where all the facts are known */
	struct filter_atom *atoms;
	const struct pid_set *followed; /* borrowed; NULL without --follow */
};

/* Either may be NULL. What does not fit stays with user space. 0 or -ENOMEM. */
int filter_pushdown_init(struct filter_pushdown *p, const struct selection *s,
			 const struct filter *f);
void filter_pushdown_done(struct filter_pushdown *p);

/* How many atoms the clauses at the beginning have that fit into `room`: those alone drop less. */
uint32_t filter_pushdown_first(const struct filter_pushdown *p, uint32_t room);
/* The kernel's view of addresses as a socket has them; `ipv6`: of an AF_INET6 one. For tests. */
void filter_facts_settle(struct filter_facts *facts, bool ipv6);
/* The kernel's decision: false, when a record of these facts would be dropped. */
bool filter_pushdown_decides(const struct filter_pushdown *p, const struct filter_facts *facts);
/* The kernel's decision, made for an event: false, when it would not have been told. */
bool filter_pushdown_wants(const struct filter_pushdown *p, const struct event *e);

/* Three lines: the filter as it was understood, what the kernel decides, what only user space can. */
void filter_explain(const struct selection *s, const struct filter *f, struct text *t);

#endif
