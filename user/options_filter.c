/* SPDX-License-Identifier: BSD-2-Clause */
/* The last words of the command line, joined to the text of a filter. */
#include "options_table.h"

#include "base/report.h"
#include "base/text.h"
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_operator(const char *word)
{
	static const char *const operators[] = { "=", "==", "!=", "~", "!~", "eq", "ne", "neq" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strcasecmp(word, operators[i]))
			return true;
	return false;
}

/*
 * The shell took the quotes of `comm = 'my program'`: behind an operator a word with blanks is one value. Elsewhere it is a
 * part of the filter that was quoted for its parentheses.
 */
static bool lost_its_quotes(const char *before, const char *word)
{
	return before && is_operator(before) && strpbrk(word, " \t") && !strpbrk(word, "'\"");
}

/* The shell makes a home directory of a ~ that stands alone: between a field and its pattern it is the operator. */
static bool was_tilde(const char *before, const char *word, const char *after)
{
	const char *home = getenv("HOME");

	return home && before && after && !strcmp(word, home) && !is_operator(before) &&
	       strcasecmp(after, "and") && strcasecmp(after, "or") && strcasecmp(after, "not");
}

static const char *as_typed(char *const *words, unsigned int count, unsigned int i)
{
	const char *before = i ? words[i - 1] : NULL, *after = i + 1 < count ? words[i + 1] : NULL;

	return was_tilde(before, words[i], after) ? "~" : words[i];
}

static void join(struct text *t, char *const *words, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		const char *word = as_typed(words, count, i);
		bool quote = lost_its_quotes(i ? as_typed(words, count, i - 1) : NULL, word);

		if (i)
			text_char(t, ' ');
		if (quote)
			text_char(t, '\'');
		text_puts(t, word);
		if (quote)
			text_char(t, '\'');
	}
	text_char(t, '\0');
}

int option_filter(char *const *words, unsigned int count, struct filter **f)
{
	struct filter_error error;
	struct text t = { 0 };
	int err;

	join(&t, words, count);
	err = t.failed ? -ENOMEM : filter_parse(t.data, &names_of_system, f, &error);
	text_done(&t);
	if (err == -ENOMEM) {
		report("out of memory");
		return EXIT_FAILED;
	}
	if (!err)
		return 0;
	report("filter: column %u: %s", error.column, error.message);
	return EXIT_USAGE;
}
