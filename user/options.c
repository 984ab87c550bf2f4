/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include "base/report.h"
#include "options_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS_NS 1000000ULL
#define INTERVAL_MIN_NS (100 * MS_NS)
#define BUFFER_DEFAULT (8ULL << 20)
#define CONNECTIONS_DEFAULT 1000000
#define TABLE_WORDS 2 /* INTERVAL and COUNT */

/* What argp collects besides *o. */
struct parse {
	struct options *o;
	bool seen[OPTION_KEY_END];
	int color;
	char **words; /* owned: those that belong to no option; the strings are argv's */
	unsigned int word_count;
	int error; /* EXIT_USAGE once something was reported */
};

/* Options without a value; false when `key` is none of them. */
static bool take_flag(struct options *o, int key)
{
	switch (key) {
	case OPTION_TOP:
	case OPTION_LIST:
	case OPTION_SCHEMA:
	case OPTION_CHECK:
	case OPTION_EXPLAIN:
	case OPTION_FOLLOW:
	case OPTION_FORCE:
	case 'a':
	case 'l': /* these make the mode, together: settle_mode */
		return true;
	case 't':
		return o->selection.tcp = true;
	case 'u':
		return o->selection.udp = true;
	case 'w':
		return o->selection.raw = true;
	case 'x':
		return o->selection.unix_sockets = true;
	case '4':
		return o->selection.ipv4 = true;
	case '6':
		return o->selection.ipv6 = true;
	case OPTION_STATES:
		return o->states = true;
	case 'b':
		return o->view.batch = true;
	case OPTION_CHART:
		return o->view.chart = true;
	case 'n':
		return o->view.numeric = true;
	case 'e':
		return o->view.extended = true;
	case 'j':
		return o->view.json = true;
	case 'o':
		return o->view.timers = true;
	case OPTION_CSV:
		return o->view.csv = true;
	case 'H':
		return o->view.no_header = true;
	case OPTION_STRICT:
		return o->strict = true;
	case 'v':
		return o->verbose = true;
	default:
		return false;
	}
}

static error_t take_option(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;

	if (key == ARGP_KEY_ARG) {
		p->words[p->word_count++] = arg;
		return 0;
	}
	if (key <= 0 || key >= OPTION_KEY_END)
		return ARGP_ERR_UNKNOWN;
	p->seen[key] = true;
	if (!arg)
		return take_flag(p->o, key) ? 0 : ARGP_ERR_UNKNOWN;
	p->error = option_take(p->o, &p->color, key, arg);
	return p->error ? EINVAL : 0;
}

static int settle_mode(struct parse *p)
{
	struct options *o = p->o;
	bool list = p->seen[OPTION_LIST] || p->seen['a'] || p->seen['l'];
	const char *list_name = p->seen[OPTION_LIST] ? "--list" : p->seen['a'] ? "-a" : "-l";

	if (list || p->seen[OPTION_TOP]) {
		const char *view = list ? list_name : "--top";

		if (p->seen[OPTION_CHECK])
			return usage_error("--check", NULL, " and %s exclude each other", view);
		if (p->seen[OPTION_SCHEMA])
			return usage_error("--schema", NULL, " and %s exclude each other", view);
	}
	if (p->seen[OPTION_CHECK]) {
		o->mode = RUN_CHECK;
		return 0;
	}
	if (p->seen[OPTION_SCHEMA] || p->seen[OPTION_EXPLAIN]) {
		o->mode = p->seen[OPTION_SCHEMA] ? RUN_SCHEMA : RUN_EXPLAIN;
		return 0;
	}
	if (p->seen[OPTION_TOP] && list)
		return usage_error("--top", NULL, " and %s exclude each other", list_name);
	o->mode = p->seen[OPTION_TOP] ? RUN_TOP : list ? RUN_LIST : RUN_STREAM;
	/* The listening and the connected ones together are all, as netstat -al has it. */
	if (!p->seen['a'] && p->seen[OPTION_LIST] != p->seen['l']) {
		o->view.connected = p->seen[OPTION_LIST];
		o->view.listening = p->seen['l'];
	}
	return 0;
}

/* Options that mean nothing in the mode at hand are refused, not ignored. */
static int check_mode(const struct parse *p)
{
	static const struct {
		int key;
		const char *name;
		unsigned int modes; /* bits 1 << enum run_mode */
		const char *where;
	} rules[] = {
		{ OPTION_BY, "--by", 1 << RUN_TOP, "--top" },
		{ OPTION_SORT, "--sort", 1 << RUN_TOP, "--top" },
		{ 'b', "--batch", 1 << RUN_TOP, "--top" },
		{ OPTION_ROWS, "--rows", 1 << RUN_TOP, "--top" },
		{ OPTION_CHART, "--chart", 1 << RUN_TOP, "--top" },
		{ 'w', "-w", 1 << RUN_LIST, "the lists: -a, -l, --list" },
		{ 'x', "-x", 1 << RUN_LIST, "the lists: -a, -l, --list" },
		{ 'o', "-o", 1 << RUN_LIST, "the lists: -a, -l, --list" },
		{ 'c', "--count", 1 << RUN_STREAM, "the stream; tables take INTERVAL COUNT" },
		{ OPTION_EVENTS, "--events", 1 << RUN_STREAM, "the stream" },
		{ OPTION_STATES, "--states", 1 << RUN_STREAM, "the stream" },
	};
	const struct options *o = p->o;

	if (o->mode == RUN_SCHEMA || o->mode == RUN_EXPLAIN || o->mode == RUN_CHECK)
		return 0;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (p->seen[rules[i].key] && !(rules[i].modes >> o->mode & 1))
			return usage_error(rules[i].name, NULL, " belongs to %s", rules[i].where);
	}
	return 0;
}

