/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream as NDJSON: an object a line for each event that is wanted. */
#include <stdlib.h>

#include "view/json.h"
#include "view/view.h"

/*
 * Shown whatever is selected: a reader must always learn where the record begins, ends and has
 * gaps.
 */
#define ALWAYS_SHOWN (1u << EVENT_START | 1u << EVENT_LOST | 1u << EVENT_SUMMARY)

struct json_view {
	struct view view;
	uint32_t events; /* bits 1 << enum event_type */
};

static int json_view_event(struct view *v, const struct event *e,
			   const struct connection_change *change)
{
	const struct json_view *view = (const struct json_view *)v;

	(void)change;
	if (!(view->events >> e->type & 1))
		return 0;
	json_write_event(&v->output->text, e);
	return output_line(v->output);
}

static void json_view_free(struct view *v)
{
	free(v);
}

struct view *json_view_new(struct output *o, const struct view_options *options)
{
	static const struct view_ops ops = { .event = json_view_event, .free = json_view_free };
	struct json_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->view.ops = &ops;
	view->view.output = o;
	view->events = options->events | ALWAYS_SHOWN;
	return &view->view;
}
