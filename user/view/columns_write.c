/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells and lines of the ranking as text, and its rows as JSON. */
#include "view/columns.h"
#include "view/csv.h"
#include "view/json.h"

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

static double rate_at(const struct column *c, const struct ranking_row *r)
{
	double rate;

	if (c->value)
		return c->value(r);
	memcpy(&rate, (const char *)r + c->offset, sizeof(rate));
	return rate;
}

static uint64_t count_at(const struct column *c, const struct ranking_row *r)
{
	uint64_t count;

	if (c->value)
		return round_u64(c->value(r));
	memcpy(&count, (const char *)r + c->offset, sizeof(count));
	return count;
}

static void put_percent(struct text *t, double percent)
{
	if (percent < 0)
		text_char(t, '-');
	else
		columns_put_rate(t, percent);
}

void column_put(struct text *t, const struct column *c, const struct ranking_row *r,
		const struct column_context *x)
{
	switch (c->kind) {
	case COLUMN_COUNT:
		text_u64(t, count_at(c, r));
		break;
	case COLUMN_RATE:
		columns_put_rate(t, rate_at(c, r));
		break;
	case COLUMN_SIZE:
		text_bytes(t, count_at(c, r));
		break;
	case COLUMN_SIZE_RATE:
		columns_put_size_rate(t, rate_at(c, r));
		break;
	case COLUMN_PERCENT:
		put_percent(t, rate_at(c, r));
		break;
	default:
		c->write(t, r, x);
		break;
	}
}

void column_put_value(struct text *t, int column, const struct ranking_row *r,
		      const struct column_context *x)
{
	const struct column *c = &column_table[column];

	column_put(t, c, r, x);
	if (c->kind == COLUMN_RATE || c->kind == COLUMN_SIZE_RATE)
		text_puts(t, "/s");
	else if (c->kind == COLUMN_PERCENT && rate_at(c, r) >= 0)
		text_char(t, '%');
}

bool column_is_right(const struct column *c)
{
	return c->kind != COLUMN_WORD;
}

void columns_put_owner(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	unsigned int count;

	column_put(t, &column_table[columns_of(BY_PROCESS, &count)[1]], r, x);
	if (r->has_pid) {
		text_char(t, '[');
		text_u64(t, r->pid);
		text_char(t, ']');
	}
}

void columns_put_name(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	unsigned int count, names = columns_names((enum ranking_by)r->by);
	const uint8_t *columns = columns_of((enum ranking_by)r->by, &count);

	if (r->by == BY_PROCESS || r->by == BY_CONNECTION)
		columns_put_owner(t, r, x);
	else
		column_put(t, &column_table[columns[0]], r, x);
	if (r->by == BY_CONNECTION) {
		text_char(t, ' ');
		column_put(t, &column_table[columns[names - 1]], r, x);
	}
}

/* Aligns what was put since `from`: words left, numbers right. */
static void align(struct text *t, const struct column *c, size_t from, size_t width)
{
	size_t length = t->length - from, blanks;

	if (t->failed)
		return;
	if (!column_is_right(c)) {
		text_pad(t, from, width);
		return;
	}
	blanks = length < width ? width - length : 0; /* digits and units: ASCII */
	if (!blanks || !text_reserve(t, blanks))
		return;
	memmove(t->data + from + blanks, t->data + from, length);
	memset(t->data + from, ' ', blanks);
	t->length += blanks;
}

void columns_widths(enum ranking_by by, size_t widths[COLUMNS_MAX])
{
	unsigned int count;
	const uint8_t *columns = columns_of(by, &count);

	for (unsigned int i = 0; i < count; i++)
		widths[i] = column_table[columns[i]].width;
}

void columns_measure(enum ranking_by by, const struct ranking_row *r, size_t widths[COLUMNS_MAX],
		     const struct column_context *x)
{
	unsigned int count;
	const uint8_t *columns = columns_of(by, &count);
	struct text cell = { 0 };

	for (unsigned int i = 0; i < count; i++) {
		size_t used;

		cell.length = 0;
		column_put(&cell, &column_table[columns[i]], r, x);
		used = cell.failed ? 0 : text_width(cell.data, cell.length);
		if (used > widths[i])
			widths[i] = used;
	}
	text_done(&cell);
}

