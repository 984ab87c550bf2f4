/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NETTRACE_DESCENDANTS_H
#define NETTRACE_DESCENDANTS_H

#include "model/pid_set.h"

/* Adds the living descendants of the processes in the set, by what /proc says of parents. 0 or -errno. */
int descendants_add(struct pid_set *s);

#endif
