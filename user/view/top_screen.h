/* SPDX-License-Identifier: BSD-2-Clause */
/* --top on a terminal: tabs, keys, drill-down. The loop gives it keys, signals and time; it reads the ranking. */
#ifndef NETTRACE_TOP_SCREEN_H
#define NETTRACE_TOP_SCREEN_H

#include "model/ranking.h"
#include "view/view.h"

struct top;
struct top_screen;

/* The screen of a view, or NULL when it has none. Borrowed. */
struct top_screen *top_view_screen(struct view *v);

/* Takes the terminal with the first interval only. NULL when out of memory. */
struct top_screen *top_screen_new(struct top *t);
void top_screen_free(struct top_screen *s);

/* The grouping that is shown. */
enum ranking_by top_screen_by(const struct top_screen *s);
/* Shows the interval that ended, unless paused. 0 or -errno. */
int top_screen_interval(struct top_screen *s);

/* To be polled, or -1. */
int top_screen_fd(const struct top_screen *s);
/* Takes the keys that came. 0, 1 when the user wants to end, or -errno; -EPIPE: the terminal is gone. */
int top_screen_keys(struct top_screen *s);
/* The terminal has another size. */
void top_screen_resize(struct top_screen *s);
/* Gives the terminal back for a while, and takes it again. */
void top_screen_leave(struct top_screen *s);
void top_screen_return(struct top_screen *s);

#endif
