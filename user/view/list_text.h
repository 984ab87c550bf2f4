/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the table of sockets in ss's columns. */
#ifndef NETTRACE_LIST_TEXT_H
#define NETTRACE_LIST_TEXT_H

#include "base/text.h"
#include "model/connection_table.h"

/* Of the columns whose width depends on what is in them. */
struct list_widths {
	size_t state, recv_q, send_q, laddr, lport, raddr, rport;
};

/* Room for the header. */
struct list_widths list_widths_least(void);
/* Room for this row too. */
void list_measure(struct list_widths *w, const struct connection *c);
void list_put_header(struct text *t, const struct list_widths *w);
/*
 * One line. `extended`: with uid, inode, cookie, round-trip time and retransmits. Rows of another namespace than
 * `own_netns` (0: unknown) say theirs. The row must have been measured.
 */
void list_put_row(struct text *t, const struct connection *c, const struct list_widths *w,
		  bool extended, uint32_t own_netns);

#endif
