/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the ranking. */
#ifndef NETTRACE_RANKING_PRIVATE_H
#define NETTRACE_RANKING_PRIVATE_H

#include "model/ranking_groups.h"

/* What a row of the table has in `group`: is it counted, and which group of BY_CONNECTION is its own. */
#define MARK_NONE 0
#define MARK_OURS 1 /* selected, and it has no group of its own; above: the group's id */

struct ranking {
	const struct connection_table *table; /* borrowed */
	struct grouping *groupings[BY_COUNT]; /* owned; NULL: not kept */
	unsigned int silent_intervals;
	uint64_t began_ns;
	uint32_t serial; /* of the interval */
	struct group total;
};

static inline bool state_is_open(unsigned int state)
{
	return state == STATE_ESTABLISHED || state == STATE_FIN_WAIT1 || state == STATE_FIN_WAIT2 ||
	       state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK || state == STATE_CLOSING;
}

static inline bool state_is_opening(unsigned int state)
{
	return state == STATE_SYN_SENT || state == STATE_SYN_RECV;
}

#endif
