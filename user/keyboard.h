/* SPDX-License-Identifier: BSD-2-Clause */
/* Single keys from the terminal while a screen is shown; the terminal is given back however the program ends. */
#ifndef NETTRACE_KEYBOARD_H
#define NETTRACE_KEYBOARD_H

/* Takes single keys without echo from standard input where that is a terminal; nothing happens elsewhere. */
void keyboard_open(void);
void keyboard_close(void);
/* To be polled, or -1. */
int keyboard_fd(void);
/* The next key, or -1 when there is none. */
int keyboard_key(void);

#endif
