/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NETTRACE_GLOB_H
#define NETTRACE_GLOB_H

#include <stdbool.h>

/*
 * Does the pattern fit the whole text? * any bytes, ? one byte, [abc] [a-z] [!abc] one of a set, \ takes the next byte
 * as it is; a [ that is not closed stands for itself. Bytes, no locale; at most length × length steps, whatever the
 * pattern. `fold`: the case of ASCII letters does not matter.
 */
bool glob_match(const char *pattern, const char *text, bool fold);

#endif