static bool is_number(const char *word)
{
	return word[0] >= '0' && word[0] <= '9';
}

/* INTERVAL [COUNT] of the tables: *taken words. */
static int take_table_words(struct parse *p, unsigned int *taken)
{
	struct options *o = p->o;
	int err;

	*taken = 0;
	if (o->mode == RUN_TOP)
		o->view.interval_ns = 1000 * MS_NS;
	if (!p->word_count || !is_number(p->words[0]))
		return 0;
	*taken = 1;
	err = option_duration("interval", p->words[0], INTERVAL_MIN_NS, &o->view.interval_ns);
	if (err || p->word_count == 1 || !is_number(p->words[1]))
		return err;
	*taken = TABLE_WORDS;
	return option_number("count", p->words[1], 1, UINT64_MAX, &o->view.count);
}

/* What is left is FILTER: it never begins with a digit. */
static int take_words(struct parse *p)
{
	struct options *o = p->o;
	unsigned int taken = 0;
	int err = 0;

	if (o->mode == RUN_TOP || o->mode == RUN_LIST)
		err = take_table_words(p, &taken);
	if (err)
		return err;
	if (taken == TABLE_WORDS && p->word_count > taken && is_number(p->words[taken]))
		return usage_error("too many numbers: behind", p->words[1],
				   " only FILTER may stand");
	if (o->mode == RUN_EXPLAIN && !p->word_count)
		return usage_error("--explain", NULL,
				   " needs a FILTER: the last words of the line");
	err = option_filter(p->words + taken, p->word_count - taken, &o->filter);
	o->view.filter = o->filter;
	return err;
}

/* no-color.org: set and not empty, it turns colour off, but not against an explicit wish. */
static bool wants_color(int when)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
	       !(term && !strcmp(term, "dumb"));
}

static int settle_follow(const struct parse *p)
{
	struct options *o = p->o;
	const struct u32_list *pids = &o->selection.pids;
	int err = 0;

	if (!p->seen[OPTION_FOLLOW])
		return 0;
	if (!pids->count)
		return usage_error("--follow", NULL, " needs -p PID: whom to follow");
	if (o->replay_path)
		return usage_error(
			"--follow", NULL,
			" belongs to the live kernel: a recording does not tell who forked whom");
	o->followed = calloc(1, sizeof(*o->followed));
	for (uint32_t i = 0; o->followed && !err && i < pids->count; i++)
		err = pid_set_add(o->followed, pids->values[i]);
	if (!o->followed || err) {
		report("out of memory");
		return EXIT_FAILED;
	}
	o->selection.followed = o->followed;
	return 0;
}

static int settle(struct parse *p)
{
	const uint32_t always = 1u << EVENT_START | 1u << EVENT_LOST | 1u << EVENT_SUMMARY;
	const uint32_t rows = 1u << EVENT_NONE | 1u << EVENT_SOCKET | 1u << EVENT_TOP |
			      1u << EVENT_RECORDING;
	struct options *o = p->o;
	int err = settle_mode(p);

	if (!err)
		err = check_mode(p);
	if (!err)
		err = settle_follow(p);
	if (!err)
		err = take_words(p);
	if (err)
		return err;
	if (o->for_ns && o->mode == RUN_LIST && !o->view.interval_ns)
		return usage_error("--for", NULL,
				   " belongs to the stream, --top and lists with an INTERVAL");

	if (!o->view.events)
		o->view.events = ((1u << EVENT_TYPE_COUNT) - 1) & ~rows & ~(1u << EVENT_STATE);
	o->view.events |= always;
	if (o->states)
		o->view.events |= 1u << EVENT_STATE;
	o->states = o->mode == RUN_STREAM && o->view.events >> EVENT_STATE & 1;
	/* The tables show both; a line for each flow of UDP only for who asks for it. */
	if (o->mode == RUN_STREAM && !o->selection.udp) {
		o->selection.udp = !o->selection.tcp && filter_wants_udp(o->filter);
		o->selection.tcp = true;
	}
	if (o->view.json && o->view.csv)
		return usage_error("--json", NULL, " and --csv exclude each other");
	o->view.color = !o->view.json && !o->view.csv && wants_color(p->color);
	o->view.batch |= o->view.json || o->view.csv;
	return settle_files(o, p->seen);
}

int options_parse(int argc, char **argv, struct options *o)
{
	static const struct argp argp = { .options = option_table, .parser = take_option };
	struct parse p = { .o = o };
	struct option_words words;
	int err;

	*o = (struct options){ .buffer_bytes = BUFFER_DEFAULT,
			       .max_connections = CONNECTIONS_DEFAULT };
	p.words = calloc((size_t)argc + 1, sizeof(*p.words));
	if (!p.words) {
		report("out of memory");
		return EXIT_FAILED;
	}
	err = option_words_init(&words, argc, argv);
	if (err) {
		free(p.words);
		return err;
	}
	if (words.help || words.version) {
		o->mode = words.help ? RUN_HELP : RUN_VERSION;
	} else if (argp_parse(&argp, words.argc, words.argv, ARGP_SILENT, NULL, &p)) {
		err = p.error ? p.error
			      : usage_error("this command line is not understood", NULL, "%s", "");
	} else {
		err = settle(&p);
	}
	option_words_done(&words);
	free(p.words);
	if (err)
		options_done(o);
	return err;
}

void options_done(struct options *o)
{
	filter_free(o->filter);
	filter_free(o->trigger);
	o->trigger = NULL;
	o->filter = NULL;
	o->view.filter = NULL;
	if (o->followed)
		pid_set_done(o->followed);
	free(o->followed);
	o->followed = NULL;
	o->selection.followed = NULL;
}
