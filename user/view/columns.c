/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/columns.h"

#include <netinet/in.h>
#include <strings.h>

#define CONTAINER_SHOWN 12 /* as container tools shorten their ids */
#define AT(member) offsetof(struct ranking_row, member)

enum {
	C_RATE,
	C_TOTAL,
	C_PID,
	C_COMM,
	C_REMOTE,
	C_LISTENER,
	C_PLACE,
	C_LOCAL,
	C_PEER,
	C_STATE,
	C_TX_RATE,
	C_RX_RATE,
	C_CONNS,
	C_QUEUE,
	C_DROP_RATE,
	C_OPEN_RATE,
	C_FAIL_RATE,
	C_RETR_PERCENT,
	C_CLOSE_RATE,
	C_USER,
	C_TX,
	C_RX,
	C_SRTT,
	C_RETR,
	C_RETR_RATE,
	C_OPENING,
	C_CLOSE_WAIT,
	C_CLOSING,
	C_LISTENERS,
	C_DROPS,
	C_RECV_Q,
	C_SEND_Q,
	C_AGE,
	C_ENDS,
	C_OUTCOME,
	C_OPENS,
	C_CLOSES,
	C_FAILS,
	C_COUNT
};

/* --- cells of words --- */

static void put_dash(struct text *t, size_t from)
{
	if (t->length == from)
		text_char(t, '-');
}

static void write_pid(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	(void)x;
	if (r->has_pid)
		text_u64(t, r->pid);
	else
		text_char(t, '-');
}

static void write_comm(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	(void)x;
	if (r->comm[0])
		text_escaped(t, r->comm, strnlen(r->comm, sizeof(r->comm)));
	else if (r->kernel)
		text_puts(t, "(kernel)");
	else
		text_puts(t, r->by == BY_PROCESS && !r->has_pid ? "(unknown)" : "-");
}

static void put_end(struct text *t, const struct ranking_row *r, const uint8_t *address,
		    uint16_t port, const struct column_context *x)
{
	const char *name = x->port_name && port ? x->port_name(port, r->proto) : NULL;

	if (!r->family) {
		text_char(t, '*');
	} else if (r->family == 4) {
		text_address(t, r->family, address);
	} else {
		text_char(t, '[');
		text_address(t, r->family, address);
		text_char(t, ']');
	}
	text_char(t, ':');
	if (name)
		text_escaped(t, name, strlen(name));
	else if (port)
		text_u64(t, port);
	else
		text_char(t, '*');
}

static void write_local(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	if (r->family)
		put_end(t, r, r->laddr, r->lport, x);
	else
		text_char(t, '-');
}

static const char *arrow(const struct ranking_row *r)
{
	return r->direction == DIRECTION_IN ? "<- " : r->direction == DIRECTION_OUT ? "-> " : "-- ";
}

/* TCP is what nothing is said of. */
static void put_proto(struct text *t, const struct ranking_row *r)
{
	if (r->proto == IPPROTO_UDP)
		text_puts(t, "/udp");
}

static void write_peer(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	text_puts(t, arrow(r));
	if (r->family)
		put_end(t, r, r->raddr, r->rport, x);
	else
		text_char(t, '-');
	put_proto(t, r);
}

/* Clients have many ports: only their address is the group. */
static void write_remote(struct text *t, const struct ranking_row *r,
			 const struct column_context *x)
{
	if (!r->family) {
		write_comm(t, r, x); /* what did not fit */
		return;
	}
	text_puts(t, arrow(r));
	if (r->rport)
		put_end(t, r, r->raddr, r->rport, x);
	else
		text_address(t, r->family, r->raddr);
	put_proto(t, r);
}

static void write_listener(struct text *t, const struct ranking_row *r,
			   const struct column_context *x)
{
	if (!r->lport) {
		text_puts(t, r->comm[0]			     ? r->comm
			     : r->direction == DIRECTION_OUT ? "(outgoing)"
							     : "(unknown)");
		return;
	}
	text_puts(t, proto_name(r->proto));
	text_char(t, ' ');
	put_end(t, r, r->laddr, r->lport, x);
}

