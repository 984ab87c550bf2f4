/* SPDX-License-Identifier: BSD-2-Clause */
/* A pass over the open files of all processes, shared among threads: each takes one process after the other. */
#ifndef NETTRACE_TABLE_SHARE_H
#define NETTRACE_TABLE_SHARE_H

#include "source/rows.h"

#define TABLE_SHARES_MAX 8

/*
 * Runs this iter/task_file program for each process of /proc: what it tells, in parts (TABLE_SHARES_MAX places), a process whole in
 * one of them; processes that begin meanwhile may be missing. 0; -EOPNOTSUPP: one iterator over all does it better here (few
 * processors, very many processes, a kernel before 6.7, no /proc); or -errno. After an error, too, the caller has to release the parts.
 */
int table_share_read(int program_fd, struct rows *parts);

#endif
