/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies over the rows: the help, made from the tables of keys and columns, and the choice of what to sort by. */
#include <stdio.h>

#include "view/top_screen_private.h"

/* Up to 60 columns of text, as those of the columns' help: more is cut on a screen of 80. */
static const struct {
	const char *key, *text;
} keys[] = {
	{ "1 to 6, Tab", "process, connection, remote, listener, container, events" },
	{ "arrows, j k", "move; also PgUp and PgDn, Home or g, End or G" },
	{ "left, right", "another tab; lines of events: to the left, to the right" },
	{ "Enter", "a group: its connections; a connection: details, its events" },
	{ "Esc", "back; takes restrictions off" },
	{ "s, < >, r", "choose what sorts; the column left of it, right; reverse" },
	{ "/", "only what has this text, or fits this FILTER: dport = 443" },
	{ "t u l e", "only TCP, UDP, listening, established" },
	{ "c", "connections that are closed, too" },
	{ "n", "names of services instead of port numbers" },
	{ "Space", "pause the picture; counting goes on" },
	{ "+ -", "a longer, a shorter interval" },
	{ "w", "write what is seen to a file" },
	{ "mouse", "click a row, a tab, a heading; the wheel scrolls" },
	{ "? h F1", "this help" },
	{ "q", "quit" },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* A frame in the middle of the screen: its place, with blanks inside. */
struct box {
	unsigned int line, column, width, lines;
};

static struct box open_box(struct top_screen *s, unsigned int width, size_t lines,
			   const char *title)
{
	struct box b;

	b.width = width + 4 < s->columns ? width : s->columns > 4 ? s->columns - 4 : 1;
	b.lines = lines + 3 < s->lines ? (unsigned int)lines : s->lines > 3 ? s->lines - 3 : 1;
	b.line = (s->lines - b.lines) / 2;
	b.column = (s->columns - b.width) / 2;
	for (unsigned int i = 0; i < b.lines; i++)
		terminal_put(b.line + i, b.column - 1, b.width + 2, "", 0, STYLE_PLAIN, true);
	text_char(&s->text, ' ');
	text_puts(&s->text, title);
	top_put(s, b.line - 1, b.column - 1, b.width + 2, STYLE_TAB, true);
	terminal_put(b.line + b.lines, b.column - 1, b.width + 2, "", 0, STYLE_HEADING, true);
	return b;
}

/* The i-th line of the help: keys, then the columns of the tab. False behind the last. */
static bool help_line(struct top_screen *s, size_t i)
{
	unsigned int count;
	const uint8_t *columns;

	if (i < KEYS) {
		text_puts(&s->text, keys[i].key);
		text_pad(&s->text, 0, 14);
		text_puts(&s->text, "  ");
		text_puts(&s->text, keys[i].text);
		return true;
	}
	if (s->shown >= BY_COUNT)
		return false;
	columns = columns_of((enum ranking_by)s->shown, &count);
	i -= KEYS;
	if (i == 0)
		return true;
	if (i > count)
		return false;
	text_puts(&s->text, column_table[columns[i - 1]].header);
	text_pad(&s->text, 0, 14);
	text_puts(&s->text, "  ");
	text_puts(&s->text, column_table[columns[i - 1]].help);
	return true;
}

void top_draw_help(struct top_screen *s)
{
	struct cursor *c = &s->overlay_cursor;
	size_t count = 0;
	struct box b;

	while (help_line(s, count)) {
		count++;
		s->text.length = 0;
	}
	b = open_box(s, 92, count, "nettrace --top: keys and columns   (any other key: back)");
	if (c->top + b.lines > count)
		c->top = count > b.lines ? count - b.lines : 0;
	for (unsigned int i = 0; i < b.lines && c->top + i < count; i++) {
		help_line(s, c->top + i);
		top_put(s, b.line + i, b.column, b.width, STYLE_PLAIN, true);
	}
	if (c->top + b.lines < count) {
		text_puts(&s->text, " more below: arrows");
		top_put(s, b.line + b.lines, b.column - 1, b.width + 2, STYLE_HEADING, true);
	}
}

/* --- what to sort by --- */

int top_sort_key(const struct top_screen *s, size_t i)
{
	unsigned int count;
	const uint8_t *columns;

	if (s->shown >= BY_COUNT)
		return -1;
	if (i == 0)
		return column_by_key("rate");
	if (i == 1)
		return column_by_key("total");
	columns = columns_of((enum ranking_by)s->shown, &count);
	i -= 2;
	for (unsigned int at = 0; at < count; at++)
		if (column_table[columns[at]].key && i-- == 0)
			return columns[at];
	return -1;
}

void top_draw_sort(struct top_screen *s)
{
	struct cursor *c = &s->overlay_cursor;
	size_t count = 0;
	struct box b;

	while (top_sort_key(s, count) >= 0)
		count++;
	b = open_box(s, 72, count, "sort by   (Enter: choose, r: reverse, Esc: back)");
	if (c->at >= count)
		c->at = count - 1;
	if (c->at < c->top)
		c->top = c->at;
	if (c->at >= c->top + b.lines)
		c->top = c->at - b.lines + 1;
	for (unsigned int i = 0; i < b.lines && c->top + i < count; i++) {
		const struct column *column = &column_table[top_sort_key(s, c->top + i)];

		text_puts(&s->text, column->key);
		text_pad(&s->text, 0, 12);
		text_puts(&s->text, "  ");
		text_puts(&s->text, column->help);
		top_put(s, b.line + i, b.column, b.width,
			c->top + i == c->at ? STYLE_SELECTED : STYLE_PLAIN, true);
	}
}

/* --- all of it --- */

/* `3/120`: the row under the cursor, of how many. */
static void put_position(struct top_screen *s)
{
	uint64_t older = history_evicted(s->top->history);

	if (!top_rows_count(s))
		return;
	text_u64(&s->text, top_rows_cursor(s)->at + 1);
	text_char(&s->text, '/');
	text_u64(&s->text, s->detailed ? s->event_count : s->matched);
	if (s->shown == TAB_EVENTS && older && s->columns > 100) {
		text_puts(&s->text, ", ");
		text_u64(&s->text, older);
		text_puts(&s->text, " older went");
	}
}

static void draw_footer(struct top_screen *s, unsigned int line)
{
	static const struct {
		const char *key, *text;
	} hints[] = {
		{ "?", "help" },   { "Enter", "open" },	   { "/", "filter" },
		{ "s", "sort" },   { "Space", "pause" },   { "q", "quit" },
		{ "c", "closed" }, { "Tab", "next" },	   { "w", "write" },
		{ "n", "names" },  { "t u l e", "kinds" },
	};
	unsigned int column = 0, end = s->columns;

	put_position(s);
	if (s->text.length && s->text.length + 1 < end) {
		end -= (unsigned int)s->text.length + 1;
		top_put(s, line, end + 1, s->columns, STYLE_STRONG, false);
	}
	s->text.length = 0;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (column + strlen(hints[i].key) + strlen(hints[i].text) + 1 > end)
			break;
		text_puts(&s->text, hints[i].key);
		column += top_put(s, line, column, s->columns, STYLE_KEY, false);
		text_char(&s->text, ' ');
		text_puts(&s->text, hints[i].text);
		text_puts(&s->text, "  ");
		column += top_put(s, line, column, end - column, STYLE_PLAIN, false);
	}
}

