/* SPDX-License-Identifier: BSD-2-Clause */
/* --follow: the set of processes, in step with the kernel's. Without --follow these do nothing. */
#ifndef NETTRACE_FOLLOW_H
#define NETTRACE_FOLLOW_H

#include "source/kernel_private.h"

/* Before the hooks are attached: puts what was chosen into the kernel's map. 0 or -errno. */
int follow_begin(struct kernel_source *k);
/* Behind that: adds what they had forked before. What has lost its parent since is not found. 0 or -errno. */
int follow_descendants(struct kernel_source *k);
/* A RECORD_FOLLOW. 0 or -ENOMEM. */
int follow_record(struct kernel_source *k, const struct record *r);

#endif