static void write_place(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	size_t from = t->length, length;

	(void)x;
	if (!r->place) {
		text_puts(t, r->comm[0] ? r->comm : "(none)");
		return;
	}
	length = strlen(r->place);
	if (r->place_kind == PLACE_CONTAINER && length == 64) /* an id: its beginning says enough */
		length = CONTAINER_SHOWN;
	text_escaped(t, r->place, length);
	put_dash(t, from);
}

static void write_state(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	(void)x;
	text_puts(t, r->state ? tcp_state_name(r->state) : "-");
}

static void write_user(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	const char *name = r->has_uid && x->user_name ? x->user_name(r->uid) : NULL;

	if (name && *name)
		text_escaped(t, name, strlen(name));
	else if (r->has_uid)
		text_u64(t, r->uid);
	else
		text_char(t, '-');
}

static void write_srtt(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	(void)x;
	if (r->srtt_us)
		text_duration(t, r->srtt_us);
	else
		text_char(t, '-');
}

static void write_queue(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	(void)x;
	if (!r->listeners) {
		text_char(t, '-');
		return;
	}
	text_u64(t, r->queue);
	text_char(t, '/');
	text_u64(t, r->backlog);
}

static void write_age(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	uint64_t until = r->ended_ns ? r->ended_ns : x->mono_ns;

	if (r->since_ns && until >= r->since_ns)
		text_duration(t, (until - r->since_ns) / 1000);
	else
		text_char(t, '-');
}

/* What went wrong, the most frequent first; `clean` where nothing did. */
static void write_ends(struct text *t, const struct ranking_row *r, const struct column_context *x)
{
	uint32_t left[OUTCOME_COUNT];
	size_t from = t->length;

	(void)x;
	memcpy(left, r->outcomes, sizeof(left));
	left[OUTCOME_CLEAN] = left[OUTCOME_IDLE] = 0;
	for (;;) {
		unsigned int most = OUTCOME_NONE;

		for (unsigned int i = 1; i < OUTCOME_COUNT; i++)
			if (left[i] > left[most] || (!most && left[i]))
				most = i;
		if (!most || !left[most])
			break;
		if (t->length > from)
			text_char(t, ' ');
		text_puts(t, outcome_name(most));
		text_char(t, ':');
		text_u64(t, left[most]);
		left[most] = 0;
	}
	if (t->length == from && (r->outcomes[OUTCOME_CLEAN] || r->outcomes[OUTCOME_IDLE]))
		text_puts(t, outcome_name(OUTCOME_CLEAN));
	put_dash(t, from);
}

static void write_outcome(struct text *t, const struct ranking_row *r,
			  const struct column_context *x)
{
	(void)x;
	text_puts(t, r->outcome ? outcome_name(r->outcome) : "-");
}

/* --- numbers to sort by --- */

static double value_rate(const struct ranking_row *r)
{
	return r->tx_rate + r->rx_rate;
}

static double value_total(const struct ranking_row *r)
{
	return (double)(r->tx_bytes + r->rx_bytes);
}

static double value_srtt(const struct ranking_row *r)
{
	return r->srtt_us;
}

/* The longest first, what is of unknown age before all: it was there before us. */
static double value_age(const struct ranking_row *r)
{
	return -(double)r->since_ns;
}

static double value_pid(const struct ranking_row *r)
{
	return r->has_pid ? -(double)r->pid : -1e18;
}

/* How full the queue is; then how many wait. */
static double value_queue(const struct ranking_row *r)
{
	return r->backlog ? (double)r->queue / (double)r->backlog : (double)r->queue;
}

