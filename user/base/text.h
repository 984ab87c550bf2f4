/* SPDX-License-Identifier: BSD-2-Clause */
/* A growable text buffer, and how numbers, names and hostile strings are written into it. */
#ifndef NETTRACE_TEXT_H
#define NETTRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Owned: data. Once memory runs out `failed` is set and what is put afterwards is dropped. */
struct text {
	char *data;
	size_t length, capacity;
	bool failed;
};

void text_done(struct text *t);
/* Room for `extra` more bytes at data + length; false (and failed) when out of memory. */
bool text_grow(struct text *t, size_t extra);

static inline bool text_reserve(struct text *t, size_t extra)
{
	return t->capacity - t->length >= extra || text_grow(t, extra);
}

static inline void text_put(struct text *t, const void *bytes, size_t n)
{
	if (!n || !text_reserve(t, n))
		return;
	memcpy(t->data + t->length, bytes, n);
	t->length += n;
}

static inline void text_char(struct text *t, char c)
{
	text_put(t, &c, 1);
}

static inline void text_puts(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

void text_u64(struct text *t, uint64_t value);
void text_hex(struct text *t, uint64_t value); /* lower case, no prefix, no leading zeros */
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * For people: bytes as 512B 4.1KB 20MB 1.5GB (powers of 1000); times as 850us 12.3ms 4.1s 2m05s
 * 3h12m 2d04h.
 */
void text_bytes(struct text *t, uint64_t bytes);
void text_duration(struct text *t, uint64_t us);

/* 192.0.2.1 or 2001:db8::1, as inet_ntop writes it; family 4 or 6, network byte order. */
void text_address(struct text *t, unsigned int family, const uint8_t *address);
/* 192.0.2.1:80 or [2001:db8::1]:80; port 0 as '*'; an all-zero address as it is. */
void text_endpoint(struct text *t, unsigned int family, const uint8_t *address, uint16_t port);

/*
 * What somebody else controls, safe for a terminal: valid printable UTF-8 stays, control characters
 * (C0, DEL, C1), line separators and invalid bytes become \xNN, a backslash \\.
 */
void text_escaped(struct text *t, const char *s, size_t n);
/*
 * A JSON string with its quotes: always valid UTF-8 (an invalid byte becomes U+FFFD), controls as
 * \u00NN.
 */
void text_json_string(struct text *t, const char *s, size_t n);

/* Columns on a terminal that n bytes of UTF-8 take (wcwidth; for text already escaped). */
size_t text_width(const char *s, size_t n);
/* Pads with blanks so that the text put since byte `from` is at least `width` columns wide. */
void text_pad(struct text *t, size_t from, size_t width);

#endif
