/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a tab: cells, bars, colours. */
#include "base/utf8.h"
#include "view/log_line.h"
#include "view/top_screen_private.h"

#define BAR_NARROW 8
#define BAR_WIDE 20
#define WIDE 120 /* columns from which a bar is wide */

/* What stands in a line, from left to right. */
struct layout {
	struct place {
		const struct column *column; /* NULL: the bar */
		int index;		     /* in column_table */
		unsigned int at, width;
	} places[COLUMNS_MAX + 1];
	unsigned int count;
};

static void place_add(struct layout *l, int index, unsigned int width)
{
	const struct place *last = l->count ? &l->places[l->count - 1] : NULL;

	l->places[l->count] = (struct place){ .column = index < 0 ? NULL : &column_table[index],
					      .index = index,
					      .at = last ? last->at + last->width + 1 : 0,
					      .width = width };
	l->count++;
}

static unsigned int bar_width(const struct top_screen *s)
{
	if (s->shown == BY_CONNECTION && s->columns < WIDE)
		return 0;
	return s->columns >= WIDE ? BAR_WIDE : s->columns >= 76 ? BAR_NARROW : 0;
}

/* A word that somebody else made long must not push the numbers off the screen. */
static unsigned int word_max(const struct top_screen *s, int index)
{
	unsigned int least = column_table[index].width, share = s->columns / 5;

	return share > least + 1 ? share : least + 1;
}

/* As many columns as there is room for; the most important come first. */
static void lay_out(struct top_screen *s, struct layout *l)
{
	enum ranking_by by = (enum ranking_by)s->shown;
	unsigned int count, names = columns_names(by), end;
	const uint8_t *columns = columns_of(by, &count);
	const size_t *widths = s->tabs[s->shown].widths;

	l->count = 0;
	for (unsigned int i = 0; i < count; i++) {
		unsigned int width = (unsigned int)widths[i];

		if (!column_is_right(&column_table[columns[i]]) && width > word_max(s, columns[i]))
			width = word_max(s, columns[i]);
		end = l->count ? l->places[l->count - 1].at + l->places[l->count - 1].width + 1 : 0;
		if (end + width > s->columns)
			break;
		if (i + 1 == count && !column_is_right(&column_table[columns[i]]))
			width = s->columns - end;
		place_add(l, columns[i], width);
		if (i + 1 == names && bar_width(s))
			place_add(l, -1, bar_width(s));
	}
}

static void measure(struct top_screen *s, size_t from, size_t to)
{
	struct tab *tab = &s->tabs[s->shown];
	struct column_context x;

	top_column_context(s->top, &x);
	x.port_name = s->names ? s->top->options->port_name : NULL;
	if (!tab->widths[0])
		columns_widths((enum ranking_by)s->shown, tab->widths);
	for (size_t i = from; i < to; i++)
		columns_measure((enum ranking_by)s->shown, &s->rows[i], tab->widths, &x);
}

static bool is_laid_out(const struct layout *l, int index)
{
	for (unsigned int i = 0; i < l->count; i++)
		if (l->places[i].column && l->places[i].index == index)
			return true;
	return false;
}

static void draw_heading(struct top_screen *s, const struct layout *l, unsigned int line)
{
	const struct tab *tab = &s->tabs[s->shown];

	s->heading_line = line;
	s->heading_count = 0;
	terminal_put(line, 0, s->columns, "", 0, STYLE_HEADING, true);
	for (unsigned int i = 0; i < l->count; i++) {
		const struct place *p = &l->places[i];
		bool sorts = p->column
				     ? p->index == tab->sort
				     : top_bar_column(s) == tab->sort && !is_laid_out(l, tab->sort);
		const char *mark = !sorts	  ? ""
				   : s->ascii	  ? (tab->reverse ? "^" : "*")
				   : tab->reverse ? "\xe2\x96\xb2"
						  : "\xe2\x96\xbc";
		const char *title = p->column ? p->column->header
					      : column_table[top_bar_column(s)].key;
		unsigned int at = p->at, width = p->width;
		size_t length = strlen(title) + sorts;

		/* the mark of a narrow column goes into the gap before it */
		if (length > width && p->column && column_is_right(p->column) && at) {
			at--;
			width++;
		}
		if (p->column && column_is_right(p->column))
			for (; length < width; length++)
				text_char(&s->text, ' ');
		text_puts(&s->text, title);
		text_puts(&s->text, mark);
		top_put(s, line, at, width, sorts ? STYLE_SORTED : STYLE_HEADING, true);
		s->heading[s->heading_count].begin = p->at;
		s->heading[s->heading_count].end = p->at + p->width;
		s->heading[s->heading_count++].column = p->column ? p->index : top_bar_column(s);
	}
}

static enum style rate_style(double value, double warn, double bad)
{
	return value >= bad ? STYLE_BAD : value >= warn ? STYLE_WARN : STYLE_PLAIN;
}

/* What deserves a look stands out, what is nothing steps back. */
static enum style cell_style(const struct column *c, const struct ranking_row *r)
{
	const char *key = c->key ? c->key : "";
	bool words = c->kind == COLUMN_WORD || c->kind == COLUMN_TIME;

	if (r->fading)
		return STYLE_DIM;
	if (!words && !(column_value((int)(c - column_table), r) > 0))
		return STYLE_DIM;
	if (!strcmp(key, "tx"))
		return STYLE_TX;
	if (!strcmp(key, "rx"))
		return STYLE_RX;
	if (!strcmp(key, "fails") || !strcmp(key, "drops"))
		return STYLE_BAD;
	if (!strcmp(key, "loss"))
		return rate_style(r->retrans_percent, 1, 5);
	if (!strcmp(key, "queue"))
		return rate_style(r->backlog ? (double)r->queue / (double)r->backlog : 0, 0.5, 1);
	if (!strcmp(key, "close_wait"))
		return STYLE_WARN;
	return STYLE_PLAIN;
}