/* clang-format off */
const struct column column_table[] = {
	[C_RATE] = { "rate", NULL, 0, COLUMN_SIZE_RATE, 0, 0, NULL, value_rate, NULL, "payload sent and received, bytes a second" },
	[C_TOTAL] = { "total", NULL, 0, COLUMN_SIZE, 0, 0, NULL, value_total, NULL, "payload sent and received, bytes" },
	[C_PID] = { "pid", "PID", 7, COLUMN_WORD, 0, 0, write_pid, value_pid, NULL, "process id of the owner" },
	[C_COMM] = { "name", "COMM", 15, COLUMN_WORD, 0, 0, write_comm, NULL, NULL, "name of the owner" },
	[C_REMOTE] = { NULL, "REMOTE", 24, COLUMN_WORD, 0, 0, write_remote, NULL, NULL, "a server and its port (->), or a client's address (<-)" },
	[C_LISTENER] = { NULL, "LISTENER", 22, COLUMN_WORD, 0, 0, write_listener, NULL, NULL, "where connections come in; (outgoing): what this host began" },
	[C_PLACE] = { NULL, "CONTAINER", 24, COLUMN_WORD, 0, 0, write_place, NULL, NULL, "container, or else systemd unit, or else cgroup" },
	[C_LOCAL] = { NULL, "LOCAL", 21, COLUMN_WORD, 0, 0, write_local, NULL, NULL, "local end" },
	[C_PEER] = { NULL, "REMOTE", 24, COLUMN_WORD, 0, 0, write_peer, NULL, NULL, "remote end; <- where it connected to us" },
	[C_STATE] = { NULL, "STATE", 11, COLUMN_WORD, 0, 0, write_state, NULL, NULL, "state" },
	[C_TX_RATE] = { "tx", "TX/s", 8, COLUMN_SIZE_RATE, AT(tx_rate), AT(tx_bytes), NULL, NULL, "tx_rate", "payload sent, bytes a second in this interval" },
	[C_RX_RATE] = { "rx", "RX/s", 8, COLUMN_SIZE_RATE, AT(rx_rate), AT(rx_bytes), NULL, NULL, "rx_rate", "payload received, bytes a second in this interval" },
	[C_CONNS] = { "connections", "CONNS", 6, COLUMN_COUNT, AT(connections), 0, NULL, NULL, NULL, "connections that are open now" },
	[C_QUEUE] = { "queue", "QUEUE", 9, COLUMN_TIME, 0, AT(queue), write_queue, value_queue, NULL, "connections that wait to be accepted, and how many may" },
	[C_DROP_RATE] = { "drops", "DROP/s", 6, COLUMN_RATE, AT(drop_rate), AT(drops), NULL, NULL, "drop_rate", "connection attempts dropped at full queues a second" },
	[C_OPEN_RATE] = { "opens", "OPEN/s", 6, COLUMN_RATE, AT(open_rate), AT(opens), NULL, NULL, "open_rate", "connections opened a second in this interval" },
	[C_FAIL_RATE] = { "fails", "FAIL/s", 6, COLUMN_RATE, AT(fail_rate), AT(fails), NULL, NULL, "fail_rate", "connections not established a second in this interval" },
	[C_RETR_PERCENT] = { "loss", "RETR%", 5, COLUMN_PERCENT, AT(retrans_percent), 0, NULL, NULL, "retrans_percent", "percent of the segments sent lately that were sent again" },
	[C_CLOSE_RATE] = { "closes", "CLOSE/s", 7, COLUMN_RATE, AT(close_rate), AT(closes), NULL, NULL, "close_rate", "connections closed a second in this interval" },
	[C_USER] = { NULL, "USER", 8, COLUMN_WORD, 0, 0, write_user, NULL, NULL, "user of the owner" },
	[C_TX] = { NULL, "TX", 7, COLUMN_SIZE, AT(tx_bytes), 0, NULL, NULL, NULL, "bytes sent since watching began; a connection: in its life" },
	[C_RX] = { NULL, "RX", 7, COLUMN_SIZE, AT(rx_bytes), 0, NULL, NULL, NULL, "payload received, likewise, bytes" },
	[C_SRTT] = { "srtt", "SRTT", 6, COLUMN_TIME, 0, 0, write_srtt, value_srtt, NULL, "smoothed round-trip time last heard of" },
	[C_RETR] = { "retrans", "RETR", 5, COLUMN_COUNT, AT(retrans), 0, NULL, NULL, NULL, "segments sent again since watching began" },
	[C_RETR_RATE] = { "retrans_rate", "RETR/s", 6, COLUMN_RATE, AT(retrans_rate), AT(retrans), NULL, NULL, "retrans_rate", "segments sent again a second in this interval" },
	[C_OPENING] = { "opening", "SYN", 4, COLUMN_COUNT, AT(opening), 0, NULL, NULL, "opening", "connections being opened now" },
	[C_CLOSE_WAIT] = { "close_wait", "CWAIT", 5, COLUMN_COUNT, AT(close_wait), 0, NULL, NULL, "close_wait", "open connections: closed by the peer, not by the process" },
	[C_CLOSING] = { "closing", "CLOSNG", 6, COLUMN_COUNT, AT(closing), 0, NULL, NULL, "closing", "open connections that the process has closed" },
	[C_LISTENERS] = { "listeners", "LISTEN", 6, COLUMN_COUNT, AT(listeners), 0, NULL, NULL, "listeners", "listening sockets" },
	[C_DROPS] = { NULL, "DROPS", 6, COLUMN_COUNT, AT(drops), 0, NULL, NULL, NULL, "attempts dropped at full queues since watching began" },
	[C_RECV_Q] = { "recv_q", "RECV-Q", 6, COLUMN_SIZE, AT(queue), 0, NULL, NULL, NULL, "bytes that the process has not read yet" },
	[C_SEND_Q] = { "send_q", "SEND-Q", 6, COLUMN_SIZE, AT(backlog), 0, NULL, NULL, NULL, "bytes that the peer has not acknowledged yet" },
	[C_AGE] = { "age", "AGE", 6, COLUMN_TIME, 0, 0, write_age, value_age, NULL, "since its start; of a group: since it was first seen" },
	[C_ENDS] = { NULL, "ENDS", 7, COLUMN_WORD, 0, 0, write_ends, NULL, NULL, "how connections ended that did not end well, and how many" },
	[C_OUTCOME] = { NULL, "OUTCOME", 7, COLUMN_WORD, 0, 0, write_outcome, NULL, NULL, "how it ended" },
	[C_OPENS] = { NULL, NULL, 0, COLUMN_COUNT, AT(opens), 0, NULL, NULL, "opens", "connections opened since watching began" },
	[C_CLOSES] = { NULL, NULL, 0, COLUMN_COUNT, AT(closes), 0, NULL, NULL, "closes", "connections closed since watching began" },
	[C_FAILS] = { NULL, NULL, 0, COLUMN_COUNT, AT(fails), 0, NULL, NULL, "fails", "connections not established since watching began" },
};
const unsigned int column_count = sizeof(column_table) / sizeof(column_table[0]);
_Static_assert(C_COUNT <= COLUMNS_MAX, "widths[] has a place for each");

