/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream as CSV: a line for each event that is wanted. */
#include <stdlib.h>

#include "view/csv.h"
#include "view/view.h"

/* Shown whatever is selected: a reader must always learn where the record begins, ends and has gaps. */
#define ALWAYS_SHOWN (1u << EVENT_START | 1u << EVENT_LOST | 1u << EVENT_SUMMARY)

struct csv_view {
	struct view view;
	uint32_t events; /* bits 1 << enum event_type */
	bool heading;	 /* still to be written */
};

static int csv_view_event(struct view *v, const struct event *e,
			  const struct connection_change *change)
{
	struct csv_view *view = (struct csv_view *)v;

	(void)change;
	if (!(view->events >> e->type & 1))
		return 0;
	if (view->heading)
		csv_write_header(&v->output->text, CSV_EVENTS);
	view->heading = false;
	csv_write_event(&v->output->text, CSV_EVENTS, e);
	return output_line(v->output);
}

static void csv_view_free(struct view *v)
{
	free(v);
}

struct view *csv_view_new(struct output *o, const struct view_options *options)
{
	static const struct view_ops ops = { .event = csv_view_event, .free = csv_view_free };
	struct csv_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->view.ops = &ops;
	view->view.output = o;
	view->events = options->events | ALWAYS_SHOWN;
	view->heading = !options->no_header;
	return &view->view;
}
