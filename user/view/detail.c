/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/detail.h"

#include <fnmatch.h>

#define CONTAINER_SHOWN 12 /* as container tools shorten their ids */

/* Begins a word: the blank before it unless it is the line's first, and the key. */
static void put_key(struct text *t, const char *key)
{
	if (t->length && t->data[t->length - 1] != ' ')
		text_char(t, ' ');
	text_puts(t, key);
	text_char(t, '=');
}

static void put_word(struct text *t, const char *word)
{
	if (t->length && t->data[t->length - 1] != ' ')
		text_char(t, ' ');
	text_puts(t, word);
}

static void put_name(struct text *t, const char *key, const char *name)
{
	put_key(t, key);
	text_puts(t, name);
}

static void put_number(struct text *t, const struct event *e, enum event_field f, const char *key,
		       uint64_t value)
{
	if (!event_has(e, f))
		return;
	put_key(t, key);
	text_u64(t, value);
}

static void put_us(struct text *t, const struct event *e, enum event_field f, const char *key,
		   uint64_t us)
{
	if (!event_has(e, f))
		return;
	put_key(t, key);
	text_duration(t, us);
}

static void put_size(struct text *t, const struct event *e, enum event_field f, const char *key,
		     uint64_t bytes)
{
	if (!event_has(e, f))
		return;
	put_key(t, key);
	text_bytes(t, bytes);
}

/* What somebody else controls; without blanks, so that a word stays a word. */
static void put_foreign(struct text *t, const char *s, size_t n)
{
	size_t from = t->length;

	text_escaped(t, s, n);
	for (; from < t->length; from++)
		if (t->data[from] == ' ')
			t->data[from] = '_';
}

static void put_string(struct text *t, const struct event *e, enum event_field f, const char *key,
		       const char *s)
{
	if (!event_has(e, f) || !s)
		return;
	put_key(t, key);
	put_foreign(t, s, strlen(s));
}

static void put_error(struct text *t, const struct event *e)
{
	const char *name;

	if (!event_has(e, FIELD_ERRNO))
		return;
	put_key(t, "errno");
	name = e->error < 4096 ? strerrorname_np((int)e->error) : NULL;
	if (name)
		text_puts(t, name);
	else
		text_u64(t, e->error);
}

static void put_outcome(struct text *t, const struct event *e)
{
	if (event_has(e, FIELD_OUTCOME))
		put_name(t, "outcome", outcome_name(e->outcome));
}

static void put_counters(struct text *t, const struct event *e)
{
	put_size(t, e, FIELD_TX_BYTES, "tx", e->tx_bytes);
	put_size(t, e, FIELD_RX_BYTES, "rx", e->rx_bytes);
	put_number(t, e, FIELD_TX_DATAGRAMS, "tx_datagrams", e->tx_datagrams);
	put_number(t, e, FIELD_RX_DATAGRAMS, "rx_datagrams", e->rx_datagrams);
	if (e->drops)
		put_number(t, e, FIELD_DROPS, "drops", e->drops);
	put_us(t, e, FIELD_SRTT_US, "srtt", e->srtt_us);
	if (e->retrans)
		put_number(t, e, FIELD_RETRANS, "retrans", e->retrans);
}

static void put_close(struct text *t, const struct event *e)
{
	put_us(t, e, FIELD_DURATION_US, "duration", e->duration_us);
	put_counters(t, e);
	put_outcome(t, e);
	if (event_has(e, FIELD_CLOSED_BY))
		put_name(t, "closed_by", side_name(e->closed_by));
}

static void put_transition(struct text *t, const struct event *e)
{
	put_word(t, event_has(e, FIELD_OLD_STATE) ? tcp_state_name(e->old_state) : "?");
	text_puts(t, " -> ");
	text_puts(t, event_has(e, FIELD_NEW_STATE) ? tcp_state_name(e->new_state) : "?");
	put_us(t, e, FIELD_IN_STATE_US, "in_state", e->in_state_us);
}

