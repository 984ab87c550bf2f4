/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the command line share: the table of options, the words before argp sees them,
 * one-line errors.
 */
#ifndef NETTRACE_OPTIONS_TABLE_H
#define NETTRACE_OPTIONS_TABLE_H

#include "model/filter.h"
#include "model/selection.h"
#include "options.h"

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/* Keys of the options without a letter; the others are their letter. */
enum option_key {
	OPTION_TOP = 256,
	OPTION_LIST,
	OPTION_COMM,
	OPTION_UID,
	OPTION_LPORT,
	OPTION_RPORT,
	OPTION_STATE,
	OPTION_STATES,
	OPTION_EVENTS,
	OPTION_FOR,
	OPTION_BY,
	OPTION_SORT,
	OPTION_ROWS,
	OPTION_CHART,
	OPTION_COLOR,
	OPTION_REPLAY,
	OPTION_FROM,
	OPTION_TO,
	OPTION_SPEED,
	OPTION_RECORD,
	OPTION_RECORD_SIZE,
	OPTION_RECORD_FILES,
	OPTION_FORCE,
	OPTION_FLIGHT,
	OPTION_FLIGHT_SIZE,
	OPTION_TRIGGER,
	OPTION_SCHEMA,
	OPTION_EXPLAIN,
	OPTION_FOLLOW,
	OPTION_CGROUP,
	OPTION_CONTAINER,
	OPTION_STRICT,
	OPTION_BUFFER,
	OPTION_MAX_CONNECTIONS,
	OPTION_RUNG,
	OPTION_BTF,
	OPTION_CHECK,
	OPTION_NETNS,
	OPTION_CSV,
	OPTION_KEY_END
};

/* Ends with an all-zero entry; entries without name and key are headings of --help. */
extern const struct argp_option option_table[];

/*
 * Reports "WHAT 'WORD' REST; try 'nettrace --help'" in one line, the word escaped (NULL: none).
 * Returns EXIT_USAGE.
 */
int usage_error(const char *what, const char *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The words that argp gets: short clusters without the `p` that only says "show the process"
 * (-tulpn), every option checked to be a known one with its argument. Owned: argv and rewritten.
 */
struct option_words {
	int argc;
	char **argv; /* the strings are the caller's or in `rewritten` */
	char **rewritten;
	size_t rewritten_count;
	bool help, version; /* asked for before anything wrong: the rest is not looked at */
};

/* 0, or EXIT_USAGE after having reported. */
int option_words_init(struct option_words *w, int argc, char **argv);
void option_words_done(struct option_words *w);

/*
 * Values of options; `option` is its name for messages. 0, or EXIT_USAGE after having reported.
 * Lists add up.
 */
int option_pids(const char *arg, struct u32_list *list);
int option_ports(const char *option, const char *arg, struct u32_list *list);
int option_users(const char *arg, struct u32_list *list);
int option_states(const char *arg, uint32_t *states);
int option_networks(const char *arg, struct u32_list *list);
int option_events(const char *arg, uint32_t *events);
const char *option_event_word(size_t i); /* the i-th event of a stream, or NULL */
int option_number(const char *option, const char *arg, uint64_t minimum, uint64_t maximum,
		  uint64_t *value);
int option_size(const char *option, const char *arg, uint64_t minimum, uint64_t maximum,
		uint64_t *bytes);
int option_duration(const char *option, const char *arg, uint64_t minimum_ns, uint64_t *ns);
/* The i-th of the words that this option takes as its value, NULL behind the last one, or where there is no such list. */
const char *option_value(int key, size_t i);
/* The words are FILTER. *f is NULL where they are blank, and untouched on error. */
int option_filter(char *const *words, unsigned int count, struct filter **f);
/* The options of recordings. 0, or EXIT_USAGE after having reported. */
int option_of_files(struct options *o, int key, const char *arg);
/* What they say together, once the mode is known; `seen` is by key. */
int settle_files(struct options *o, const bool *seen);
/*
 * One of `count` names: its index in *chosen. `what` and `title` name them: "sort key", "Sort
 * keys".
 */
int option_choice(const char *what, const char *title, const char *arg, size_t count,
		  const char *(*name)(void *context, size_t i), int *chosen);

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER, COLOR_COUNT };

/* Takes the value of an option that has one; *color: enum color_when. 0 or an exit code, reported. */
int option_take(struct options *o, int *color, int key, const char *arg);

#endif
