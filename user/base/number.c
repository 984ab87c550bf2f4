/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/number.h"

#include <string.h>

#include "base/text.h"

/* "00" to "99": two digits for one division. */
static const char pairs[201] = "00010203040506070809101112131415161718192021222324"
			       "25262728293031323334353637383940414243444546474849"
			       "50515253545556575859606162636465666768697071727374"
			       "75767778798081828384858687888990919293949596979899";

static inline void put_pair(char *p, unsigned int value)
{
	memcpy(p, pairs + 2 * value, 2);
}

static inline char *put_small(char *p, unsigned int value) /* < 100 */
{
	if (value < 10) {
		*p = (char)('0' + value);
		return p + 1;
	}
	put_pair(p, value);
	return p + 2;
}

static inline void put_8digits(char *p, uint32_t value)
{
	uint32_t high = value / 10000, low = value % 10000;

	put_pair(p, high / 100);
	put_pair(p + 2, high % 100);
	put_pair(p + 4, low / 100);
	put_pair(p + 6, low % 100);
}

/* value < 100000000 */
static inline char *put_u32_short(char *p, uint32_t value)
{
	if (value < 100)
		return put_small(p, value);
	if (value < 10000) {
		p = put_small(p, value / 100);
		put_pair(p, value % 100);
		return p + 2;
	}
	if (value < 1000000) {
		p = put_small(p, value / 10000);
	} else {
		p = put_small(p, value / 1000000);
		put_pair(p, value / 10000 % 100);
		p += 2;
	}
	put_pair(p, value / 100 % 100);
	put_pair(p + 2, value % 100);
	return p + 4;
}

char *number_u64(char *p, uint64_t value)
{
	const uint64_t block = 100000000;

	if (value < block)
		return put_u32_short(p, (uint32_t)value);
	if (value >= block * block) {
		p = put_u32_short(p, (uint32_t)(value / (block * block)));
		value %= block * block;
		put_8digits(p, (uint32_t)(value / block));
		p += 8;
	} else {
		p = put_u32_short(p, (uint32_t)(value / block));
	}
	put_8digits(p, (uint32_t)(value % block));
	return p + 8;
}

char *number_hex(char *p, uint64_t value)
{
	int digits = value ? (67 - __builtin_clzll(value)) / 4 : 1;

	for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[value >> shift & 15];
	return p;
}

char *number_9digits(char *p, uint32_t value)
{
	*p = (char)('0' + value / 100000000);
	put_8digits(p + 1, value % 100000000);
	return p + 9;
}

char *number_ipv4(char *p, const uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		unsigned int octet = address[i];

		if (octet >= 100) {
			*p++ = (char)('0' + octet / 100);
			put_pair(p, octet % 100);
			p += 2;
		} else {
			p = put_small(p, octet);
		}
		*p++ = '.';
	}
	return p - 1;
}

/* The first of the longest runs of two or more zero groups: what "::" stands for. */
static int longest_zero_run(const unsigned int *groups, int *length)
{
	int best = -1;

	*length = 1;
	for (int i = 0; i < 8; i++) {
		int begin = i;

		while (i < 8 && !groups[i])
			i++;
		if (i - begin > *length) {
			best = begin;
			*length = i - begin;
		}
	}
	return best;
}

char *number_ipv6(char *p, const uint8_t *address)
{
	unsigned int groups[8];
	int run, length;

	for (int i = 0; i < 8; i++)
		groups[i] = (unsigned int)address[2 * i] << 8 | address[2 * i + 1];
	run = longest_zero_run(groups, &length);
	for (int i = 0; i < 8; i++) {
		if (i == run) {
			*p++ = ':';
			i += length - 1;
			if (i == 7)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		/* ::192.0.2.1 and ::ffff:192.0.2.1 */
		if (i == 6 && run == 0 && (length == 6 || (length == 5 && groups[5] == 0xffff)))
			return number_ipv4(p, address + 12);
		p = number_hex(p, groups[i]);
	}
	return p;
}

void text_u64(struct text *t, uint64_t value)
{
	if (text_reserve(t, NUMBER_U64_MAX))
		t->length = (size_t)(number_u64(t->data + t->length, value) - t->data);
}

void text_hex(struct text *t, uint64_t value)
{
	if (text_reserve(t, NUMBER_HEX_MAX))
		t->length = (size_t)(number_hex(t->data + t->length, value) - t->data);
}

/*
 * value/unit with one decimal below 100 (4.1, 20, 20.4) and none above; `tenths` is the rounded
 * value.
 */
static void put_tenths(struct text *t, uint64_t tenths)
{
	text_u64(t, tenths / 10);
	if (tenths < 1000 && tenths % 10) {
		text_char(t, '.');
		text_char(t, (char)('0' + tenths % 10));
	}
}

/*
 * Rounded to what put_tenths shows: tenths below 100, whole ones above. Divides first: no overflow.
 */
static uint64_t round_tenths(uint64_t value, uint64_t unit)
{
	uint64_t whole = value / unit, rest = value % unit;
	uint64_t tenths = whole * 10 + (rest + unit / 20) / (unit / 10);

	return tenths < 1000 ? tenths : (whole + (rest >= unit / 2)) * 10;
}

void text_bytes(struct text *t, uint64_t bytes)
{
	static const char prefixes[] = "KMGTPE";
	uint64_t unit = 1000;
	size_t i = 0;

	if (bytes < 1000) {
		text_u64(t, bytes);
		text_char(t, 'B');
		return;
	}
	/* 999.6 of one unit is 1 of the next */
	while (i + 2 < sizeof(prefixes) && round_tenths(bytes, unit) >= 10000) {
		unit *= 1000;
		i++;
	}
	put_tenths(t, round_tenths(bytes, unit));
	text_char(t, prefixes[i]);
	text_char(t, 'B');
}

/* 2m05s, 3h12m, 2d04h: the smaller unit always has two digits, so columns compare at a glance. */
static void put_two_units(struct text *t, uint64_t large, char large_unit, uint64_t small,
			  char small_unit)
{
	text_u64(t, large);
	text_char(t, large_unit);
	text_char(t, (char)('0' + small / 10));
	text_char(t, (char)('0' + small % 10));
	text_char(t, small_unit);
}

void text_duration(struct text *t, uint64_t us)
{
	uint64_t seconds = us / 1000000;

	if (us < 1000) {
		text_u64(t, us);
		text_puts(t, "us");
	} else if (round_tenths(us, 1000) < 10000) {
		put_tenths(t, round_tenths(us, 1000));
		text_puts(t, "ms");
	} else if (round_tenths(us, 1000000) < 600) {
		put_tenths(t, round_tenths(us, 1000000));
		text_char(t, 's');
	} else {
		if (seconds < 60) /* 59.96s */
			seconds = 60;
		if (seconds < 3600)
			put_two_units(t, seconds / 60, 'm', seconds % 60, 's');
		else if (seconds < 86400)
			put_two_units(t, seconds / 3600, 'h', seconds / 60 % 60, 'm');
		else
			put_two_units(t, seconds / 86400, 'd', seconds / 3600 % 24, 'h');
	}
}
