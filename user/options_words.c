/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line before argp: getopt can't say in one line what is wrong and which word was
 * meant, and it can't know that the `p` of -tulpn has no argument. So each word is looked at here
 * first.
 */
#include "options_table.h"

#include "base/parse.h"
#include "base/report.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Known to the manual of a later version: refused in plain words, not as a typing error. */
static const struct {
	const char *name;
	char letter;
	const char *what;
} later[] = {
	{ "route", 'r', "the routing table" },	      { "interfaces", 'i', "the interface table" },
	{ "statistics", 's', "protocol statistics" }, { "neighbors", 0, "the neighbour cache" },
	{ "resolve", 0, "name resolution" },	      { "report", 0, "the HTML report" },
};

int usage_error(const char *what, const char *word, const char *format, ...)
{
	struct text line = { 0 };
	va_list arguments;
	char rest[512];

	va_start(arguments, format);
	vsnprintf(rest, sizeof(rest), format, arguments);
	va_end(arguments);

	text_puts(&line, what);
	if (word) {
		size_t length = strnlen(word, 64);

		text_puts(&line, " '");
		text_escaped(&line, word, length);
		text_puts(&line, word[length] ? "...'" : "'");
	}
	text_puts(&line, rest);
	text_char(&line, '\0');
	report("%s; try 'nettrace --help'", line.failed ? what : line.data);
	text_done(&line);
	return EXIT_USAGE;
}

static const struct argp_option *find_letter(char letter)
{
	for (const struct argp_option *o = option_table; o->name || o->key || o->doc; o++) {
		if (o->key && o->key == (unsigned char)letter)
			return o;
	}
	return NULL;
}

static const char *long_name(void *context, size_t i)
{
	(void)context;
	return option_table[i].name;
}

static int unknown_long(const char *word)
{
	size_t count = 0;
	char name[64];
	const char *nearest;

	while (option_table[count].name || option_table[count].key || option_table[count].doc)
		count++;
	/* Only the name, without =VALUE, is compared. */
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	nearest = parse_nearest(name, count, long_name, NULL);
	if (nearest)
		return usage_error("unknown option", word, "; did you mean '--%s'?", nearest);
	return usage_error("unknown option", word, "%s", "");
}

/* As getopt_long does: the exact name, or a beginning that only one has. */
static int find_long(const char *word, const struct argp_option **found)
{
	size_t length = strcspn(word + 2, "=");
	const struct argp_option *only = NULL, *other = NULL;

	for (const struct argp_option *o = option_table; o->name || o->key || o->doc; o++) {
		if (!o->name || strncmp(o->name, word + 2, length))
			continue;
		if (!o->name[length]) {
			*found = o;
			return 0;
		}
		other = only;
		only = o;
	}
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (strlen(later[i].name) == length && !strncmp(later[i].name, word + 2, length))
			return usage_error("--", NULL, "%s (%s) is not supported yet",
					   later[i].name, later[i].what);
	}
	if (!only || !length)
		return unknown_long(word);
	if (other)
		return usage_error("option", word, " is ambiguous: --%s or --%s?", other->name,
				   only->name);
	*found = only;
	return 0;
}

static int check_letter(char letter)
{
	char word[] = { '-', letter, '\0' };

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (later[i].letter && later[i].letter == letter)
			return usage_error(word, NULL, " (%s) is not supported yet", later[i].what);
	}
	return find_letter(letter) ? 0 : usage_error("unknown option", word, "%s", "");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int note_mode(struct option_words *w, int key)
{
	w->help |= key == 'h';
	w->version |= key == 'V';
	return w->help || w->version;
}

/*
 * One cluster of short options, e.g. -tulpn or -c5. `next` is the word after it or NULL;
 * *takes_next is set where that is the argument of the last letter. What argp shall see is put into
 * `out`, as long as the word itself.
 */
