// SPDX-License-Identifier: BSD-2-Clause
#include "source/record_event.h"

#include <errno.h>
#include <string.h>

static void set_owner(const struct record *r, const struct record_names *names, struct event *e)
{
	e->owner = r->owner == OWNER_NONE ? OWNER_UNKNOWN : r->owner;
	event_set(e, FIELD_OWNER);
	if (!r->pid)
		return;
	e->pid = r->pid;
	e->tid = r->tid;
	e->uid = r->uid;
	memcpy(e->comm, r->comm, sizeof(e->comm));
	e->comm[sizeof(e->comm) - 1] = '\0';
	event_set(e, FIELD_PID);
	event_set(e, FIELD_COMM);
	event_set(e, FIELD_UID);
	if (r->tid)
		event_set(e, FIELD_TID);
	if (r->opener_pid) {
		e->opener_pid = r->opener_pid;
		memcpy(e->opener_comm, r->opener_comm, sizeof(e->opener_comm));
		e->opener_comm[sizeof(e->opener_comm) - 1] = '\0';
		event_set(e, FIELD_OPENER_PID);
		event_set(e, FIELD_OPENER_COMM);
	}
	cgroup_to_event(names->cgroups, r->cgroup_id, e);
}

static bool is_unspecified(const struct event *e)
{
	static const uint8_t zero[16];

	return !memcmp(e->laddr, zero, sizeof(zero));
}

static void set_ends(const struct record *r, struct event *e)
{
	event_set_addresses(e, r->family, r->laddr, r->raddr);
	e->lport = r->lport;
	e->rport = r->rport;
	/* connect() gets its port after → SYN_SENT: until then it has none. */
	if (r->lport)
		event_set(e, FIELD_LPORT);
	e->netns = r->netns;
	event_set(e, FIELD_NETNS);
	if (e->type == EVENT_LISTEN || e->type == EVENT_UNLISTEN || r->new_state == STATE_LISTEN) {
		event_unset(e, FIELD_RADDR);
		return;
	}
	/* A connect() that found no way out never had a local address. */
	if (e->type == EVENT_FAIL && !r->lport && is_unspecified(e))
		event_unset(e, FIELD_LADDR);
	if (r->rport)
		event_set(e, FIELD_RPORT);
	if (r->direction) {
		e->direction = r->direction;
		event_set(e, FIELD_DIRECTION);
	}
}

void record_to_common(const struct record *r, enum event_type type,
		      const struct record_names *names, struct event *e)
{
	event_init(e, type, r->mono_ns + (uint64_t)names->wall_offset_ns, r->mono_ns);
	if (r->cookie) { /* what is no connection yet, or no more, has no id */
		e->cookie = r->cookie;
		e->start_ns = r->start_ns;
		event_set(e, FIELD_ID);
	}
	e->proto = (uint8_t)r->protocol;
	event_set(e, FIELD_PROTO);
	if (r->mptcp) {
		e->mptcp = true;
		event_set(e, FIELD_MPTCP);
	}
	set_ends(r, e);
	set_owner(r, names, e);
	if (r->flags & RECORD_RECONCILED) {
		e->reconciled = true;
		event_set(e, FIELD_RECONCILED);
	}
}

enum outcome record_outcome(const struct record *r)
{
	bool ended_in_order = r->old_state == STATE_LAST_ACK || r->old_state == STATE_FIN_WAIT2 ||
			      r->old_state == STATE_CLOSING || r->old_state == STATE_TIME_WAIT;

	if (r->flags & RECORD_RST_SENT)
		return OUTCOME_RESET_SENT;
	switch (r->value) {
	case ECONNREFUSED:
		return OUTCOME_REFUSED;
	case ETIMEDOUT:
		return OUTCOME_TIMED_OUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENONET:
	case ENOPROTOOPT:
	case EPROTO:
		return OUTCOME_UNREACHABLE;
	}
	if (r->flags & RECORD_RST_RECEIVED || r->value == ECONNRESET || r->value == EPIPE)
		return OUTCOME_RESET_RECEIVED;
	/* Its last changes were not seen, but both sides had ended, and nothing went wrong. */
	if (r->flags & RECORD_RECONCILED && r->fin_received && r->old_state == STATE_FIN_WAIT1)
		ended_in_order = true;
	return !r->value && ended_in_order ? OUTCOME_CLEAN : OUTCOME_ABORTED;
}

static void set_us_between(struct event *e, enum event_field field, uint64_t *member, uint64_t from,
			   uint64_t to)
{
	if (!from || to < from)
		return;
	*member = (to - from) / 1000;
	event_set(e, field);
}

