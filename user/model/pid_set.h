/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that --follow has come to: those of -p and what they forked. */
#ifndef NETTRACE_PID_SET_H
#define NETTRACE_PID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PID_SET_MAX 65536 /* processes at a time */

/* Owned: slots. All zero is empty. */
struct pid_set {
	uint32_t *slots; /* open addressing, 0: free; at most half full */
	size_t slot_count, count;
};

void pid_set_done(struct pid_set *s);
/* 0, also where it is there already; -ENOSPC, -ENOMEM. `pid` is not 0. */
int pid_set_add(struct pid_set *s, uint32_t pid);
void pid_set_remove(struct pid_set *s, uint32_t pid);
bool pid_set_has(const struct pid_set *s, uint32_t pid);

#endif
