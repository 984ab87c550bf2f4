/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/list_text.h"

#include "base/number.h"

#define GAP 1 /* blanks between columns */

/* A connection of the past: only those have an end. */
static bool has_ended(const struct event *e)
{
	return event_has(e, FIELD_OUTCOME) || event_has(e, FIELD_LAST_STATE);
}

static const char *state_text(const struct event *e)
{
	if (!event_has(e, FIELD_STATE))
		return "-";
	if (e->proto != IPPROTO_TCP && e->state == STATE_CLOSE && !has_ended(e))
		return "UNCONN";
	return tcp_state_name(e->state);
}

/* ss's words. */
static const char *netid_text(const struct event *e)
{
	static const char *const unix_types[SOCKET_TYPE_COUNT] = { "u_???", "u_str", "u_dgr",
								   "u_seq" };

	if (!event_has(e, FIELD_PROTO))
		return "-";
	if (e->proto == PROTO_UNIX)
		return unix_types[e->socket_type < SOCKET_TYPE_COUNT ? e->socket_type : 0];
	return proto_name(e->proto);
}

static size_t digits(uint64_t value)
{
	size_t n = 1;

	while (value >= 10) {
		value /= 10;
		n++;
	}
	return n;
}

static size_t address_width(unsigned int family, const uint8_t *address)
{
	char text[NUMBER_IPV6_MAX];

	if (family == 4)
		return 3 + digits(address[0]) + digits(address[1]) + digits(address[2]) +
		       digits(address[3]);
	return 2 + (size_t)(number_ipv6(text, address) - text);
}

struct list_widths list_widths_least(void)
{
	return (struct list_widths){
		.state = strlen("State"),
		.recv_q = strlen("Recv-Q"),
		.send_q = strlen("Send-Q"),
		.laddr = strlen("Local Address"),
		.lport = strlen("Port"),
		.raddr = strlen("Peer Address"),
		.rport = strlen("Port"),
	};
}

static void widen(size_t *width, size_t wanted)
{
	if (*width < wanted)
		*width = wanted;
}

static size_t path_width(const struct event *e)
{
	struct text t = { 0 };
	size_t width;

	if (!event_has(e, FIELD_PATH))
		return 1;
	text_escaped(&t, e->path, strlen(e->path));
	width = text_width(t.data, t.length);
	text_done(&t);
	return width;
}

void list_measure(struct list_widths *w, const struct event *e)
{
	widen(&w->state, strlen(state_text(e)));
	widen(&w->recv_q, digits(e->recv_q));
	widen(&w->send_q, digits(e->send_q));
	if (e->proto == PROTO_UNIX) {
		widen(&w->laddr, path_width(e));
		widen(&w->lport, digits(e->inode));
		widen(&w->rport, digits(e->peer_inode));
		return;
	}
	widen(&w->laddr, address_width(e->family, e->laddr));
	widen(&w->lport, digits(e->lport));
	widen(&w->raddr, address_width(e->family, e->raddr));
	widen(&w->rport, digits(e->rport));
}

static void put_blanks(struct text *t, size_t n)
{
	if (!text_reserve(t, n))
		return;
	memset(t->data + t->length, ' ', n);
	t->length += n;
}

/* Left-aligned; `from` is where the (ASCII) cell began. */
static void end_cell(struct text *t, size_t from, size_t width)
{
	size_t used = t->length - from;

	put_blanks(t, (used < width ? width - used : 0) + GAP);
}

static void put_word(struct text *t, const char *word, size_t width)
{
	size_t from = t->length;

	text_puts(t, word);
	end_cell(t, from, width);
}

static void put_queue(struct text *t, const struct event *e, enum event_field f, uint32_t value,
		      size_t width)
{
	size_t from = t->length;

	if (event_has(e, f))
		text_u64(t, value);
	else
		text_char(t, '-');
	end_cell(t, from, width);
}

/* As ss: addresses end and ports begin at the colon. */
static void put_end(struct text *t, const struct event *e, const uint8_t *address, uint16_t port,
		    size_t address_columns, size_t port_columns)
{
	size_t from;

	put_blanks(t, address_columns - address_width(e->family, address));
	if (e->family == 6)
		text_char(t, '[');
	text_address(t, e->family, address);
	if (e->family == 6)
		text_char(t, ']');
	text_char(t, ':');
	from = t->length;
	if (port)
		text_u64(t, port);
	else
		text_char(t, '*');
	end_cell(t, from, port_columns);
}

