/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/screen.h"

#include <signal.h>
#include <unistd.h>

#include "base/utf8.h"

#define ENTER "\033[?1049h\033[?25l\033[2J" /* alternate screen, no cursor, empty */
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define INVERSE "\033[7m"
#define PLAIN "\033[0m"

/* The terminal to give back, plus one; 0: none. The only thing that a signal handler reads. */
static volatile sig_atomic_t active_fd;

void screen_init(struct screen *s, struct output *o, unsigned int lines, unsigned int columns)
{
	*s = (struct screen){ .output = o, .lines = lines, .columns = columns };
}

int screen_done(struct screen *s)
{
	int err;

	if (!s || !s->active)
		return 0;
	text_puts(&s->output->text, LEAVE);
	err = output_flush(s->output);
	if (err)
		screen_restore();
	active_fd = 0;
	s->active = false;
	return err;
}

void screen_restore(void)
{
	int fd = active_fd - 1;
	ssize_t written;

	if (fd < 0)
		return;
	active_fd = 0;
	written = write(fd, LEAVE, sizeof(LEAVE) - 1);
	(void)written; /* nothing left to try */
}

void screen_begin(struct screen *s)
{
	struct text *t = &s->output->text;

	if (!s->active) {
		text_puts(t, ENTER);
		s->active = true;
		active_fd = s->output->fd + 1;
	}
	text_puts(t, HOME);
	s->line = 0;
}

unsigned int screen_room(const struct screen *s)
{
	return s->line < s->lines ? s->lines - s->line : 0;
}

/* Cuts what was put since `from` to at most `columns` columns. Returns the columns it takes. */
static size_t cut(struct text *t, size_t from, size_t columns)
{
	size_t used = 0, at = from;

	while (at < t->length) {
		uint32_t code;
		size_t length = utf8_decode(t->data + at, t->length - at, &code), width;

		if (!length)
			length = 1;
		width = text_width(t->data + at, length);
		if (used + width > columns)
			break;
		used += width;
		at += length;
	}
	t->length = at;
	return used;
}

void screen_end_line(struct screen *s, size_t from, bool inverse)
{
	struct text *t = &s->output->text;
	size_t used;

	if (t->failed || from > t->length)
		return;
	used = cut(t, from, s->columns);
	if (inverse && text_reserve(t, sizeof(INVERSE) + s->columns)) {
		memmove(t->data + from + sizeof(INVERSE) - 1, t->data + from, t->length - from);
		memcpy(t->data + from, INVERSE, sizeof(INVERSE) - 1);
		t->length += sizeof(INVERSE) - 1;
		memset(t->data + t->length, ' ', s->columns - used);
		t->length += s->columns - used;
		text_puts(t, PLAIN);
	}
	/* in the last column a terminal waits to wrap: clearing there would take the last character */
	if (used < s->columns && !inverse)
		text_puts(t, CLEAR_LINE);
	s->line++;
	if (s->line < s->lines) /* after the last line it would scroll */
		text_puts(t, "\r\n");
}

int screen_end(struct screen *s)
{
	if (s->line < s->lines)
		text_puts(&s->output->text, CLEAR_BELOW);
	return output_flush(s->output);
}
