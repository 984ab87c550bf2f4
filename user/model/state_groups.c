// SPDX-License-Identifier: BSD-2-Clause
#include "model/state_groups.h"

#include <strings.h>

#include "model/event.h"

#define STATES_ALL (((1u << STATE_COUNT) - 1) & ~1u)
#define STATES_CONNECTED (STATES_ALL & ~(1u << STATE_LISTEN | 1u << STATE_CLOSE))
#define STATES_BUCKET (1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT)

/* ss's groups (ss(8), STATE-FILTER). */
static const struct {
	const char *name;
	uint32_t states;
} groups[] = {
	{ "all", STATES_ALL },
	{ "connected", STATES_CONNECTED },
	{ "synchronized", STATES_CONNECTED & ~(1u << STATE_SYN_SENT) },
	{ "bucket", STATES_BUCKET },
	{ "big", STATES_ALL & ~STATES_BUCKET },
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

uint32_t state_bits_from_name(const char *name)
{
	int state = tcp_state_from_name(name);

	if (state > 0)
		return 1u << state;
	for (size_t i = 0; i < GROUPS; i++) {
		if (!strcasecmp(name, groups[i].name))
			return groups[i].states;
	}
	return 0;
}

const size_t state_word_count = STATE_COUNT - 1 + GROUPS;

const char *state_word(void *context, size_t i)
{
	(void)context;
	if (i + 1 < STATE_COUNT)
		return tcp_state_name((unsigned int)i + 1);
	return groups[i + 1 - STATE_COUNT].name;
}
