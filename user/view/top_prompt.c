/* SPDX-License-Identifier: BSD-2-Clause */
/* The line at the bottom where a filter or a file's name is typed. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "view/top_screen_private.h"

void top_prompt_open(struct top_screen *s, enum prompt prompt)
{
	time_t now = (time_t)(s->top->time_ns / 1000000000ULL);
	struct tm tm = { 0 };

	s->prompt = prompt;
	s->message[0] = '\0';
	if (prompt == PROMPT_FILTER) {
		snprintf(s->prompt_text, sizeof(s->prompt_text), "%s", s->filter_text);
		return;
	}
	localtime_r(&now, &tm);
	strftime(s->prompt_text, sizeof(s->prompt_text), "nettrace-top-%Y%m%d-%H%M%S.txt", &tm);
}

static void prompt_add(struct top_screen *s, int key)
{
	size_t length = strlen(s->prompt_text);
	char bytes[4];
	size_t n = 0;

	if (key < 0x20 || key >= 0x110000 || (key >= 0x7f && key < 0xa0))
		return;
	if (key < 0x80) {
		bytes[n++] = (char)key;
	} else if (key < 0x800) {
		bytes[n++] = (char)(0xc0 | key >> 6);
		bytes[n++] = (char)(0x80 | (key & 0x3f));
	} else if (key < 0x10000) {
		bytes[n++] = (char)(0xe0 | key >> 12);
		bytes[n++] = (char)(0x80 | (key >> 6 & 0x3f));
		bytes[n++] = (char)(0x80 | (key & 0x3f));
	} else {
		bytes[n++] = (char)(0xf0 | key >> 18);
		bytes[n++] = (char)(0x80 | (key >> 12 & 0x3f));
		bytes[n++] = (char)(0x80 | (key >> 6 & 0x3f));
		bytes[n++] = (char)(0x80 | (key & 0x3f));
	}
	if (length + n + 1 > sizeof(s->prompt_text))
		return;
	memcpy(s->prompt_text + length, bytes, n);
	s->prompt_text[length + n] = '\0';
}

static void prompt_remove(struct top_screen *s)
{
	size_t length = strlen(s->prompt_text);

	while (length && ((unsigned char)s->prompt_text[length - 1] & 0xc0) == 0x80)
		length--;
	if (length)
		length--;
	s->prompt_text[length] = '\0';
}

void top_prompt_key(struct top_screen *s, int key)
{
	enum prompt prompt = s->prompt;

	switch (key) {
	case KEYS_ESCAPE:
		s->prompt = PROMPT_NONE;
		if (prompt == PROMPT_FILTER)
			top_filter_set(s, "");
		return;
	case KEYS_ENTER:
		s->prompt = PROMPT_NONE;
		if (prompt == PROMPT_FILE)
			top_write_file(s, s->prompt_text);
		return;
	case KEYS_BACKSPACE:
		prompt_remove(s);
		break;
	case 0x15: /* Ctrl-U */
		s->prompt_text[0] = '\0';
		break;
	default:
		prompt_add(s, key);
		break;
	}
	if (prompt == PROMPT_FILTER)
		top_filter_set(s, s->prompt_text);
}
