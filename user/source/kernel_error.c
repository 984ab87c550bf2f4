// SPDX-License-Identifier: BSD-2-Clause
#include "source/kernel_error.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/report.h"

#define PATH_SHOWN 120
#define LOG_LINES 8 /* of a verifier's log the last ones tell why */

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	AUTO_FREE char *text = NULL;
	char *line, *next;
	int lines = 0;

	if (!report_verbose || level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	for (line = text + strlen(text); line > text && lines <= LOG_LINES; line--)
		lines += line[-1] == '\n';
	for (; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line)
			report_debug("%s", line);
	}
	return 0;
}

void kernel_error_explain(struct kernel_error *error, int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		snprintf(error->what, sizeof(error->what), "no permission to load eBPF programs");
		snprintf(
			error->advice, sizeof(error->advice),
			"run it as root ('sudo nettrace'), or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_PTRACE");
		return;
	case ENOMEM:
		snprintf(error->what, sizeof(error->what),
			 "not enough memory for the eBPF programs and their buffer");
		snprintf(error->advice, sizeof(error->advice), "try a smaller --buffer");
		return;
	}
	snprintf(error->what, sizeof(error->what), "the kernel refused the eBPF programs: %s",
		 strerror(-err));
	snprintf(error->advice, sizeof(error->advice), "see 'nettrace -v' for its reasons");
}

int kernel_error_no_btf(struct kernel_error *error, const char *path, int err)
{
	if (path) {
		const char *why = err == -ESTALE    ? "they are not this kernel's"
				  : err == -ENODATA ? "it has none, or not all of them"
						    : strerror(-err);

		/* The end of a long path tells more than its beginning. */
		if (strlen(path) > PATH_SHOWN)
			path += strlen(path) - PATH_SHOWN;
		snprintf(error->what, sizeof(error->what), "can't take types from %s: %s", path,
			 why);
		snprintf(error->advice, sizeof(error->advice),
			 "--btf takes a BTF file of exactly this kernel, or its vmlinux with BTF");
		return -EINVAL;
	}
	snprintf(error->what, sizeof(error->what),
		 "this kernel has no BTF type information (/sys/kernel/btf/vmlinux)");
	snprintf(
		error->advice, sizeof(error->advice),
		"use a kernel built with CONFIG_DEBUG_INFO_BTF=y, or give its types with --btf FILE");
	return -ENOENT;
}

void kernel_error_report_libbpf(void)
{
	libbpf_set_print(print_libbpf);
}
