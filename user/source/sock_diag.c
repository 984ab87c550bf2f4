/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/sock_diag.h"

#include "source/clock.h"
#include "source/socket_rows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

void socket_rows_done(struct socket_rows *r)
{
	free(r->rows);
	*r = (struct socket_rows){ 0 };
}

struct socket_row *socket_rows_add(struct socket_rows *r)
{
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 256;
		struct socket_row *rows;

		if (capacity > SOCKET_ROWS_MAX)
			return NULL;
		rows = realloc(r->rows, capacity * sizeof(*rows));
		if (!rows)
			return NULL;
		r->rows = rows;
		r->capacity = capacity;
	}
	return memset(&r->rows[r->count++], 0, sizeof(*r->rows));
}

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
	if (TOLD(tcpi_rtt))
		row->srtt_us = info.tcpi_rtt;
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
		.recv_q = m->idiag_rqueue,
		.send_q = m->idiag_wqueue,
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
		else if (a->rta_type == INET_DIAG_CGROUP_ID &&
			 RTA_PAYLOAD(a) >= sizeof(row->cgroup_id))
			memcpy(&row->cgroup_id, RTA_DATA(a), sizeof(row->cgroup_id));
	}
	return 0;
}

static void set_counters(const struct socket_row *row, struct event *e)
{
	if (row->has_bytes) {
		e->tx_bytes = row->tx_bytes;
		e->rx_bytes = row->rx_bytes;
		event_set(e, FIELD_TX_BYTES);
		event_set(e, FIELD_RX_BYTES);
	}
	if (row->has_segs) {
		e->tx_segs = row->tx_segs;
		e->rx_segs = row->rx_segs;
		event_set(e, FIELD_TX_SEGS);
		event_set(e, FIELD_RX_SEGS);
	}
	if (row->has_retrans) {
		e->retrans = row->retrans;
		event_set(e, FIELD_RETRANS);
	}
	if (row->srtt_us) {
		e->srtt_us = row->srtt_us;
		event_set(e, FIELD_SRTT_US);
	}
	if (row->rtt_min_us) {
		e->rtt_min_us = row->rtt_min_us;
		event_set(e, FIELD_RTT_MIN_US);
	}
}

void socket_row_to_event(const struct socket_row *row, uint32_t netns, uint64_t time_ns,
			 uint64_t mono_ns, struct event *e)
{
	static const enum event_field always[] = { FIELD_ID,	 FIELD_PROTO, FIELD_OWNER,
						   FIELD_LPORT,	 FIELD_RPORT, FIELD_STATE,
						   FIELD_RECV_Q, FIELD_SEND_Q };

	event_init(e, EVENT_SOCKET, time_ns, mono_ns);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		event_set(e, always[i]);
	e->cookie = row->cookie;
	e->proto = row->proto;
	e->owner = OWNER_UNKNOWN;
	e->lport = row->lport;
	e->rport = row->rport;
	e->state = row->state;
	e->recv_q = row->recv_q;
	e->send_q = row->send_q;
	e->cgroup_id = row->cgroup_id;
	event_set_addresses(e, row->family, row->laddr, row->raddr);
	if (netns) {
		e->netns = netns;
		event_set(e, FIELD_NETNS);
	}
	if (row->inode) {
		e->inode = row->inode;
		event_set(e, FIELD_INODE);
	}
	if (row->has_uid) {
		e->uid = row->uid;
		event_set(e, FIELD_UID);
	}
	set_counters(row, e);
}

/* The protocol's sockets of one family: netlink first, whatever it is that speaks against it. */
static int dump_family(uint8_t family, uint8_t proto, struct socket_rows *rows)
{
	int err = netlink_dump_sockets(family, proto, rows);

	return err && err != -ENOMEM ? proc_net_sockets(family, proto, rows) : err;
}

/* The caller's namespace: the thread's. 0: unknown. */
static uint32_t own_netns(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : (uint32_t)st.st_ino;
}

/* Tells the rows that are listeners, or those that are not. */
static int tell_rows(const struct socket_rows *rows, bool listeners, uint32_t netns,
		     event_sink *sink, void *context)
{
	uint64_t mono_ns = clock_mono_ns(), time_ns = mono_ns + (uint64_t)clock_wall_offset_ns();

	for (size_t i = 0; i < rows->count; i++) {
		const struct socket_row *row = &rows->rows[i];
		struct event e;
		int stop;

		if ((row->state == STATE_LISTEN) != listeners)
			continue;
		socket_row_to_event(row, netns, time_ns, mono_ns, &e);
		stop = sink(context, &e);
		if (stop)
			return stop;
	}
	return 0;
}

int sock_diag_dump(event_sink *sink, void *context)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct socket_rows rows = { 0 };
	uint32_t netns = own_netns();
	int err = 0;

	for (size_t i = 0; i < sizeof(protos) && !err; i++) {
		err = dump_family(AF_INET, protos[i], &rows);
		if (!err)
			err = dump_family(AF_INET6, protos[i], &rows);
	}
	if (!err)
		err = tell_rows(&rows, true, netns, sink, context);
	if (!err)
		err = tell_rows(&rows, false, netns, sink, context);
	socket_rows_done(&rows);
	return err;
}
