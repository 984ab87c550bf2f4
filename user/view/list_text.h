/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the table of sockets in ss's columns. */
#ifndef NETTRACE_LIST_TEXT_H
#define NETTRACE_LIST_TEXT_H

#include "base/text.h"
#include "model/event.h"

/* Of the columns whose width depends on what is in them. */
struct list_widths {
	size_t state, recv_q, send_q, laddr, lport, raddr, rport;
};

/* Room for the header. */
struct list_widths list_widths_least(void);
/* Room for this row too. */
void list_measure(struct list_widths *w, const struct event *e);
void list_put_header(struct text *t, const struct list_widths *w);
/* What a row has behind its process. */
struct list_details {
	bool timers;	    /* -o */
	bool extended;	    /* -e: user, inode, cookie, and what ss -i tells */
	uint32_t own_netns; /* rows of another namespace say theirs; 0: unknown, none does */
};

/* One line. The row must have been measured. */
void list_put_row(struct text *t, const struct event *e, const struct list_widths *w,
		  const struct list_details *details);

#endif
