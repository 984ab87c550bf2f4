/* SPDX-License-Identifier: BSD-2-Clause */
/* The live loop: the running kernel drives a view until Ctrl-C, --for or --count. */
#ifndef NETTRACE_LIVE_H
#define NETTRACE_LIVE_H

#include "options.h"
#include "pipeline.h"

/*
 * Runs the stream or --top on the running kernel. Reports what goes wrong. 0, -ENOTSUP (not possible here), or another
 * -errno. signals_catch must have been called.
 */
int live_run(const struct options *o, struct pipeline *p, struct output *out);

#endif
