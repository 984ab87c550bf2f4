/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen's header: where we are, how much happens, what was missed; and the tabs. */
#include "view/top_screen_private.h"

#define SPARKLINE_MIN 8

unsigned int top_put(struct top_screen *s, unsigned int line, unsigned int column,
		     unsigned int width, enum style style, bool fill)
{
	unsigned int used;

	if (s->text.failed)
		s->text.length = 0;
	used = terminal_put(line, column, width, s->text.data ? s->text.data : "", s->text.length,
			    style, fill);
	s->text.length = 0;
	s->text.failed = false;
	return used;
}

/* Words one after the other; each call returns the column behind it. */
static unsigned int say(struct top_screen *s, unsigned int line, unsigned int column,
			enum style style, const char *words)
{
	text_puts(&s->text, words);
	return column + top_put(s, line, column, s->columns, style, false);
}

static unsigned int say_count(struct top_screen *s, unsigned int line, unsigned int column,
			      const char *name, uint64_t count, enum style style)
{
	column = say(s, line, column, STYLE_PLAIN, name);
	column = say(s, line, column, STYLE_PLAIN, " ");
	text_u64(&s->text, count);
	column += top_put(s, line, column, s->columns, style, false);
	return say(s, line, column, STYLE_PLAIN, "  ");
}

static unsigned int say_rate(struct top_screen *s, unsigned int line, unsigned int column,
			     const char *name, double rate, enum style style)
{
	column = say(s, line, column, STYLE_PLAIN, name);
	column = say(s, line, column, STYLE_PLAIN, " ");
	columns_put_rate(&s->text, rate);
	column += top_put(s, line, column, s->columns, style, false);
	return say(s, line, column, STYLE_PLAIN, "/s  ");
}

static enum style alarm_if(bool bad, enum style style)
{
	return bad ? style : STYLE_STRONG;
}

static void draw_place(struct top_screen *s, unsigned int line)
{
	const struct top *t = s->top;
	unsigned int column = 0, used;

	column = say(s, line, column, STYLE_TITLE, "nettrace");
	if (t->host[0]) {
		column = say(s, line, column, STYLE_PLAIN, " on ");
		column = say(s, line, column, STYLE_STRONG, t->host);
	}
	if (t->mode[0]) {
		column = say(s, line, column, STYLE_PLAIN, "  ");
		column = say(s, line, column, STYLE_PLAIN, t->mode);
	}
	column = say(s, line, column, STYLE_PLAIN, "  every ");
	text_duration(&s->text, s->header.interval_ns / 1000);
	column += top_put(s, line, column, s->columns, STYLE_STRONG, false);
	if (s->paused) {
		column = say(s, line, column, STYLE_PLAIN, "  ");
		column = say(s, line, column, STYLE_WARN, "PAUSED");
	}
	if (t->options->time_format == TIME_FORMAT_NONE)
		return;
	stamp_write(&s->top->stamp, &s->text, s->header.time_ns, s->header.mono_ns, false);
	used = (unsigned int)s->text.length;
	if (column + used + 1 <= s->columns)
		top_put(s, line, s->columns - used, used, STYLE_PLAIN, false);
	s->text.length = 0;
}

static void draw_pace(struct top_screen *s, unsigned int line)
{
	const struct ranking_row *t = &s->header.total;
	unsigned int column = 0;

	column = say_count(s, line, column, "sockets", t->connections + t->opening + t->listeners,
			   STYLE_STRONG);
	column = say_count(s, line, column, "processes", s->header.processes, STYLE_STRONG);
	column = say_rate(s, line, column, "opens", t->open_rate, STYLE_STRONG);
	column = say_rate(s, line, column, "closes", t->close_rate, STYLE_STRONG);
	column = say_rate(s, line, column, "fails", t->fail_rate,
			  alarm_if(t->fail_rate > 0, STYLE_BAD));
	say_rate(s, line, column, "retrans", t->retrans_rate,
		 alarm_if(t->retrans_rate > 0, STYLE_WARN));
}

/* `tx 12.3MB/s` and its last minute, in `width` columns. */
static void draw_flow(struct top_screen *s, unsigned int line, unsigned int column,
		      unsigned int width, const char *name, double rate,
		      const struct sparkline *past, enum style style)
{
	unsigned int begin = column;

	column = say(s, line, column, STYLE_PLAIN, name);
	column = say(s, line, column, STYLE_PLAIN, " ");
	columns_put_size_rate(&s->text, rate);
	text_puts(&s->text, "/s");
	text_pad(&s->text, 0, 10);
	column += top_put(s, line, column, s->columns, style, false) + 1;
	if (column + SPARKLINE_MIN > begin + width)
		return;
	width -= column - begin;
	if (width > SPARKLINE_SECONDS)
		width = SPARKLINE_SECONDS;
	sparkline_put(past, &s->text, width, s->ascii);
	top_put(s, line, column, width, style, false);
}

