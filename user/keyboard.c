// SPDX-License-Identifier: BSD-2-Clause
#include "keyboard.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "view/screen.h"

static struct termios before;
static bool opened;

/* Only what a signal handler may call. */
static void restore(void)
{
	screen_restore(); /* NOLINT(bugprone-signal-handler): only write(2), see there */
	if (opened)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

/* A crash must not leave a terminal that echoes nothing. */
static void on_crash(int number)
{
	restore();
	signal(number, SIG_DFL);
	raise(number);
}

void keyboard_open(void)
{
	static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
	struct termios raw;

	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		signal(crashes[i], on_crash);
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before))
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	opened = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void keyboard_close(void)
{
	if (opened)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	opened = false;
}

int keyboard_fd(void)
{
	return opened ? STDIN_FILENO : -1;
}

int keyboard_key(void)
{
	unsigned char key;

	return opened && read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}
