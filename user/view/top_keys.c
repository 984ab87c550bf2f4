/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keys do. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "view/top_screen_private.h"

#define WHEEL_ROWS 3
#define SHIFT_STEP 24
#define SHIFT_MAX 240
#define INTERVAL_MIN_NS 100000000ULL
#define INTERVAL_MAX_NS 60000000000ULL

void top_say(struct top_screen *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(s->message, sizeof(s->message), format, arguments);
	va_end(arguments);
	s->message_ns = s->top->mono_ns + MESSAGE_NS;
}

/* --- where we are --- */

static void leave_detail(struct top_screen *s)
{
	s->detailed = false;
}

static void leave_scope(struct top_screen *s)
{
	leave_detail(s);
	if (!s->scoped)
		return;
	s->scoped = false;
	s->tabs[BY_CONNECTION] = s->scope_kept;
	s->shown = s->scope_tab;
}

static void show_tab(struct top_screen *s, int tab)
{
	leave_scope(s);
	s->shown = tab;
}

static void open_row(struct top_screen *s)
{
	const struct cursor *c = top_rows_cursor(s);

	if (s->detailed || s->shown == TAB_EVENTS || c->at >= s->row_count)
		return;
	if (s->shown == BY_CONNECTION) {
		s->detail = s->rows[c->at];
		if (!s->detail.cookie)
			return;
		s->detailed = true;
		s->detail_cursor = (struct cursor){ 0 };
		return;
	}
	s->scope = s->rows[c->at];
	s->scope_tab = s->shown;
	s->scope_kept = s->tabs[BY_CONNECTION];
	s->scoped = true;
	s->shown = BY_CONNECTION;
	memset(&s->tabs[BY_CONNECTION].cursor, 0, sizeof(struct cursor));
}

/* An event's connection. */
static void open_event(struct top_screen *s)
{
	struct event e;

	if (s->shown != TAB_EVENTS || s->detailed ||
	    !top_rows_event(s, top_rows_cursor(s)->at, &e) || !e.cookie)
		return;
	memset(&s->detail, 0, sizeof(s->detail));
	columns_event_row(&s->detail, &e);
	s->detailed = true;
	s->detail_cursor = (struct cursor){ 0 };
}

static bool is_restricted(const struct top_screen *s)
{
	return s->filter_text[0] || s->tcp || s->udp || s->listening || s->established || s->closed;
}

static void back(struct top_screen *s)
{
	if (s->detailed) {
		leave_detail(s);
	} else if (s->scoped) {
		leave_scope(s);
	} else if (is_restricted(s)) {
		s->tcp = s->udp = s->listening = s->established = s->closed = false;
		top_filter_set(s, "");
	}
}

/* --- moving --- */

static void move_by(struct top_screen *s, long rows)
{
	size_t at = top_rows_cursor(s)->at;

	if (rows < 0 && (size_t)-rows > at)
		at = 0;
	else
		at += (size_t)rows;
	top_cursor_set(s, at);
}

static bool move_key(struct top_screen *s, int key)
{
	long page = (long)top_rows_room(s) - 1;

	switch (key) {
	case KEYS_UP:
	case 'k':
		move_by(s, -1);
		return true;
	case KEYS_DOWN:
	case 'j':
		move_by(s, 1);
		return true;
	case KEYS_PAGE_UP:
		move_by(s, -page);
		return true;
	case KEYS_PAGE_DOWN:
		move_by(s, page);
		return true;
	case KEYS_HOME:
	case 'g':
		top_cursor_set(s, 0);
		return true;
	case KEYS_END:
	case 'G':
		top_cursor_set(s, SIZE_MAX / 2);
		return true;
	case KEYS_WHEEL_UP:
		move_by(s, -WHEEL_ROWS);
		return true;
	case KEYS_WHEEL_DOWN:
		move_by(s, WHEEL_ROWS);
		return true;
	default:
		return false;
	}
}

/* --- sorting --- */

static void sort_by(struct top_screen *s, int column)
{
	struct tab *tab = &s->tabs[s->shown];

	if (s->shown >= BY_COUNT || column < 0 || !column_table[column].key)
		return;
	if (tab->sort == column) {
		tab->reverse = !tab->reverse;
	} else {
		tab->sort = column;
		tab->reverse = false;
	}
}

/* The next sorting column to the left or to the right; the order of the keys is that of the columns. */
static void sort_step(struct top_screen *s, int step)
{
	const struct tab *tab = &s->tabs[s->shown];
	int count = 0, at = 0;

	if (s->shown >= BY_COUNT)
		return;
	for (int key; (key = top_sort_key(s, (size_t)count)) >= 0; count++)
		if (key == tab->sort)
			at = count;
	at += step;
	if (at >= 0 && at < count)
		sort_by(s, top_sort_key(s, (size_t)at));
}

static void open_sort(struct top_screen *s)
{
	if (s->shown >= BY_COUNT || s->detailed)
		return;
	s->overlay = OVERLAY_SORT;
	memset(&s->overlay_cursor, 0, sizeof(s->overlay_cursor));
	for (size_t i = 0; top_sort_key(s, i) >= 0; i++)
		if (top_sort_key(s, i) == s->tabs[s->shown].sort)
			s->overlay_cursor.at = i;
}

/* --- the mouse --- */

