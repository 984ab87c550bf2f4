/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs of bpf/table.bpf.c: loaded alone, run by reading. */
#ifndef NETTRACE_TABLE_PASS_H
#define NETTRACE_TABLE_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "source/kernel_error.h"
#include "source/rows.h"

struct table_pass;

/* `kinds`: bits 1 << enum table_kind. `btf_path`: NULL, the kernel's own types. 0, or -errno with *error filled (*out untouched), as kernel_source_open. */
int table_pass_open(uint32_t kinds, bool detail, const char *btf_path, struct table_pass **out,
		    struct kernel_error *error);
void table_pass_close(struct table_pass *p);

/*
 * Every open file of every process, in all namespaces, in parts (TABLE_SHARES_MAX places; the caller releases them). One such
 * pass at a time. 0 or -errno.
 */
int table_pass_holders(struct table_pass *p, struct rows *parts);
/* The same in pieces of whole records, as rows_each; only of sockets with these inodes, where they are few (TABLE_WANTED_MAX). */
int table_pass_each_holder(struct table_pass *p, const uint64_t *inodes, size_t count,
			   int (*take)(void *context, const void *data, size_t bytes),
			   void *context);
/* Whether table_pass_unheld can be had of this kernel. */
bool table_pass_sees_unheld(const struct table_pass *p);
/* The TCP sockets of the calling thread's network namespace. May run in several threads at once. 0 or -errno. */
int table_pass_unheld(const struct table_pass *p, struct rows *rows);

#endif