static void draw_prompt(struct top_screen *s, unsigned int line)
{
	unsigned int column;

	text_puts(&s->text, s->prompt == PROMPT_FILTER ? "/" : "write to: ");
	text_escaped(&s->text, s->prompt_text, strlen(s->prompt_text));
	column = top_put(s, line, 0, s->columns - 1, STYLE_STRONG, false);
	if (s->prompt == PROMPT_FILTER && s->prompt_text[0]) {
		text_puts(&s->text, s->filter ? "  (an expression)" : "  (a word)");
		top_put(s, line, column + 1, s->columns, STYLE_DIM, false);
	}
	terminal_cursor(line, column);
}

void top_draw(struct top_screen *s)
{
	unsigned int line, last;

	if (!s->open || s->away)
		return;
	terminal_size(&s->lines, &s->columns);
	terminal_begin();
	last = s->lines - 1;
	line = top_draw_header(s, 0);
	if (s->detailed)
		line = top_draw_detail(s, line, last);
	top_draw_table(s, line, last);
	if (s->message[0] && s->top->mono_ns < s->message_ns) {
		text_puts(&s->text, s->message);
		top_put(s, last, 0, s->columns, STYLE_WARN, true);
	} else if (s->prompt == PROMPT_NONE) {
		draw_footer(s, last);
	}
	if (s->overlay == OVERLAY_HELP)
		top_draw_help(s);
	else if (s->overlay == OVERLAY_SORT)
		top_draw_sort(s);
	if (s->prompt != PROMPT_NONE)
		draw_prompt(s, last);
	terminal_end();
}
