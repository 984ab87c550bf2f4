/* SPDX-License-Identifier: BSD-2-Clause */
/* The array of socket rows, and a row as an event. */
#include "source/socket_rows.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SSTHRESH_INFINITE 0x7fffffff /* TCP_INFINITE_SSTHRESH: no loss so far */
#define NAMES_MAX (256u << 20)

void socket_rows_done(struct socket_rows *r)
{
	free(r->rows);
	free(r->names);
	*r = (struct socket_rows){ 0 };
}

struct socket_row *socket_rows_add(struct socket_rows *r)
{
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 64;
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

void socket_rows_cut(struct socket_rows *r, size_t count)
{
	r->count = count;
}

struct place {
	uint64_t cookie;
	size_t index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	if (p->cookie != q->cookie)
		return p->cookie < q->cookie ? -1 : 1;
	return p->index < q->index ? -1 : p->index > q->index;
}

int socket_rows_drop_repeated(struct socket_rows *r, size_t first)
{
	size_t count = r->count - first, kept = first;
	AUTO_FREE struct place *places = calloc(count + 1, sizeof(*places));
	AUTO_FREE bool *is_last = calloc(count + 1, sizeof(*is_last));

	if (!places || !is_last)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		places[i] = (struct place){ r->rows[first + i].cookie, i };
	qsort(places, count, sizeof(*places), compare_places);
	for (size_t i = 0; i < count; i++)
		is_last[places[i].index] = i + 1 == count ||
					   places[i].cookie != places[i + 1].cookie;
	for (size_t i = 0; i < count; i++)
		if (is_last[i])
			r->rows[kept++] = r->rows[first + i];
	socket_rows_cut(r, kept);
	return 0;
}

int socket_rows_name(struct socket_rows *r, struct socket_row *row, const char *name, size_t length)
{
	size_t capacity = r->name_capacity ? r->name_capacity : 1024;
	char *names;

	while (capacity - r->name_bytes < length + 2)
		capacity *= 2;
	if (capacity > NAMES_MAX)
		return -ENOMEM;
	if (capacity > r->name_capacity) {
		names = realloc(r->names, capacity);
		if (!names)
			return -ENOMEM;
		r->names = names;
		r->name_capacity = capacity;
	}
	if (!r->name_bytes) /* at 0 is none */
		r->names[r->name_bytes++] = '\0';
	row->name = (uint32_t)r->name_bytes;
	for (size_t i = 0; i < length; i++)
		r->names[r->name_bytes++] = name[i] ? name[i] : '@';
	r->names[r->name_bytes++] = '\0';
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

static void set_detail(const struct socket_row *row, struct event *e)
{
	e->rttvar_us = row->rttvar_us;
	e->rto_us = row->rto_us;
	e->mss = row->mss;
	e->pmtu = row->pmtu;
	e->cwnd = row->cwnd;
	e->ssthresh = row->ssthresh;
	e->unacked = row->unacked;
	for (int f = FIELD_RTTVAR_US; f <= FIELD_UNACKED; f++)
		event_set(e, (enum event_field)f);
	if (!row->srtt_us)
		event_unset(e, FIELD_RTTVAR_US);
	if (!row->pmtu)
		event_unset(e, FIELD_PMTU);
	if (row->ssthresh >= SSTHRESH_INFINITE)
		event_unset(e, FIELD_SSTHRESH);
	if (*row->congestion) {
		e->congestion = row->congestion;
		event_set(e, FIELD_CONGESTION);
	}
}

static void set_timer(const struct socket_row *row, struct event *e)
{
	e->timer = row->timer;
	e->timer_us = row->timer_ms * 1000ULL;
	e->timer_retrans = row->timer_retrans;
	event_set(e, FIELD_TIMER);
	event_set(e, FIELD_TIMER_US);
	event_set(e, FIELD_TIMER_RETRANS);
}

static void set_unix(const struct socket_row *row, const char *name, struct event *e)
{
	if (row->type) {
		e->socket_type = row->type;
		event_set(e, FIELD_SOCKET_TYPE);
	}
	if (name) {
		e->path = name;
		event_set(e, FIELD_PATH);
	}
	if (row->peer_inode) {
		e->peer_inode = row->peer_inode;
		event_set(e, FIELD_PEER_INODE);
	}
}

/* A cookie that stands in is no id that events could have. */
static void set_identity(const struct socket_row *row, struct event *e)
{
	e->cookie = row->cookie;
	e->proto = row->proto;
	e->owner = OWNER_UNKNOWN;
	e->state = row->state;
	e->cgroup_id = row->cgroup_id;
	event_set(e, FIELD_ID);
	event_set(e, FIELD_PROTO);
	event_set(e, FIELD_OWNER);
	event_set(e, FIELD_STATE);
	if (row->netns) {
		e->netns = row->netns;
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
}

void socket_row_to_event(const struct socket_row *row, const char *name, bool detail,
			 uint64_t time_ns, uint64_t mono_ns, struct event *e)
{
	event_init(e, EVENT_SOCKET, time_ns, mono_ns);
	set_identity(row, e);
	if (row->has_queues) {
		e->recv_q = row->recv_q;
		e->send_q = row->send_q;
		event_set(e, FIELD_RECV_Q);
		event_set(e, FIELD_SEND_Q);
	}
	if (row->proto == PROTO_UNIX) {
		set_unix(row, name, e);
		return;
	}
	e->lport = row->lport;
	e->rport = row->rport;
	event_set(e, FIELD_LPORT);
	event_set(e, FIELD_RPORT);
	event_set_addresses(e, row->family, row->laddr, row->raddr);
	set_counters(row, e);
	if (row->timer)
		set_timer(row, e);
	if (detail && row->has_detail)
		set_detail(row, e);
}
