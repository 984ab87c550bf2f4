/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/destroy_notices.h"

#include "base/cleanup.h"
#include "source/netlink_message.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_SIZE (16 * 1024) /* a notice takes less than 1 KB */
#define ROOM (8 << 20)		 /* for about 10000 notices that nobody has read yet */

static int join(int fd, int group)
{
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ? -errno
											  : 0;
}

static int set_up(int fd)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	const int room = ROOM;
	int err;

	/* Without privilege as much as is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)))
		return -errno;
	err = join(fd, SKNLGRP_INET_TCP_DESTROY);
	return err ? err : join(fd, SKNLGRP_INET6_TCP_DESTROY);
}

int destroy_notices_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	int err = fd < 0 ? -errno : set_up(fd);

	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

int destroy_notice_parse(const struct nlmsghdr *message, struct destroy_notice *notice)
{
	struct destroy_notice n = { 0 };
	struct tcp_info info = { 0 };
	const struct rtattr *a;
	int left, err = sock_diag_parse(message, IPPROTO_TCP, &n.row);

	if (err)
		return err;
	a = (const struct rtattr *)((const char *)message +
				    NLMSG_LENGTH(sizeof(struct inet_diag_msg)));
	left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(struct inet_diag_msg)));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type != INET_DIAG_INFO)
			continue;
		memcpy(&info, RTA_DATA(a),
		       RTA_PAYLOAD(a) < sizeof(info) ? RTA_PAYLOAD(a) : sizeof(info));
	}
	n.bytes_acked = info.tcpi_bytes_acked;
	n.row.has_uid = false;
	*notice = n;
	return 0;
}

static int tell(const char *data, size_t length, destroy_notice_sink *sink, void *context)
{
	const struct nlmsghdr *message;
	struct destroy_notice notice;
	size_t at = 0;
	int err = 0;

	while (!err && (message = netlink_message(data, length, &at))) {
		if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    destroy_notice_parse(message, &notice))
			continue;
		err = sink(context, &notice);
	}
	return err;
}

int destroy_notices_read(int fd, destroy_notice_sink *sink, void *context)
{
	AUTO_FREE char *data = malloc(RECEIVE_SIZE);
	int err = data ? 0 : -ENOMEM;

	while (!err) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t length =
			recvfrom(fd, data, RECEIVE_SIZE, 0, (struct sockaddr *)&from, &size);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (from.nl_pid) /* not the kernel */
			continue;
		err = tell(data, (size_t)length, sink, context);
	}
	return err;
}