static const uint8_t as_process[] = {
	C_PID, C_COMM, C_TX_RATE, C_RX_RATE, C_CONNS, C_OPEN_RATE, C_FAIL_RATE, C_RETR_PERCENT, C_CLOSE_RATE, C_USER, C_TX,
	C_RX, C_SRTT, C_RETR, C_OPENING, C_CLOSE_WAIT, C_CLOSING, C_LISTENERS, C_DROP_RATE, C_AGE, C_ENDS,
};
static const uint8_t as_connection[] = {
	C_PID, C_COMM, C_PEER, C_TX_RATE, C_RX_RATE, C_STATE, C_LOCAL, C_TX, C_RX, C_RETR, C_RETR_PERCENT, C_SRTT, C_USER,
	C_RECV_Q, C_SEND_Q, C_AGE, C_OUTCOME,
};
static const uint8_t as_remote[] = {
	C_REMOTE, C_TX_RATE, C_RX_RATE, C_CONNS, C_OPEN_RATE, C_FAIL_RATE, C_RETR_PERCENT, C_SRTT, C_CLOSE_RATE, C_TX, C_RX,
	C_RETR, C_OPENING, C_CLOSE_WAIT, C_CLOSING, C_AGE, C_ENDS,
};
static const uint8_t as_listener[] = {
	C_LISTENER, C_PID, C_COMM, C_QUEUE, C_DROP_RATE, C_OPEN_RATE, C_CONNS, C_TX_RATE, C_RX_RATE, C_CLOSE_RATE, C_DROPS,
	C_TX, C_RX, C_USER, C_RETR_PERCENT, C_SRTT, C_CLOSE_WAIT, C_LISTENERS, C_AGE, C_ENDS,
};
static const uint8_t as_container[] = {
	C_PLACE, C_TX_RATE, C_RX_RATE, C_CONNS, C_OPEN_RATE, C_FAIL_RATE, C_RETR_PERCENT, C_CLOSE_RATE, C_TX, C_RX, C_SRTT,
	C_RETR, C_OPENING, C_CLOSE_WAIT, C_CLOSING, C_LISTENERS, C_DROP_RATE, C_AGE, C_ENDS,
};
/* clang-format on */

