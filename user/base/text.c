/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

#define TEXT_FIRST 256 /* bytes of the first allocation */

void text_done(struct text *t)
{
	if (!t)
		return;
	free(t->data);
	*t = (struct text){ 0 };
}

bool text_grow(struct text *t, size_t extra)
{
	size_t capacity = t->capacity ? t->capacity : TEXT_FIRST;
	char *data;

	if (t->failed || extra > SIZE_MAX / 4 || t->length > SIZE_MAX / 4) {
		t->failed = true;
		return false;
	}
	while (capacity - t->length < extra)
		capacity *= 2;
	data = realloc(t->data, capacity);
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->capacity = capacity;
	return true;
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list arguments;
	int length;

	/* vsnprintf writes a NUL after the text: it needs one byte more than it returns */
	if (!text_reserve(t, 64))
		return;
	va_start(arguments, format);
	length = vsnprintf(t->data + t->length, t->capacity - t->length, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if ((size_t)length >= t->capacity - t->length) {
		if (!text_reserve(t, (size_t)length + 1))
			return;
		va_start(arguments, format);
		length = vsnprintf(t->data + t->length, t->capacity - t->length, format, arguments);
		va_end(arguments);
		if (length < 0)
			return;
	}
	t->length += (size_t)length;
}

void text_address(struct text *t, unsigned int family, const uint8_t *address)
{
	char *p;

	if (!text_reserve(t, NUMBER_IPV6_MAX))
		return;
	p = t->data + t->length;
	p = family == 4 ? number_ipv4(p, address) : number_ipv6(p, address);
	t->length = (size_t)(p - t->data);
}

void text_endpoint(struct text *t, unsigned int family, const uint8_t *address, uint16_t port)
{
	if (family == 4) {
		text_address(t, family, address);
	} else {
		text_char(t, '[');
		text_address(t, family, address);
		text_char(t, ']');
	}
	text_char(t, ':');
	if (port)
		text_u64(t, port);
	else
		text_char(t, '*');
}

void text_pad(struct text *t, size_t from, size_t width)
{
	size_t columns;

	if (t->failed || from > t->length)
		return;
	columns = text_width(t->data + from, t->length - from);
	if (columns >= width || !text_reserve(t, width - columns))
		return;
	memset(t->data + t->length, ' ', width - columns);
	t->length += width - columns;
}
