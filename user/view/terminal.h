/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal while a screen is shown: taken over through ncurses, and given back however the program ends. */
#ifndef NETTRACE_TERMINAL_H
#define NETTRACE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of the picture. */
enum style {
	STYLE_PLAIN,
	STYLE_TITLE,	/* names in the header */
	STYLE_STRONG,	/* numbers in the header */
	STYLE_HEADING,	/* of the columns */
	STYLE_SORTED,	/* heading of the column that sorts */
	STYLE_TAB,	/* the tab that is shown */
	STYLE_SELECTED, /* the row under the cursor */
	STYLE_BAR,
	STYLE_TX,
	STYLE_RX,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_DIM, /* fading */
	STYLE_KEY, /* in the footer */
	STYLE_COUNT
};

/*
 * Can standard output show a screen? If not, *why says it in words. `term` is $TERM. Descriptions of the most common
 * terminals are built in, for machines without terminfo files.
 */
bool terminal_can(const char *term, const char **why);

/* Takes the terminal over. `colored`: colours, as many as it has. 0 or -errno. */
int terminal_open(bool colored);
/* Gives it back. NULL-safe in the sense that a second call does nothing. */
void terminal_close(void);
/* Gives it back for a while, as for Ctrl-Z, and takes it again; what is drawn next is drawn in full. */
void terminal_leave(void);
void terminal_return(void);
/* From a signal handler or a crash: gives it back. Only write(2) and tcsetattr(3). */
void terminal_restore(void);

/* To be polled for keys, or -1: none can come. */
int terminal_fd(void);
/* The size changed: takes it from the terminal. */
void terminal_resize(void);
void terminal_size(unsigned int *lines, unsigned int *columns);
/* May characters beyond ASCII be drawn? By the environment's locale, as other programs decide. */
bool terminal_is_utf8(void);

/* --- drawing --- */

void terminal_begin(void); /* an empty picture */
void terminal_end(void);   /* shows it */
/*
 * Writes what fits into `width` columns from (line, column) on; the rest of them is filled with blanks where `fill`.
 * `text` is UTF-8 without control characters (text_escaped). Returns the columns that it took.
 */
unsigned int terminal_put(unsigned int line, unsigned int column, unsigned int width,
			  const char *text, size_t length, enum style style, bool fill);
/* The cursor: shown there; without a call it is hidden. */
void terminal_cursor(unsigned int line, unsigned int column);

/* --- keys --- */

enum key {
	KEY_NOTHING = -1,
	/* characters are themselves */
	KEYS_UP = 0x110000,
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_HOME,
	KEYS_END,
	KEYS_ENTER,
	KEYS_ESCAPE,
	KEYS_BACKSPACE,
	KEYS_TAB,
	KEYS_BACK_TAB,
	KEYS_F1,
	KEYS_CLICK, /* terminal_mouse tells where */
	KEYS_WHEEL_UP,
	KEYS_WHEEL_DOWN,
	KEYS_LOST, /* there is no terminal any more */
};

/* The next key: an enum key or a character (Unicode); KEY_NOTHING when there is none. */
int terminal_key(void);
/* Where the mouse was at the last KEYS_CLICK. */
void terminal_mouse(unsigned int *line, unsigned int *column);

#endif
