/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/columns.h"

#include "view/json.h"

#define AS_PROCESS (1u << BY_PROCESS)
#define AS_CONNECTION (1u << BY_CONNECTION)
#define AS_REMOTE (1u << BY_REMOTE)
#define AS_GROUP (AS_PROCESS | AS_REMOTE)
#define AS_ANY (AS_GROUP | AS_CONNECTION)

static void write_pid(struct text *t, const struct ranking_row *r)
{
	if (r->has_pid)
		text_u64(t, r->pid);
	else
		text_char(t, '-');
}

static void write_comm(struct text *t, const struct ranking_row *r)
{
	size_t from = t->length;

	text_escaped(t, r->comm, strnlen(r->comm, sizeof(r->comm)));
	if (t->length == from)
		text_char(t, '-');
}

static void write_local(struct text *t, const struct ranking_row *r)
{
	if (r->family)
		text_endpoint(t, r->family, r->laddr, r->lport);
	else
		text_char(t, '-');
}

static const char *arrow(const struct ranking_row *r)
{
	return r->direction == DIRECTION_IN ? "<- " : r->direction == DIRECTION_OUT ? "-> " : "-- ";
}

static void write_peer(struct text *t, const struct ranking_row *r)
{
	text_puts(t, arrow(r));
	if (r->family)
		text_endpoint(t, r->family, r->raddr, r->rport);
	else
		text_char(t, '-');
}

/* Clients have many ports: only their address is the group. */
static void write_remote(struct text *t, const struct ranking_row *r)
{
	if (!r->family) {
		write_comm(t, r); /* what did not fit */
		return;
	}
	text_puts(t, arrow(r));
	if (r->rport)
		text_endpoint(t, r->family, r->raddr, r->rport);
	else
		text_address(t, r->family, r->raddr);
}

static void write_state(struct text *t, const struct ranking_row *r)
{
	text_puts(t, r->state ? tcp_state_name(r->state) : "-");
}

static void write_srtt(struct text *t, const struct ranking_row *r)
{
	if (r->srtt_us)
		text_duration(t, r->srtt_us);
	else
		text_char(t, '-');
}

#define AT(member) offsetof(struct ranking_row, member)

/* The order is that of importance: a narrow terminal cuts the end. */
const struct column column_table[] = {
	{ "PID", AS_PROCESS | AS_CONNECTION, 7, COLUMN_WORD, 0, write_pid, NULL,
	  "process id of the owner" },
	{ "COMM", AS_PROCESS | AS_CONNECTION, 15, COLUMN_WORD, 0, write_comm, NULL,
	  "name of the owner" },
	{ "REMOTE", AS_REMOTE, 24, COLUMN_WORD, 0, write_remote, NULL,
	  "a server and its port (->), or a client's address (<-)" },
	{ "TX/s", AS_ANY, 8, COLUMN_SIZE_RATE, AT(tx_rate), NULL, "tx_rate",
	  "payload sent, bytes a second in this interval" },
	{ "RX/s", AS_ANY, 8, COLUMN_SIZE_RATE, AT(rx_rate), NULL, "rx_rate",
	  "payload received, bytes a second in this interval" },
	{ "CONNS", AS_GROUP, 6, COLUMN_NUMBER, AT(connections), NULL, NULL,
	  "connections that are open now" },
	{ "OPEN/s", AS_GROUP, 6, COLUMN_RATE, AT(open_rate), NULL, "open_rate",
	  "connections opened a second in this interval" },
	{ "CLOSE/s", AS_GROUP, 7, COLUMN_RATE, AT(close_rate), NULL, "close_rate",
	  "connections closed a second in this interval" },
	{ "FAIL/s", AS_GROUP, 6, COLUMN_RATE, AT(fail_rate), NULL, "fail_rate",
	  "connections not established a second in this interval" },
	{ "LOCAL", AS_CONNECTION, 21, COLUMN_WORD, 0, write_local, NULL, "local end" },
	{ "REMOTE", AS_CONNECTION, 24, COLUMN_WORD, 0, write_peer, NULL,
	  "remote end; <- where it connected to us" },
	{ "STATE", AS_CONNECTION, 11, COLUMN_WORD, 0, write_state, NULL, "state" },
	{ "TX", AS_ANY, 7, COLUMN_SIZE, AT(tx_bytes), NULL, NULL,
	  "payload sent since watching began, bytes" },
	{ "RX", AS_ANY, 7, COLUMN_SIZE, AT(rx_bytes), NULL, NULL,
	  "payload received since watching began, bytes" },
	{ "RETR", AS_ANY, 5, COLUMN_NUMBER, AT(retrans), NULL, NULL,
	  "segments sent again since watching began" },
	{ "SRTT", AS_ANY, 7, COLUMN_WORD, 0, write_srtt, NULL,
	  "smoothed round-trip time last heard of" },
	{ NULL, 0, 0, COLUMN_NUMBER, AT(opens), NULL, "opens",
	  "connections opened since watching began" },
	{ NULL, 0, 0, COLUMN_NUMBER, AT(closes), NULL, "closes",
	  "connections closed since watching began" },
	{ NULL, 0, 0, COLUMN_NUMBER, AT(fails), NULL, "fails",
	  "connections not established since watching began" },
};
const unsigned int column_count = sizeof(column_table) / sizeof(column_table[0]);
_Static_assert(sizeof(column_table) / sizeof(column_table[0]) <= COLUMNS_MAX,
	       "widths[] has room for each");

