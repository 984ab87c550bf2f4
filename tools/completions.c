/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completions for a shell, from the table of options and the words of the filter: `completions bash|zsh|fish`. Linked
 * with nettrace's own objects at build time; not installed.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/filter_private.h"
#include "options_table.h"

#define FIRST_KEY_WITHOUT_LETTER 256

static const char *const grammar[] = { "and", "or", "not", "exclude" };

static bool has_letter(const struct argp_option *o)
{
	return o->key < FIRST_KEY_WITHOUT_LETTER;
}

static bool takes_list(const struct argp_option *o)
{
	return o->arg && strstr(o->arg, "[,...]");
}

/* Up to a stop or a semicolon that ends its first sentence. */
static int short_doc(const struct argp_option *o)
{
	return (int)strcspn(o->doc, ";");
}

static void put_values(const struct argp_option *o)
{
	for (size_t i = 0; option_value(o->key, i); i++)
		printf("%s%s", i ? " " : "", option_value(o->key, i));
}

static void put_filter_words(void)
{
	for (size_t i = 0; i < filter_field_count; i++)
		printf("%s ", filter_fields[i].name);
	for (size_t i = 0; i < sizeof(grammar) / sizeof(grammar[0]); i++)
		printf("%s%s", i ? " " : "", grammar[i]);
}

#define FOR_EACH_OPTION(o)                                                       \
	for (const struct argp_option *o = option_table; o->name || o->doc; o++) \
		if (o->name)

/* --- bash --- */

static void put_case(const struct argp_option *o)
{
	bool listed = option_value(o->key, 0);

	printf("\t");
	if (has_letter(o))
		printf("-%c|", o->key);
	printf("--%s)\n\t\t", o->name);
	if (listed && takes_list(o)) {
		printf("_nettrace_list '");
		put_values(o);
		printf("'");
	} else if (listed) {
		printf("COMPREPLY=($(compgen -W '");
		put_values(o);
		printf("' -- \"$cur\"))");
	} else if (!strcmp(o->arg, "FILE")) {
		printf("compopt -o filenames\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))");
	} else if (!strncmp(o->arg, "USER", 4)) {
		printf("_nettrace_list \"$(compgen -u)\"");
	} else if (!strncmp(o->arg, "PID", 3)) {
		printf("_nettrace_list \"$(cd /proc && echo [0-9]*)\"");
	} else {
		printf("COMPREPLY=()");
	}
	printf("\n\t\treturn ;;\n");
}

static void bash(void)
{
	puts("# bash completion for nettrace, made from its table of options");
	puts("\n# The last of several values with commas between.\n_nettrace_list()\n{");
	puts("\tlocal before=\n\t[[ $cur == *,* ]] && before=${cur%,*},");
	puts("\tCOMPREPLY=($(compgen -P \"$before\" -W \"$1\" -- \"${cur##*,}\"))\n}");
	puts("\n_nettrace()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}");
	puts("\t# bash takes --by=process for three words");
	puts("\tif [[ $cur == = ]]; then\n\t\tcur=\n\telif [[ $prev == = && COMP_CWORD -gt 1 ]]; then");
	puts("\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n\tcase $prev in");
	FOR_EACH_OPTION(o)
	{
		if (o->arg && strcmp(o->arg, "FILTER") != 0)
			put_case(o);
	}
	printf("\tesac\n\tif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W '");
	FOR_EACH_OPTION(o)
	{
		printf("--%s ", o->name);
		if (has_letter(o))
			printf("-%c ", o->key);
	}
	printf("' -- \"$cur\"))\n\telse\n\t\tCOMPREPLY=($(compgen -W '");
	put_filter_words();
	puts("' -- \"$cur\"))\n\tfi\n}\n\ncomplete -F _nettrace nettrace");
}

/* --- zsh --- */

static void put_zsh_argument(const struct argp_option *o)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(o->arg, "["), o->arg);
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	printf(":%s:", name);
	if (option_value(o->key, 0) && takes_list(o)) {
		printf("_values -s , %s ", name);
		put_values(o);
	} else if (option_value(o->key, 0)) {
		printf("(");
		put_values(o);
		printf(")");
	} else if (!strcmp(o->arg, "FILE")) {
		printf("_files");
	} else if (!strncmp(o->arg, "USER", 4)) {
		printf("_users");
	} else if (!strncmp(o->arg, "PID", 3)) {
		printf("_pids");
	} else {
		printf(" ");
	}
}

/* Within '…[…]': brackets, colons and quotes are zsh's. */
static void put_zsh_doc(const struct argp_option *o)
{
	putchar('[');
	for (int i = 0; i < short_doc(o); i++) {
		if (o->doc[i] == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", o->doc[i]))
			printf("\\%c", o->doc[i]);
		else
			putchar(o->doc[i]);
	}
	putchar(']');
}

static void zsh(void)
{
	puts("#compdef nettrace\n# zsh completion for nettrace, made from its table of options\n");
	puts("_arguments -s \\");
	FOR_EACH_OPTION(o)
	{
		const char *repeat = takes_list(o) ? "*" : "";

		if (has_letter(o))
			printf("\t%s{-%c,--%s%s}'", takes_list(o) ? "'*'" : "", o->key, o->name,
			       o->arg ? "=" : "");
		else
			printf("\t'%s--%s%s", repeat, o->name, o->arg ? "=" : "");
		put_zsh_doc(o);
		if (o->arg)
			put_zsh_argument(o);
		puts("' \\");
	}
	printf("\t'*:filter:(");
	put_filter_words();
	puts(")'");
}

/* --- fish --- */

static void put_fish_values(const struct argp_option *o)
{
	if (option_value(o->key, 0) && takes_list(o)) {
		printf(" -x -a '(__fish_complete_list , \"printf \\%%s\\\\n ");
		put_values(o);
		printf("\")'");
	} else if (option_value(o->key, 0)) {
		printf(" -x -a '");
		put_values(o);
		printf("'");
	} else if (!strcmp(o->arg, "FILE")) {
		printf(" -r -F");
	} else if (!strncmp(o->arg, "USER", 4)) {
		printf(" -x -a '(__fish_complete_users)'");
	} else if (!strncmp(o->arg, "PID", 3)) {
		printf(" -x -a '(__fish_complete_pids)'");
	} else {
		printf(" -x");
	}
}

static void fish(void)
{
	puts("# fish completion for nettrace, made from its table of options\n");
	printf("complete -c nettrace -f -a '");
	put_filter_words();
	puts("'");
	FOR_EACH_OPTION(o)
	{
		printf("complete -c nettrace -l %s", o->name);
		if (has_letter(o))
			printf(" -s %c", o->key);
		if (o->arg)
			put_fish_values(o);
		printf(" -d '");
		for (int i = 0; i < short_doc(o); i++)
			printf(strchr("'\\", o->doc[i]) ? "\\%c" : "%c", o->doc[i]);
		puts("'");
	}
}

int main(int argc, char **argv)
{
	const char *shell = argc == 2 ? argv[1] : "";

	if (!strcmp(shell, "bash")) {
		bash();
	} else if (!strcmp(shell, "zsh")) {
		zsh();
	} else if (!strcmp(shell, "fish")) {
		fish();
	} else {
		fprintf(stderr, "usage: completions bash|zsh|fish\n");
		return 2;
	}
	if (fflush(stdout) || ferror(stdout)) {
		perror("completions");
		return 1;
	}
	return 0;
}
