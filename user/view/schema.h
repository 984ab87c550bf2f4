/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NETTRACE_SCHEMA_H
#define NETTRACE_SCHEMA_H

#include <stdio.h>

/*
 * The JSON Schema (2020-12) of a line that --json writes, made from the field table. 0 or -errno of
 * writing.
 */
int schema_write(FILE *out);

#endif
