/* SPDX-License-Identifier: BSD-2-Clause */
/* What people type on a command line: strict (the whole word counts) and safe against overflow. */
#ifndef NETTRACE_PARSE_H
#define NETTRACE_PARSE_H

#include <stddef.h>
#include <stdint.h>

/*
 * All return 0, -EINVAL (not of that form) or -ERANGE (of that form, out of range) and leave the
 * result untouched on error. No sign, no blanks, no hexadecimal.
 */

/* Decimal digits, minimum <= value <= maximum. */
int parse_count(const char *s, uint64_t minimum, uint64_t maximum, uint64_t *value);
/* 500ms, 2, 30s, 5m, 1h (a bare number is seconds); in ns. */
int parse_duration(const char *s, uint64_t *ns);
/* 4096, 64K, 8M, 1G: powers of 1024, either case; in bytes. */
int parse_size(const char *s, uint64_t *bytes);

/*
 * Walks a comma list: *list points at its rest and moves on. Returns 1 and copies the next word
 * into `word`, 0 at the end, -EINVAL for an empty word (also an empty list), -ERANGE for one that
 * does not fit.
 */
int parse_list_word(const char **list, char *word, size_t size);

/*
 * Edits (insert, delete, replace, swap of neighbours) between two words, case ignored; at most 64
 * bytes of each count.
 */
unsigned int parse_distance(const char *a, const char *b);

/*
 * The nearest of `count` words to one that was mistyped, or NULL when none is near: word(context,
 * i) gives the i-th, NULL to leave it out.
 */
const char *parse_nearest(const char *mistyped, size_t count,
			  const char *(*word)(void *context, size_t i), void *context);

#endif