static uint64_t get_count(const struct column *c, const struct ranking_row *r)
{
	uint64_t value;

	memcpy(&value, (const char *)r + c->offset, sizeof(value));
	return value;
}

static double get_rate(const struct column *c, const struct ranking_row *r)
{
	double value;

	memcpy(&value, (const char *)r + c->offset, sizeof(value));
	return value;
}

static uint64_t round_u64(double value)
{
	return value < 1e18 ? (uint64_t)(value + 0.5) : 1000000000000000000ULL;
}

void columns_put_rate(struct text *t, double rate)
{
	uint64_t tenths = round_u64(rate * 10);

	if (tenths >= 100 || tenths % 10 == 0) {
		text_u64(t, round_u64(rate));
		return;
	}
	text_u64(t, tenths / 10);
	text_char(t, '.');
	text_u64(t, tenths % 10);
}

void columns_put_size_rate(struct text *t, double rate)
{
	text_bytes(t, round_u64(rate));
}

static void put_cell(struct text *t, const struct column *c, const struct ranking_row *r)
{
	switch (c->kind) {
	case COLUMN_NUMBER:
		text_u64(t, get_count(c, r));
		break;
	case COLUMN_RATE:
		columns_put_rate(t, get_rate(c, r));
		break;
	case COLUMN_SIZE:
		text_bytes(t, get_count(c, r));
		break;
	case COLUMN_SIZE_RATE:
		columns_put_size_rate(t, get_rate(c, r));
		break;
	case COLUMN_WORD:
		c->write(t, r);
		break;
	}
}

/* Aligns what was put since `from`: words left, numbers right. */
static void align(struct text *t, const struct column *c, size_t from, size_t width)
{
	size_t length = t->length - from, columns_used, blanks;

	if (t->failed)
		return;
	if (c->kind == COLUMN_WORD) {
		text_pad(t, from, width);
		return;
	}
	columns_used = length; /* digits and units: ASCII */
	blanks = columns_used < width ? width - columns_used : 0;
	if (!blanks || !text_reserve(t, blanks))
		return;
	memmove(t->data + from + blanks, t->data + from, length);
	memset(t->data + from, ' ', blanks);
	t->length += blanks;
}

static bool is_in_text(const struct column *c, enum ranking_by by)
{
	return c->header && c->by >> by & 1;
}

void columns_measure(enum ranking_by by, const struct ranking_row *rows, size_t count,
		     size_t widths[COLUMNS_MAX])
{
	struct text cell = { 0 };

	for (unsigned int i = 0; i < column_count; i++) {
		widths[i] = column_table[i].width;
		for (size_t row = 0; is_in_text(&column_table[i], by) && row < count; row++) {
			size_t used;

			cell.length = 0;
			put_cell(&cell, &column_table[i], &rows[row]);
			used = cell.failed ? 0 : text_width(cell.data, cell.length);
			if (used > widths[i])
				widths[i] = used;
		}
	}
	text_done(&cell);
}

