// SPDX-License-Identifier: BSD-2-Clause
#include "base/glob.h"

#include <stddef.h>

static unsigned char folded(char c, bool fold)
{
	return (unsigned char)(fold && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The set that begins behind '[': its end behind ']' and whether `c` is in it; NULL: it is not closed. */
static const char *match_set(const char *p, unsigned char c, bool fold, bool *in)
{
	bool inverted = *p == '!' || *p == '^', found = false, first = true;

	if (inverted)
		p++;
	for (; *p && (*p != ']' || first); p++, first = false) {
		unsigned char low = folded(*p, fold), high = low;

		if (p[1] == '-' && p[2] && p[2] != ']') {
			high = folded(p[2], fold);
			p += 2;
		}
		found |= c >= low && c <= high;
	}
	*in = found != inverted;
	return *p ? p + 1 : NULL;
}

/* One item of the pattern that is no '*' against one byte: the rest of the pattern, or NULL where it does not fit. */
static const char *match_one(const char *p, char text, bool fold)
{
	unsigned char c = folded(text, fold);
	const char *end;
	bool in;

	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		end = match_set(p + 1, c, fold, &in);
		if (end)
			return in ? end : NULL;
	}
	if (*p == '\\' && p[1])
		p++;
	return *p && folded(*p, fold) == c ? p + 1 : NULL;
}

bool glob_match(const char *pattern, const char *text, bool fold)
{
	const char *star = NULL,
		   *from = NULL; /* behind the last '*', and what it has taken in so far */

	while (*text) {
		const char *next;

		if (*pattern == '*') {
			star = ++pattern;
			from = text;
			continue;
		}
		next = match_one(pattern, *text, fold);
		if (next) {
			pattern = next;
			text++;
		} else if (star) { /* the last star takes one more; earlier ones never need to */
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
