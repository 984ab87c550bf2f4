/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

#include <wchar.h>

#include "base/text.h"

/*
 * RFC 3629, table in section 4: the second byte's range excludes overlong forms, surrogates and
 * what is too large.
 */
size_t utf8_decode(const char *string, size_t n, uint32_t *code)
{
	const unsigned char *s = (const unsigned char *)string;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;
	uint32_t c;

	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	if (s[0] < 0xe0) {
		length = 2;
		c = s[0] & 0x1f;
	} else if (s[0] < 0xf0) {
		length = 3;
		c = s[0] & 0x0f;
		if (s[0] == 0xe0)
			low = 0xa0;
		if (s[0] == 0xed)
			high = 0x9f;
	} else {
		length = 4;
		c = s[0] & 0x07;
		if (s[0] == 0xf0)
			low = 0x90;
		if (s[0] == 0xf4)
			high = 0x8f;
	}
	if (n < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
		c = c << 6 | (s[i] & 0x3f);
	}
	*code = c;
	return length;
}

bool utf8_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0000, 0x001f }, /* C0 */
		{ 0x007f, 0x009f }, /* DEL, C1 */
		{ 0x00ad, 0x00ad }, /* soft hyphen */
		{ 0x061c, 0x061c }, /* Arabic letter mark */
		{ 0x115f, 0x1160 }, /* Hangul fillers: blank */
		{ 0x180e, 0x180e }, /* Mongolian vowel separator */
		{ 0x200b,
		  0x200f }, /* zero-width blank, joiners, left-to-right and right-to-left marks */
		{ 0x2028, 0x202e },   /* line separators, bidirectional embeddings and overrides */
		{ 0x2060, 0x206f },   /* word joiner, invisible operators, bidirectional isolates */
		{ 0x3164, 0x3164 },   /* Hangul filler */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff0, 0xfffb },   /* interlinear annotations */
		{ 0xe0000, 0xe007f }, /* tags */
	};

	if (c >= 0x20 && c < 0x7f)
		return false;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	/* noncharacters: U+FDD0 to U+FDEF and the last two of each plane */
	return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

/*
 * Bytes from the start that need no second look: printable ASCII but for the quote and the
 * backslash.
 */
static size_t plain_prefix(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x7f && s[i] != '"' &&
	       s[i] != '\\')
		i++;
	return i;
}

static void put_hex_bytes(struct text *t, const char *s, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)s[i];
		char escape[4] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };

		text_put(t, escape, sizeof(escape));
	}
}

void text_escaped(struct text *t, const char *s, size_t n)
{
	while (n) {
		size_t length = plain_prefix(s, n);
		uint32_t code;

		if (length) {
			text_put(t, s, length);
		} else if (*s == '\\') {
			text_put(t, "\\\\", 2);
			length = 1;
		} else {
			length = utf8_decode(s, n, &code);
			if (length && !utf8_hidden(code)) {
				text_put(t, s, length);
			} else {
				length = length ? length : 1;
				put_hex_bytes(t, s, length);
			}
		}
		s += length;
		n -= length;
	}
}

static void put_json_unit(struct text *t, unsigned int unit) /* a UTF-16 code unit */
{
	static const char digits[] = "0123456789abcdef";
	char escape[6] = { '\\',
			   'u',
			   digits[unit >> 12 & 15],
			   digits[unit >> 8 & 15],
			   digits[unit >> 4 & 15],
			   digits[unit & 15] };

	text_put(t, escape, sizeof(escape));
}

/*
 * Hidden characters are legal in JSON for the most part, but `nettrace --json` on a terminal must
 * be as harmless as text.
 */
static void put_json_code(struct text *t, uint32_t code)
{
	if (code > 0xffff) {
		put_json_unit(t, 0xd800 + ((code - 0x10000) >> 10));
		put_json_unit(t, 0xdc00 + ((code - 0x10000) & 0x3ff));
	} else {
		put_json_unit(t, code);
	}
}

void text_json_string(struct text *t, const char *s, size_t n)
{
	text_char(t, '"');
	while (n) {
		size_t length = plain_prefix(s, n);
		uint32_t code;

		if (length) {
			text_put(t, s, length);
		} else if (*s == '"' || *s == '\\') {
			text_char(t, '\\');
			text_char(t, *s);
			length = 1;
		} else {
			length = utf8_decode(s, n, &code);
			if (!length) {
				text_put(t, "\xef\xbf\xbd", 3);
				length = 1;
			} else if (utf8_hidden(code)) {
				put_json_code(t, code);
			} else {
				text_put(t, s, length);
			}
		}
		s += length;
		n -= length;
	}
	text_char(t, '"');
}

size_t text_width(const char *s, size_t n)
{
	size_t width = 0;

	while (n) {
		uint32_t code;
		size_t length = utf8_decode(s, n, &code);
		int columns = length > 1 ? wcwidth((wchar_t)code) : 1;

		/* unknown to this locale or C library: one column is the likeliest */
		width += columns < 0 ? 1 : (size_t)columns;
		length = length ? length : 1;
		s += length;
		n -= length;
	}
	return width;
}
