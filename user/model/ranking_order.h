/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of a ranking's rows. Used by the ranking only. */
#ifndef NETTRACE_RANKING_ORDER_H
#define NETTRACE_RANKING_ORDER_H

#include "model/ranking.h"

/* As strcmp: below 0 when `a` comes first. 0 only for the same group. */
int ranking_compare(enum ranking_by by, enum ranking_key key, const struct ranking_row *a,
		    const struct ranking_row *b);

#endif
