/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/stamp.h"

#include <time.h>

#define NS_PER_SECOND 1000000000ULL

unsigned int stamp_width(enum time_format format)
{
	switch (format) {
	case TIME_FORMAT_LOCAL:
		return 12; /* 12:34:56.789 */
	case TIME_FORMAT_UTC:
		return 13; /* 12:34:56.789Z */
	case TIME_FORMAT_RELATIVE:
		return 12; /* +1234.567890 */
	default:
		return 0;
	}
}

void stamp_begin(struct stamp *s, uint64_t mono_ns)
{
	if (!s->first_ns)
		s->first_ns = mono_ns;
}

static void write_clock(struct stamp *s, uint64_t second)
{
	time_t time = (time_t)second;
	struct tm tm = { 0 };

	if (s->format == TIME_FORMAT_UTC)
		gmtime_r(&time, &tm);
	else
		localtime_r(&time, &tm);
	strftime(s->clock, sizeof(s->clock), "%H:%M:%S", &tm);
	s->second = second;
}

/* A point and exactly `width` digits. */
static void put_fraction(struct text *t, uint64_t value, unsigned int width)
{
	char digits[10] = ".";

	for (unsigned int i = width; i > 0; value /= 10)
		digits[i--] = (char)('0' + value % 10);
	text_put(t, digits, width + 1);
}

static void put_relative(const struct stamp *s, struct text *t, uint64_t mono_ns, bool fractions)
{
	uint64_t ns = mono_ns > s->first_ns ? mono_ns - s->first_ns : 0;

	text_char(t, '+');
	text_u64(t, ns / NS_PER_SECOND);
	if (fractions)
		put_fraction(t, ns % NS_PER_SECOND / 1000, 6);
}

void stamp_write(struct stamp *s, struct text *t, uint64_t time_ns, uint64_t mono_ns,
		 bool fractions)
{
	if (s->format == TIME_FORMAT_NONE)
		return;
	if (s->format == TIME_FORMAT_RELATIVE) {
		put_relative(s, t, mono_ns, fractions);
		return;
	}
	if (time_ns / NS_PER_SECOND != s->second || !s->clock[0])
		write_clock(s, time_ns / NS_PER_SECOND);
	text_put(t, s->clock, sizeof(s->clock) - 1);
	if (fractions)
		put_fraction(t, time_ns % NS_PER_SECOND / 1000000, 3);
	if (s->format == TIME_FORMAT_UTC)
		text_char(t, 'Z');
}
