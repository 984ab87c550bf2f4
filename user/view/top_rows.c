/* SPDX-License-Identifier: BSD-2-Clause */
/* What the screen shows of the model: rows, events, filters. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "view/log_line.h"
#include "view/top_screen_private.h"

#define ROWS_AHEAD 200 /* taken beyond what is seen, so that scrolling finds them */
#define ROWS_MAX 20000 /* that can be scrolled to */

static enum ranking_by shown_by(const struct top_screen *s)
{
	return s->shown < BY_COUNT ? (enum ranking_by)s->shown : BY_PROCESS;
}

enum ranking_by top_screen_by(const struct top_screen *s)
{
	return shown_by(s);
}

/* --- the filter --- */

void top_filter_set(struct top_screen *s, const char *text)
{
	struct filter *filter = NULL;

	filter_free(s->filter);
	s->filter = NULL;
	s->filter_error.message[0] = '\0';
	snprintf(s->filter_text, sizeof(s->filter_text), "%s", text);
	if (*text && !filter_parse(text, s->top->options->filter_names, &filter, &s->filter_error))
		s->filter = filter;
	if (!text[strcspn(text, "=<>!()~")])
		s->filter_error.message[0] = '\0';
}

/* A word that may stand anywhere, in either case. */
bool top_filter_text(const struct top_screen *s, const char *text, size_t length)
{
	size_t n = strlen(s->filter_text);

	for (size_t i = 0; i + n <= length; i++)
		if (!strncasecmp(text + i, s->filter_text, n))
			return true;
	return false;
}

static bool row_has_text(struct top_screen *s, const struct ranking_row *row)
{
	unsigned int count;
	const uint8_t *columns = columns_of((enum ranking_by)row->by, &count);
	struct column_context x;
	bool has;

	top_column_context(s->top, &x);
	s->text.length = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (column_table[columns[i]].kind != COLUMN_WORD)
			continue;
		column_put(&s->text, &column_table[columns[i]], row, &x);
		text_char(&s->text, ' ');
	}
	has = !s->text.failed && top_filter_text(s, s->text.data, s->text.length);
	s->text.length = 0;
	return has;
}

static bool passes_kind(const struct top_screen *s, const struct ranking_row *row)
{
	if (row->by != BY_CONNECTION)
		return true; /* groups are marked by their connections: connection_passes */
	if (s->tcp != s->udp && row->proto != (s->tcp ? IPPROTO_TCP : IPPROTO_UDP))
		return false;
	if (s->listening && row->state != STATE_LISTEN)
		return false;
	return !s->established || row->state == STATE_ESTABLISHED;
}

static bool is_restricted(const struct top_screen *s)
{
	return s->filter || s->tcp != s->udp || s->listening || s->established;
}

/* Which groups have a connection that is looked for. */
static bool connection_passes(void *context, const struct connection *c)
{
	const struct top_screen *s = context;

	if (s->tcp != s->udp && c->proto != (s->tcp ? IPPROTO_TCP : IPPROTO_UDP))
		return false;
	if (s->listening && c->state != STATE_LISTEN)
		return false;
	if (s->established && c->state != STATE_ESTABLISHED)
		return false;
	return filter_match_connection(s->filter, c, s->top->time_ns, s->top->mono_ns);
}

static bool passes(void *context, const struct ranking_row *row, const struct connection *c)
{
	struct top_screen *s = context;
	struct event e;

	if (s->scoped && row->by == BY_CONNECTION &&
	    !ranking_row_within(s->top->ranking, row, &s->scope))
		return false;
	if (!passes_kind(s, row))
		return false;
	if (row->by != BY_CONNECTION && is_restricted(s) && row->marked)
		return true;
	if (s->filter) {
		if (c)
			return filter_match_connection(s->filter, c, s->top->time_ns,
						       s->top->mono_ns);
		columns_row_event(&e, row, s->top->time_ns, s->top->mono_ns);
		return filter_match(s->filter, &e);
	}
	if (row->by != BY_CONNECTION && is_restricted(s))
		return false;
	return !s->filter_text[0] || row_has_text(s, row);
}

