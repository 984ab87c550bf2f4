/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of options: numbers, names and comma lists, each refused in one line that says what
 * would be right.
 */
#include "options_table.h"

#include "base/parse.h"
#include "base/report.h"
#include "base/text.h"
#include "model/state_groups.h"
#include "source/namespaces.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 64
#define NETWORK_WORD_MAX 4096

/* Named words: `name` gives the i-th, NULL to leave it out. */
struct names {
	const char *what;  /* "event" */
	const char *title; /* "Events" */
	size_t count;
	const char *(*name)(void *context, size_t i);
};

static int unknown_word(const struct names *names, const char *word)
{
	const char *nearest = parse_nearest(word, names->count, names->name, NULL);
	struct text known = { 0 };
	char what[64];
	int err;

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->name(NULL, i);

		if (!name)
			continue;
		if (known.length)
			text_puts(&known, ", ");
		text_puts(&known, name);
	}
	text_char(&known, '\0');
	snprintf(what, sizeof(what), "unknown %s", names->what);
	if (nearest)
		err = usage_error(what, word, "; did you mean '%s'? %s: %s", nearest, names->title,
				  known.failed ? "" : known.data);
	else
		err = usage_error(what, word, ". %s: %s", names->title,
				  known.failed ? "" : known.data);
	text_done(&known);
	return err;
}

/* The next word of a list: 1, 0 at the end, or EXIT_USAGE after having reported. */
static int next_word(const char *option, const char *arg, const char **rest, char word[WORD_MAX])
{
	int got = parse_list_word(rest, word, WORD_MAX);

	if (got == -EINVAL)
		return usage_error(option, arg, " has an empty word in its list");
	if (got == -ERANGE)
		return usage_error(option, arg, " has a word that is too long");
	return got;
}

static int list_add(const char *option, const char *arg, struct u32_list *list, uint32_t value)
{
	if (list->count == SELECTION_MAX)
		return usage_error(option, arg, ": at most %d values are taken", SELECTION_MAX);
	list->values[list->count++] = value;
	return 0;
}

static int number_list(const char *option, const char *what, const char *arg, uint64_t maximum,
		       struct u32_list *list)
{
	const char *rest = arg;
	char word[WORD_MAX];
	int got;

	while ((got = next_word(option, arg, &rest, word)) == 1) {
		uint64_t value;
		int err = parse_count(word, 1, maximum, &value);

		if (err)
			return usage_error(what, word, " is not a number from 1 to %llu",
					   (unsigned long long)maximum);
		err = list_add(option, arg, list, (uint32_t)value);
		if (err)
			return err;
	}
	return got;
}

int option_pids(const char *arg, struct u32_list *list)
{
	return number_list("--pid", "pid", arg, INT32_MAX, list);
}

int option_ports(const char *option, const char *arg, struct u32_list *list)
{
	return number_list(option, "port", arg, UINT16_MAX, list);
}

int option_users(const char *arg, struct u32_list *list)
{
	const char *rest = arg;
	char word[WORD_MAX];
	int got;

	while ((got = next_word("--uid", arg, &rest, word)) == 1) {
		uint64_t uid;
		/*
		 * A name is looked up first: names of digits only exist, and then POSIX prefers the
		 * name.
		 */
		const struct passwd *user = getpwnam(word);
		int err;

		if (user)
			uid = user->pw_uid;
		else if (parse_count(word, 0, UINT32_MAX - 1, &uid))
			return usage_error("unknown user", word,
					   "; --uid takes a user's number or name");
		err = list_add("--uid", arg, list, (uint32_t)uid);
		if (err)
			return err;
	}
	return got;
}

/* "all" asks for nothing. */
int option_networks(const char *arg, struct u32_list *list)
{
	const char *rest = arg;
	char word[NETWORK_WORD_MAX];
	int got;

	while ((got = parse_list_word(&rest, word, sizeof(word))) == 1) {
		uint32_t inode = 0;
		int err = strcmp(word, "all") ? network_from_word(word, &inode) : 0;

		if (!strcmp(word, "all"))
			continue;
		if (err == -EINVAL)
			return usage_error("--netns", word, " is no network namespace");
		if (err)
			return usage_error(
				"--netns", word,
				": %s; give a pid, a name as in 'ip netns', a path or an inode",
				err == -ENOENT ? "there is no such network namespace"
					       : strerror(-err));
		err = list_add("--netns", arg, list, inode);
		if (err)
			return err;
	}
	return got ? usage_error("--netns", arg, " is no list of network namespaces") : 0;
}