/* What is cut says so: the end of a port number must not go without a word. */
static void put_cut(struct top_screen *s, unsigned int line, const struct place *p,
		    enum style style)
{
	top_put(s, line, p->at, p->width - 1, style, true);
	text_puts(&s->text, s->ascii ? "~" : "\xe2\x80\xa6");
	top_put(s, line, p->at + p->width - 1, 1, style, true);
}

static void draw_row(struct top_screen *s, const struct layout *l, unsigned int line,
		     const struct ranking_row *r, bool selected)
{
	struct column_context x;

	top_column_context(s->top, &x);
	x.port_name = s->names ? s->top->options->port_name : NULL;
	if (selected)
		terminal_put(line, 0, s->columns, "", 0, STYLE_SELECTED, true);
	for (unsigned int i = 0; i < l->count; i++) {
		const struct place *p = &l->places[i];
		enum style style = selected ? STYLE_SELECTED : STYLE_BAR;
		size_t width;

		if (!p->column) {
			double value = column_value(top_bar_column(s), r);

			bar_put(&s->text, s->largest > 0 ? value / s->largest : 0, p->width,
				s->ascii);
			top_put(s, line, p->at, p->width, style, true);
			continue;
		}
		column_put(&s->text, p->column, r, &x);
		if (!selected)
			style = cell_style(p->column, r);
		width = s->text.failed ? 0 : text_width(s->text.data, s->text.length);
		if (column_is_right(p->column) && width < p->width)
			top_put(s, line, p->at + p->width - (unsigned int)width,
				(unsigned int)width, style, true);
		else if (width > p->width)
			put_cut(s, line, p, style);
		else
			top_put(s, line, p->at, p->width, style, true);
	}
}

/* Taken for a text to look for, and it is in no row. */
static void put_wrong_filter(struct top_screen *s)
{
	text_puts(&s->text, "no filter: column ");
	text_u64(&s->text, s->filter_error.column);
	text_puts(&s->text, ": ");
	text_puts(&s->text, s->filter_error.message);
}

static void draw_nothing(struct top_screen *s, unsigned int line, unsigned int end)
{
	if (line >= end)
		return;
	if (s->detailed)
		text_puts(&s->text, "none of its events is remembered");
	else if (s->scoped && !s->closed)
		text_puts(&s->text, "nothing is open; c shows what is closed, too");
	else if (s->filter_error.message[0])
		put_wrong_filter(s);
	else if (s->filter_text[0] || s->tcp || s->udp || s->listening || s->established ||
		 s->scoped)
		text_puts(&s->text, "nothing matches; Esc takes restrictions off");
	else
		text_puts(&s->text, "nothing happened yet");
	top_put(s, line, 2, s->columns - 2, STYLE_DIM, false);
}

/* --- events --- */

static enum style event_style(enum event_type type)
{
	switch (type) {
	case EVENT_FAIL:
	case EVENT_RESET:
	case EVENT_DROP:
	case EVENT_LOST:
		return STYLE_BAD;
	case EVENT_RETRANSMIT:
		return STYLE_WARN;
	case EVENT_CONNECT:
	case EVENT_ACCEPT:
		return STYLE_GOOD;
	case EVENT_CLOSE:
		return STYLE_DIM;
	default:
		return STYLE_PLAIN;
	}
}

/* Takes columns off the left of a line that is longer than the screen. */
static void shift_text(struct top_screen *s)
{
	struct text *t = &s->text;
	size_t at = 0;

	for (unsigned int left = s->shift; left && at < t->length; left--) {
		uint32_t code;
		size_t n = utf8_decode(t->data + at, t->length - at, &code);

		at += n ? n : 1;
	}
	if (at)
		memmove(t->data, t->data + at, t->length - at);
	t->length -= at;
}

static void draw_events(struct top_screen *s, unsigned int line, unsigned int end)
{
	const struct cursor *c = top_rows_cursor(s);
	struct stamp stamp = s->top->stamp;
	struct event e;

	for (size_t i = c->top; i < s->event_count && line < end; i++, line++) {
		enum style style = STYLE_DIM;

		if (top_rows_event(s, i, &e)) {
			log_line_write(&s->text, &e, &stamp, s->top->options->own_netns, false);
			style = event_style(e.type);
		} else {
			text_puts(&s->text, "(no room to remember it)");
		}
		shift_text(s);
		top_put(s, line, 0, s->columns, i == c->at ? STYLE_SELECTED : style, i == c->at);
	}
	if (!s->event_count)
		draw_nothing(s, line, end);
}

unsigned int top_draw_table(struct top_screen *s, unsigned int line, unsigned int end)
{
	const struct cursor *c = top_rows_cursor(s);
	struct layout l;
	size_t last;

	if (s->detailed || s->shown == TAB_EVENTS) {
		log_line_header(&s->text, s->top->stamp.format);
		shift_text(s);
		top_put(s, line++, 0, s->columns, STYLE_HEADING, true);
		s->heading_count = 0;
		s->body_line = line;
		draw_events(s, line, end);
		return end;
	}
	last = c->top + (end > line + 1 ? end - line - 1 : 0);
	if (last > s->row_count)
		last = s->row_count;
	measure(s, c->top < last ? c->top : last, last);
	lay_out(s, &l);
	draw_heading(s, &l, line++);
	s->body_line = line;
	if (!s->row_count)
		draw_nothing(s, line, end);
	for (size_t i = c->top; i < last && line < end; i++, line++)
		draw_row(s, &l, line, &s->rows[i], i == c->at);
	return end;
}
