/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's notices of TCP sockets that go away, with their final counters (SKNLGRP_INET_TCP_DESTROY, linux/sock_diag.h):
 * what polling has in place of a hook. No privilege needed; of the caller's network namespace only.
 */
#ifndef NETTRACE_DESTROY_NOTICES_H
#define NETTRACE_DESTROY_NOTICES_H

#include "source/sock_diag.h"

/* A notice. The row is in state CLOSE; it has no uid and no inode any more. */
struct destroy_notice {
	struct socket_row row;
	uint64_t bytes_acked; /* 0: an outgoing connection was never established */
};

typedef int destroy_notice_sink(void *context, const struct destroy_notice *notice);

/* A descriptor that is readable when there are some, or -errno. */
int destroy_notices_open(void);
/*
 * Tells those that are there. 0, what the sink returned, or -errno: -ENOBUFS, some were lost for want of room, how many is
 * not known.
 */
int destroy_notices_read(int fd, destroy_notice_sink *sink, void *context);
/* One message. 0 or -EBADMSG. For tests. */
int destroy_notice_parse(const struct nlmsghdr *message, struct destroy_notice *notice);

#endif
