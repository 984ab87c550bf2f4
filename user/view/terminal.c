/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/terminal.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "base/utf8.h"

/* Colours, cursor, mouse, keypad and alternate screen: back to what a shell expects. */
#define RESTORE                                               \
	"\033[0m\033[?1000l\033[?1002l\033[?1003l\033[?1006l" \
	"\033[?1l\033>\033[?25h\033[?1049l\r"
#define ESCAPE_DELAY_MS 25

static SCREEN *screen;
static FILE *input;
static struct termios before;
static bool has_before, utf8;
static attr_t styles[STYLE_COUNT];
static unsigned int mouse_line, mouse_column;

/* What a signal handler reads: the terminal to give back, plus one; 0: none. */
static volatile sig_atomic_t active_fd;

/* --- taking it over --- */

bool terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	/* a static program may find no locale on its machine: then widths are not known */
	if (MB_CUR_MAX == 1)
		return false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

/* Without colours the styles must still be told apart. */
static void set_plain_styles(void)
{
	memset(styles, 0, sizeof(styles));
	styles[STYLE_TITLE] = A_BOLD;
	styles[STYLE_STRONG] = A_BOLD;
	styles[STYLE_HEADING] = A_REVERSE;
	styles[STYLE_SORTED] = A_REVERSE | A_BOLD;
	styles[STYLE_TAB] = A_REVERSE | A_BOLD;
	styles[STYLE_SELECTED] = A_REVERSE;
	styles[STYLE_WARN] = A_BOLD;
	styles[STYLE_BAD] = A_BOLD;
	styles[STYLE_DIM] = A_DIM;
	styles[STYLE_KEY] = A_REVERSE;
}

static void set_style(enum style style, short foreground, short background, attr_t attributes)
{
	init_pair((short)style, foreground, background);
	styles[style] = (attr_t)COLOR_PAIR(style) | attributes;
}

static void set_colors(void)
{
	bool many;

	start_color(); /* sets COLORS */
	many = COLORS >= 256;
	use_default_colors();
	set_style(STYLE_TITLE, many ? 75 : COLOR_CYAN, -1, A_BOLD);
	set_style(STYLE_HEADING, many ? 252 : COLOR_WHITE, many ? 238 : COLOR_BLUE, 0);
	set_style(STYLE_SORTED, many ? 16 : COLOR_BLACK, many ? 75 : COLOR_CYAN, 0);
	set_style(STYLE_TAB, many ? 16 : COLOR_BLACK, many ? 75 : COLOR_CYAN, 0);
	set_style(STYLE_SELECTED, many ? 231 : COLOR_WHITE, many ? 24 : COLOR_BLUE, 0);
	set_style(STYLE_BAR, many ? 75 : COLOR_CYAN, -1, 0);
	set_style(STYLE_TX, many ? 114 : COLOR_GREEN, -1, 0);
	set_style(STYLE_RX, many ? 75 : COLOR_CYAN, -1, 0);
	set_style(STYLE_GOOD, many ? 114 : COLOR_GREEN, -1, 0);
	set_style(STYLE_WARN, many ? 221 : COLOR_YELLOW, -1, 0);
	set_style(STYLE_BAD, many ? 203 : COLOR_RED, -1, A_BOLD);
	if (many)
		set_style(STYLE_DIM, 243, -1, 0);
	set_style(STYLE_KEY, many ? 16 : COLOR_BLACK, many ? 75 : COLOR_CYAN, 0);
}

/* Keys come from the terminal even where standard input is a recording. */
static FILE *open_input(void)
{
	if (isatty(STDIN_FILENO))
		return stdin;
	return fopen("/dev/tty", "re");
}

static void enter(void)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0); /* a click is told at once */
	curs_set(0);
}

int terminal_open(bool colored)
{
	if (screen)
		return 0;
	input = open_input();
	has_before = input && !tcgetattr(fileno(input), &before);
	utf8 = terminal_is_utf8();
	screen = newterm(NULL, stdout, input ? input : stdin);
	if (!screen)
		return -ENOTTY;
	active_fd = STDOUT_FILENO + 1;
	set_term(screen);
	enter();
	set_plain_styles();
	if (colored && has_colors())
		set_colors();
	return 0;
}

void terminal_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	active_fd = 0;
	if (input && input != stdin)
		fclose(input);
	input = NULL;
}

void terminal_leave(void)
{
	if (!screen)
		return;
	endwin();
	active_fd = 0;
}

void terminal_return(void)
{
	if (!screen)
		return;
	active_fd = STDOUT_FILENO + 1;
	refresh(); /* what endwin left; then all of it is drawn */
	terminal_resize();
}

void terminal_restore(void)
{
	int fd = active_fd - 1;

	if (fd < 0)
		return;
	active_fd = 0;
	if (write(fd, RESTORE, sizeof(RESTORE) - 1) < 0) {
		/* nothing left to try */
	}
	if (has_before)
		tcsetattr(fd, TCSANOW, &before);
}

int terminal_fd(void)
{
	return screen && input ? fileno(input) : -1;
}

