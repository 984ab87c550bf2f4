/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/list_text.h"

#include "base/number.h"

#define GAP 1 /* blanks between columns */

static const char *state_text(const struct connection *c)
{
	if (!connection_has(c, FIELD_STATE))
		return "-";
	if (c->proto == IPPROTO_UDP && c->state == STATE_CLOSE && !c->closed_ns)
		return "UNCONN";
	return tcp_state_name(c->state);
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

void list_measure(struct list_widths *w, const struct connection *c)
{
	widen(&w->state, strlen(state_text(c)));
	widen(&w->recv_q, digits(c->recv_q));
	widen(&w->send_q, digits(c->send_q));
	widen(&w->laddr, address_width(c->family, c->laddr));
	widen(&w->lport, digits(c->lport));
	widen(&w->raddr, address_width(c->family, c->raddr));
	widen(&w->rport, digits(c->rport));
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

static void put_queue(struct text *t, const struct connection *c, enum event_field f,
		      uint32_t value, size_t width)
{
	size_t from = t->length;

	if (connection_has(c, f))
		text_u64(t, value);
	else
		text_char(t, '-');
	end_cell(t, from, width);
}

/* As ss: addresses end and ports begin at the colon. */
static void put_end(struct text *t, const struct connection *c, const uint8_t *address,
		    uint16_t port, size_t address_columns, size_t port_columns)
{
	size_t from;

	put_blanks(t, address_columns - address_width(c->family, address));
	if (c->family == 6)
		text_char(t, '[');
	text_address(t, c->family, address);
	if (c->family == 6)
		text_char(t, ']');
	text_char(t, ':');
	from = t->length;
	if (port)
		text_u64(t, port);
	else
		text_char(t, '*');
	end_cell(t, from, port_columns);
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

static void put_holders(struct text *t, const struct connection *c)
{
	bool known = connection_has(c, FIELD_PID), first = true;

	text_puts(t, "users:(");
	for (uint32_t i = 0; known && i < c->holder_count; i++) {
		if (c->holders[i].pid != c->pid)
			continue;
		put_holder(t, &c->holders[i], first);
		first = false;
	}
	for (uint32_t i = 0; i < c->holder_count; i++) {
		if (known && c->holders[i].pid == c->pid)
			continue;
		put_holder(t, &c->holders[i], first);
		first = false;
	}
	text_char(t, ')');
}

/* Nobody holds it (accept queue, orphan): who it belongs to, in a form that no holder has. */
static void put_owner(struct text *t, const struct connection *c)
{
	text_puts(t, "owner:(");
	put_name(t, connection_has(c, FIELD_COMM) ? c->comm : "", sizeof(c->comm));
	text_puts(t, ",pid=");
	text_u64(t, c->pid);
	text_char(t, ')');
}

static void put_extended(struct text *t, const struct connection *c)
{
	if (connection_has(c, FIELD_UID)) {
		text_puts(t, " uid:");
		text_u64(t, c->uid);
	}
	if (connection_has(c, FIELD_INODE)) {
		text_puts(t, " ino:");
		text_u64(t, c->inode);
	}
	text_puts(t, " sk:");
	text_hex(t, c->cookie);
	if (connection_has(c, FIELD_SRTT_US) && c->srtt_us) {
		text_puts(t, " rtt:");
		text_duration(t, c->srtt_us);
	}
	if (connection_has(c, FIELD_RETRANS)) {
		text_puts(t, " retrans:");
		text_u64(t, c->retrans);
	}
}

/* Of a connection that has ended: how, after how long, and what it moved. */
static void put_end_of(struct text *t, const struct connection *c)
{
	if (connection_has(c, FIELD_OUTCOME)) {
		text_puts(t, " outcome:");
		text_puts(t, outcome_name(c->outcome));
	}
	if (c->start_ns && c->closed_ns >= c->start_ns) {
		text_puts(t, " duration:");
		text_duration(t, (c->closed_ns - c->start_ns) / 1000);
	}
	if (connection_has(c, FIELD_TX_BYTES)) {
		text_puts(t, " tx:");
		text_bytes(t, c->tx_bytes);
	}
	if (connection_has(c, FIELD_RX_BYTES)) {
		text_puts(t, " rx:");
		text_bytes(t, c->rx_bytes);
	}
}

/* Elsewhere the same address is another one. */
static void put_namespace(struct text *t, const struct connection *c, uint32_t own_netns)
{
	if (!own_netns || !connection_has(c, FIELD_NETNS) || c->netns == own_netns)
		return;
	text_puts(t, " netns:");
	text_u64(t, c->netns);
}

void list_put_row(struct text *t, const struct connection *c, const struct list_widths *w,
		  bool extended, uint32_t own_netns)
{
	size_t end;

	put_word(t, connection_has(c, FIELD_PROTO) ? proto_name(c->proto) : "-", strlen("Netid"));
	put_word(t, state_text(c), w->state);
	put_queue(t, c, FIELD_RECV_Q, c->recv_q, w->recv_q);
	put_queue(t, c, FIELD_SEND_Q, c->send_q, w->send_q);
	put_end(t, c, c->laddr, c->lport, w->laddr, w->lport);
	put_end(t, c, c->raddr, c->rport, w->raddr, w->rport);
	end = t->length;
	if (c->holder_count)
		put_holders(t, c);
	else if (connection_has(c, FIELD_PID))
		put_owner(t, c);
	if (c->closed_ns)
		put_end_of(t, c);
	if (extended)
		put_extended(t, c);
	put_namespace(t, c, own_netns);
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
