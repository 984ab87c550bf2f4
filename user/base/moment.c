/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/moment.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"

#define NS_PER_S 1000000000ULL
#define DAY_NS (86400 * NS_PER_S)

/* `count` digits; the place after them, or NULL. */
static const char *digits(const char *s, int count, int *value)
{
	int v = 0;

	for (int i = 0; i < count; i++, s++) {
		if (*s < '0' || *s > '9')
			return NULL;
		v = 10 * v + (*s - '0');
	}
	*value = v;
	return s;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.FRACTION. The place after it, or NULL. */
static const char *clock_time(const char *s, struct tm *tm, uint64_t *fraction)
{
	uint64_t unit = NS_PER_S / 10;

	*fraction = 0;
	tm->tm_sec = 0;
	s = digits(s, 2, &tm->tm_hour);
	if (!s || *s != ':')
		return NULL;
	s = digits(s + 1, 2, &tm->tm_min);
	if (s && *s == ':')
		s = digits(s + 1, 2, &tm->tm_sec);
	if (!s || tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 59)
		return NULL;
	if (*s != '.')
		return s;
	if (s[1] < '0' || s[1] > '9')
		return NULL;
	for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
		*fraction += unit * (uint64_t)(*s - '0');
	return s;
}

/* Z, +01:00, -0530 or nothing (local): seconds east of Greenwich in *east. False for anything else. */
static bool zone(const char *s, bool *local, long *east)
{
	int hours, minutes, sign = *s == '-' ? -1 : 1;

	*local = !*s;
	*east = 0;
	if (!*s || ((*s == 'Z' || *s == 'z') && !s[1]))
		return true;
	if (*s != '+' && *s != '-')
		return false;
	s = digits(s + 1, 2, &hours);
	if (s && *s == ':')
		s++;
	if (s)
		s = digits(s, 2, &minutes);
	if (!s || *s || hours > 23 || minutes > 59)
		return false;
	*east = sign * (hours * 3600L + minutes * 60L);
	return true;
}

static int parse_date(const char *s, struct moment *m)
{
	struct tm tm = { .tm_isdst = -1 }, given;
	uint64_t fraction;
	time_t time;
	bool local;
	long east;

	s = digits(s, 4, &tm.tm_year);
	if (s && *s++ == '-')
		s = digits(s, 2, &tm.tm_mon);
	else
		return -EINVAL;
	if (!s || *s++ != '-')
		return -EINVAL;
	s = digits(s, 2, &tm.tm_mday);
	if (!s || (*s != 'T' && *s != 't' && *s != ' '))
		return -EINVAL;
	s = clock_time(s + 1, &tm, &fraction);
	if (!s || !zone(s, &local, &east))
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	given = tm;
	time = local ? mktime(&tm) : timegm(&tm);
	/* 30 February would become a day in March */
	if (time < east || given.tm_mon != tm.tm_mon || given.tm_mday != tm.tm_mday)
		return -EINVAL;
	*m = (struct moment){ MOMENT_TIME, (uint64_t)(time - east) * NS_PER_S + fraction };
	return 0;
}

int moment_parse(const char *s, struct moment *m)
{
	const char *rest;
	uint64_t fraction;
	struct tm tm;

	if (strlen(s) > 10 && s[4] == '-')
		return parse_date(s, m);
	if (strchr(s, ':')) {
		rest = clock_time(s, &tm, &fraction);
		if (!rest || (*rest && strcmp(rest, "Z") != 0))
			return -EINVAL;
		*m = (struct moment){ *rest ? MOMENT_UTC_CLOCK : MOMENT_LOCAL_CLOCK,
				      (uint64_t)(tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) *
						      NS_PER_S +
					      fraction };
		return 0;
	}
	if (parse_duration(*s == '-' ? s + 1 : s, &fraction) || fraction > INT64_MAX)
		return -EINVAL;
	*m = (struct moment){ *s == '-' ? MOMENT_BEFORE_END : MOMENT_AFTER_BEGIN, fraction };
	return 0;
}

/* That time of the day on which `first_ns` lies, or of the next. */
static uint64_t on_day_of(uint64_t clock_ns, uint64_t first_ns, bool utc)
{
	time_t second = (time_t)(first_ns / NS_PER_S), begin;
	struct tm tm;
	uint64_t ns;

	if (utc)
		gmtime_r(&second, &tm);
	else
		localtime_r(&second, &tm);
	tm.tm_hour = (int)(clock_ns / NS_PER_S / 3600);
	tm.tm_min = (int)(clock_ns / NS_PER_S / 60 % 60);
	tm.tm_sec = (int)(clock_ns / NS_PER_S % 60);
	tm.tm_isdst = -1;
	begin = utc ? timegm(&tm) : mktime(&tm);
	ns = begin < 0 ? 0 : (uint64_t)begin * NS_PER_S + clock_ns % NS_PER_S;
	/* A recording that ran over midnight: half a day back is yesterday's evening, not this morning. */
	return ns + DAY_NS / 2 < first_ns ? ns + DAY_NS : ns;
}

uint64_t moment_resolve(const struct moment *m, uint64_t first_ns, uint64_t last_ns)
{
	switch (m->kind) {
	case MOMENT_TIME:
		return m->ns;
	case MOMENT_LOCAL_CLOCK:
	case MOMENT_UTC_CLOCK:
		return on_day_of(m->ns, first_ns, m->kind == MOMENT_UTC_CLOCK);
	case MOMENT_AFTER_BEGIN:
		return first_ns + m->ns;
	case MOMENT_BEFORE_END:
		return last_ns > m->ns ? last_ns - m->ns : 0;
	default:
		return 0;
	}
}