void terminal_resize(void)
{
	struct winsize size;

	if (!screen)
		return;
	reset_prog_mode(); /* whoever stopped us may have changed it */
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
}

void terminal_size(unsigned int *lines, unsigned int *columns)
{
	*lines = (unsigned int)getmaxy(stdscr);
	*columns = (unsigned int)getmaxx(stdscr);
}

/* --- drawing --- */

void terminal_begin(void)
{
	erase();
	curs_set(0);
}

void terminal_end(void)
{
	refresh();
}

/* As many bytes as fit into `width` columns; *used: the columns they take. */
static size_t fit(const char *text, size_t length, unsigned int width, unsigned int *used)
{
	size_t at = 0;

	*used = 0;
	while (at < length) {
		uint32_t code;
		size_t n = utf8_decode(text + at, length - at, &code), columns;

		if (!n)
			n = 1;
		columns = text_width(text + at, n);
		if (*used + columns > width)
			break;
		*used += (unsigned int)columns;
		at += n;
	}
	return at;
}

/* Where the terminal knows ASCII only. */
static void put_ascii(const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t code = 0;
		size_t n = utf8_decode(text + at, length - at, &code), columns;

		if (!n)
			n = 1;
		columns = n == 1 && (unsigned char)text[at] < 0x80 ? 1 : text_width(text + at, n);
		for (; columns; columns--)
			addch(n == 1 && (unsigned char)text[at] < 0x80 ? (chtype)text[at] : '?');
		at += n;
	}
}

unsigned int terminal_put(unsigned int line, unsigned int column, unsigned int width,
			  const char *text, size_t length, enum style style, bool fill)
{
	unsigned int lines, columns, used;
	size_t n;

	terminal_size(&lines, &columns);
	if (line >= lines || column >= columns)
		return 0;
	if (width > columns - column)
		width = columns - column;
	n = fit(text, length, width, &used);
	attrset((int)styles[style]);
	move((int)line, (int)column);
	if (utf8)
		addnstr(text, (int)n);
	else
		put_ascii(text, n);
	for (unsigned int i = used; fill && i < width; i++)
		addch(' ');
	attrset(A_NORMAL);
	return fill ? width : used;
}

void terminal_cursor(unsigned int line, unsigned int column)
{
	curs_set(1);
	move((int)line, (int)column);
}

/* --- keys --- */

static int mouse_key(void)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return KEY_NOTHING;
	mouse_line = (unsigned int)event.y;
	mouse_column = (unsigned int)event.x;
	if (event.bstate & BUTTON4_PRESSED)
		return KEYS_WHEEL_UP;
	if (event.bstate & BUTTON5_PRESSED)
		return KEYS_WHEEL_DOWN;
	return event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) ? KEYS_CLICK : KEY_NOTHING;
}

static int named_key(wint_t code)
{
	static const struct {
		wint_t code;
		int key;
	} names[] = {
		{ KEY_UP, KEYS_UP },	     { KEY_DOWN, KEYS_DOWN },
		{ KEY_LEFT, KEYS_LEFT },     { KEY_RIGHT, KEYS_RIGHT },
		{ KEY_PPAGE, KEYS_PAGE_UP }, { KEY_NPAGE, KEYS_PAGE_DOWN },
		{ KEY_HOME, KEYS_HOME },     { KEY_END, KEYS_END },
		{ KEY_ENTER, KEYS_ENTER },   { KEY_BACKSPACE, KEYS_BACKSPACE },
		{ KEY_BTAB, KEYS_BACK_TAB }, { KEY_F(1), KEYS_F1 },
		{ KEY_DC, KEYS_BACKSPACE },  { KEY_FIND, KEYS_HOME },
		{ KEY_SELECT, KEYS_END },
	};

	if (code == KEY_MOUSE)
		return mouse_key();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].key;
	return KEY_NOTHING;
}

static int character_key(wint_t code)
{
	switch (code) {
	case '\r':
	case '\n':
		return KEYS_ENTER;
	case '\t':
		return KEYS_TAB;
	case 0x1b:
		return KEYS_ESCAPE;
	case 0x08:
	case 0x7f:
		return KEYS_BACKSPACE;
	default:
		return (int)code;
	}
}

/* A terminal that was closed is readable for ever, with nothing to read. */
static bool is_lost(void)
{
	struct pollfd fd = { .fd = terminal_fd(), .events = POLLIN };

	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

int terminal_key(void)
{
	wint_t code;
	int key;

	if (terminal_fd() < 0)
		return KEY_NOTHING;
	do { /* keys that mean nothing are passed over */
		switch (get_wch(&code)) {
		case OK:
			return character_key(code);
		case KEY_CODE_YES:
			key = named_key(code);
			break;
		default:
			return is_lost() ? KEYS_LOST : KEY_NOTHING;
		}
	} while (key == KEY_NOTHING);
	return key;
}

void terminal_mouse(unsigned int *line, unsigned int *column)
{
	*line = mouse_line;
	*column = mouse_column;
}
