/* SPDX-License-Identifier: BSD-2-Clause */
/* Ctrl-C and its kin: a flag that every loop looks at, and a descriptor that wakes it. */
#ifndef NETTRACE_SIGNALS_H
#define NETTRACE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Not 0 once SIGINT, SIGTERM or SIGHUP came. */
extern volatile sig_atomic_t signals_stop;
/* Not 0 once the terminal changed its size, or we were continued after a stop; the loop clears it. */
extern volatile sig_atomic_t signals_resized;
/* Not 0 once SIGUSR1 came; the loop clears it. */
extern volatile sig_atomic_t signals_dump;
/* Not 0 once Ctrl-Z was pressed while it is caught; whoever heeds it clears it. */
extern volatile sig_atomic_t signals_suspended;

/*
 * Before anything else, so that no signal is lost while starting. A blocked write is interrupted by them; SIGPIPE and
 * SIGXFSZ become errors of write. 0 or -errno.
 */
int signals_catch(void);
/* Ctrl-Z becomes a flag, for who has a terminal to give back first; false: it stops the program again. */
void signals_catch_suspend(bool on);
/* Readable once one of them came. */
int signals_fd(void);
/* Makes it unreadable again. */
void signals_clear(void);

#endif
