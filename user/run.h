/* SPDX-License-Identifier: BSD-2-Clause */
/* A view from its beginning to its end: what is shown, from where, beside a recording; what it says when it is over. */
#ifndef NETTRACE_RUN_H
#define NETTRACE_RUN_H

#include "options.h"

/* The stream, --top and the lists, live or replayed. Reports what goes wrong. An exit code. */
int run(struct options *o);

#endif
