/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between a loop and a view's screen: keys, Ctrl-Z, a terminal that changes its size; and the terminal is given back
 * however the program ends. Views without a screen are left alone.
 */
#ifndef NETTRACE_KEYBOARD_H
#define NETTRACE_KEYBOARD_H

#include "view/view.h"

/* Before the loop. */
void keyboard_open(struct view *v);
void keyboard_close(void);
/* To be polled, or -1. */
int keyboard_fd(struct view *v);
/* What came since the last call. 0, 1 when the user wants to end, or -errno (-EPIPE: the terminal is gone). */
int keyboard_run(struct view *v);
/* Waits for keys until the user wants to end: behind the end of a recording. As keyboard_run, without 1. */
int keyboard_stay(struct view *v);

#endif
