/* SPDX-License-Identifier: BSD-2-Clause */
/* Which terminals can show a screen. Apart from the rest: term.h defines hundreds of short names as macros. */
#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/terminal.h"
#include "view/terminfo_xterm.h"

#include <term.h>

/* Terminals whose users will not notice that they are driven as an xterm. */
static bool is_like_xterm(const char *term)
{
	static const char *const names[] = { "xterm", "screen",	   "tmux", "rxvt",    "linux",
					     "vte",   "alacritty", "foot", "konsole", "gnome",
					     "kitty", "st",	   "vt",   "putty",   "cygwin",
					     "iterm", "wezterm",   "ansi", "contour", "ghostty" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(term, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool describe(const char *term)
{
	int status;

	if (setupterm(term, STDOUT_FILENO, &status) == OK)
		return true;
	if (!is_like_xterm(term))
		return false;
	/* ncurses takes a description from the environment, too: terminfo(5). */
	setenv("TERMINFO", TERMINFO_XTERM, 1);
	setenv("TERM", "xterm-256color", 1);
	return setupterm("xterm-256color", STDOUT_FILENO, &status) == OK;
}

bool terminal_can(const char *term, const char **why)
{
	const char *move;
	bool can;

	if (!term || !*term) {
		*why = "TERM is not set";
		return false;
	}
	if (!describe(term)) {
		*why = "the terminal that TERM names is not known here";
		return false;
	}
	move = tigetstr("cup");
	can = move && move != (char *)-1;
	if (!can)
		*why = "the terminal can't move its cursor";
	del_curterm(cur_term);
	return can;
}
