/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NETTRACE_EXPLAIN_H
#define NETTRACE_EXPLAIN_H

#include "options.h"

/* --explain: how the filter was understood. 0 or -errno of writing. */
int explain(const struct options *o, FILE *out);

#endif