/* The same for a unix socket: its path and its inode; a blank is the separator, for a path may have colons. */
static void put_unix_end(struct text *t, const char *path, size_t width, uint64_t inode,
			 size_t address_columns, size_t port_columns)
{
	size_t from;

	put_blanks(t, address_columns - width);
	if (path)
		text_escaped(t, path, strlen(path));
	else
		text_char(t, '*');
	text_char(t, ' ');
	from = t->length;
	text_u64(t, inode);
	end_cell(t, from, port_columns);
}

static void put_ends(struct text *t, const struct event *e, const struct list_widths *w)
{
	if (e->proto == PROTO_UNIX) {
		put_unix_end(t, event_has(e, FIELD_PATH) ? e->path : NULL, path_width(e), e->inode,
			     w->laddr, w->lport);
		put_unix_end(t, NULL, 1, e->peer_inode, w->raddr, w->rport);
		return;
	}
	put_end(t, e, e->laddr, e->lport, w->laddr, w->lport);
	put_end(t, e, e->raddr, e->rport, w->raddr, w->rport);
}

/* A name in quotes that it cannot end itself. */
static void put_name(struct text *t, const char *comm, size_t size)
{
	size_t n = strnlen(comm, size), length;

	text_char(t, '"');
	while (n) {
		const char *quote = memchr(comm, '"', n);

		length = quote ? (size_t)(quote - comm) : n;
		text_escaped(t, comm, length);
		if (!quote)
			break;
		text_puts(t, "\\\"");
		comm += length + 1;
		n -= length + 1;
	}
	text_char(t, '"');
}

static void put_holder(struct text *t, const struct holder *h, bool first)
{
	text_puts(t, first ? "(" : ",(");
	put_name(t, h->comm, sizeof(h->comm));
	text_puts(t, ",pid=");
	text_u64(t, h->pid);
	text_puts(t, ",fd=");
	if (h->fd < 0)
		text_char(t, '-');
	else
		text_u64(t, (uint64_t)h->fd);
	text_char(t, ')');
}

static void put_holders(struct text *t, const struct event *e)
{
	bool known = event_has(e, FIELD_PID), first = true;

	text_puts(t, "users:(");
	for (uint32_t i = 0; known && i < e->holder_count; i++) {
		if (e->holders[i].pid != e->pid)
			continue;
		put_holder(t, &e->holders[i], first);
		first = false;
	}
	for (uint32_t i = 0; i < e->holder_count; i++) {
		if (known && e->holders[i].pid == e->pid)
			continue;
		put_holder(t, &e->holders[i], first);
		first = false;
	}
	text_char(t, ')');
}

/* Nobody holds it (accept queue, orphan): who it belongs to, in a form that no holder has. */
static void put_owner(struct text *t, const struct event *e)
{
	text_puts(t, "owner:(");
	put_name(t, event_has(e, FIELD_COMM) ? e->comm : "", sizeof(e->comm));
	text_puts(t, ",pid=");
	text_u64(t, e->pid);
	text_char(t, ')');
}

/* As ss writes it: two units at most, and no fraction behind a long one. */
static void put_ss_time(struct text *t, uint64_t us)
{
	uint64_t ms = us / 1000 % 1000, seconds = us / 1000000, minutes = seconds / 60;

	seconds %= 60;
	if (minutes) {
		text_u64(t, minutes);
		text_puts(t, "min");
		ms = 0;
		if (minutes > 9)
			seconds = 0;
	}
	if (seconds) {
		if (seconds > 9)
			ms = 0;
		text_u64(t, seconds);
		text_puts(t, ms ? "." : "sec");
	}
	if (ms) {
		text_char(t, (char)('0' + ms / 100));
		text_char(t, (char)('0' + ms / 10 % 10));
		text_char(t, (char)('0' + ms % 10));
		text_puts(t, "ms");
	}
}

static void put_timer(struct text *t, const struct event *e)
{
	if (!event_has(e, FIELD_TIMER))
		return;
	text_puts(t, " timer:(");
	text_puts(t, socket_timer_name(e->timer));
	text_char(t, ',');
	put_ss_time(t, e->timer_us);
	text_char(t, ',');
	text_u64(t, e->timer_retrans);
	text_char(t, ')');
}

static void put_number(struct text *t, const struct event *e, enum event_field f, const char *name,
		       uint64_t value)
{
	if (!event_has(e, f))
		return;
	text_puts(t, name);
	text_u64(t, value);
}

static void put_times(struct text *t, const struct event *e)
{
	if (event_has(e, FIELD_RTO_US)) {
		text_puts(t, " rto:");
		text_duration(t, e->rto_us);
	}
	if (event_has(e, FIELD_SRTT_US) && e->srtt_us) {
		text_puts(t, " rtt:");
		text_duration(t, e->srtt_us);
		if (event_has(e, FIELD_RTTVAR_US)) {
			text_char(t, '/');
			text_duration(t, e->rttvar_us);
		}
	}
	if (event_has(e, FIELD_RTT_MIN_US)) {
		text_puts(t, " minrtt:");
		text_duration(t, e->rtt_min_us);
	}
}

