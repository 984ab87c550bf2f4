/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws on a terminal in place, without flicker: every line is written over what was there. */
#ifndef NETTRACE_SCREEN_H
#define NETTRACE_SCREEN_H

#include "base/output.h"

/* Borrowed: output. */
struct screen {
	struct output *output;
	unsigned int lines, columns;
	unsigned int line; /* of this frame, from 0 */
	bool active;	   /* the alternate screen is shown */
};

void screen_init(struct screen *s, struct output *o, unsigned int lines, unsigned int columns);
/* Gives the terminal back as it was. 0 or -errno. NULL-safe. */
int screen_done(struct screen *s);

/* A new frame; the first one changes to the alternate screen. */
void screen_begin(struct screen *s);
/* Lines that still fit into this frame. */
unsigned int screen_room(const struct screen *s);
/* Ends the line whose text was put since `from`: cuts it at the terminal's width. `inverse`: as a bar. */
void screen_end_line(struct screen *s, size_t from, bool inverse);
/* Clears what is below and writes the frame. 0 or -errno. */
int screen_end(struct screen *s);

/* From a signal handler or a crash: gives the terminal back when a screen is active. Only write(2). */
void screen_restore(void);

#endif