static const struct {
	const uint8_t *columns;
	unsigned int count, names;
} layouts[BY_COUNT] = {
	[BY_PROCESS] = { as_process, sizeof(as_process), 2 },
	[BY_CONNECTION] = { as_connection, sizeof(as_connection), 3 },
	[BY_REMOTE] = { as_remote, sizeof(as_remote), 1 },
	[BY_LISTENER] = { as_listener, sizeof(as_listener), 3 },
	[BY_CONTAINER] = { as_container, sizeof(as_container), 1 },
};

const uint8_t *columns_of(enum ranking_by by, unsigned int *count)
{
	*count = layouts[by].count;
	return layouts[by].columns;
}

unsigned int columns_names(enum ranking_by by)
{
	return layouts[by].names;
}

int columns_default(enum ranking_by by)
{
	return by == BY_LISTENER ? C_DROP_RATE : C_RATE;
}

int column_by_heading(const char *heading)
{
	for (unsigned int i = 0; i < column_count; i++)
		if (column_table[i].key && column_table[i].header &&
		    !strcasecmp(column_table[i].header, heading))
			return (int)i;
	return -1;
}

const char *column_key(size_t i)
{
	return i < column_count ? column_table[i].key : NULL;
}

int column_by_key(const char *key)
{
	for (unsigned int i = 0; i < column_count; i++)
		if (column_table[i].key && !strcasecmp(column_table[i].key, key))
			return (int)i;
	return -1;
}

static double number_at(const struct column *c, size_t offset, const struct ranking_row *r)
{
	bool real = c->kind == COLUMN_RATE || c->kind == COLUMN_SIZE_RATE ||
		    c->kind == COLUMN_PERCENT;
	uint64_t count;
	double rate;

	if (real && offset == c->offset) {
		memcpy(&rate, (const char *)r + offset, sizeof(rate));
		return rate;
	}
	memcpy(&count, (const char *)r + offset, sizeof(count));
	return (double)count;
}

static double value_of(const void *column, const struct ranking_row *r)
{
	const struct column *c = column;

	return c->value ? c->value(r) : number_at(c, c->offset, r);
}

static double second_of(const void *column, const struct ranking_row *r)
{
	const struct column *c = column;

	return c->second ? number_at(c, c->second, r) : 0;
}

static bool is_number(const struct column *c)
{
	return c->value || !c->write;
}

void column_sorts(int column, struct ranking_query *q)
{
	const struct column *c = &column_table[column];

	q->context = c;
	q->key = column;
	q->value = is_number(c) ? value_of : NULL;
	q->second = second_of;
}

bool column_has_bar(int column)
{
	const struct column *c = &column_table[column];

	return is_number(c) && c->value != value_age && c->value != value_pid;
}

double column_value(int column, const struct ranking_row *r)
{
	double value = column_has_bar(column) ? value_of(&column_table[column], r) : 0;

	return value > 0 ? value : 0;
}
