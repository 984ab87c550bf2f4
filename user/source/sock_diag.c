/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/sock_diag.h"

#include "source/socket_rows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * The peer's FIN takes a number of its own in bytes_received (net/ipv4/tcp_input.c, tcp_fin): these
 * states follow one.
 */
static bool fin_received(unsigned int state)
{
	return state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK || state == STATE_CLOSING ||
	       state == STATE_TIME_WAIT;
}

/* Old kernels tell a shorter tcp_info: does it reach to the end of the member? */
#define TOLD(member) \
	(length >= offsetof(struct tcp_info, member) + sizeof(((struct tcp_info *)0)->member))

static void take_info(const void *data, size_t length, struct socket_row *row)
{
	struct tcp_info info = { 0 };

	memcpy(&info, data, length < sizeof(info) ? length : sizeof(info));
	/* Read right before the counters; the one in the message's head is older, and a FIN may have come between. */
	if (info.tcpi_state && info.tcpi_state < STATE_COUNT && info.tcpi_state != STATE_LISTEN)
		row->state = info.tcpi_state;
	if (TOLD(tcpi_rtt))
		row->srtt_us = info.tcpi_rtt;
	row->has_detail = TOLD(tcpi_snd_cwnd);
	row->rttvar_us = info.tcpi_rttvar;
	row->rto_us = info.tcpi_rto;
	row->mss = info.tcpi_snd_mss;
	row->pmtu = info.tcpi_pmtu;
	row->cwnd = info.tcpi_snd_cwnd;
	row->ssthresh = info.tcpi_snd_ssthresh;
	row->unacked = info.tcpi_unacked;
	row->has_retrans = TOLD(tcpi_total_retrans);
	row->retrans = info.tcpi_total_retrans;
	/* All ones: no sample yet. */
	if (TOLD(tcpi_min_rtt) && info.tcpi_min_rtt != UINT32_MAX)
		row->rtt_min_us = info.tcpi_min_rtt;
	row->has_segs = TOLD(tcpi_segs_in);
	row->tx_segs = info.tcpi_segs_out;
	row->rx_segs = info.tcpi_segs_in;
	/* bytes_sent came last of these (4.19); bytes_acked would count SYN and FIN. */
	row->has_bytes = TOLD(tcpi_bytes_retrans);
	row->tx_bytes = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
	row->rx_bytes = info.tcpi_bytes_received;
	if (row->rx_bytes && fin_received(row->state))
		row->rx_bytes--;
}

/* A string that the kernel may not have terminated. */
static void take_name(char *to, size_t size, const char *from, size_t length)
{
	length = strnlen(from, length < size - 1 ? length : size - 1);
	memcpy(to, from, length);
	to[length] = '\0';
}

int sock_diag_parse(const struct nlmsghdr *message, uint8_t proto, struct socket_row *row)
{
	const struct inet_diag_msg *m = NLMSG_DATA(message);
	const struct rtattr *a;
	size_t size;
	int left; /* signed: RTA_NEXT may take padding away that is not there */

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	if (m->idiag_family != AF_INET && m->idiag_family != AF_INET6)
		return -EBADMSG;
	if (!m->idiag_state || m->idiag_state >= STATE_COUNT)
		return -EBADMSG;
	*row = (struct socket_row){
		.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
		.inode = m->idiag_inode,
		.uid = m->idiag_uid,
		/* A minisocket knows no user: the kernel puts 0 there. */
		.has_uid = m->idiag_state != STATE_TIME_WAIT &&
			   (m->idiag_inode || m->idiag_state != STATE_FIN_WAIT2),
		.has_queues = true,
		.recv_q = m->idiag_rqueue,
		.send_q = m->idiag_wqueue,
		.timer = m->idiag_timer < TIMER_COUNT ? m->idiag_timer : TIMER_NONE,
		.timer_ms = m->idiag_expires,
		.timer_retrans = m->idiag_retrans,
		.lport = ntohs(m->id.idiag_sport),
		.rport = ntohs(m->id.idiag_dport),
		.proto = proto,
		.family = m->idiag_family,
		.state = m->idiag_state,
	};
	size = m->idiag_family == AF_INET6 ? 16 : 4;
	memcpy(row->laddr, m->id.idiag_src, size);
	memcpy(row->raddr, m->id.idiag_dst, size);

	a = (const struct rtattr *)((const char *)message + NLMSG_LENGTH(sizeof(*m)));
	left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		/* A listener's tcp_info has queue lengths in the place of counters. */
		if (a->rta_type == INET_DIAG_INFO && proto == IPPROTO_TCP &&
		    row->state != STATE_LISTEN)
			take_info(RTA_DATA(a), RTA_PAYLOAD(a), row);
		else if (a->rta_type == INET_DIAG_CONG)
			take_name(row->congestion, sizeof(row->congestion), RTA_DATA(a),
				  RTA_PAYLOAD(a));
		else if (a->rta_type == INET_DIAG_CGROUP_ID &&
			 RTA_PAYLOAD(a) >= sizeof(row->cgroup_id))
			memcpy(&row->cgroup_id, RTA_DATA(a), sizeof(row->cgroup_id));
	}
	return 0;
}

/* The protocol's sockets of one family: netlink first, whatever it is that speaks against it. */
static int dump_family(uint8_t family, uint8_t proto, uint32_t states, struct socket_rows *rows)
{
	int err = netlink_dump_sockets(family, proto, states, rows);

	return err && err != -ENOMEM ? proc_net_sockets(family, proto, rows) : err;
}

/* Both families: TCP's at once where the kernel can, for its hash tables are large. */
static int dump_inet(uint8_t proto, uint32_t states, struct socket_rows *rows)
{
	int err = -EOPNOTSUPP;

	if (proto == IPPROTO_TCP)
		err = netlink_dump_sockets(AF_UNSPEC, proto, states, rows);
	if (!err || err == -ENOMEM)
		return err;
	err = dump_family(AF_INET, proto, states, rows);
	return err ? err : dump_family(AF_INET6, proto, states, rows);
}

static int dump_unix(uint32_t states, struct socket_rows *rows)
{
	size_t first = rows->count;
	int err = dump_family(AF_UNIX, PROTO_UNIX, states, rows);

	return err ? err : socket_rows_drop_repeated(rows, first);
}

/* The caller's namespace: the thread's. 0: unknown. */
static uint32_t own_netns(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : (uint32_t)st.st_ino;
}

int sock_diag_read(const struct sock_diag_query *query, struct socket_rows *rows)
{
	/* All but sockets that are only bound (TCP_BOUND_INACTIVE, 6.8). */
	const uint32_t all = (1u << STATE_COUNT) - 1;
	const struct {
		bool wanted;
		uint8_t proto;
		uint32_t states;
	} kinds[] = {
		{ query->tcp && query->tcp_states, IPPROTO_TCP, query->tcp_states & all },
		{ query->udp, IPPROTO_UDP, all },
		{ query->raw, PROTO_RAW, all },
	};
	size_t first = rows->count;
	uint32_t netns = own_netns();
	int err = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !err; i++) {
		if (!kinds[i].wanted)
			continue;
		err = dump_inet(kinds[i].proto, kinds[i].states, rows);
	}
	if (!err && query->unix_sockets)
		err = dump_unix(all, rows);
	for (size_t i = first; i < rows->count; i++)
		rows->rows[i].netns = netns;
	return err;
}
