/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines, a word a line: taken, or refused in exactly one clean line with the code of a wrong usage. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS_MAX 64

/* In the place of base/report.c, so that what is said can be looked at. */
int report_verbose;
static unsigned int lines;

void report(const char *format, ...)
{
	char said[8192];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	lines++;
	if (length <= 0)
		abort();
	for (const unsigned char *c = (const unsigned char *)said; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			abort();
}

void report_debug(const char *format, ...)
{
	(void)format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[WORDS_MAX + 2] = { (char[]){ "nettrace" } },
	     *at = text;
	static struct options o;
	int argc = 1, code;

	memcpy(text, data, size);
	text[size] = '\0';
	lines = 0;
	while (at && argc <= WORDS_MAX)
		argv[argc++] = strsep(&at, "\n");
	code = options_parse(argc, argv, &o);
	if (code ? code != EXIT_USAGE || lines != 1 : lines != 0)
		abort();
	options_done(&o);
	free(text);
	return 0;
}
