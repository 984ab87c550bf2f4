/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the screen share. */
#ifndef NETTRACE_TOP_SCREEN_PRIVATE_H
#define NETTRACE_TOP_SCREEN_PRIVATE_H

#include "model/filter.h"
#include "view/terminal.h"
#include "view/top_private.h"
#include "view/top_screen.h"

/* The tabs are the groupings in their order, then the events. */
enum { TAB_EVENTS = BY_COUNT, TAB_COUNT };

#define FILTER_SHOWN_MAX 256 /* characters that the prompt takes */
#define MESSAGE_NS 5000000000ULL

/* A list that is scrolled: which row is under the cursor, which one is the first on the screen. */
struct cursor {
	size_t at, top;
	bool follows; /* the row, wherever it moves to; not until somebody moved the cursor */
	struct ranking_row row;
};

struct tab {
	struct cursor cursor;
	int sort; /* a column */
	bool reverse;
	size_t widths[COLUMNS_MAX];
};

enum prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_FILE };
enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_SORT };

/* Owned: rows, lines, filter, text. */
struct top_screen {
	struct top *top; /* borrowed */
	bool open;	 /* the terminal is ours */
	bool away;	 /* given back for a while */
	bool ascii;
	unsigned int lines, columns;

	int shown; /* tab */
	struct tab tabs[TAB_COUNT];
	/* drilled down: the connections of this group, and from which tab */
	bool scoped;
	int scope_tab;
	struct ranking_row scope;
	struct tab scope_kept; /* how the tab of connections was before */
	/* drilled down further: this connection */
	bool detailed;
	struct ranking_row detail;
	struct cursor detail_cursor;

	unsigned int shift; /* columns of event lines that are off to the left */
	bool paused, names;
	bool tcp, udp, listening, established, closed;
	char filter_text[FILTER_SHOWN_MAX];
	struct filter *filter; /* NULL: filter_text is a plain word, or empty */
	struct filter_error
		filter_error; /* of a plain word that looks as if it should have been one */
	enum prompt prompt;
	char prompt_text[FILTER_SHOWN_MAX];
	enum overlay overlay;
	struct cursor overlay_cursor;
	char message[160];
	uint64_t message_ns; /* mono: until then */

	/* what is shown: rows of a grouping, or numbers of events */
	struct ranking_row *rows;
	size_t row_count, row_capacity;
	size_t matched;
	double largest;	  /* of the number that sorts, for bars */
	uint64_t *events; /* serial numbers, newest first */
	size_t event_count, event_capacity;
	struct top_header {
		uint64_t time_ns, mono_ns, lost, healed, unattributed, interval_ns;
		size_t processes;
		struct ranking_row total;
		struct sparkline tx, rx;
	} header;		/* as it stood when the picture was taken */
	struct text text;	/* of the cell that is drawn */
	unsigned int body_line; /* where rows begin, for the mouse */
	unsigned int heading_line, tab_line;
	struct {
		unsigned int begin, end;
		int column;
	} heading[COLUMNS_MAX];
	unsigned int heading_count;
	struct {
		unsigned int begin, end;
	} tab_place[TAB_COUNT];
};

/* --- what is shown: top_rows.c --- */

/* Takes the rows of the tab from the model. 0 or -errno. */
int top_rows_take(struct top_screen *s);
/* Also the header's numbers. */
void top_rows_header(struct top_screen *s);
/* The rows of the list that is shown: of groups, events, or the history of one connection. */
size_t top_rows_count(const struct top_screen *s);
struct cursor *top_rows_cursor(struct top_screen *s);
/* How many rows the screen has room for. */
unsigned int top_rows_room(const struct top_screen *s);
/* Whose number the bars show: what sorts, or the rate where that is a name or an age. */
int top_bar_column(const struct top_screen *s);
/* The i-th event of the tab; false when it went meanwhile. */
bool top_rows_event(const struct top_screen *s, size_t i, struct event *e);
/* Puts the cursor on the i-th row, or the last. */
void top_cursor_set(struct top_screen *s, size_t at);

/* The filter as it is typed: an expression where it is one, else a word. */
void top_filter_set(struct top_screen *s, const char *text);
bool top_filter_text(const struct top_screen *s, const char *text, size_t length);

/* --- drawing --- */

void top_draw(struct top_screen *s);
/* Each draws its part from `line` on and returns the next free line. */
unsigned int top_draw_header(struct top_screen *s, unsigned int line);
unsigned int top_draw_table(struct top_screen *s, unsigned int line, unsigned int end);
unsigned int top_draw_detail(struct top_screen *s, unsigned int line, unsigned int end);
void top_draw_help(struct top_screen *s);
void top_draw_sort(struct top_screen *s);
/* The sort keys of the shown tab: the i-th as a column, or -1. */
int top_sort_key(const struct top_screen *s, size_t i);

/* Puts what was written into s->text at a place, and empties it. Returns the columns. */
unsigned int top_put(struct top_screen *s, unsigned int line, unsigned int column,
		     unsigned int width, enum style style, bool fill);

/* --- the prompt: top_prompt.c --- */

void top_prompt_open(struct top_screen *s, enum prompt prompt);
void top_prompt_key(struct top_screen *s, int key);

/* --- keys: top_keys.c --- */

/* 0, 1: end, or -errno. */
int top_key(struct top_screen *s, int key);
void top_say(struct top_screen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes what is shown to a file of this name. */
void top_write_file(struct top_screen *s, const char *name);

#endif