static void put_line(struct text *t, enum ranking_by by, const struct ranking_row *r,
		     const size_t widths[COLUMNS_MAX])
{
	size_t begin = t->length, from;

	for (unsigned int i = 0; i < column_count; i++) {
		if (!is_in_text(&column_table[i], by))
			continue;
		if (t->length > begin)
			text_char(t, ' ');
		from = t->length;
		if (r)
			put_cell(t, &column_table[i], r);
		else
			text_puts(t, column_table[i].header);
		align(t, &column_table[i], from, widths[i]);
	}
	while (t->length > begin && t->data[t->length - 1] == ' ')
		t->length--;
}

void columns_put_header(struct text *t, enum ranking_by by, const size_t widths[COLUMNS_MAX])
{
	put_line(t, by, NULL, widths);
}

void columns_put_row(struct text *t, enum ranking_by by, const struct ranking_row *r,
		     const size_t widths[COLUMNS_MAX])
{
	put_line(t, by, r, widths);
}

/* What the ranking shares with the other events, under the same names. */
static void row_to_event(struct event *e, enum ranking_by by, const struct ranking_row *r)
{
	static const enum event_field always[] = { FIELD_TX_BYTES, FIELD_RX_BYTES, FIELD_RETRANS,
						   FIELD_CONNECTIONS };
	static const enum event_field ends[] = { FIELD_PROTO, FIELD_FAMILY, FIELD_RADDR };

	memcpy(e->comm, r->comm, sizeof(e->comm));
	memcpy(e->laddr, r->laddr, sizeof(e->laddr));
	memcpy(e->raddr, r->raddr, sizeof(e->raddr));
	e->pid = r->pid;
	e->uid = r->uid;
	e->proto = r->proto;
	e->family = r->family;
	e->direction = r->direction;
	e->lport = r->lport;
	e->rport = r->rport;
	e->cookie = r->cookie;
	e->start_ns = r->start_ns;
	e->netns = r->netns;
	e->state = r->state;
	e->tx_bytes = r->tx_bytes;
	e->rx_bytes = r->rx_bytes;
	e->retrans = r->retrans < UINT32_MAX ? (uint32_t)r->retrans : UINT32_MAX;
	e->srtt_us = r->srtt_us;
	e->connections = r->connections;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		event_set(e, always[i]);
	if (r->has_pid)
		event_set(e, FIELD_PID);
	if (r->comm[0])
		event_set(e, FIELD_COMM);
	if (r->has_uid)
		event_set(e, FIELD_UID);
	if (r->srtt_us)
		event_set(e, FIELD_SRTT_US);
	if (!r->family)
		return;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		event_set(e, ends[i]);
	if (r->direction != DIRECTION_UNKNOWN)
		event_set(e, FIELD_DIRECTION);
	if (r->rport)
		event_set(e, FIELD_RPORT);
	if (by != BY_CONNECTION)
		return;
	event_set(e, FIELD_ID);
	event_set(e, FIELD_LADDR);
	event_set(e, FIELD_LPORT);
	if (r->netns)
		event_set(e, FIELD_NETNS);
	if (r->state)
		event_set(e, FIELD_STATE);
}

/* Hundredths, without the locale's idea of a decimal point. */
static void put_json_rate(struct text *t, double rate)
{
	uint64_t hundredths = round_u64(rate * 100);

	text_u64(t, hundredths / 100);
	if (hundredths % 100) {
		text_char(t, '.');
		text_char(t, (char)('0' + hundredths / 10 % 10));
		if (hundredths % 10)
			text_char(t, (char)('0' + hundredths % 10));
	}
}

void columns_put_json(struct text *t, enum ranking_by by, const struct ranking_row *r,
		      uint64_t time_ns, uint64_t mono_ns)
{
	struct event e;

	event_init(&e, EVENT_TOP, time_ns, mono_ns);
	row_to_event(&e, by, r);
	json_write_event(t, &e);
	if (t->failed || t->length < 2)
		return;
	t->length -= 2; /* the object goes on: } and newline */
	text_puts(t, ",\"by\":\"");
	text_puts(t, ranking_by_name(by));
	text_char(t, '"');
	for (unsigned int i = 0; i < column_count; i++) {
		const struct column *c = &column_table[i];

		if (!c->json)
			continue;
		text_puts(t, ",\"");
		text_puts(t, c->json);
		text_puts(t, "\":");
		if (c->kind == COLUMN_RATE)
			put_json_rate(t, get_rate(c, r));
		else
			text_u64(t, c->kind == COLUMN_SIZE_RATE ? round_u64(get_rate(c, r))
								: get_count(c, r));
	}
	text_puts(t, "}\n");
}