static bool has_start(const struct record *r)
{
	return r->start_ns && !(r->flags & (RECORD_NO_LATENCY | RECORD_RECONCILED | RECORD_BEFORE));
}

void record_to_event(const struct record *r, const struct record_names *names, struct event *e)
{
	static const enum event_type types[] = {
		[RECORD_LISTEN] = EVENT_LISTEN,	  [RECORD_UNLISTEN] = EVENT_UNLISTEN,
		[RECORD_CONNECT] = EVENT_CONNECT, [RECORD_ACCEPT] = EVENT_ACCEPT,
		[RECORD_FAIL] = EVENT_FAIL,	  [RECORD_RETRANSMIT] = EVENT_RETRANSMIT,
		[RECORD_RESET] = EVENT_RESET,	  [RECORD_STATE] = EVENT_STATE,
	};

	record_to_common(r, types[r->type], names, e);
	switch (r->type) {
	case RECORD_LISTEN:
		e->backlog = r->value;
		event_set(e, FIELD_BACKLOG);
		break;
	case RECORD_UNLISTEN:
		e->drops = r->value;
		event_set(e, FIELD_DROPS);
		set_us_between(e, FIELD_DURATION_US, &e->duration_us, r->start_ns, r->mono_ns);
		break;
	case RECORD_CONNECT:
		if (has_start(r))
			set_us_between(e, FIELD_LATENCY_US, &e->latency_us, r->start_ns,
				       r->mono_ns);
		break;
	case RECORD_ACCEPT:
		if (has_start(r))
			set_us_between(e, FIELD_LATENCY_US, &e->latency_us, r->start_ns,
				       r->established_ns);
		if (r->flags & RECORD_ACCEPT_TIMED)
			set_us_between(e, FIELD_QUEUE_US, &e->queue_us, r->established_ns,
				       r->mono_ns);
		break;
	case RECORD_FAIL:
		/* Before a SYN there is no socket error: only what connect() answered, where that can be seen. */
		e->outcome = record_outcome(r);
		if (r->value || r->old_state != STATE_CLOSE)
			event_set(e, FIELD_OUTCOME);
		e->error = r->value;
		if (e->error)
			event_set(e, FIELD_ERRNO);
		if (has_start(r))
			set_us_between(e, FIELD_LATENCY_US, &e->latency_us, r->start_ns,
				       r->mono_ns);
		break;
	case RECORD_RETRANSMIT:
		e->kind = r->detail;
		event_set(e, FIELD_KIND);
		e->retrans = r->value;
		event_set(e, FIELD_RETRANS);
		e->state = r->new_state;
		event_set(e, FIELD_STATE);
		break;
	case RECORD_RESET:
		e->by = r->detail;
		event_set(e, FIELD_BY);
		e->state = r->new_state;
		event_set(e, FIELD_STATE);
		e->reason = r->value && names->reset_reason
				    ? names->reset_reason(names->context, r->value - 1)
				    : NULL;
		if (e->reason)
			event_set(e, FIELD_REASON);
		break;
	case RECORD_STATE:
		e->old_state = r->old_state;
		e->new_state = r->new_state;
		event_set(e, FIELD_OLD_STATE);
		event_set(e, FIELD_NEW_STATE);
		set_us_between(e, FIELD_IN_STATE_US, &e->in_state_us, r->since_ns, r->mono_ns);
		break;
	}
}

static void set_counters(const struct record_counters *c, struct event *e)
{
	e->tx_bytes = c->tx_bytes;
	e->rx_bytes = c->rx_bytes;
	e->retrans = c->retrans;
	e->tx_segs = c->tx_segs;
	e->rx_segs = c->rx_segs;
	event_set(e, FIELD_TX_BYTES);
	event_set(e, FIELD_RX_BYTES);
	event_set(e, FIELD_RETRANS);
	event_set(e, FIELD_TX_SEGS);
	event_set(e, FIELD_RX_SEGS);
	if (c->srtt_us) {
		e->srtt_us = c->srtt_us;
		event_set(e, FIELD_SRTT_US);
	}
	if (c->rtt_min_us != UINT32_MAX) {
		e->rtt_min_us = c->rtt_min_us;
		event_set(e, FIELD_RTT_MIN_US);
	}
}

