/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/sparkline.h"

#define SECOND_NS 1000000000ULL

void sparkline_add(struct sparkline *s, uint64_t since_ns, uint64_t mono_ns, double value)
{
	uint64_t last = mono_ns / SECOND_NS, first = since_ns / SECOND_NS + 1;

	if (first > last || !since_ns)
		first = last;
	if (last >= SPARKLINE_SECONDS && first + SPARKLINE_SECONDS <= last)
		first = last - SPARKLINE_SECONDS + 1;
	if (!s->second || last + 1 >= s->second + SPARKLINE_SECONDS)
		memset(s->values, 0, sizeof(s->values));
	else
		for (uint64_t i = s->second; i <= last; i++)
			s->values[i % SPARKLINE_SECONDS] = 0;
	for (uint64_t i = first; i <= last; i++) {
		double *place = &s->values[i % SPARKLINE_SECONDS];

		if (i + 1 > s->second || value > *place)
			*place = value;
	}
	if (last + 1 > s->second)
		s->second = last + 1;
}

/* The largest value of the i-th of `columns` parts of the minute. */
static double part(const struct sparkline *s, unsigned int i, unsigned int columns)
{
	unsigned int from = i * SPARKLINE_SECONDS / columns,
		     to = (i + 1) * SPARKLINE_SECONDS / columns;
	double largest = 0;

	do {
		double value = s->values[(s->second + from) % SPARKLINE_SECONDS];

		if (value > largest)
			largest = value;
	} while (++from < to);
	return largest;
}

void sparkline_put(const struct sparkline *s, struct text *t, unsigned int columns, bool ascii)
{
	static const char *const blocks[] = { " ",
					      "\xe2\x96\x81",
					      "\xe2\x96\x82",
					      "\xe2\x96\x83",
					      "\xe2\x96\x84",
					      "\xe2\x96\x85",
					      "\xe2\x96\x86",
					      "\xe2\x96\x87",
					      "\xe2\x96\x88" };
	static const char *const signs[] = { " ", ".", ".", ":", "-", "=", "+", "*", "#" };
	double largest = 0;

	for (unsigned int i = 0; i < SPARKLINE_SECONDS; i++)
		if (s->values[i] > largest)
			largest = s->values[i];
	for (unsigned int i = 0; i < columns; i++) {
		double value = part(s, i, columns);
		unsigned int level = 0;

		if (value > 0)
			level = 1 + (unsigned int)(value / largest * 7 + 0.5);
		text_puts(t, ascii ? signs[level] : blocks[level]);
	}
}

void bar_put(struct text *t, double share, unsigned int columns, bool ascii)
{
	static const char *const eighths[] = { "",
					       "\xe2\x96\x8f",
					       "\xe2\x96\x8e",
					       "\xe2\x96\x8d",
					       "\xe2\x96\x8c",
					       "\xe2\x96\x8b",
					       "\xe2\x96\x8a",
					       "\xe2\x96\x89" };
	unsigned int parts, whole, i;

	if (!(share > 0))
		share = 0;
	if (share > 1)
		share = 1;
	parts = (unsigned int)(share * columns * 8 + 0.5);
	if (!parts && share > 0)
		parts = 1; /* little is not nothing */
	whole = parts / 8;
	for (i = 0; i < whole; i++)
		text_puts(t, ascii ? "#" : "\xe2\x96\x88");
	if (parts % 8 && i < columns) {
		if (ascii)
			text_char(t, parts % 8 >= 4 || !whole ? '|' : ' ');
		else
			text_puts(t, eighths[parts % 8]);
		i++;
	}
	for (; i < columns; i++)
		text_char(t, ' ');
}
