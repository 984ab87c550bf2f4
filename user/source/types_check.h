/* SPDX-License-Identifier: BSD-2-Clause */
/* Are types from a file those of the running kernel? With another's every field would be read from a wrong place, and nobody told. */
#ifndef NETTRACE_TYPES_CHECK_H
#define NETTRACE_TYPES_CHECK_H

#include "source/kernel_error.h"

struct btf;

/*
 * The types of the running kernel in this file: raw BTF, or an ELF file with BTF. 0, and *out (NULL: not wanted) to be freed with btf__free, or
 * -errno with *error filled: it can't be read, or types_check says that it is another kernel's.
 */
int types_from_file(const char *path, struct btf **out, struct kernel_error *error);

/*
 * Listens on a port of 127.0.0.1 for a moment, reads that socket and this thread in the kernel by these types, and compares
 * with what is known of them. 0, also where the program did not run; -ESTALE: they are another kernel's, or of none; or -errno
 * of loading.
 */
int types_check(const struct btf *btf);

/* Where a member is, in bytes, also within members without a name; -ENOENT: not there, or no whole bytes. */
int types_member_offset(const struct btf *btf, const char *structure, const char *member);

#endif