static enum side closed_by(const struct record *r)
{
	if (r->detail)
		return r->detail;
	if (r->flags & RECORD_RST_SENT)
		return SIDE_LOCAL;
	if (record_outcome(r) == OUTCOME_RESET_RECEIVED)
		return SIDE_REMOTE;
	switch (r->old_state) { /* its first FIN was not seen, but what follows from it was */
	case STATE_FIN_WAIT1:
	case STATE_FIN_WAIT2:
	case STATE_CLOSING:
		return SIDE_LOCAL;
	case STATE_CLOSE_WAIT:
	case STATE_LAST_ACK:
		return SIDE_REMOTE;
	}
	return SIDE_NONE;
}

void record_to_close(const struct record_close *r, const struct record_names *names,
		     struct event *e)
{
	record_to_common(&r->head, EVENT_CLOSE, names, e);
	set_counters(&r->counters, e);
	if (!(r->head.flags & RECORD_BEFORE))
		set_us_between(e, FIELD_DURATION_US, &e->duration_us, r->head.start_ns,
			       r->head.mono_ns);
	e->outcome = record_outcome(&r->head);
	/* Of an end that was not seen, no error does not say that it was aborted. */
	if (e->outcome != OUTCOME_ABORTED || r->head.value || !(r->head.flags & RECORD_RECONCILED))
		event_set(e, FIELD_OUTCOME);
	e->closed_by = closed_by(&r->head);
	if (e->closed_by)
		event_set(e, FIELD_CLOSED_BY);
	e->last_state = r->head.old_state;
	event_set(e, FIELD_LAST_STATE);
	if (r->head.value) {
		e->error = r->head.value;
		event_set(e, FIELD_ERRNO);
	}
}

void record_to_socket(const struct record_row *r, const struct record_names *names, struct event *e)
{
	record_to_common(&r->head, EVENT_SOCKET, names, e);
	e->state = r->head.new_state;
	event_set(e, FIELD_STATE);
	e->recv_q = r->recv_q;
	e->send_q = r->send_q;
	e->syn_queue = r->syn_queue;
	event_set(e, FIELD_RECV_Q);
	event_set(e, FIELD_SEND_Q);
	if (r->inode) {
		e->inode = r->inode;
		event_set(e, FIELD_INODE);
	}
	if (r->head.new_state == STATE_LISTEN || r->head.protocol == IPPROTO_UDP) {
		e->drops = r->counters.drops;
		event_set(e, FIELD_DROPS);
	}
	if (r->head.new_state == STATE_LISTEN) {
		e->backlog = r->head.value;
		event_set(e, FIELD_BACKLOG);
	} else if (r->head.protocol == IPPROTO_TCP) {
		set_counters(&r->counters, e);
		if (!(r->head.flags & RECORD_BEFORE))
			set_us_between(e, FIELD_DURATION_US, &e->duration_us, r->head.start_ns,
				       r->head.mono_ns);
	}
}

static void set_flow_counters(const struct flow_counters *c, struct event *e)
{
	e->tx_bytes = c->tx_bytes;
	e->rx_bytes = c->rx_bytes;
	e->tx_datagrams = c->tx_datagrams;
	e->rx_datagrams = c->rx_datagrams;
	e->drops = c->drops;
	event_set(e, FIELD_TX_BYTES);
	event_set(e, FIELD_RX_BYTES);
	event_set(e, FIELD_TX_DATAGRAMS);
	event_set(e, FIELD_RX_DATAGRAMS);
	event_set(e, FIELD_DROPS);
}

void record_to_flow(const struct record_flow *r, const struct record_names *names, struct event *e)
{
	bool ended = r->head.type == RECORD_FLOW_CLOSE, idle = r->head.detail & FLOW_IDLE;
	uint64_t until = idle ? r->counters.last_ns : r->head.mono_ns;

	record_to_common(&r->head, ended ? EVENT_CLOSE : EVENT_SOCKET, names, e);
	if (!r->head.netns)
		event_unset(e, FIELD_NETNS);
	set_flow_counters(&r->counters, e);
	/* The coarse clock of the last datagram may be behind that of the first. */
	if (r->head.start_ns && until < r->head.start_ns)
		until = r->head.start_ns;
	set_us_between(e, FIELD_DURATION_US, &e->duration_us, r->head.start_ns, until);
	if (!ended) {
		e->state = STATE_ESTABLISHED;
		event_set(e, FIELD_STATE);
	} else if (!(r->head.flags & RECORD_RECONCILED)) {
		e->outcome = idle ? OUTCOME_IDLE : OUTCOME_CLEAN;
		event_set(e, FIELD_OUTCOME);
	}
}
