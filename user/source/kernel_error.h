/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the kernel's side can't be had, in words for the user. */
#ifndef NETTRACE_KERNEL_ERROR_H
#define NETTRACE_KERNEL_ERROR_H

struct kernel_error {
	char what[200];
	char advice[200]; /* what to do about it; may be empty */
};

/* Fills *error for a -errno of loading. */
void kernel_error_explain(struct kernel_error *error, int err);
/*
 * The same where there are no types of the kernel, in the file that was given (`path`, and why: -errno, -ENODATA
 * it has none, -ESTALE it has another kernel's) or, NULL, anywhere. Returns -errno.
 */
int kernel_error_no_btf(struct kernel_error *error, const char *path, int err);

/* What libbpf has to say goes to -v, the end of long logs only. */
void kernel_error_report_libbpf(void);

#endif
