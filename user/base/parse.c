/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DISTANCE_MAX 64
#define MS_NS 1000000ULL

/* The digits that *s begins with; *s moves past them. */
static int take_number(const char **s, uint64_t *value)
{
	const char *p = *s;
	uint64_t v = 0;
	bool overflow = false;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			overflow = true;
	}
	*s = p;
	*value = v;
	return overflow ? -ERANGE : 0;
}

int parse_count(const char *s, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
	uint64_t v;
	int err = take_number(&s, &v);

	if (err == -EINVAL || *s)
		return -EINVAL;
	if (err || v < minimum || v > maximum)
		return -ERANGE;
	*value = v;
	return 0;
}

struct suffix {
	const char *name;
	uint64_t factor;
};

/*
 * A number with one of the suffixes; the table ends with the empty one, which must match the rest
 * exactly.
 */
static int parse_scaled(const char *s, const struct suffix *suffixes, uint64_t *value)
{
	uint64_t v, scaled;
	int err = take_number(&s, &v);

	if (err == -EINVAL)
		return err;
	while (suffixes->name[0] && strcasecmp(s, suffixes->name))
		suffixes++;
	if (strcasecmp(s, suffixes->name))
		return -EINVAL;
	if (err || __builtin_mul_overflow(v, suffixes->factor, &scaled))
		return -ERANGE;
	*value = scaled;
	return 0;
}

int parse_duration(const char *s, uint64_t *ns)
{
	static const struct suffix units[] = {
		{ "ms", MS_NS },
		{ "s", 1000 * MS_NS },
		{ "m", 60 * 1000 * MS_NS },
		{ "h", 3600 * 1000 * MS_NS },
		{ "", 1000 * MS_NS },
	};

	return parse_scaled(s, units, ns);
}

int parse_size(const char *s, uint64_t *bytes)
{
	static const struct suffix units[] = {
		{ "k", 1ULL << 10 },
		{ "m", 1ULL << 20 },
		{ "g", 1ULL << 30 },
		{ "", 1 },
	};

	return parse_scaled(s, units, bytes);
}

int parse_list_word(const char **list, char *word, size_t size)
{
	const char *s = *list;
	size_t n;

	if (!s)
		return 0;
	n = strcspn(s, ",");
	if (!n)
		return -EINVAL;
	if (n >= size)
		return -ERANGE;
	memcpy(word, s, n);
	word[n] = '\0';
	*list = s[n] ? s + n + 1 : NULL;
	return 1;
}

static unsigned int smaller(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table. */
unsigned int parse_distance(const char *a, const char *b)
{
	unsigned int rows[3][DISTANCE_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2], *swap;
	size_t an = strnlen(a, DISTANCE_MAX), bn = strnlen(b, DISTANCE_MAX);

	for (size_t j = 0; j <= bn; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= an; i++) {
		int ca = tolower((unsigned char)a[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			int cb = tolower((unsigned char)b[j - 1]);

			row[j] =
				smaller(last[j - 1] + (ca != cb), smaller(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]))
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		swap = before;
		before = last;
		last = row;
		row = swap;
	}
	return last[bn];
}

const char *parse_nearest(const char *mistyped, size_t count,
			  const char *(*word)(void *context, size_t i), void *context)
{
	size_t length = strlen(mistyped);
	/* A third of the word may be wrong; beyond that a guess only confuses. */
	unsigned int best_distance = length < 3 ? 2 : (length + 1) / 3 + 1;
	const char *best = NULL;

	if (length < 2 || length > DISTANCE_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *candidate = word(context, i);
		unsigned int distance;

		if (!candidate)
			continue;
		distance = parse_distance(mistyped, candidate);
		if (distance < best_distance && distance < strlen(candidate)) {
			best_distance = distance;
			best = candidate;
		}
	}
	return best;
}
