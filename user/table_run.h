/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists (-a, -l, --list) of the running kernel: once, or every INTERVAL. */
#ifndef NETTRACE_TABLE_RUN_H
#define NETTRACE_TABLE_RUN_H

#include "options.h"
#include "pipeline.h"

/* Reports what goes wrong. 0 or -errno. */
int table_run(const struct options *o, struct pipeline *p, struct output *out);

#endif