/* --- rows --- */

static int reserve_rows(struct top_screen *s, size_t count)
{
	struct ranking_row *rows;

	if (count <= s->row_capacity)
		return 0;
	rows = realloc(s->rows, count * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	s->rows = rows;
	s->row_capacity = count;
	return 0;
}

static size_t rows_wanted(const struct top_screen *s)
{
	const struct cursor *c = &s->tabs[s->shown].cursor;
	size_t last = (c->at > c->top ? c->at : c->top) + s->lines;
	size_t wanted = (last / ROWS_AHEAD + 2) * ROWS_AHEAD;
	size_t limit = s->top->options->rows;

	if (wanted > ROWS_MAX)
		wanted = ROWS_MAX;
	return limit && limit < wanted ? limit : wanted;
}

int top_bar_column(const struct top_screen *s)
{
	int sort = s->tabs[s->shown].sort;

	return column_has_bar(sort) ? sort : column_by_key("rate");
}

static int take_rows(struct top_screen *s)
{
	struct tab *tab = &s->tabs[s->shown];
	struct ranking_query q = { .by = shown_by(s),
				   .reverse = tab->reverse,
				   .steady = true,
				   .closed = s->closed,
				   .listening = s->listening,
				   .limit = rows_wanted(s) };
	struct ranking *r = s->top->ranking;
	int err = ranking_keep(r, q.by);

	if (err)
		return err;
	column_sorts(tab->sort, &q);
	ranking_recount(r, q.by);
	if (s->scoped || is_restricted(s) || s->filter_text[0]) {
		q.match = passes;
		q.match_context = s;
	}
	if (q.by != BY_CONNECTION && is_restricted(s))
		ranking_mark(r, q.by, connection_passes, s);
	err = ranking_list(r, &q, &s->top->list);
	if (!err)
		err = reserve_rows(s, s->top->list.count);
	if (err)
		return err;
	s->row_count = s->top->list.count;
	s->matched = s->top->list.matched;
	s->largest = 0;
	for (size_t i = 0; i < s->row_count; i++) {
		double value;

		ranking_list_row(&s->top->list, i, &s->rows[i]);
		value = column_value(top_bar_column(s), &s->rows[i]);
		if (value > s->largest)
			s->largest = value;
	}
	return 0;
}

/* --- events --- */

static uint64_t event_serial(const struct top_screen *s, size_t i)
{
	const struct history *h = s->top->history;

	return history_evicted(h) + history_count(h) - i;
}

/* The place of an event now; false when it went. */
static bool event_place(const struct top_screen *s, uint64_t serial, size_t *i)
{
	uint64_t back = event_serial(s, 0) - serial;

	if (back >= history_count(s->top->history))
		return false;
	*i = back;
	return true;
}

static bool event_passes(struct top_screen *s, size_t i)
{
	struct stamp stamp = s->top->stamp;
	struct event e;
	bool has;

	if (!s->filter_text[0] && s->tcp == s->udp)
		return true;
	history_event(s->top->history, i, &e);
	if (s->tcp != s->udp && e.proto != (s->tcp ? IPPROTO_TCP : IPPROTO_UDP))
		return false;
	if (s->filter)
		return filter_match(s->filter, &e);
	s->text.length = 0;
	log_line_write(&s->text, &e, &stamp, s->top->options->own_netns, false);
	has = !s->text.failed && top_filter_text(s, s->text.data, s->text.length);
	s->text.length = 0;
	return has;
}

static int take_events(struct top_screen *s)
{
	const struct history *h = s->top->history;
	size_t count = history_count(h);

	if (count > s->event_capacity) {
		uint64_t *events = realloc(s->events, count * sizeof(*events));

		if (!events)
			return -ENOMEM;
		s->events = events;
		s->event_capacity = count;
	}
	s->event_count = 0;
	for (size_t i = 0; i < count; i++) {
		bool wanted = s->detailed
				      ? history_is_of(h, i, s->detail.cookie, s->detail.start_ns)
				      : event_passes(s, i);

		if (wanted)
			s->events[s->event_count++] = event_serial(s, i);
	}
	if (!s->detailed)
		s->matched = s->event_count;
	return 0;
}

bool top_rows_event(const struct top_screen *s, size_t i, struct event *e)
{
	size_t place;

	if (i >= s->event_count || !event_place(s, s->events[i], &place))
		return false;
	history_event(s->top->history, place, e);
	return true;
}

/* --- the picture --- */

void top_rows_header(struct top_screen *s)
{
	const struct top *t = s->top;

	s->header.time_ns = t->time_ns;
	s->header.mono_ns = t->mono_ns;
	s->header.lost = t->lost;
	s->header.healed = t->healed;
	s->header.unattributed = t->unattributed;
	s->header.interval_ns = t->interval_ns;
	s->header.processes = ranking_count(t->ranking, BY_PROCESS);
	s->header.total = t->total;
	s->header.tx = t->tx_line;
	s->header.rx = t->rx_line;
}

size_t top_rows_count(const struct top_screen *s)
{
	return s->detailed || s->shown == TAB_EVENTS ? s->event_count : s->row_count;
}

struct cursor *top_rows_cursor(struct top_screen *s)
{
	return s->detailed ? &s->detail_cursor : &s->tabs[s->shown].cursor;
}

unsigned int top_rows_room(const struct top_screen *s)
{
	return s->lines > s->body_line + 1 ? s->lines - s->body_line - 1 : 1;
}

/* Keeps the cursor on the screen and the screen in the list. */
static void cursor_settle(struct top_screen *s, struct cursor *c, size_t count)
{
	unsigned int room = top_rows_room(s);

	if (c->at >= count)
		c->at = count ? count - 1 : 0;
	if (c->top > c->at)
		c->top = c->at;
	if (c->at >= c->top + room)
		c->top = c->at - room + 1;
	if (c->top + room > count)
		c->top = count > room ? count - room : 0;
}

void top_cursor_set(struct top_screen *s, size_t at)
{
	struct cursor *c = top_rows_cursor(s);

	c->at = at;
	c->follows = at > 0;
	cursor_settle(s, c, top_rows_count(s));
	if (!s->detailed && s->shown < BY_COUNT && c->at < s->row_count)
		c->row = s->rows[c->at];
}

/* The row under the cursor may have moved. */
static void cursor_follow(struct top_screen *s)
{
	struct cursor *c = &s->tabs[s->shown].cursor;

	if (c->follows) {
		for (size_t i = 0; i < s->row_count; i++) {
			if (!ranking_row_same(&s->rows[i], &c->row))
				continue;
			/* the screen stays where it is, if the row is still on it */
			c->at = i;
			break;
		}
	}
	cursor_settle(s, c, s->row_count);
	if (c->at < s->row_count)
		c->row = s->rows[c->at];
}

/* What is known of the connection; its end leaves what was known last. */
static void detail_follow(struct top_screen *s)
{
	if (!ranking_find(s->top->ranking, &s->detail, &s->detail))
		s->detail.state = STATE_CLOSE;
}

int top_rows_take(struct top_screen *s)
{
	int err = 0;

	s->top->view.wants_listeners = s->shown == BY_LISTENER || s->listening;

	if (s->detailed) {
		detail_follow(s);
		err = take_events(s);
		cursor_settle(s, &s->detail_cursor, s->event_count);
	} else if (s->shown == TAB_EVENTS) {
		err = take_events(s);
		cursor_settle(s, &s->tabs[TAB_EVENTS].cursor, s->event_count);
	} else {
		err = take_rows(s);
		cursor_follow(s);
	}
	return err;
}
