/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of recordings: what is written, and which part of it is read back. */
#include "options.h"
#include "options_table.h"

#include "base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS 1000000ULL
#define MINUTE_NS (60000 * MS_NS)
#define FILES_DEFAULT 4
#define FILES_MAX 10000
#define SIZE_MIN (1ULL << 20)
#define SIZE_MAX_TOLD (1ULL << 44)
#define FLIGHT_SIZE_DEFAULT (64ULL << 20)
#define FLIGHT_SIZE_MAX (1ULL << 36)
#define SPEED_MAX 1000000

static int take_replay(struct options *o, const char *arg)
{
	if (!*arg)
		return usage_error("--replay", arg, " is no file name");
	if (o->replay_count == REPLAY_FILES_MAX)
		return usage_error("--replay", arg, ": at most %d files are taken",
				   REPLAY_FILES_MAX);
	if (!o->replay_count)
		o->replay_path = arg;
	o->replay_paths[o->replay_count++] = arg;
	return 0;
}

static int take_record(struct options *o, const char *arg)
{
	if (!*arg || !strcmp(arg, "-"))
		return usage_error("--record", arg,
				   " is no file name; --json writes to standard output");
	o->record.path = arg;
	return 0;
}

static int take_trigger(struct options *o, const char *arg)
{
	char *const words[] = { (char *)arg };
	struct filter *trigger = NULL;
	int err = option_filter(words, 1, &trigger);

	if (err)
		return err;
	if (!trigger)
		return usage_error("--trigger", arg, " is no filter");
	filter_free(o->trigger);
	o->trigger = trigger;
	return 0;
}

static int take_moment(const char *option, const char *arg, struct moment *m)
{
	if (moment_parse(arg, m))
		return usage_error(
			option, arg,
			" is no time such as 2026-11-21T07:43:18Z, 07:43:18, 5m (after the beginning) or -30s (before the end)");
	return 0;
}

/* As fast as it goes is 0. */
static int take_speed(struct options *o, const char *arg)
{
	char *end;
	double speed;

	o->speed_given = true;
	if (!strcmp(arg, "max")) {
		o->speed = 0;
		return 0;
	}
	/* strtod alone would take signs, blanks, hexadecimal, inf and nan */
	speed = strspn(arg, "0123456789.") == strlen(arg) ? strtod(arg, &end) : 0;
	if (!(speed >= 0.001 && speed <= SPEED_MAX) || *end)
		return usage_error("--speed", arg, " is neither max nor a number from 0.001 to %d",
				   SPEED_MAX);
	o->speed = speed;
	return 0;
}

int option_of_files(struct options *o, int key, const char *arg)
{
	uint64_t files;
	int err;

	switch (key) {
	case OPTION_REPLAY:
		return take_replay(o, arg);
	case OPTION_RECORD:
		return take_record(o, arg);
	case OPTION_RECORD_SIZE:
		return option_size("--record-size", arg, SIZE_MIN, SIZE_MAX_TOLD,
				   &o->record.size_max);
	case OPTION_RECORD_FILES:
		err = option_number("--record-files", arg, 1, FILES_MAX, &files);
		if (!err)
			o->record.files = (unsigned int)files;
		return err;
	case OPTION_FLIGHT:
		return option_duration("--flight", arg, 1000 * MS_NS, &o->record.flight_ns);
	case OPTION_FLIGHT_SIZE:
		return option_size("--flight-size", arg, SIZE_MIN, FLIGHT_SIZE_MAX,
				   &o->record.flight_max);
	case OPTION_TRIGGER:
		return take_trigger(o, arg);
	case OPTION_FROM:
		return take_moment("--from", arg, &o->from);
	case OPTION_TO:
		return take_moment("--to", arg, &o->to);
	default: /* OPTION_SPEED */
		return take_speed(o, arg);
	}
}

/* Each of them says something about another one that must be there. */
static int check_needs(const struct options *o, const bool *seen)
{
	static const struct {
		int key, needs;
		const char *name, *needed;
	} rules[] = {
		{ OPTION_RECORD_SIZE, OPTION_RECORD, "--record-size", "--record FILE" },
		{ OPTION_RECORD_FILES, OPTION_RECORD, "--record-files", "--record FILE" },
		{ OPTION_FORCE, OPTION_RECORD, "--force", "--record FILE" },
		{ OPTION_FLIGHT, OPTION_RECORD, "--flight", "--record FILE" },
		{ OPTION_FLIGHT_SIZE, OPTION_FLIGHT, "--flight-size", "--flight DURATION" },
		{ OPTION_TRIGGER, OPTION_FLIGHT, "--trigger", "--flight DURATION" },
		{ OPTION_FROM, OPTION_REPLAY, "--from", "--replay FILE" },
		{ OPTION_TO, OPTION_REPLAY, "--to", "--replay FILE" },
		{ OPTION_SPEED, OPTION_REPLAY, "--speed", "--replay FILE" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (seen[rules[i].key] && !seen[rules[i].needs])
			return usage_error(rules[i].name, NULL, " needs %s", rules[i].needed);
	if (seen[OPTION_RECORD] && o->replay_count)
		return usage_error("--record", NULL, " and --replay exclude each other");
	if (seen[OPTION_RECORD_FILES] && !seen[OPTION_RECORD_SIZE] && !seen[OPTION_FLIGHT])
		return usage_error("--record-files", NULL, " needs --record-size SIZE");
	if (seen[OPTION_FLIGHT] && o->mode == RUN_LIST)
		return usage_error("--flight", NULL, " belongs to the stream and --top");
	return 0;
}

int settle_files(struct options *o, const bool *seen)
{
	int err = check_needs(o, seen);

	if (err)
		return err;
	if (!o->record.files && !o->record.flight_ns)
		o->record.files = FILES_DEFAULT;
	if (!o->record.flight_max)
		o->record.flight_max = FLIGHT_SIZE_DEFAULT;
	o->record.trigger = o->trigger;
	o->record.after_ns = MINUTE_NS;
	o->record.force = seen[OPTION_FORCE];
	/* On a screen it is watched, so it runs as it ran. */
	if (!o->speed_given && o->replay_count && o->mode == RUN_TOP && !o->view.batch)
		o->speed_on_screen = true;
	return 0;
}
