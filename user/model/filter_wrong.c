/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a filter that is none: where, what was expected, what was found, what may have been meant. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "model/filter_private.h"

#define QUOTED_MAX 40 /* bytes of the text that a message repeats */

unsigned int filter_column(const char *text, size_t at)
{
	unsigned int column = 1;

	for (size_t i = 0; i < at; i++)
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
	return column;
}

/* 'bytes of the text', escaped; cut where they are too many. */
static void put_quoted(struct text *t, const char *text, size_t begin, size_t end)
{
	size_t length = end - begin;
	bool cut = length > QUOTED_MAX;

	text_char(t, '\'');
	text_escaped(t, text + begin, cut ? QUOTED_MAX : length);
	text_puts(t, cut ? "...'" : "'");
}

/* Takes what was put into `t`. */
int filter_fail(struct filter_parser *p, size_t at, struct text *t)
{
	p->error->column = filter_column(p->text, at);
	text_char(t, '\0');
	if (t->failed)
		snprintf(p->error->message, sizeof(p->error->message), "out of memory");
	else
		snprintf(p->error->message, sizeof(p->error->message), "%s", t->data);
	text_done(t);
	return -EINVAL;
}

int filter_fail_plain(struct filter_parser *p, size_t at, const char *message)
{
	struct text t = { 0 };

	text_puts(&t, message);
	return filter_fail(p, at, &t);
}

static const char *word_of_grammar(void *context, size_t i)
{
	static const char *const words[] = { "and", "or", "not", "exclude" };

	(void)context;
	return i < 4 ? words[i] : filter_field_word(NULL, i - 4);
}

static void put_nearest(struct text *t, const char *nearest)
{
	if (!nearest)
		return;
	text_puts(t, "; did you mean '");
	text_escaped(t, nearest, strlen(nearest));
	text_puts(t, "'?");
}

/* "expected WHAT [after '…'], found '…'": at the next token. `after`: where its context begins, SIZE_MAX: none. */
int filter_expected(struct filter_parser *p, const char *what, size_t after, const char *nearest)
{
	struct text t = { 0 };

	if (p->token.kind == FILTER_TOKEN_UNCLOSED)
		return filter_fail_plain(p, p->token.begin, "a quote that is not closed");
	if (p->token.kind == FILTER_TOKEN_LONG)
		return filter_fail_plain(p, p->token.begin,
					 "a word that is too long: at most 255 bytes");
	text_puts(&t, "expected ");
	text_puts(&t, what);
	if (after != SIZE_MAX && after < p->last_end) {
		text_puts(&t, " after ");
		put_quoted(&t, p->text, after, p->last_end);
	}
	text_puts(&t, ", found ");
	if (p->token.kind == FILTER_TOKEN_END)
		text_puts(&t, "the end");
	else
		put_quoted(&t, p->text, p->token.begin, p->token.end);
	put_nearest(&t, nearest);
	return filter_fail(p, p->token.begin, &t);
}

#define HINT_MAX 64

/* A bare number is mostly a port, a bare name a process. True: *hint is written. */
static bool guess_field(const struct filter_parser *p, char hint[HINT_MAX])
{
	const char *word = p->token.word + (*p->token.word == ':');
	bool alone = !p->text[p->token.end + strspn(p->text + p->token.end, " \t")];

	if (!alone || !*word || strlen(word) > HINT_MAX - 8 || word[strcspn(word, "=<>!()'\\")])
		return false;
	snprintf(hint, HINT_MAX, "%s %s", word[strspn(word, "0123456789")] ? "comm" : "port", word);
	return true;
}

int filter_expected_field(struct filter_parser *p, bool first)
{
	char hint[HINT_MAX];
	const char *nearest = NULL;

	if (p->token.kind == FILTER_TOKEN_WORD)
		nearest =
			parse_nearest(p->token.word, 4 + filter_field_count, word_of_grammar, NULL);
	if (nearest && !strcasecmp(nearest, p->token.word))
		nearest = NULL; /* it is that word, in a wrong place */
	if (first && !nearest && p->token.kind == FILTER_TOKEN_WORD && guess_field(p, hint))
		nearest = hint;
	if (!first && p->after_string && !nearest && p->token.kind == FILTER_TOKEN_WORD)
		return filter_expected(p,
				       "'and', 'or' or a field (a value with blanks needs quotes)",
				       SIZE_MAX, NULL);
	return filter_expected(
		p, first ? "a field such as dport, pid or comm" : "'and', 'or' or a field",
		SIZE_MAX, nearest);
}
