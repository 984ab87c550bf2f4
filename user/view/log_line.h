/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the stream. */
#ifndef NETTRACE_LOG_LINE_H
#define NETTRACE_LOG_LINE_H

#include "view/stamp.h"

/* Without its end. `own_netns` as in struct view_options; `colored`: with escape sequences. */
void log_line_write(struct text *t, const struct event *e, struct stamp *stamp, uint32_t own_netns,
		    bool colored);
void log_line_header(struct text *t, enum time_format format);

#endif