void columns_put_line(struct text *t, enum ranking_by by, const struct ranking_row *r,
		      const size_t widths[COLUMNS_MAX], const struct column_context *x)
{
	unsigned int count;
	const uint8_t *columns = columns_of(by, &count);
	size_t begin = t->length;

	for (unsigned int i = 0; i < count; i++) {
		const struct column *c = &column_table[columns[i]];
		size_t from;

		if (i)
			text_char(t, ' ');
		from = t->length;
		if (r)
			column_put(t, c, r, x);
		else
			text_puts(t, c->header);
		align(t, c, from, widths[i]);
	}
	while (t->length > begin && t->data[t->length - 1] == ' ')
		t->length--;
}

/* --- JSON --- */

static void put_owner(struct event *e, const struct ranking_row *r)
{
	memcpy(e->comm, r->comm, sizeof(e->comm));
	e->pid = r->pid;
	e->uid = r->uid;
	if (r->has_pid)
		event_set(e, FIELD_PID);
	if (r->comm[0])
		event_set(e, FIELD_COMM);
	if (r->has_uid)
		event_set(e, FIELD_UID);
}

static void put_place(struct event *e, const struct ranking_row *r)
{
	static const enum event_field fields[] = { FIELD_COUNT, FIELD_CONTAINER, FIELD_UNIT,
						   FIELD_CGROUP };

	if (r->place_kind == PLACE_NONE)
		return;
	e->container = e->unit = e->cgroup = r->place;
	event_set(e, fields[r->place_kind]);
}

static void put_ends(struct event *e, const struct ranking_row *r)
{
	if (r->direction != DIRECTION_UNKNOWN) {
		e->direction = r->direction;
		event_set(e, FIELD_DIRECTION);
	}
	if (r->proto) {
		e->proto = r->proto;
		event_set(e, FIELD_PROTO);
	}
	memcpy(e->laddr, r->laddr, sizeof(e->laddr));
	memcpy(e->raddr, r->raddr, sizeof(e->raddr));
	e->family = r->family;
	e->lport = r->lport;
	e->rport = r->rport;
	e->netns = r->netns;
	if (r->family) {
		event_set(e, FIELD_FAMILY);
		event_set(e, r->by == BY_LISTENER ? FIELD_LADDR : FIELD_RADDR);
		if (r->by == BY_CONNECTION)
			event_set(e, FIELD_LADDR);
	}
	if (r->rport && r->by != BY_LISTENER)
		event_set(e, FIELD_RPORT);
	if (r->lport)
		event_set(e, FIELD_LPORT);
	if (r->netns)
		event_set(e, FIELD_NETNS);
}

static void put_queues(struct event *e, const struct ranking_row *r)
{
	if (r->by != BY_CONNECTION && !r->listeners)
		return;
	if (r->by == BY_CONNECTION && !r->connections)
		return;
	e->recv_q = r->queue < UINT32_MAX ? (uint32_t)r->queue : UINT32_MAX;
	e->send_q = r->backlog < UINT32_MAX ? (uint32_t)r->backlog : UINT32_MAX;
	event_set(e, FIELD_RECV_Q);
	event_set(e, FIELD_SEND_Q);
}

/* What the ranking shares with the other events, under the same names. */
static void row_to_event(struct event *e, const struct ranking_row *r, uint64_t mono_ns)
{
	static const enum event_field always[] = { FIELD_TX_BYTES, FIELD_RX_BYTES, FIELD_RETRANS,
						   FIELD_CONNECTIONS };

	e->tx_bytes = r->tx_bytes;
	e->rx_bytes = r->rx_bytes;
	e->retrans = r->retrans < UINT32_MAX ? (uint32_t)r->retrans : UINT32_MAX;
	e->connections = r->connections;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		event_set(e, always[i]);
	put_owner(e, r);
	put_place(e, r);
	put_ends(e, r);
	put_queues(e, r);
	e->srtt_us = r->srtt_us;
	e->drops = r->drops;
	e->outcome = r->outcome;
	if (r->srtt_us)
		event_set(e, FIELD_SRTT_US);
	if (r->drops || r->by == BY_LISTENER)
		event_set(e, FIELD_DROPS);
	if (r->outcome)
		event_set(e, FIELD_OUTCOME);
	if (r->by != BY_CONNECTION)
		return;
	e->cookie = r->cookie;
	e->start_ns = r->start_ns;
	e->state = r->state;
	if (r->cookie)
		event_set(e, FIELD_ID);
	if (r->state)
		event_set(e, FIELD_STATE);
	if (r->ended_ns)
		mono_ns = r->ended_ns;
	if (r->since_ns && mono_ns >= r->since_ns) {
		e->duration_us = (mono_ns - r->since_ns) / 1000;
		event_set(e, FIELD_DURATION_US);
	}
}

