/* SPDX-License-Identifier: BSD-2-Clause */
/* Selection and filter as clauses of atoms; see bpf/atom.h. Used by filter_pushdown.c only. */
#ifndef NETTRACE_FILTER_CLAUSES_H
#define NETTRACE_FILTER_CLAUSES_H

#include "atom.h"
#include "model/filter_private.h"
#include "model/selection.h"

/* A conjunction; none at all is true. */
struct clauses {
	uint32_t count; /* of atoms */
	bool weaker;	/* than what it was made of: user space has to decide the rest */
	struct filter_atom atoms[FILTER_ATOMS];
};

void clauses_of_selection(const struct selection *s, struct clauses *out);
/* `node` of the filter. */
void clauses_of_node(const struct filter *f, uint32_t node, struct clauses *out);
/* Both must hold. What finds no room is left out. */
void clauses_and(struct clauses *to, const struct clauses *more);

#endif