static void put_happening(struct text *t, const struct event *e)
{
	switch (e->type) {
	case EVENT_LISTEN:
		put_number(t, e, FIELD_BACKLOG, "backlog", e->backlog);
		break;
	case EVENT_CONNECT:
	case EVENT_ACCEPT:
		put_us(t, e, FIELD_LATENCY_US, "latency", e->latency_us);
		put_us(t, e, FIELD_QUEUE_US, "queue", e->queue_us);
		break;
	case EVENT_FAIL:
		put_outcome(t, e);
		put_error(t, e);
		put_us(t, e, FIELD_LATENCY_US, "latency", e->latency_us);
		break;
	case EVENT_RETRANSMIT:
		if (event_has(e, FIELD_KIND))
			put_name(t, "kind", retransmit_kind_name(e->kind));
		if (event_has(e, FIELD_STATE))
			put_name(t, "state", tcp_state_name(e->state));
		put_number(t, e, FIELD_RETRANS, "retrans", e->retrans);
		break;
	case EVENT_DROP:
		put_number(t, e, FIELD_COUNT_LOST, "count", e->count);
		put_string(t, e, FIELD_REASON, "reason", e->reason);
		break;
	case EVENT_RESET:
		if (event_has(e, FIELD_BY))
			put_name(t, "by", side_name(e->by));
		put_string(t, e, FIELD_REASON, "reason", e->reason);
		break;
	case EVENT_CLOSE:
		put_close(t, e);
		break;
	case EVENT_STATE:
		put_transition(t, e);
		break;
	case EVENT_SOCKET:
		if (event_has(e, FIELD_STATE))
			put_name(t, "state", tcp_state_name(e->state));
		put_counters(t, e);
		break;
	case EVENT_LOST:
		put_number(t, e, FIELD_COUNT_LOST, "count", e->count);
		put_string(t, e, FIELD_WHERE, "where", e->where);
		break;
	default:
		break;
	}
}

/* How the owner is known, unless it was simply caught in the act. */
static void put_owner(struct text *t, const struct event *e)
{
	if (event_has(e, FIELD_OWNER) && e->owner != OWNER_NONE && e->owner != OWNER_CONNECT &&
	    e->owner != OWNER_ACCEPT && e->owner != OWNER_LISTEN && e->owner != OWNER_SNAPSHOT)
		put_name(t, "owner", owner_kind_name(e->owner));
	if (!event_has(e, FIELD_OPENER_PID) && !event_has(e, FIELD_OPENER_COMM))
		return;
	if (event_has(e, FIELD_OPENER_PID) && event_has(e, FIELD_PID) && e->opener_pid == e->pid)
		return;
	put_key(t, "opener");
	if (event_has(e, FIELD_OPENER_COMM))
		put_foreign(t, e->opener_comm, strnlen(e->opener_comm, sizeof(e->opener_comm)));
	if (event_has(e, FIELD_OPENER_PID)) {
		text_char(t, '(');
		text_u64(t, e->opener_pid);
		text_char(t, ')');
	}
}

/* Units in which a login or the system itself runs say nothing about a connection. */
static bool unit_is_plain(const char *unit)
{
	static const char *const plain[] = {
		"", "/", "-.slice", "init.scope", "session-*.scope", "user@*.service", "user*.slice"
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!fnmatch(plain[i], unit, 0))
			return true;
	return false;
}

static void put_place(struct text *t, const struct event *e, uint32_t own_netns)
{
	if (event_has(e, FIELD_CONTAINER) && e->container && *e->container) {
		put_key(t, "container");
		put_foreign(t, e->container, strnlen(e->container, CONTAINER_SHOWN));
	} else if (event_has(e, FIELD_UNIT) && e->unit && !unit_is_plain(e->unit)) {
		put_string(t, e, FIELD_UNIT, "unit", e->unit);
	}
	if (own_netns && event_has(e, FIELD_NETNS) && e->netns != own_netns)
		put_number(t, e, FIELD_NETNS, "netns", e->netns);
	if (event_has(e, FIELD_HOST) && e->host) /* of several in a replay */
		put_string(t, e, FIELD_HOST, "host", e->host);
}

void detail_write(struct text *t, const struct event *e, uint32_t own_netns)
{
	/* TCP is what a line is about that says nothing. */
	if (event_has(e, FIELD_PROTO) && e->proto == IPPROTO_UDP)
		put_name(t, "proto", proto_name(e->proto));
	put_happening(t, e);
	if (e->type == EVENT_LOST)
		return;
	put_owner(t, e);
	put_place(t, e, own_netns);
	if (event_has(e, FIELD_RECONCILED) && e->reconciled)
		put_word(t, "reconciled");
}