/* Hundredths, without the locale's idea of a decimal point. */
static void put_hundredths(struct text *t, double value)
{
	uint64_t hundredths = round_u64(value * 100);

	text_u64(t, hundredths / 100);
	if (hundredths % 100) {
		text_char(t, '.');
		text_char(t, (char)('0' + hundredths / 10 % 10));
		if (hundredths % 10)
			text_char(t, (char)('0' + hundredths % 10));
	}
}

/* Nothing where it is not known. */
static void put_number(struct text *t, const struct column *c, const struct ranking_row *r)
{
	if (c->kind == COLUMN_PERCENT && rate_at(c, r) < 0)
		return;
	if (c->kind == COLUMN_RATE || c->kind == COLUMN_PERCENT)
		put_hundredths(t, rate_at(c, r));
	else if (c->kind == COLUMN_SIZE_RATE)
		text_u64(t, round_u64(rate_at(c, r)));
	else
		text_u64(t, count_at(c, r));
}

static void put_member(struct text *t, const struct column *c, const struct ranking_row *r)
{
	if (c->kind == COLUMN_PERCENT && rate_at(c, r) < 0)
		return;
	text_puts(t, ",\"");
	text_puts(t, c->json);
	text_puts(t, "\":");
	put_number(t, c, r);
}

void columns_row_event(struct event *e, const struct ranking_row *r, uint64_t time_ns,
		       uint64_t mono_ns)
{
	event_init(e, EVENT_TOP, time_ns, mono_ns);
	row_to_event(e, r, mono_ns);
}

void columns_event_row(struct ranking_row *r, const struct event *e)
{
	*r = (struct ranking_row){ .by = BY_CONNECTION,
				   .cookie = e->cookie,
				   .start_ns = e->start_ns,
				   .since_ns = e->start_ns,
				   .retrans_percent = -1 };
	r->has_pid = event_has(e, FIELD_PID);
	r->pid = e->pid;
	r->has_uid = event_has(e, FIELD_UID);
	r->uid = e->uid;
	r->netns = e->netns;
	r->proto = e->proto;
	r->family = e->family;
	r->direction = e->direction;
	r->lport = e->lport;
	r->rport = e->rport;
	memcpy(r->comm, e->comm, sizeof(r->comm));
	memcpy(r->laddr, e->laddr, sizeof(r->laddr));
	memcpy(r->raddr, e->raddr, sizeof(r->raddr));
	r->tx_bytes = e->tx_bytes;
	r->rx_bytes = e->rx_bytes;
	r->srtt_us = e->srtt_us;
	r->retrans = e->retrans;
	r->outcome = e->outcome;
}

void columns_put_json(struct text *t, const struct ranking_row *r, uint64_t time_ns,
		      uint64_t mono_ns)
{
	struct event e;

	columns_row_event(&e, r, time_ns, mono_ns);
	json_write_event(t, &e);
	if (t->failed || t->length < 2)
		return;
	t->length -= 2; /* the object goes on: } and newline */
	text_puts(t, ",\"by\":\"");
	text_puts(t, ranking_by_name((enum ranking_by)r->by));
	text_char(t, '"');
	for (unsigned int i = 0; i < column_count; i++)
		if (column_table[i].json)
			put_member(t, &column_table[i], r);
	text_puts(t, "}\n");
}

/* --- CSV --- */

void columns_put_csv_header(struct text *t)
{
	csv_write_header(t, CSV_ROWS);
	if (t->length)
		t->length--; /* the line goes on */
	text_puts(t, ",by,connections");
	for (unsigned int i = 0; i < column_count; i++) {
		if (!column_table[i].json)
			continue;
		text_char(t, ',');
		text_puts(t, column_table[i].json);
	}
	text_char(t, '\n');
}

void columns_put_csv(struct text *t, const struct ranking_row *r, uint64_t time_ns,
		     uint64_t mono_ns)
{
	struct event e;

	columns_row_event(&e, r, time_ns, mono_ns);
	csv_write_event(t, CSV_ROWS, &e);
	if (t->length)
		t->length--;
	text_char(t, ',');
	text_puts(t, ranking_by_name((enum ranking_by)r->by));
	text_char(t, ',');
	text_u64(t, r->connections);
	for (unsigned int i = 0; i < column_count; i++) {
		if (!column_table[i].json)
			continue;
		text_char(t, ',');
		put_number(t, &column_table[i], r);
	}
	text_char(t, '\n');
}
