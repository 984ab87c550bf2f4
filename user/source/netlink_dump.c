/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCK_DIAG_BY_FAMILY over a raw netlink socket: one request, one kind of answer. (libmnl would do
 * it, but Debian has no static libmnl, and `make static` needs one.)
 */
#include "base/cleanup.h"
#include "source/netlink_message.h"
#include "source/socket_rows.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define DUMP_TRIES 3		 /* the kernel says so when a dump is not consistent */
#define RECEIVE_SIZE (64 * 1024) /* the kernel fills at most 32 KB a message */
#define RECEIVE_SECONDS 5	 /* it answers at once; never hang on one that doesn't */

static int open_netlink(int *out)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_sec = RECEIVE_SECONDS };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), err;

	if (fd < 0)
		return -errno;
	/* Connected: only the kernel's messages get in. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&kernel, sizeof(kernel))) {
		err = -errno;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

static int send_inet_request(int fd, uint8_t family, uint8_t proto, uint32_t states)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = family,
			.sdiag_protocol = proto,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1),
			.idiag_states = states,
		},
	};

	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

/* The older request: of both families in one walk through the hash tables, where the newer one takes two. */
static int send_tcp_request(int fd, uint32_t states)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = TCPDIAG_GETSOCK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.idiag_family = AF_INET,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1),
			.idiag_states = states,
		},
	};

	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

static int send_unix_request(int fd, uint32_t states)
{
	struct {
		struct nlmsghdr header;
		struct unix_diag_req request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = AF_UNIX,
			.udiag_states = states,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN |
				      UDIAG_SHOW_UID,
		},
	};

	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

/* 0 or -ENOMEM; an answer that makes no sense is left out. */
static int take_socket(const struct nlmsghdr *message, uint8_t proto, struct socket_rows *rows)
{
	struct socket_row *row = socket_rows_add(rows);
	const char *name = NULL;
	size_t length = 0;
	int err;

	if (!row)
		return -ENOMEM;
	err = proto == PROTO_UNIX ? unix_diag_parse(message, row, &name, &length)
				  : sock_diag_parse(message, proto, row);
	if (err) {
		rows->count--;
		return 0;
	}
	return name ? socket_rows_name(rows, row, name, length) : 0;
}

/* 1, or -errno: a kernel without the module for this protocol says so only at the end. */
static int done_with(const struct nlmsghdr *message)
{
	int error = 0;

	if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(message), sizeof(error));
	return error < 0 ? error : 1;
}

/*
 * One received block: 1 at the end of the dump, 0 when there is more, or -errno (-EINTR: to be done
 * again).
 */
static int take_messages(const char *data, size_t length, uint8_t proto, struct socket_rows *rows)
{
	const struct nlmsghdr *message;
	size_t at = 0;

	while ((message = netlink_message(data, length, &at))) {
		int err;

		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EINTR;
		if (message->nlmsg_type == NLMSG_DONE)
			return done_with(message);
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(message);

			if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*error)) || error->error >= 0)
				return -EBADMSG;
			return error->error;
		}
		if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY &&
		    message->nlmsg_type != TCPDIAG_GETSOCK)
			continue;
		err = take_socket(message, proto, rows);
		if (err)
			return err;
	}
	return 0;
}

static int send_request(int fd, uint8_t family, uint8_t proto, uint32_t states)
{
	if (family == AF_UNIX)
		return send_unix_request(fd, states);
	return family == AF_UNSPEC ? send_tcp_request(fd, states)
				   : send_inet_request(fd, family, proto, states);
}

static int dump_once(uint8_t family, uint8_t proto, uint32_t states, struct socket_rows *rows)
{
	AUTO_FREE char *data = malloc(RECEIVE_SIZE);
	AUTO_CLOSE int fd = -1;
	int err = data ? open_netlink(&fd) : -ENOMEM;

	if (!err)
		err = send_request(fd, family, proto, states);
	while (!err) {
		ssize_t length = recv(fd, data, RECEIVE_SIZE, MSG_TRUNC);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		if (length > RECEIVE_SIZE)
			return -EMSGSIZE;
		err = take_messages(data, (size_t)length, proto, rows);
	}
	return err > 0 ? 0 : err;
}

int netlink_dump_sockets(uint8_t family, uint8_t proto, uint32_t states, struct socket_rows *rows)
{
	size_t before = rows->count;
	int err = -EINTR;

	for (int tries = 0; err == -EINTR && tries < DUMP_TRIES; tries++) {
		socket_rows_cut(rows, before);
		err = dump_once(family, proto, states, rows);
	}
	if (err)
		socket_rows_cut(rows, before);
	return err;
}
