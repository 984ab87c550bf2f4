// SPDX-License-Identifier: BSD-2-Clause
#include "signals.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

volatile sig_atomic_t signals_stop;
volatile sig_atomic_t signals_resized;
volatile sig_atomic_t signals_dump;
volatile sig_atomic_t signals_suspended;

static int wake_fd = -1;

static void on_signal(int number)
{
	uint64_t one = 1;
	int saved = errno;

	if (number == SIGWINCH || number == SIGCONT)
		signals_resized = 1;
	else if (number == SIGUSR1)
		signals_dump = 1;
	else if (number == SIGTSTP)
		signals_suspended = 1;
	else
		signals_stop = 1;
	if (write(wake_fd, &one, sizeof(one)) < 0) {
		/* Full: it is readable already. */
	}
	errno = saved;
}

int signals_catch(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGUSR1 };
	struct sigaction action, before;

	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake_fd < 0)
		return -errno;
	memset(&action, 0, sizeof(action));
	action.sa_handler =
		on_signal; /* no SA_RESTART: a write to a reader that takes nothing must end */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (sigaction(numbers[i], NULL, &before))
			return -errno;
		if (numbers[i] == SIGHUP && before.sa_handler == SIG_IGN)
			continue; /* nohup: it shall outlive the terminal */
		if (sigaction(numbers[i], &action, NULL))
			return -errno;
	}
	action.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &action, NULL) || sigaction(SIGXFSZ, &action, NULL) ? -errno : 0;
}

void signals_catch_suspend(bool on)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on ? on_signal : SIG_DFL;
	sigaction(SIGTSTP, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
}

int signals_fd(void)
{
	return wake_fd;
}

void signals_clear(void)
{
	uint64_t count;

	if (read(wake_fd, &count, sizeof(count)) < 0) {
		/* It was not readable. */
	}
}
