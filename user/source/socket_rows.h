/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of one network namespace as the kernel lists them, in a growing array, and the ways to fill it: netlink_dump.c
 * and proc_net.c.
 */
#ifndef NETTRACE_SOCKET_ROWS_H
#define NETTRACE_SOCKET_ROWS_H

#include "source/sock_diag.h"

#define SOCKET_ROWS_MAX (4u << 20) /* 1 GB of rows: more sockets than that are not told of */

/* Owned: rows, names. All zero is ready. */
struct socket_rows {
	struct socket_row *rows;
	size_t count, capacity;
	char *names; /* NUL-terminated ones, at the rows' `name` */
	size_t name_bytes, name_capacity;
};

void socket_rows_done(struct socket_rows *r);
/* A zeroed row at the end, or NULL: out of memory or at the limit. */
struct socket_row *socket_rows_add(struct socket_rows *r);
/* Back to what it had: `count` rows. */
void socket_rows_cut(struct socket_rows *r, size_t count);
/*
 * Of several rows with the same cookie the last stays: one that changed its place while the kernel listed (a unix socket
 * that was bound) is told twice. Rows from `first` on, their order kept. 0 or -ENOMEM.
 */
int socket_rows_drop_repeated(struct socket_rows *r, size_t first);
/* Keeps the name of a unix socket, its NULs as @. 0 or -ENOMEM. */
int socket_rows_name(struct socket_rows *r, struct socket_row *row, const char *name,
		     size_t length);

/*
 * Adds the sockets of one family (AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC: both of TCP) and protocol (IPPROTO_*, PROTO_RAW, PROTO_UNIX) in these
 * states (bits 1 << enum tcp_state), all or none of them. 0 or -errno: -ENOENT, -EOPNOTSUPP and the like where
 * the kernel lacks inet_diag.
 */
int netlink_dump_sockets(uint8_t family, uint8_t proto, uint32_t states, struct socket_rows *rows);
/* The same from /proc/net, in all states. 0 (also where there is no such file: no such family) or -errno. */
int proc_net_sockets(uint8_t family, uint8_t proto, struct socket_rows *rows);
/* One line of such a file. False for the heading and what is none. */
bool proc_net_parse(const char *line, uint8_t family, uint8_t proto, struct socket_row *row);
/* One line of /proc/net/unix; *name: its path, of *length bytes. */
bool proc_net_parse_unix(const char *line, struct socket_row *row, const char **name,
			 size_t *length);

#endif