static void draw_flows(struct top_screen *s, unsigned int line)
{
	unsigned int half = s->columns / 2;

	if (half > SPARKLINE_SECONDS + 16)
		half = SPARKLINE_SECONDS + 16;
	draw_flow(s, line, 0, half - 1, "tx", s->header.total.tx_rate, &s->header.tx, STYLE_TX);
	draw_flow(s, line, half, half - 1, "rx", s->header.total.rx_rate, &s->header.rx, STYLE_RX);
}

/* What restricts the rows, in words. */
static void put_restrictions(struct top_screen *s)
{
	static const char *const words[] = { "tcp", "udp", "listening", "established",
					     "closed too" };
	const bool on[] = { s->tcp, s->udp, s->listening, s->established, s->closed };
	const size_t from = s->text.length;

	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
		if (!on[i])
			continue;
		if (s->text.length > from)
			text_char(&s->text, ' ');
		text_puts(&s->text, words[i]);
	}
	if (!s->filter_text[0])
		return;
	if (s->text.length > from)
		text_char(&s->text, ' ');
	text_puts(&s->text, s->filter ? "filter " : "with '");
	text_escaped(&s->text, s->filter_text, strlen(s->filter_text));
	if (!s->filter)
		text_char(&s->text, '\'');
}

static void draw_missed(struct top_screen *s, unsigned int line)
{
	unsigned int column = 0;

	column = say_count(s, line, column, "lost", s->header.lost,
			   alarm_if(s->header.lost, STYLE_BAD));
	column = say_count(s, line, column, "healed", s->header.healed,
			   alarm_if(s->header.healed, STYLE_WARN));
	column = say_count(s, line, column, "unattributed", s->header.unattributed,
			   alarm_if(s->header.unattributed, STYLE_WARN));
	put_restrictions(s);
	if (s->text.length)
		top_put(s, line, column + 1, s->columns, STYLE_WARN, false);
}

static void draw_tabs(struct top_screen *s, unsigned int line)
{
	unsigned int column = 0;

	s->tab_line = line;
	for (int i = 0; i < TAB_COUNT; i++) {
		text_char(&s->text, ' ');
		text_u64(&s->text, (uint64_t)i + 1);
		text_char(&s->text, ' ');
		text_puts(&s->text, i < BY_COUNT ? ranking_by_name((enum ranking_by)i) : "events");
		text_char(&s->text, ' ');
		s->tab_place[i].begin = column;
		column += top_put(s, line, column, s->columns,
				  i == s->shown ? STYLE_TAB : STYLE_PLAIN, false);
		s->tab_place[i].end = column;
	}
}

/* Where the drill-down has come to, in place of the tabs. */
static void draw_path(struct top_screen *s, unsigned int line)
{
	struct column_context x;
	unsigned int column = 0;

	top_column_context(s->top, &x);
	s->tab_line = line;
	memset(s->tab_place, 0, sizeof(s->tab_place));
	if (s->scoped) {
		text_char(&s->text, ' ');
		text_puts(&s->text, ranking_by_name((enum ranking_by)s->scope_tab));
		text_char(&s->text, ' ');
		columns_put_name(&s->text, &s->scope, &x);
		text_char(&s->text, ' ');
		column += top_put(s, line, column, s->columns / 2, STYLE_TITLE, false);
		column = say(s, line, column, STYLE_DIM, ">");
	}
	column = say(s, line, column, s->detailed ? STYLE_TITLE : STYLE_TAB,
		     s->scoped ? " its connections " : " connection ");
	if (s->detailed) {
		column = say(s, line, column, STYLE_DIM, ">");
		column = say(s, line, column, STYLE_TAB, " one of them ");
	}
	say(s, line, column + 2, STYLE_DIM, "Esc: back");
}

unsigned int top_draw_header(struct top_screen *s, unsigned int line)
{
	draw_place(s, line++);
	draw_pace(s, line++);
	draw_flows(s, line++);
	draw_missed(s, line++);
	if (s->scoped || s->detailed)
		draw_path(s, line++);
	else
		draw_tabs(s, line++);
	return line;
}
