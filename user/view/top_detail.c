/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection: who, where, how much, how well; its events stand below. */
#include "view/top_screen_private.h"

/* Its row in the table, also after its end, or NULL. */
static const struct connection *find(const struct top_screen *s)
{
	const struct connection *c =
		connection_table_find(s->top->table, s->detail.cookie, s->detail.start_ns);

	if (c)
		return c;
	for (c = connection_table_closed(s->top->table); c; c = c->next)
		if (c->cookie == s->detail.cookie && c->start_ns == s->detail.start_ns)
			return c;
	return NULL;
}

static void put_key(struct text *t, const char *key)
{
	if (t->length)
		text_puts(t, "   ");
	text_puts(t, key);
	text_char(t, ' ');
}

static void put_who(struct top_screen *s, const struct connection *c)
{
	const struct ranking_row *r = &s->detail;
	struct text *t = &s->text;
	struct column_context x;

	top_column_context(s->top, &x);
	put_key(t, "process");
	columns_put_owner(t, r, &x);
	if (r->has_uid) {
		const char *name = x.user_name ? x.user_name(r->uid) : NULL;

		put_key(t, "user");
		if (name)
			text_escaped(t, name, strlen(name));
		else
			text_u64(t, r->uid);
	}
	if (c && connection_has(c, FIELD_OWNER)) {
		put_key(t, "known by");
		text_puts(t, owner_kind_name(c->owner));
	}
	if (c && connection_has(c, FIELD_OPENER_PID) && c->opener_pid != c->pid) {
		put_key(t, "opened by");
		text_escaped(t, c->opener_comm, strnlen(c->opener_comm, sizeof(c->opener_comm)));
		text_printf(t, "[%u]", c->opener_pid);
	}
}

static void put_where(struct top_screen *s)
{
	static const char *const kinds[] = { "", "container", "unit", "cgroup" };
	const struct ranking_row *r = &s->detail;
	struct text *t = &s->text;

	put_key(t, proto_name(r->proto));
	if (r->family) {
		text_endpoint(t, r->family, r->laddr, r->lport);
		text_puts(t, r->direction == DIRECTION_IN    ? " <- "
			     : r->direction == DIRECTION_OUT ? " -> "
							     : " -- ");
		text_endpoint(t, r->family, r->raddr, r->rport);
	}
	if (r->place_kind) {
		put_key(t, kinds[r->place_kind]);
		text_escaped(t, r->place, strlen(r->place));
	}
	if (r->netns) {
		put_key(t, "netns");
		text_u64(t, r->netns);
	}
}

static void put_life(struct top_screen *s, const struct connection *c)
{
	const struct ranking_row *r = &s->detail;
	uint64_t end = c && c->closed_ns ? c->closed_ns : s->header.mono_ns;
	struct text *t = &s->text;

	put_key(t, "state");
	text_puts(t, r->state ? tcp_state_name(r->state) : "-");
	put_key(t, r->state == STATE_CLOSE ? "lived" : "age");
	if (r->start_ns && end >= r->start_ns && (c || r->state != STATE_CLOSE))
		text_duration(t, (end - r->start_ns) / 1000);
	else
		text_char(t, '-');
	if (r->outcome) {
		put_key(t, "ended");
		text_puts(t, outcome_name(r->outcome));
	}
	if (c && connection_has(c, FIELD_CLOSED_BY) && c->closed_by) {
		put_key(t, "closed by");
		text_puts(t, side_name(c->closed_by));
	}
}

static void put_bytes(struct top_screen *s, const struct connection *c)
{
	const struct ranking_row *r = &s->detail;
	struct text *t = &s->text;

	put_key(t, "tx");
	columns_put_size_rate(t, r->tx_rate);
	text_puts(t, "/s, ");
	text_bytes(t, r->tx_bytes);
	put_key(t, "rx");
	columns_put_size_rate(t, r->rx_rate);
	text_puts(t, "/s, ");
	text_bytes(t, r->rx_bytes);
	if (c && r->proto == IPPROTO_UDP)
		text_printf(t, "   datagrams %llu out, %llu in",
			    (unsigned long long)c->tx_datagrams,
			    (unsigned long long)c->rx_datagrams);
	if (r->drops) {
		put_key(t, "dropped");
		text_u64(t, r->drops);
	}
	if (r->connections) {
		put_key(t, "not read");
		text_bytes(t, r->queue);
		put_key(t, "not acknowledged");
		text_bytes(t, r->backlog);
	}
}

static void put_quality(struct top_screen *s, const struct connection *c)
{
	const struct ranking_row *r = &s->detail;
	struct text *t = &s->text;

	if (r->proto != IPPROTO_TCP)
		return;
	put_key(t, "rtt");
	if (r->srtt_us)
		text_duration(t, r->srtt_us);
	else
		text_char(t, '-');
	if (c && connection_has(c, FIELD_RTT_MIN_US)) {
		put_key(t, "at least");
		text_duration(t, c->rtt_min_us);
	}
	if (c && connection_has(c, FIELD_TX_SEGS))
		text_printf(t, "   segments %u out, %u in", c->tx_segs, c->rx_segs);
	put_key(t, "sent again");
	text_u64(t, r->retrans);
	if (r->retrans && r->retrans_percent >= 0) {
		text_puts(t, " (");
		columns_put_rate(t, r->retrans_percent);
		text_puts(t, "%)");
	}
}

unsigned int top_draw_detail(struct top_screen *s, unsigned int line, unsigned int end)
{
	const struct connection *c = find(s);

	for (int part = 0; part < 5 && line < end; part++) {
		switch (part) {
		case 0:
			put_who(s, c);
			break;
		case 1:
			put_where(s);
			break;
		case 2:
			put_life(s, c);
			break;
		case 3:
			put_bytes(s, c);
			break;
		default:
			put_quality(s, c);
			break;
		}
		if (s->text.length)
			top_put(s, line++, 1, s->columns - 1, part < 2 ? STYLE_STRONG : STYLE_PLAIN,
				false);
	}
	return line;
}
