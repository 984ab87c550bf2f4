// SPDX-License-Identifier: BSD-2-Clause
#include "keyboard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "signals.h"
#include "view/terminal.h"
#include "view/top_screen.h"

static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT };

/* A crash must not leave a terminal that echoes nothing. Only what a signal handler may call. */
static void on_crash(int number)
{
	terminal_restore(); /* NOLINT(bugprone-signal-handler): only write(2) and tcsetattr(3), see there */
	signal(number, SIG_DFL);
	raise(number);
}

static void set_crash_handlers(void (*handler)(int))
{
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], handler);
}

void keyboard_open(struct view *v)
{
	if (!top_view_screen(v))
		return;
	set_crash_handlers(on_crash);
	signals_catch_suspend(true);
}

void keyboard_close(void)
{
	signals_catch_suspend(false);
	set_crash_handlers(SIG_DFL);
}

int keyboard_fd(struct view *v)
{
	struct top_screen *s = top_view_screen(v);

	return s ? top_screen_fd(s) : -1;
}

/* Ctrl-Z: the shell gets its terminal back; SIGCONT wakes us behind kill(). */
static void suspend(struct top_screen *s)
{
	signals_suspended = 0;
	top_screen_leave(s);
	kill(getpid(), SIGSTOP);
	top_screen_return(s);
}

int keyboard_run(struct view *v)
{
	struct top_screen *s = top_view_screen(v);

	if (!s)
		return 0;
	if (signals_suspended)
		suspend(s);
	if (signals_resized) {
		signals_resized = 0;
		top_screen_resize(s);
	}
	return top_screen_keys(s);
}

int keyboard_stay(struct view *v)
{
	int err = 0;

	while (!err && !signals_stop && keyboard_fd(v) >= 0) {
		struct pollfd fds[] = { { .fd = signals_fd(), .events = POLLIN },
					{ .fd = keyboard_fd(v), .events = POLLIN } };

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			signals_clear();
		err = keyboard_run(v);
	}
	return err < 0 ? err : 0;
}
