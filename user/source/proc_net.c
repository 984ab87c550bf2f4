/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/net/{tcp,udp}{,6}: for kernels without inet_diag. No counters there, and no cookies. */
#include "base/cleanup.h"
#include "source/socket_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Eight hexadecimal digits for each 32-bit word, printed in the host's byte order
 * (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
 */
static bool parse_address(const char *digits, uint8_t family, uint8_t address[16])
{
	size_t words = family == AF_INET6 ? 4 : 1;

	if (strspn(digits, "0123456789ABCDEFabcdef") != words * 8 || digits[words * 8])
		return false;
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(digits + i * 8, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(address + i * 4, &word, sizeof(word));
	}
	return true;
}

/*
 * In the place of a cookie: the inode, or a hash of the tuple for what has none. The top bit keeps
 * them from real ones.
 */
static uint64_t stand_in_cookie(const struct socket_row *row)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	if (row->inode)
		return row->inode | STAND_IN_COOKIE;
	for (size_t i = 0; i < 16; i++)
		hash = ((hash ^ row->laddr[i]) * 0x100000001b3ULL ^ row->raddr[i]) *
		       0x100000001b3ULL;
	hash = (hash ^ ((uint64_t)row->lport << 16 | row->rport)) * 0x9e3779b97f4a7c15ULL;
	return (hash ^ row->proto) | STAND_IN_COOKIE;
}

bool proc_net_parse(const char *line, uint8_t family, uint8_t proto, struct socket_row *row)
{
	char local[33], remote[33];
	unsigned int lport, rport, state;
	uint32_t send_q, recv_q, uid;
	uint64_t inode;
	struct socket_row r = { .proto = proto, .family = family, .has_queues = true };

	if (sscanf(line,
		   "%*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x %" SCNx32 ":%" SCNx32
		   " %*x:%*x %*x %" SCNu32 " %*u %" SCNu64,
		   local, &lport, remote, &rport, &state, &send_q, &recv_q, &uid, &inode) != 9)
		return false;
	if (!state || state >= STATE_COUNT)
		return false;
	if (!parse_address(local, family, r.laddr) || !parse_address(remote, family, r.raddr))
		return false;
	r.lport = (uint16_t)lport;
	r.rport = (uint16_t)rport;
	r.state = (uint8_t)state;
	r.send_q = send_q;
	r.recv_q = recv_q;
	r.inode = inode;
	/* Of a TIME_WAIT socket the file says uid 0, whoever had it. */
	r.has_uid = state != STATE_TIME_WAIT;
	r.uid = uid;
	r.cookie = stand_in_cookie(&r);
	*row = r;
	return true;
}

#define ACCEPTS 0x10000 /* __SO_ACCEPTCON in Flags (net/unix/af_unix.c, unix_seq_show) */
#define CONNECTED 3	/* SS_CONNECTED in St */

bool proc_net_parse_unix(const char *line, struct socket_row *row, const char **name,
			 size_t *length)
{
	static const uint8_t types[] = { [SOCK_STREAM] = SOCKET_TYPE_STREAM,
					 [SOCK_DGRAM] = SOCKET_TYPE_DGRAM,
					 [SOCK_SEQPACKET] = SOCKET_TYPE_SEQPACKET };
	struct socket_row r = { .proto = PROTO_UNIX, .family = AF_UNIX };
	unsigned int flags, type, state;
	int end = 0;

	if (sscanf(line, "%*x: %*x %*x %x %x %x %" SCNu64 "%n", &flags, &type, &state, &r.inode,
		   &end) != 4 ||
	    !end)
		return false;
	r.type = type < sizeof(types) ? types[type] : SOCKET_TYPE_NONE;
	r.state = flags & ACCEPTS      ? STATE_LISTEN
		  : state == CONNECTED ? STATE_ESTABLISHED
				       : STATE_CLOSE;
	r.cookie = stand_in_cookie(&r);
	*name = line[end] == ' ' ? line + end + 1 : NULL;
	*length = *name ? strcspn(*name, "\n") : 0;
	*row = r;
	return true;
}

static const char *file_name(uint8_t family, uint8_t proto)
{
	switch (proto) {
	case PROTO_UNIX:
		return "unix";
	case PROTO_RAW:
		return family == AF_INET6 ? "raw6" : "raw";
	case IPPROTO_UDP:
		return family == AF_INET6 ? "udp6" : "udp";
	}
	return family == AF_INET6 ? "tcp6" : "tcp";
}

static int take_line(const char *line, uint8_t family, uint8_t proto, struct socket_rows *rows)
{
	struct socket_row row, *place;
	const char *name = NULL;
	size_t length = 0;

	if (proto == PROTO_UNIX ? !proc_net_parse_unix(line, &row, &name, &length)
				: !proc_net_parse(line, family, proto, &row))
		return 0;
	place = socket_rows_add(rows);
	if (!place)
		return -ENOMEM;
	*place = row;
	return name ? socket_rows_name(rows, place, name, length) : 0;
}

int proc_net_sockets(uint8_t family, uint8_t proto, struct socket_rows *rows)
{
	AUTO_FCLOSE FILE *file = NULL;
	AUTO_FREE char *line = NULL;
	size_t size = 0, before = rows->count;
	char path[48];
	int err = 0;

	/* The thread's, for its namespace may be another than the process's. */
	snprintf(path, sizeof(path), "/proc/thread-self/net/%s", file_name(family, proto));
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (!err && getline(&line, &size, file) > 0)
		err = take_line(line, family, proto, rows);
	if (err)
		socket_rows_cut(rows, before);
	return err;
}
