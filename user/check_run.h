/* SPDX-License-Identifier: BSD-2-Clause */
/* --check: what this kernel and these privileges allow, as text or as one JSON object. */
#ifndef NETTRACE_CHECK_RUN_H
#define NETTRACE_CHECK_RUN_H

#include "base/text.h"
#include "options.h"
#include "source/check.h"

/* Prints it. EXIT_DONE: tracing works, maybe without some hooks; EXIT_IMPOSSIBLE: only polling; EXIT_FAILED. */
int check_main(const struct options *o);

/* The two forms; for tests. */
void check_to_text(const struct check *c, struct text *t);
void check_to_json(const struct check *c, struct text *t);

#endif