int option_states(const char *arg, uint32_t *states)
{
	const struct names names = { "state", "States", state_word_count, state_word };
	const char *rest = arg;
	char word[WORD_MAX];
	int got;

	while ((got = next_word("--state", arg, &rest, word)) == 1) {
		uint32_t bits = state_bits_from_name(word);

		if (!bits)
			return unknown_word(&names, word);
		*states |= bits;
	}
	return got;
}

/* What a stream is made of in this version; the rows of tables are no events of it. */
#define STREAM_EVENTS                                                                          \
	(1u << EVENT_START | 1u << EVENT_LISTEN | 1u << EVENT_UNLISTEN | 1u << EVENT_CONNECT | \
	 1u << EVENT_ACCEPT | 1u << EVENT_FAIL | 1u << EVENT_RETRANSMIT | 1u << EVENT_RESET |  \
	 1u << EVENT_DROP | 1u << EVENT_CLOSE | 1u << EVENT_STATE | 1u << EVENT_LOST |         \
	 1u << EVENT_SUMMARY)

static const char *event_word(void *context, size_t i)
{
	(void)context;
	return STREAM_EVENTS >> i & 1 ? event_type_name((enum event_type)i) : NULL;
}

static const struct names event_names = { "event", "Events", EVENT_TYPE_COUNT, event_word };

int option_events(const char *arg, uint32_t *events)
{
	const char *rest = arg;
	char word[WORD_MAX];
	int got;

	while ((got = next_word("--events", arg, &rest, word)) == 1) {
		int type = event_type_from_name(word);

		if (type == EVENT_SOCKET || type == EVENT_TOP)
			return usage_error(
				"event", word,
				" is a row of a table (-a, -l, --list, --top), not of the stream");
		if (type <= EVENT_NONE || !(STREAM_EVENTS >> type & 1))
			return unknown_word(&event_names, word);
		*events |= 1u << type;
	}
	return got;
}

const char *option_event_word(size_t i)
{
	for (size_t number = 0; number < EVENT_TYPE_COUNT; number++)
		if (event_word(NULL, number) && !i--)
			return event_word(NULL, number);
	return NULL;
}

int option_number(const char *option, const char *arg, uint64_t minimum, uint64_t maximum,
		  uint64_t *value)
{
	if (parse_count(arg, minimum, maximum, value))
		return usage_error(option, arg, " is not a number from %llu to %llu",
				   (unsigned long long)minimum, (unsigned long long)maximum);
	return 0;
}

int option_size(const char *option, const char *arg, uint64_t minimum, uint64_t maximum,
		uint64_t *bytes)
{
	uint64_t value;
	int err = parse_size(arg, &value);

	if (err == -EINVAL)
		return usage_error(option, arg, " is not a size such as 64K, 8M or 1G");
	if (err || value < minimum || value > maximum)
		return usage_error(option, arg, " is out of range: %lluK to %lluM",
				   (unsigned long long)minimum >> 10,
				   (unsigned long long)maximum >> 20);
	*bytes = value;
	return 0;
}

int option_duration(const char *option, const char *arg, uint64_t minimum_ns, uint64_t *ns)
{
	uint64_t value;
	int err = parse_duration(arg, &value);

	if (err == -EINVAL)
		return usage_error(option, arg,
				   " is not a duration such as 500ms, 2, 30s, 5m or 1h");
	/* INT64_MAX leaves room to add a clock to it. */
	if (err || value > INT64_MAX / 2)
		return usage_error(option, arg, " is too long");
	if (value < minimum_ns)
		return usage_error(option, arg, " is too short: at least %llums",
				   (unsigned long long)(minimum_ns / 1000000));
	*ns = value;
	return 0;
}

int option_choice(const char *what, const char *title, const char *arg, size_t count,
		  const char *(*name)(void *context, size_t i), int *chosen)
{
	const struct names names = { what, title, count, name };

	for (size_t i = 0; i < count; i++) {
		const char *candidate = name(NULL, i);

		if (candidate && !strcasecmp(candidate, arg)) {
			*chosen = (int)i;
			return 0;
		}
	}
	return unknown_word(&names, arg);
}
