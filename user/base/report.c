/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

#define MESSAGE_MAX 1024 /* bytes of a message before escaping; the rest is cut */

int report_verbose;

/*
 * One write, so that lines of several writers do not mix. Works without memory to spare: the line
 * lives on the stack, and has room for a message of which each byte is escaped. The whole message
 * is escaped, so callers hand over names as they are.
 */
static void write_line(const char *format, va_list arguments)
{
	char message[MESSAGE_MAX], bytes[4 * MESSAGE_MAX + 16];
	struct text line = { .data = bytes, .capacity = sizeof(bytes) };
	int saved = errno;
	int length = vsnprintf(message, sizeof(message), format, arguments);

	if (length < 0)
		length = 0;
	if (length >= MESSAGE_MAX)
		length = MESSAGE_MAX - 1;
	text_puts(&line, "nettrace: ");
	text_escaped(&line, message, (size_t)length);
	text_char(&line, '\n');
	while (write(STDERR_FILENO, line.data, line.length) < 0 && errno == EINTR)
		;
	errno = saved;
}

void report(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(format, arguments);
	va_end(arguments);
}

void report_debug(const char *format, ...)
{
	va_list arguments;

	if (!report_verbose)
		return;
	va_start(arguments, format);
	write_line(format, arguments);
	va_end(arguments);
}
