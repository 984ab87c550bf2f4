// SPDX-License-Identifier: BSD-2-Clause
/* From the text of a filter to its words. */
#include <string.h>
#include <strings.h>

#include "model/filter_private.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A '!' within a word is part of it ([!a-z]), unless it makes an operator (pid!=42). */
static bool ends_word(const char *p)
{
	if (!*p || is_blank(*p) || strchr("()=<>~&|,'\"", *p))
		return true;
	return *p == '!' && (p[1] == '=' || p[1] == '~');
}

static void take_operator(struct filter_token *t, enum filter_operator op, size_t length)
{
	t->kind = FILTER_TOKEN_OPERATOR;
	t->op = op;
	t->end = t->begin + length;
}

static void take_sign(struct filter_token *t, enum filter_token_kind kind, size_t length)
{
	t->kind = kind;
	t->end = t->begin + length;
}

/* Within single quotes nothing is special, as in a shell; within double quotes \ takes the next character as it is. */
static void take_quoted(const char *text, struct filter_token *t)
{
	char quote = text[t->begin];
	const char *p = text + t->begin + 1;
	size_t n = 0;

	for (; *p && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && p[1])
			p++;
		if (n < sizeof(t->word) - 1)
			t->word[n] = *p;
		n++;
	}
	t->end = (size_t)(p - text) + (*p == quote);
	t->kind = !*p			? FILTER_TOKEN_UNCLOSED
		  : n < sizeof(t->word) ? FILTER_TOKEN_QUOTED
					: FILTER_TOKEN_LONG;
	t->word[n < sizeof(t->word) ? n : sizeof(t->word) - 1] = '\0';
}

static void take_word(const char *text, struct filter_token *t)
{
	size_t length = 0;

	while (!ends_word(text + t->begin + length))
		length++;
	t->end = t->begin + length;
	t->kind = length < sizeof(t->word) ? FILTER_TOKEN_WORD : FILTER_TOKEN_LONG;
	if (length >= sizeof(t->word))
		length = sizeof(t->word) - 1;
	memcpy(t->word, text + t->begin, length);
	t->word[length] = '\0';
}

void filter_lex(const char *text, size_t at, struct filter_token *t)
{
	const char *p;

	while (is_blank(text[at]))
		at++;
	p = text + at;
	t->begin = t->end = at;
	t->word[0] = '\0';
	switch (*p) {
	case '\0':
		t->kind = FILTER_TOKEN_END;
		return;
	case '(':
		take_sign(t, FILTER_TOKEN_OPEN, 1);
		return;
	case ')':
		take_sign(t, FILTER_TOKEN_CLOSE, 1);
		return;
	case ',':
		take_sign(t, FILTER_TOKEN_COMMA, 1);
		return;
	case '&':
		take_sign(t, FILTER_TOKEN_AND, 1 + (p[1] == '&'));
		return;
	case '|':
		take_sign(t, FILTER_TOKEN_OR, 1 + (p[1] == '|'));
		return;
	case '=':
		take_operator(t, FILTER_EQ, 1 + (p[1] == '='));
		return;
	case '<':
		take_operator(t, p[1] == '=' ? FILTER_LE : FILTER_LT, 1 + (p[1] == '='));
		return;
	case '>':
		take_operator(t, p[1] == '=' ? FILTER_GE : FILTER_GT, 1 + (p[1] == '='));
		return;
	case '~':
		take_operator(t, FILTER_GLOB, 1);
		return;
	case '!':
		if (p[1] == '=')
			take_operator(t, FILTER_NE, 2);
		else if (p[1] == '~')
			take_operator(t, FILTER_NOT_GLOB, 2);
		else
			take_sign(t, FILTER_TOKEN_NOT, 1);
		return;
	case '\'':
	case '"':
		take_quoted(text, t);
		return;
	default:
		take_word(text, t);
	}
}

int filter_operator_word(const char *word)
{
	static const struct {
		const char *word;
		enum filter_operator op;
	} words[] = {
		{ "eq", FILTER_EQ }, { "ne", FILTER_NE }, { "neq", FILTER_NE },
		{ "lt", FILTER_LT }, { "le", FILTER_LE }, { "leq", FILTER_LE },
		{ "gt", FILTER_GT }, { "ge", FILTER_GE }, { "geq", FILTER_GE },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(words[i].word, word))
			return (int)words[i].op;
	return -1;
}
