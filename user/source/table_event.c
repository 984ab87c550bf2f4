/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_event.h"

#include <string.h>
#include <sys/socket.h>

#include "source/sock_diag.h"

#define SSTHRESH_INFINITE 0x7fffffff /* TCP_INFINITE_SSTHRESH: no loss so far */

size_t table_record_size(const void *data, size_t left)
{
	size_t size = 0;

	if (!left)
		return 0;
	switch (*(const uint8_t *)data) {
	case TABLE_PROCESS:
		size = sizeof(struct table_process);
		break;
	case TABLE_SOCKET:
		size = sizeof(struct table_socket);
		break;
	case TABLE_DETAIL:
		size = sizeof(struct table_detail);
		break;
	case TABLE_KNOWN:
		size = sizeof(struct table_known);
		break;
	}
	return size <= left ? size : 0;
}

static uint64_t jiffies_to_us(uint32_t jiffies, const struct table_names *names)
{
	return names->hz ? jiffies * 1000000ULL / names->hz : 0;
}

static void set_counters(const struct table_socket *s, struct event *e)
{
	e->tx_bytes = s->tx_bytes;
	e->rx_bytes = s->rx_bytes;
	e->retrans = s->retrans;
	e->tx_segs = s->tx_segs;
	e->rx_segs = s->rx_segs;
	event_set(e, FIELD_TX_BYTES);
	event_set(e, FIELD_RX_BYTES);
	event_set(e, FIELD_RETRANS);
	event_set(e, FIELD_TX_SEGS);
	event_set(e, FIELD_RX_SEGS);
	if (s->srtt_us) {
		e->srtt_us = s->srtt_us;
		event_set(e, FIELD_SRTT_US);
	}
	if (s->rtt_min_us != UINT32_MAX) {
		e->rtt_min_us = s->rtt_min_us;
		event_set(e, FIELD_RTT_MIN_US);
	}
}

static void set_timer(const struct table_socket *s, const struct table_names *names,
		      struct event *e)
{
	e->timer = s->timer;
	e->timer_us = jiffies_to_us(s->timer_jiffies, names);
	e->timer_retrans = s->timer_retrans;
	event_set(e, FIELD_TIMER);
	event_set(e, FIELD_TIMER_US);
	event_set(e, FIELD_TIMER_RETRANS);
}

static void set_detail(const struct table_detail *d, const struct table_names *names,
		       struct event *e)
{
	e->rttvar_us = d->rttvar_us;
	e->rto_us = (uint32_t)jiffies_to_us(d->rto_jiffies, names);
	e->mss = d->mss;
	e->pmtu = d->pmtu;
	e->cwnd = d->cwnd;
	e->ssthresh = d->ssthresh;
	e->unacked = d->unacked;
	for (int f = FIELD_RTTVAR_US; f <= FIELD_UNACKED; f++)
		event_set(e, (enum event_field)f);
	if (!event_has(e, FIELD_SRTT_US))
		event_unset(e, FIELD_RTTVAR_US);
	if (!d->pmtu)
		event_unset(e, FIELD_PMTU);
	if (d->ssthresh >= SSTHRESH_INFINITE)
		event_unset(e, FIELD_SSTHRESH);
	if (*d->congestion) {
		e->congestion = d->congestion;
		event_set(e, FIELD_CONGESTION);
	}
}

static void set_ends(const struct table_socket *s, struct event *e)
{
	event_set_addresses(e, s->family, s->laddr, s->raddr);
	e->lport = s->lport;
	e->rport = s->rport;
	event_set(e, FIELD_LPORT);
	event_set(e, FIELD_RPORT);
	if (s->state == STATE_LISTEN) {
		event_unset(e, FIELD_RADDR);
		event_unset(e, FIELD_RPORT);
	}
}

static void set_tcp(const struct table_socket *s, struct event *e)
{
	if (s->flags & TABLE_MPTCP) {
		e->mptcp = true;
		event_set(e, FIELD_MPTCP);
	}
	if (s->state == STATE_LISTEN) {
		e->backlog = s->send_q;
		e->syn_queue = s->syn_queue;
		e->drops = s->drops;
		event_set(e, FIELD_BACKLOG);
		event_set(e, FIELD_DROPS);
		return;
	}
	e->direction = s->flags & TABLE_CHILD ? DIRECTION_IN : DIRECTION_OUT;
	event_set(e, FIELD_DIRECTION);
}

/* What both have: which socket, whose namespace, its state. */
static void set_identity(const struct table_socket *s, struct event *e)
{
	static const uint8_t protos[TABLE_KINDS] = { [TABLE_TCP] = IPPROTO_TCP,
						     [TABLE_UDP] = IPPROTO_UDP,
						     [TABLE_RAW] = PROTO_RAW,
						     [TABLE_UNIX] = PROTO_UNIX };

	e->cookie = s->cookie;
	e->proto = s->kind < TABLE_KINDS ? protos[s->kind] : 0;
	e->state = s->state;
	e->netns = s->netns;
	e->inode = s->inode;
	e->owner = s->flags & TABLE_IN_USE ? OWNER_KERNEL : OWNER_UNKNOWN;
	event_set(e, FIELD_ID);
	event_set(e, FIELD_PROTO);
	event_set(e, FIELD_STATE);
	event_set(e, FIELD_NETNS);
	event_set(e, FIELD_OWNER);
	if (s->inode)
		event_set(e, FIELD_INODE);
}

void table_socket_to_event(const struct table_socket *s, const struct table_detail *detail,
			   const struct table_names *names, struct event *e)
{
	event_init(e, EVENT_SOCKET, names->time_ns, names->mono_ns);
	set_identity(s, e);
	if (s->kind == TABLE_UNIX) { /* unix_diag alone knows its queues and names */
		e->socket_type = socket_type_of(s->type);
		if (e->socket_type)
			event_set(e, FIELD_SOCKET_TYPE);
		return;
	}
	set_ends(s, e);
	e->recv_q = s->recv_q;
	e->send_q = s->send_q;
	event_set(e, FIELD_RECV_Q);
	event_set(e, FIELD_SEND_Q);
	if (s->kind == TABLE_TCP) {
		set_tcp(s, e);
	} else {
		e->drops = s->drops;
		event_set(e, FIELD_DROPS);
	}
	if (s->flags & TABLE_COUNTED)
		set_counters(s, e);
	if (s->timer)
		set_timer(s, names, e);
	if (detail)
		set_detail(detail, names, e);
}

void table_owner_to_event(const struct table_process *p, const struct table_names *names,
			  struct event *e)
{
	e->owner = OWNER_SNAPSHOT;
	e->pid = p->pid;
	e->uid = p->uid;
	memcpy(e->comm, p->comm, sizeof(e->comm));
	e->comm[sizeof(e->comm) - 1] = '\0';
	event_set(e, FIELD_PID);
	event_set(e, FIELD_UID);
	event_set(e, FIELD_COMM);
	cgroup_to_event(names->cgroups, p->cgroup_id, e);
}
