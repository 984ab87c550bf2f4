/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NETTRACE_DETAIL_H
#define NETTRACE_DETAIL_H

#include "base/text.h"
#include "model/event.h"

/*
 * The last column of the stream: what is particular about this event, as key=value words in human units. What
 * is not known has no word. `own_netns`: the namespace that goes without saying; 0: none is shown.
 */
void detail_write(struct text *t, const struct event *e, uint32_t own_netns);

#endif
