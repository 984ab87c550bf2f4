/* SPDX-License-Identifier: BSD-2-Clause */
/* The live loop: the running kernel drives a view until Ctrl-C, --for or --count. */
#ifndef NETTRACE_LIVE_H
#define NETTRACE_LIVE_H

#include "options.h"
#include "pipeline.h"

/*
 * Runs the stream, --top or the lists on the running kernel. Reports what goes wrong. An enum exit_code.
 * The termination signals must be blocked already (live_block_signals), so that none gets lost while starting.
 */
int live_run(const struct options *o, struct pipeline *p, struct output *out);

/* Before anything else: from here on SIGINT, SIGTERM, SIGHUP and SIGWINCH wait for the loop; SIGPIPE is an error code. */
void live_block_signals(void);

#endif
