/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All sockets of this moment with all their holders, in all network namespaces: for the lists. With eBPF one pass over the open
 * files of all processes, and in each namespace what no file leads to; without it sock_diag and /proc.
 */
#ifndef NETTRACE_TABLE_SOURCE_H
#define NETTRACE_TABLE_SOURCE_H

#include "model/event.h"
#include "model/selection.h"
#include "source/kernel_error.h"

struct table_source;

struct table_options {
	bool tcp, udp, raw, unix_sockets;
	bool detail;	      /* what -e shows of TCP connections */
	bool without_ebpf;    /* for tests */
	const char *btf_path; /* the kernel's types, in place of its own; NULL */
	const struct u32_list
		*netns; /* borrowed: inodes of the namespaces to look into; empty: all */
};

/*
 * 0, also where eBPF can't be had: then *error says why, and the table comes from /proc. -ENOMEM otherwise; *out is untouched
 * then.
 */
int table_source_open(const struct table_options *options, struct table_source **out,
		      struct kernel_error *error);
void table_source_close(struct table_source *t);
bool table_source_has_ebpf(const struct table_source *t);

/* Names a row of the last read. */
struct table_row {
	uint32_t part; /* which of the things that the source read it from */
	uint32_t index;
};

/* Gets each row; the event is transient. Not 0 ends the read, and is what it returns. */
typedef int table_sink(void *context, struct event *e, struct table_row row);

/*
 * One `socket` event for each socket, each once, listeners that are held first. What was read is kept up to the next read, so that a
 * table need not copy it. 0, what the sink returned, or -errno.
 */
int table_source_read(struct table_source *t, table_sink *sink, void *context);
/* The event of this row again; it borrows from the source up to the next call. 0 or -ENOMEM. */
int table_source_row(struct table_source *t, struct table_row row, struct event *e);

/* What the last read could not look into. */
struct table_gaps {
	uint32_t networks; /* that could not be entered, though they are there */
	uint32_t first;	   /* inode of one of them */
	int error;	   /* -errno: why that one */
};

struct table_gaps table_source_gaps(const struct table_source *t);

#endif
