/* SPDX-License-Identifier: BSD-2-Clause */
/* The messages of one block received from a netlink socket. */
#ifndef NETTRACE_SOURCE_NETLINK_MESSAGE_H
#define NETTRACE_SOURCE_NETLINK_MESSAGE_H

#include <stddef.h>

#include <linux/netlink.h>

/*
 * The message at *at, from 0 on, of `length` bytes aligned as malloc() does; *at moves behind it. NULL at
 * the end, and where what is left is shorter than it says: NLMSG_OK() and NLMSG_NEXT() mix signs, which
 * not every compiler takes.
 */
static inline const struct nlmsghdr *netlink_message(const char *data, size_t length, size_t *at)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)(data + *at);
	size_t left = *at < length ? length - *at : 0;

	if (left < sizeof(*message) || message->nlmsg_len < sizeof(*message) ||
	    message->nlmsg_len > left)
		return NULL;
	*at += NLMSG_ALIGN(message->nlmsg_len);
	return message;
}

#endif
