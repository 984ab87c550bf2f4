/* SPDX-License-Identifier: BSD-2-Clause */
/* One answer of unix_diag (net/unix/diag.c) to one row. */
#include "source/sock_diag.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

uint8_t socket_type_of(unsigned int type)
{
	switch (type) {
	case SOCK_STREAM:
		return SOCKET_TYPE_STREAM;
	case SOCK_DGRAM:
		return SOCKET_TYPE_DGRAM;
	case SOCK_SEQPACKET:
		return SOCKET_TYPE_SEQPACKET;
	}
	return SOCKET_TYPE_NONE;
}

int unix_diag_parse(const struct nlmsghdr *message, struct socket_row *row, const char **name,
		    size_t *length)
{
	const struct unix_diag_msg *m = NLMSG_DATA(message);
	const struct rtattr *a;
	struct unix_diag_rqlen queues;
	int left; /* signed: RTA_NEXT may take padding away that is not there */

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->udiag_family != AF_UNIX)
		return -EBADMSG;
	if (!m->udiag_state || m->udiag_state >= STATE_COUNT)
		return -EBADMSG;
	*name = NULL;
	*length = 0;
	*row = (struct socket_row){
		.cookie = (uint64_t)m->udiag_cookie[1] << 32 | m->udiag_cookie[0],
		.inode = m->udiag_ino,
		.proto = PROTO_UNIX,
		.family = AF_UNIX,
		.state = m->udiag_state,
		.type = socket_type_of(m->udiag_type),
	};
	a = (const struct rtattr *)((const char *)message + NLMSG_LENGTH(sizeof(*m)));
	left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		size_t size = RTA_PAYLOAD(a);

		if (a->rta_type == UNIX_DIAG_NAME && size) {
			*name = RTA_DATA(a);
			*length = size;
		} else if (a->rta_type == UNIX_DIAG_PEER && size >= sizeof(uint32_t)) {
			uint32_t inode;

			memcpy(&inode, RTA_DATA(a), sizeof(inode));
			row->peer_inode = inode;
		} else if (a->rta_type == UNIX_DIAG_RQLEN && size >= sizeof(queues)) {
			memcpy(&queues, RTA_DATA(a), sizeof(queues));
			row->recv_q = queues.udiag_rqueue;
			row->send_q = queues.udiag_wqueue;
			row->has_queues = true;
		} else if (a->rta_type == UNIX_DIAG_UID && size >= sizeof(row->uid)) {
			memcpy(&row->uid, RTA_DATA(a), sizeof(row->uid));
			row->has_uid = true;
		}
	}
	/* A path on disk ends with a NUL that is counted; an abstract name begins with one and has no end. */
	if (*name && **name)
		*length = strnlen(*name, *length);
	return 0;
}
