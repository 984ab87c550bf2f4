/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8, decoded strictly and without the locale: what is written must not depend on the
 * environment.
 */
#ifndef NETTRACE_UTF8_H
#define NETTRACE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at `s` (n >= 1 bytes). Returns its length, 1 to 4, and sets *code; 0 when
 * the first byte begins no valid character: stray continuation, overlong form, surrogate, above
 * U+10FFFF, truncated.
 */
size_t utf8_decode(const char *s, size_t n, uint32_t *code);

/*
 * Does this character act on a terminal or hide instead of being seen? Controls (C0, DEL, C1), line
 * and paragraph separators, bidirectional controls, zero-width and other invisible format
 * characters.
 */
bool utf8_hidden(uint32_t code);

#endif
