/* SPDX-License-Identifier: BSD-2-Clause */
/* A recording drives a view, by the recording's own time. */
#ifndef NETTRACE_REPLAY_RUN_H
#define NETTRACE_REPLAY_RUN_H

#include "options.h"
#include "pipeline.h"

/*
 * Reports what is wrong with the files, line by line; the good lines are shown. Sets what the recording says of the
 * machine in o->view. 0, -EBADMSG after bad lines, or -errno.
 */
int replay_run(struct options *o, struct pipeline *p, struct output *out);

#endif
