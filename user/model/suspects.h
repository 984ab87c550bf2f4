/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that a sweep met and the table does not know. One may just have ended between the pass and the look at its
 * row; it began unseen only if the next pass meets it too.
 */
#ifndef NETTRACE_SUSPECTS_H
#define NETTRACE_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUSPECTS_MAX 65536 /* what a pass meets beyond it is left for the next one */

struct suspect {
	uint64_t cookie, start_ns;
};

/* Owned: both lists. Zeroed is empty. */
struct suspects {
	struct suspect *before, *now; /* of the last pass, sorted; of this one */
	size_t before_count, now_count, now_capacity;
};

void suspects_done(struct suspects *s);
/* Was it met by the last pass too? If not (false) it is noted for the next one. */
bool suspects_confirm(struct suspects *s, uint64_t cookie, uint64_t start_ns);
/* The pass is over. */
void suspects_turn(struct suspects *s);

#endif
