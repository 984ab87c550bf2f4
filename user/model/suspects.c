// SPDX-License-Identifier: BSD-2-Clause
#include "model/suspects.h"

#include <stdlib.h>
#include <string.h>

void suspects_done(struct suspects *s)
{
	free(s->before);
	free(s->now);
	memset(s, 0, sizeof(*s));
}

static int compare(const void *a, const void *b)
{
	const struct suspect *x = a, *y = b;

	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

bool suspects_confirm(struct suspects *s, uint64_t cookie, uint64_t start_ns)
{
	const struct suspect key = { cookie, start_ns };
	size_t capacity;
	void *grown;

	if (s->before_count && bsearch(&key, s->before, s->before_count, sizeof(key), compare))
		return true;
	if (s->now_count == s->now_capacity) {
		capacity = s->now_capacity ? s->now_capacity * 2 : 64;
		grown = capacity > SUSPECTS_MAX ? NULL : realloc(s->now, capacity * sizeof(key));
		if (!grown)
			return false;
		s->now = grown;
		s->now_capacity = capacity;
	}
	s->now[s->now_count++] = key;
	return false;
}

void suspects_turn(struct suspects *s)
{
	free(s->before);
	s->before = s->now;
	s->before_count = s->now_count;
	s->now = NULL;
	s->now_count = s->now_capacity = 0;
	if (s->before_count)
		qsort(s->before, s->before_count, sizeof(*s->before), compare);
}
