/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes to standard error: one clear line, "nettrace: …". Called by main, the loops and the
 * views only.
 */
#ifndef NETTRACE_REPORT_H
#define NETTRACE_REPORT_H

/* Exit codes, part of the contract. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,     /* failed while running */
	EXIT_USAGE = 2,	     /* wrong usage */
	EXIT_IMPOSSIBLE = 3, /* not possible here: the message says what to do */
	EXIT_LOST = 4,	     /* --strict and something was lost */
};

extern int report_verbose; /* -v */

void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_debug(const char *format, ...) __attribute__((format(printf, 1, 2))); /* only with -v */

#endif
