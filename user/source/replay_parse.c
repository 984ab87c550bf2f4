/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_parse.h"

#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

/* 1 to 16 lower-case digits, no leading zero; the place after them, or NULL. */
static const char *parse_hex(const char *s, uint64_t *out)
{
	uint64_t value = 0;
	int digits = 0;

	for (;; s++, digits++) {
		unsigned int digit;

		if (*s >= '0' && *s <= '9')
			digit = (unsigned int)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			digit = (unsigned int)(*s - 'a') + 10;
		else
			break;
		if (digits == 16 || (digits && !value))
			return NULL;
		value = value << 4 | digit;
	}
	*out = value;
	return digits ? s : NULL;
}

bool replay_parse_id(const char *s, uint64_t *cookie, uint64_t *start_ns)
{
	uint64_t first, second;

	s = parse_hex(s, &first);
	if (!s || *s != '-')
		return false;
	s = parse_hex(s + 1, &second);
	if (!s || *s)
		return false;
	*cookie = first;
	*start_ns = second;
	return true;
}

static bool parse_digits(const char *s, int count, int *out)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		value = 10 * value + (s[i] - '0');
	}
	*out = value;
	return true;
}

/* "2026-11-21T07:43:18" into seconds since 1970. */
static bool parse_date(const char *s, uint64_t *second)
{
	struct tm tm = { 0 }, given;
	time_t time;

	if (s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
	    !parse_digits(s, 4, &tm.tm_year) || !parse_digits(s + 5, 2, &tm.tm_mon) ||
	    !parse_digits(s + 8, 2, &tm.tm_mday) || !parse_digits(s + 11, 2, &tm.tm_hour) ||
	    !parse_digits(s + 14, 2, &tm.tm_min) || !parse_digits(s + 17, 2, &tm.tm_sec))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	given = tm;
	time = timegm(&tm); /* makes 30 February a day in March: then it was no date */
	if (time < 0 || tm.tm_year != given.tm_year || tm.tm_mon != given.tm_mon ||
	    tm.tm_mday != given.tm_mday || tm.tm_hour != given.tm_hour ||
	    tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec)
		return false;
	*second = (uint64_t)time;
	return true;
}

/* ".123456789Z", ".5Z" or "Z" into nanoseconds. */
static bool parse_fraction(const char *s, uint64_t *ns)
{
	uint64_t unit = NS_PER_S / 10;

	*ns = 0;
	if (*s == '.') {
		if (s[1] < '0' || s[1] > '9')
			return false;
		for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10) {
			if (!unit)
				return false;
			*ns += unit * (uint64_t)(*s - '0');
		}
	}
	return s[0] == 'Z' && !s[1];
}

bool replay_parse_time(struct replay_second *last, const char *s, size_t length, uint64_t *ns)
{
	uint64_t second, fraction;

	if (length <= sizeof(last->date) || !parse_fraction(s + sizeof(last->date), &fraction))
		return false;
	if (memcmp(s, last->date, sizeof(last->date))) {
		if (!parse_date(s, &second))
			return false;
		memcpy(last->date, s, sizeof(last->date));
		last->since_1970 = second;
	}
	if (last->since_1970 > (UINT64_MAX - fraction) / NS_PER_S)
		return false;
	*ns = last->since_1970 * NS_PER_S + fraction;
	return true;
}