static void put_bytes_of(struct text *t, const struct event *e)
{
	if (event_has(e, FIELD_TX_BYTES)) {
		text_puts(t, " tx:");
		text_bytes(t, e->tx_bytes);
	}
	if (event_has(e, FIELD_RX_BYTES)) {
		text_puts(t, " rx:");
		text_bytes(t, e->rx_bytes);
	}
}

/* What ss -e and ss -i tell. */
static void put_extended(struct text *t, const struct event *e)
{
	put_number(t, e, FIELD_UID, " uid:", e->uid);
	put_number(t, e, FIELD_INODE, " ino:", e->inode);
	text_puts(t, " sk:");
	text_hex(t, e->cookie);
	if (event_has(e, FIELD_CGROUP)) {
		text_puts(t, " cgroup:");
		text_escaped(t, e->cgroup, strlen(e->cgroup));
	}
	if (event_has(e, FIELD_CONGESTION)) {
		text_char(t, ' ');
		text_escaped(t, e->congestion, strlen(e->congestion));
	}
	put_times(t, e);
	put_number(t, e, FIELD_MSS, " mss:", e->mss);
	put_number(t, e, FIELD_PMTU, " pmtu:", e->pmtu);
	put_number(t, e, FIELD_CWND, " cwnd:", e->cwnd);
	put_number(t, e, FIELD_SSTHRESH, " ssthresh:", e->ssthresh);
	if (!has_ended(e))
		put_bytes_of(t, e);
	put_number(t, e, FIELD_TX_SEGS, " segs_out:", e->tx_segs);
	put_number(t, e, FIELD_RX_SEGS, " segs_in:", e->rx_segs);
	if (event_has(e, FIELD_UNACKED) && e->unacked)
		put_number(t, e, FIELD_UNACKED, " unacked:", e->unacked);
	put_number(t, e, FIELD_RETRANS, " retrans:", e->retrans);
	if (event_has(e, FIELD_DROPS) && e->drops)
		put_number(t, e, FIELD_DROPS, " drops:", e->drops);
}

/* Of a connection that has ended: how, after how long, and what it moved. */
static void put_end_of(struct text *t, const struct event *e)
{
	if (event_has(e, FIELD_OUTCOME)) {
		text_puts(t, " outcome:");
		text_puts(t, outcome_name(e->outcome));
	}
	if (event_has(e, FIELD_DURATION_US)) {
		text_puts(t, " duration:");
		text_duration(t, e->duration_us);
	}
	put_bytes_of(t, e);
}

/* Elsewhere the same address is another one. */
static void put_namespace(struct text *t, const struct event *e, uint32_t own_netns)
{
	if (!own_netns || !event_has(e, FIELD_NETNS) || e->netns == own_netns)
		return;
	text_puts(t, " netns:");
	text_u64(t, e->netns);
}

void list_put_row(struct text *t, const struct event *e, const struct list_widths *w,
		  const struct list_details *details)
{
	size_t end;

	put_word(t, netid_text(e), strlen("Netid"));
	put_word(t, state_text(e), w->state);
	put_queue(t, e, FIELD_RECV_Q, e->recv_q, w->recv_q);
	put_queue(t, e, FIELD_SEND_Q, e->send_q, w->send_q);
	put_ends(t, e, w);
	end = t->length;
	if (e->holder_count)
		put_holders(t, e);
	else if (event_has(e, FIELD_PID))
		put_owner(t, e);
	if (has_ended(e))
		put_end_of(t, e);
	if (details->timers)
		put_timer(t, e);
	if (details->extended)
		put_extended(t, e);
	put_namespace(t, e, details->own_netns);
	if (t->length > end && t->data[end] == ' ') { /* no holder stands before it */
		memmove(t->data + end, t->data + end + 1, t->length - end - 1);
		t->length--;
	}
	while (t->length && t->data[t->length - 1] == ' ')
		t->length--;
	text_char(t, '\n');
}

void list_put_header(struct text *t, const struct list_widths *w)
{
	put_word(t, "Netid", strlen("Netid"));
	put_word(t, "State", w->state);
	put_word(t, "Recv-Q", w->recv_q);
	put_word(t, "Send-Q", w->send_q);
	put_blanks(t, w->laddr - strlen("Local Address"));
	text_puts(t, "Local Address:");
	put_word(t, "Port", w->lport);
	put_blanks(t, w->raddr - strlen("Peer Address"));
	text_puts(t, "Peer Address:");
	put_word(t, "Port", w->rport);
	text_puts(t, "Process\n");
}
