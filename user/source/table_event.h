/* SPDX-License-Identifier: BSD-2-Clause */
/* One record of bpf/table.bpf.c to one event. Pure. */
#ifndef NETTRACE_TABLE_EVENT_H
#define NETTRACE_TABLE_EVENT_H

#include "source/table_join.h"
#include "table.h"

/* Without owner and holders. `detail`: NULL where it was not asked for. The event borrows from both records. */
void table_socket_to_event(const struct table_socket *s, const struct table_detail *detail,
			   const struct table_names *names, struct event *e);
/* Who owns it: this process. Borrows nothing. */
void table_owner_to_event(const struct table_process *p, const struct table_names *names,
			  struct event *e);

/*
 * The size of the record at the front of `left` bytes: whole and of a kind that exists, and of a size that keeps the next one aligned; 0
 * otherwise.
 */
size_t table_record_size(const void *data, size_t left);

#endif
