/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/top_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/output.h"
#include "view/log_line.h"
#include "view/top_screen_private.h"

struct top_screen *top_screen_new(struct top *t)
{
	struct top_screen *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->top = t;
	s->ascii = t->options->ascii;
	s->closed = t->options->closed;
	s->lines = t->options->lines;
	s->columns = t->options->columns;
	s->shown = t->options->by;
	for (int i = 0; i < BY_COUNT; i++)
		s->tabs[i].sort = top_sort(t, (enum ranking_by)i);
	return s;
}

void top_screen_free(struct top_screen *s)
{
	if (!s)
		return;
	if (s->open)
		terminal_close();
	filter_free(s->filter);
	free(s->rows);
	free(s->events);
	text_done(&s->text);
	free(s);
}

/* A new picture: the model is read, and drawn. */
static int refresh(struct top_screen *s)
{
	int err = top_rows_take(s);

	if (err)
		return err;
	top_draw(s);
	return 0;
}

int top_screen_interval(struct top_screen *s)
{
	int err;

	if (!s->open) {
		err = terminal_open(s->top->options->color);
		if (err)
			return err;
		s->open = true;
		terminal_size(&s->lines, &s->columns);
		top_draw(
			s); /* places its parts, so that it is known how many rows there is room for */
	}
	if (s->paused) {
		if (s->message[0])
			top_draw(s); /* its time may be over */
		return 0;
	}
	top_rows_header(s);
	s->top->printed++;
	return refresh(s);
}

int top_screen_fd(const struct top_screen *s)
{
	return s->open && !s->away ? terminal_fd() : -1;
}

int top_screen_keys(struct top_screen *s)
{
	bool any = false;
	int key, err = 0;

	if (!s->open || s->away)
		return 0;
	while (!err && (key = terminal_key()) != KEY_NOTHING) {
		err = top_key(s, key);
		any = true;
		if (!err)
			err = top_rows_take(s); /* the next key may mean what this one brought */
	}
	if (!err && any)
		top_draw(s);
	return err;
}

void top_screen_resize(struct top_screen *s)
{
	if (!s->open || s->away)
		return;
	terminal_resize();
	terminal_size(&s->lines, &s->columns);
	refresh(s); /* an error is found at the next interval */
}

void top_screen_leave(struct top_screen *s)
{
	if (!s->open || s->away)
		return;
	s->away = true;
	terminal_leave();
}

void top_screen_return(struct top_screen *s)
{
	if (!s->away)
		return;
	s->away = false;
	terminal_return();
	top_screen_resize(s);
}

/* --- the file --- */

static void put_events(struct top_screen *s, struct text *t)
{
	struct stamp stamp = s->top->stamp;
	struct event e;

	log_line_header(t, stamp.format);
	text_char(t, '\n');
	for (size_t i = s->event_count; i-- > 0;) { /* the oldest first, as in the stream */
		if (!top_rows_event(s, i, &e))
			continue;
		log_line_write(t, &e, &stamp, s->top->options->own_netns, false);
		text_char(t, '\n');
	}
}

static void put_rows(struct top_screen *s, struct text *t)
{
	enum ranking_by by = (enum ranking_by)s->shown;
	size_t widths[COLUMNS_MAX];
	struct column_context x;

	top_column_context(s->top, &x);
	columns_widths(by, widths);
	for (size_t i = 0; i < s->row_count; i++)
		columns_measure(by, &s->rows[i], widths, &x);
	columns_put_line(t, by, NULL, widths, &x);
	text_char(t, '\n');
	for (size_t i = 0; i < s->row_count; i++) {
		columns_put_line(t, by, &s->rows[i], widths, &x);
		text_char(t, '\n');
	}
}

void top_write_file(struct top_screen *s, const char *name)
{
	/* never over something that is there: it may be root's, and the name a slip */
	AUTO_CLOSE int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct output file;
	int err = fd < 0 ? -errno : 0;

	if (!err) {
		output_init(&file, fd);
		if (!s->detailed && s->shown < BY_COUNT) {
			top_put_title(s->top, &file.text);
			text_char(&file.text, '\n');
			put_rows(s, &file.text);
		} else {
			put_events(s, &file.text);
		}
		err = file.text.failed ? -ENOMEM : output_flush(&file);
		output_done(&file);
	}
	if (err)
		top_say(s, "can't write %s: %s", name, strerror(-err));
	else
		top_say(s, "written to %s", name);
}
