/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing array of socket rows, and the two ways to fill it; shared by sock_diag.c,
 * netlink_dump.c and proc_net.c.
 */
#ifndef NETTRACE_SOCKET_ROWS_H
#define NETTRACE_SOCKET_ROWS_H

#include "source/sock_diag.h"

#define SOCKET_ROWS_MAX (4u << 20) /* 512 MB of rows: more sockets than that are not told of */

/* Owned: rows. All zero is ready. */
struct socket_rows {
	struct socket_row *rows;
	size_t count, capacity;
};

void socket_rows_done(struct socket_rows *r);
/* A zeroed row at the end, or NULL: out of memory or at the limit. */
struct socket_row *socket_rows_add(struct socket_rows *r);

/*
 * Adds the sockets of one family (AF_INET, AF_INET6) and protocol, all or none of them. 0 or
 * -errno: -ENOENT, -EOPNOTSUPP and the like where the kernel lacks inet_diag.
 */
int netlink_dump_sockets(uint8_t family, uint8_t proto, struct socket_rows *rows);
/* The same from /proc/net. 0 (also where there is no such file: no such family) or -errno. */
int proc_net_sockets(uint8_t family, uint8_t proto, struct socket_rows *rows);
/* One line of such a file. False for the heading and what is none. */
bool proc_net_parse(const char *line, uint8_t family, uint8_t proto, struct socket_row *row);

#endif