static void click(struct top_screen *s)
{
	unsigned int line, column;
	size_t row;

	terminal_mouse(&line, &column);
	for (int i = 0; i < TAB_COUNT; i++) {
		if (line == s->tab_line && column >= s->tab_place[i].begin &&
		    column < s->tab_place[i].end) {
			show_tab(s, i);
			return;
		}
	}
	if (s->heading_count && line == s->heading_line) {
		for (unsigned int i = 0; i < s->heading_count; i++)
			if (column >= s->heading[i].begin && column <= s->heading[i].end) {
				sort_by(s, s->heading[i].column);
				return;
			}
		return;
	}
	if (line < s->body_line || line + 1 >= s->lines)
		return;
	row = top_rows_cursor(s)->top + (line - s->body_line);
	if (row >= top_rows_count(s))
		return;
	if (row == top_rows_cursor(s)->at && top_rows_cursor(s)->follows)
		open_row(s); /* the second click on a row opens it */
	top_cursor_set(s, row);
	top_rows_cursor(s)->follows = true;
}

/* --- overlays --- */

static void overlay_key(struct top_screen *s, int key)
{
	struct cursor *c = &s->overlay_cursor;
	bool help = s->overlay == OVERLAY_HELP;
	size_t *at = help ? &c->top : &c->at;

	switch (key) {
	case KEYS_UP:
	case 'k':
	case KEYS_WHEEL_UP:
		*at -= *at > 0;
		return;
	case KEYS_DOWN:
	case 'j':
	case KEYS_WHEEL_DOWN:
		++*at; /* drawing keeps it in bounds */
		return;
	case KEYS_ENTER:
		s->overlay = OVERLAY_NONE;
		if (!help && s->tabs[s->shown].sort != top_sort_key(s, c->at))
			sort_by(s, top_sort_key(s, c->at));
		return;
	case 'r':
		if (!help) {
			s->tabs[s->shown].reverse = !s->tabs[s->shown].reverse;
			return;
		}
		break;
	default:
		break;
	}
	s->overlay = OVERLAY_NONE;
}

/* --- the rest --- */

static void change_interval(struct top_screen *s, bool longer)
{
	static const uint64_t steps_ms[] = { 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000 };
	const size_t count = sizeof(steps_ms) / sizeof(steps_ms[0]);
	struct top *t = s->top;
	uint64_t ms = t->interval_ns / 1000000, next = ms;

	for (size_t i = 0; i < count; i++) {
		if (longer && steps_ms[i] > ms) {
			next = steps_ms[i];
			break;
		}
		if (!longer && steps_ms[i] < ms)
			next = steps_ms[i];
	}
	t->interval_ns = next * 1000000;
	s->header.interval_ns = t->interval_ns;
	if (t->ended_ns)
		t->view.next_tick_ns = t->ended_ns + t->interval_ns;
}

/* Restrictions and names: false when the key is none of them. */
static bool toggle_key(struct top_screen *s, int key)
{
	switch (key) {
	case 't':
		s->tcp = !s->tcp;
		s->udp = false;
		return true;
	case 'u':
		s->udp = !s->udp;
		s->tcp = false;
		return true;
	case 'l':
		s->listening = !s->listening;
		s->established = false;
		return true;
	case 'e':
		s->established = !s->established;
		s->listening = false;
		return true;
	case 'c':
		s->closed = !s->closed;
		return true;
	case 'n':
		s->names = !s->names;
		return true;
	default:
		return false;
	}
}

/* Lines of events are long: the arrows move them first. */
static bool shift_key(struct top_screen *s, int key)
{
	bool events = s->detailed || s->shown == TAB_EVENTS;

	if (events && key == KEYS_RIGHT && s->shift < SHIFT_MAX)
		s->shift += SHIFT_STEP;
	else if (events && key == KEYS_LEFT && s->shift)
		s->shift -= SHIFT_STEP;
	else
		return false;
	return true;
}

static void place_key(struct top_screen *s, int key)
{
	if (shift_key(s, key))
		return;
	if (key >= '1' && key < '1' + TAB_COUNT) {
		show_tab(s, key - '1');
		return;
	}
	switch (key) {
	case KEYS_TAB:
	case KEYS_RIGHT:
		show_tab(s, (s->shown + 1) % TAB_COUNT);
		break;
	case KEYS_BACK_TAB:
	case KEYS_LEFT:
		show_tab(s, (s->shown + TAB_COUNT - 1) % TAB_COUNT);
		break;
	case KEYS_ENTER:
		if (s->shown == TAB_EVENTS)
			open_event(s);
		else
			open_row(s);
		break;
	case KEYS_ESCAPE:
		back(s);
		break;
	case '<':
		sort_step(s, -1);
		break;
	case '>':
		sort_step(s, 1);
		break;
	case 's':
		open_sort(s);
		break;
	case 'r':
		s->tabs[s->shown].reverse = !s->tabs[s->shown].reverse;
		break;
	default:
		break;
	}
}

int top_key(struct top_screen *s, int key)
{
	if (key == KEYS_LOST)
		return -EPIPE;
	if (s->prompt != PROMPT_NONE) {
		top_prompt_key(s, key);
		return 0;
	}
	if (s->overlay != OVERLAY_NONE) {
		overlay_key(s, key);
		return 0;
	}
	s->message[0] = '\0';
	if (move_key(s, key) || toggle_key(s, key))
		return 0;
	switch (key) {
	case 'q':
	case 'Q':
		return 1;
	case '?':
	case 'h':
	case KEYS_F1:
		s->overlay = OVERLAY_HELP;
		memset(&s->overlay_cursor, 0, sizeof(s->overlay_cursor));
		return 0;
	case '/':
		top_prompt_open(s, PROMPT_FILTER);
		return 0;
	case 'w':
		top_prompt_open(s, PROMPT_FILE);
		return 0;
	case ' ':
		s->paused = !s->paused;
		return 0;
	case '+':
	case '=':
	case '-':
		change_interval(s, key != '-');
		return 0;
	case KEYS_CLICK:
		click(s);
		return 0;
	default:
		place_key(s, key);
		return 0;
	}
}