static int scan_cluster(struct option_words *w, const char *word, const char *next, char *out,
			bool *takes_next)
{
	size_t n = 0;

	out[n++] = '-';
	for (const char *p = word + 1; *p; p++) {
		const struct argp_option *o;
		int err = check_letter(*p);

		if (err)
			return err;
		if (*p == 'p' && !is_digit(p[1]) && !(!p[1] && next && is_digit(next[0])))
			continue;
		out[n++] = *p;
		if (note_mode(w, *p))
			break;
		o = find_letter(*p);
		if (!o->arg)
			continue;
		if (p[1]) {
			strcpy(out + n, p + 1);
			return 0;
		}
		if (!next)
			return usage_error("option", word, " needs an argument: %s", o->arg);
		*takes_next = true;
	}
	out[n] = '\0';
	return 0;
}

static int scan_long(struct option_words *w, const char *word, const char *next, bool *takes_next)
{
	const struct argp_option *o = NULL;
	bool has_value = strchr(word, '=');
	int err = find_long(word, &o);

	if (err || !o)
		return err;
	if (!o->arg && has_value)
		return usage_error("option", word, " takes no argument");
	if (note_mode(w, o->key) || !o->arg || has_value)
		return 0;
	if (!next)
		return usage_error("option", word, " needs an argument: %s", o->arg);
	*takes_next = true;
	return 0;
}

/* A word behind --replay FILE that is a file, as the shell makes them of a pattern: --replay x*.zst. */
static bool is_another_file(const char *word)
{
	struct stat status;

	return word[0] != '-' && !stat(word, &status) && S_ISREG(status.st_mode);
}

static bool begins_files(const char *word)
{
	static const char name[] = "--replay";

	return !strncmp(word, name, sizeof(name) - 1) &&
	       (!word[sizeof(name) - 1] || word[sizeof(name) - 1] == '=');
}

static int scan_word(struct option_words *w, char *word, const char *next, bool *takes_next)
{
	char *rewritten;
	int err;

	if (word[0] != '-' || !word[1]) {
		w->argv[w->argc++] = word;
		return 0;
	}
	if (word[1] == '-') {
		err = scan_long(w, word, next, takes_next);
		w->argv[w->argc++] = word;
		return err;
	}
	rewritten = malloc(strlen(word) + 1);
	if (!rewritten) {
		report("out of memory");
		return EXIT_FAILED;
	}
	w->rewritten[w->rewritten_count++] = rewritten;
	err = scan_cluster(w, word, next, rewritten, takes_next);
	/* A lone -p leaves nothing. */
	if (!err && rewritten[1])
		w->argv[w->argc++] = rewritten;
	return err;
}

int option_words_init(struct option_words *w, int argc, char **argv)
{
	static char another[] = "--replay";
	int err = 0, i;

	*w = (struct option_words){ 0 };
	/* twice as many: each file that follows --replay gets one of its own */
	w->argv = calloc(2 * (size_t)argc + 2, sizeof(*w->argv));
	w->rewritten = calloc((size_t)argc + 1, sizeof(*w->rewritten));
	if (!w->argv || !w->rewritten) {
		option_words_done(w);
		report("out of memory");
		return EXIT_FAILED;
	}
	w->argv[w->argc++] = "nettrace";
	for (i = 1; i < argc && !err && !w->help && !w->version; i++) {
		const char *word = argv[i];
		bool takes_next = false;

		if (!strcmp(argv[i], "--"))
			break;
		err = scan_word(w, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &takes_next);
		if (!err && takes_next)
			w->argv[w->argc++] = argv[++i];
		if (!err && begins_files(word))
			while (i + 1 < argc && is_another_file(argv[i + 1])) {
				w->argv[w->argc++] = another;
				w->argv[w->argc++] = argv[++i];
			}
	}
	for (; i < argc; i++)
		w->argv[w->argc++] = argv[i];
	if (err)
		option_words_done(w);
	return err;
}

void option_words_done(struct option_words *w)
{
	for (size_t i = 0; w->rewritten && i < w->rewritten_count; i++)
		free(w->rewritten[i]);
	free(w->rewritten);
	free(w->argv);
	*w = (struct option_words){ 0 };
}
