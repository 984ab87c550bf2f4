/* SPDX-License-Identifier: BSD-2-Clause */
/* Options with a value, one by one. */
#include "options_table.h"

#include "model/ranking.h"
#include "model/state_groups.h"
#include "view/columns.h"

#include <limits.h>
#include <string.h>

#define MS_NS 1000000ULL
#define BUFFER_MIN (64ULL << 10)
#define BUFFER_MAX (1ULL << 30)
#define CONNECTIONS_MAX 100000000
#define ROWS_MAX 1000000

static const char *by_word(void *context, size_t i)
{
	(void)context;
	return ranking_by_name((enum ranking_by)i);
}

static const char *key_word(void *context, size_t i)
{
	(void)context;
	return column_key(i);
}

static const char *color_word(void *context, size_t i)
{
	static const char *const names[] = { "auto", "always", "never" };

	(void)context;
	return names[i];
}

static const char *time_word(void *context, size_t i)
{
	static const char *const names[] = { "local", "utc", "relative", "none" };

	(void)context;
	return names[i];
}

/* Some columns have none. */
static const char *nth_sort_key(size_t i)
{
	for (size_t column = 0; column < column_count; column++)
		if (column_key(column) && !i--)
			return column_key(column);
	return NULL;
}

const char *option_value(int key, size_t i)
{
	switch (key) {
	case 'T':
		return i <= TIME_FORMAT_NONE ? time_word(NULL, i) : NULL;
	case OPTION_COLOR:
		return i < COLOR_COUNT ? color_word(NULL, i) : NULL;
	case OPTION_BY:
		return i < BY_COUNT ? by_word(NULL, i) : NULL;
	case OPTION_SORT:
		return nth_sort_key(i);
	case OPTION_STATE:
		return i < state_word_count ? state_word(NULL, i) : NULL;
	case OPTION_EVENTS:
		return option_event_word(i);
	default:
		return NULL;
	}
}

static int take_comm(struct options *o, const char *arg)
{
	struct selection *s = &o->selection;
	char *storage;

	if (!*arg)
		return usage_error("--comm", arg, " is empty");
	if (s->comm_count == SELECTION_MAX)
		return usage_error("--comm", arg, ": at most %d names are taken", SELECTION_MAX);
	/*
	 * The kernel keeps 15 bytes of a name: a longer one would never match, its beginning does.
	 */
	if (strlen(arg) >= sizeof(o->comm_storage[0]) && !strpbrk(arg, "*?[")) {
		storage = o->comm_storage[s->comm_count];
		memcpy(storage, arg, sizeof(o->comm_storage[0]) - 1);
		storage[sizeof(o->comm_storage[0]) - 1] = '\0';
		arg = storage;
	}
	s->comms[s->comm_count++] = arg;
	return 0;
}

/* From the root of cgroup v2, also where it was copied from one of its usual mounts. */
static int take_cgroup(struct options *o, const char *arg)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
	const char *path = arg;

	if (*arg != '/' || strlen(arg) >= PATH_MAX)
		return usage_error("--cgroup", arg,
				   " is no path from the root such as /system.slice");
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]) && path == arg; i++) {
		size_t length = strlen(mounts[i]);

		if (!strncmp(arg, mounts[i], length) && (!arg[length] || arg[length] == '/'))
			path = arg[length] ? arg + length : "/";
	}
	o->selection.cgroup = path;
	return 0;
}

static int take_container(struct options *o, const char *arg)
{
	if (!*arg)
		return usage_error("--container", arg, " is empty");
	o->selection.container = arg;
	return 0;
}

static int take_by(struct options *o, const char *arg)
{
	return option_choice("grouping", "Groupings", arg, BY_COUNT, by_word, &o->view.by);
}

/* By its key, or as its heading has it. */
static int take_sort(struct options *o, const char *arg)
{
	int column = column_by_heading(arg), err = 0;

	if (column < 0)
		err = option_choice("sort key", "Sort keys", arg, column_count, key_word, &column);
	if (!err)
		o->view.sort = column + 1;
	return err;
}

static int take_buffer(struct options *o, const char *arg)
{
	uint64_t bytes, power = BUFFER_MIN;
	int err = option_size("--buffer", arg, BUFFER_MIN, BUFFER_MAX, &bytes);

	if (err)
		return err;
	/* A BPF ring buffer's size is a power of two and of whole pages. */
	while (power < bytes)
		power <<= 1;
	o->buffer_bytes = power;
	return 0;
}

static int take_rows(struct options *o, const char *arg)
{
	uint64_t rows;
	int err = option_number("--rows", arg, 1, ROWS_MAX, &rows);

	if (!err)
		o->view.rows = (unsigned int)rows;
	return err;
}

static int take_rung(struct options *o, const char *arg)
{
	uint64_t rung;
	int err = option_number("--rung", arg, 1, 4, &rung);

	if (!err)
		o->rung = (unsigned int)rung;
	return err;
}

static int take_time(struct options *o, const char *arg)
{
	int format, err = option_choice("time format", "Formats", arg, TIME_FORMAT_NONE + 1,
					time_word, &format);

	if (!err)
		o->view.time_format = (enum time_format)format;
	return err;
}

int option_take(struct options *o, int *color, int key, const char *arg)
{
	switch (key) {
	case 'p':
		return option_pids(arg, &o->selection.pids);
	case OPTION_COMM:
		return take_comm(o, arg);
	case OPTION_CGROUP:
		return take_cgroup(o, arg);
	case OPTION_CONTAINER:
		return take_container(o, arg);
	case OPTION_UID:
		return option_users(arg, &o->selection.uids);
	case 'P':
		return option_ports("--port", arg, &o->selection.ports);
	case OPTION_LPORT:
		return option_ports("--lport", arg, &o->selection.lports);
	case OPTION_RPORT:
		return option_ports("--rport", arg, &o->selection.rports);
	case OPTION_NETNS:
		return option_networks(arg, &o->selection.netns);
	case OPTION_STATE:
		return option_states(arg, &o->selection.states);
	case OPTION_EVENTS:
		return option_events(arg, &o->view.events);
	case OPTION_FOR:
		return option_duration("--for", arg, MS_NS, &o->for_ns);
	case 'c':
		return option_number("--count", arg, 1, UINT64_MAX, &o->event_count);
	case 'T':
		return take_time(o, arg);
	case OPTION_BY:
		return take_by(o, arg);
	case OPTION_SORT:
		return take_sort(o, arg);
	case OPTION_ROWS:
		return take_rows(o, arg);
	case OPTION_COLOR:
		return option_choice("colour mode", "Modes", arg, COLOR_COUNT, color_word, color);
	case OPTION_REPLAY:
	case OPTION_FROM:
	case OPTION_TO:
	case OPTION_SPEED:
	case OPTION_RECORD:
	case OPTION_RECORD_SIZE:
	case OPTION_RECORD_FILES:
	case OPTION_FLIGHT:
	case OPTION_FLIGHT_SIZE:
	case OPTION_TRIGGER:
		return option_of_files(o, key, arg);
	case OPTION_BUFFER:
		return take_buffer(o, arg);
	case OPTION_RUNG:
		return take_rung(o, arg);
	case OPTION_BTF:
		if (!*arg)
			return usage_error("--btf", arg, " is no file name");
		o->btf_path = arg;
		return 0;
	default: /* OPTION_MAX_CONNECTIONS */
		return option_number("--max-connections", arg, 1, CONNECTIONS_MAX,
				     &o->max_connections);
	}
}
