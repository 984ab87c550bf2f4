/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of --top share: what is ranked, and how it is shown, as tables or on a screen. */
#ifndef NETTRACE_TOP_PRIVATE_H
#define NETTRACE_TOP_PRIVATE_H

#include "model/history.h"
#include "model/ranking.h"
#include "view/columns.h"
#include "view/sparkline.h"
#include "view/stamp.h"
#include "view/view.h"

struct top_screen;

/* Owned: ranking, history, list, screen. */
struct top {
	struct view view;
	const struct view_options *options; /* borrowed, as the next */
	const struct connection_table *table;
	const struct selection *selection; /* which of its rows were there for us */
	struct ranking *ranking;
	struct stamp stamp;
	uint64_t interval_ns;
	uint64_t ended_ns; /* mono: when the last interval ended */
	uint64_t printed;  /* tables so far */
	bool news;	   /* something happened since the last interval */

	/* of the last interval */
	uint64_t time_ns, mono_ns;
	struct ranking_row total;
	struct ranking_list list; /* valid until the next event */

	/* since the start */
	uint64_t lost, healed, unattributed;
	char host[65], mode[48]; /* escaped; mode: as "ebpf, rung 1" */

	/* a screen's own; NULL: plain tables */
	struct history *history;
	struct sparkline tx_line, rx_line;
	struct top_screen *screen;
};

static inline void top_column_context(const struct top *v, struct column_context *x)
{
	/* a recording's users are another machine's */
	*x = (struct column_context){ .mono_ns = v->mono_ns,
				      .user_name = v->options->recorded ? NULL
									: v->options->user_name };
}

static inline int top_sort(const struct top *v, enum ranking_by by)
{
	return v->options->sort ? v->options->sort - 1 : columns_default(by);
}

/* The title line of plain tables. */
void top_put_title(struct top *v, struct text *t);
/* The interval's table in the format that was asked for. 0 or -errno. */
int top_batch_show(struct top *v);
/* The rows of a list as a table with its header. */
void top_put_table(struct text *t, const struct ranking_list *l, size_t rows, bool header,
		   const struct column_context *x);

#endif
