/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream as text: one line an event, in columns of fixed width. */
#include <stdlib.h>
#include <string.h>

#include "view/detail.h"
#include "view/log_line.h"
#include "view/stamp.h"
#include "view/view.h"

#define WIDTH_EVENT 10	  /* retransmit */
#define WIDTH_PID 7	  /* 4194304 */
#define WIDTH_COMM 16	  /* 15 and a blank to spare; an escaped name may be wider */
#define WIDTH_ENDPOINT 21 /* 255.255.255.255:65535; IPv6 is simply longer */

struct log_view {
	struct view view;
	const struct view_options *options; /* borrowed */
	bool header_due;
	struct stamp stamp;
};

/* Pads the column that began at `from` and puts the blank before the next one. */
static void end_column(struct text *t, size_t from, size_t width)
{
	text_pad(t, from, width);
	text_char(t, ' ');
}

static const char *event_color(enum event_type type)
{
	switch (type) {
	case EVENT_FAIL:
	case EVENT_RESET:
	case EVENT_DROP:
	case EVENT_LOST:
		return "\033[31m";
	case EVENT_RETRANSMIT:
		return "\033[33m";
	case EVENT_CONNECT:
	case EVENT_ACCEPT:
		return "\033[32m";
	case EVENT_CLOSE:
		return "\033[2m";
	default:
		return NULL;
	}
}

static void put_event(struct text *t, enum event_type type, bool colored)
{
	const char *name = event_type_name(type);
	const char *color = colored ? event_color(type) : NULL;
	size_t width = strlen(name);

	if (color)
		text_puts(t, color);
	text_put(t, name, width);
	if (color)
		text_puts(t, "\033[0m");
	for (; width < WIDTH_EVENT + 1; width++)
		text_char(t, ' ');
}

static void put_process(struct text *t, const struct event *e)
{
	size_t from = t->length;

	if (event_has(e, FIELD_PID))
		text_u64(t, e->pid);
	else
		text_char(t, '-');
	end_column(t, from, WIDTH_PID);
	from = t->length;
	if (event_has(e, FIELD_COMM))
		text_escaped(t, e->comm, strnlen(e->comm, sizeof(e->comm)));
	if (t->length == from)
		text_char(t, '-');
	end_column(t, from, WIDTH_COMM);
}

static void put_endpoint(struct text *t, const struct event *e, enum event_field address_field,
			 const uint8_t *address, uint16_t port)
{
	size_t from = t->length;

	if (event_has(e, address_field))
		text_endpoint(t, e->family, address, port);
	else
		text_char(t, '-');
	end_column(t, from, WIDTH_ENDPOINT);
}

static bool is_listener(const struct event *e)
{
	return e->type == EVENT_LISTEN || e->type == EVENT_UNLISTEN || e->type == EVENT_DROP ||
	       (e->type == EVENT_SOCKET && e->state == STATE_LISTEN);
}

static void put_ends(struct text *t, const struct event *e)
{
	size_t from;

	put_endpoint(t, e, FIELD_LADDR, e->laddr, e->lport);
	from = t->length;
	if (is_listener(e)) {
		end_column(t, from, 3 + WIDTH_ENDPOINT);
		return;
	}
	if (!event_has(e, FIELD_DIRECTION) || e->direction == DIRECTION_UNKNOWN)
		text_puts(t, "-- ");
	else
		text_puts(t, e->direction == DIRECTION_IN ? "<- " : "-> ");
	put_endpoint(t, e, FIELD_RADDR, e->raddr, e->rport);
}

static void put_header(enum time_format format, struct text *t)
{
	unsigned int width = stamp_width(format);
	size_t from = t->length;

	if (width) {
		text_puts(t, "TIME");
		end_column(t, from, width);
	}
	from = t->length;
	text_puts(t, "EVENT");
	end_column(t, from, WIDTH_EVENT);
	from = t->length;
	text_puts(t, "PID");
	end_column(t, from, WIDTH_PID);
	from = t->length;
	text_puts(t, "COMM");
	end_column(t, from, WIDTH_COMM);
	from = t->length;
	text_puts(t, "LADDR:LPORT");
	end_column(t, from, WIDTH_ENDPOINT);
	from = t->length;
	text_puts(t, "   RADDR:RPORT");
	end_column(t, from, 3 + WIDTH_ENDPOINT);
	text_puts(t, "DETAIL");
}

static bool is_shown(const struct log_view *v, enum event_type type)
{
	if (type == EVENT_START ||
	    type == EVENT_SUMMARY) /* for people these go to standard error */
		return false;
	return type == EVENT_LOST || v->options->events >> type & 1;
}

void log_line_write(struct text *t, const struct event *e, struct stamp *stamp, uint32_t own_netns,
		    bool colored)
{
	size_t from = t->length;

	if (stamp->format != TIME_FORMAT_NONE) {
		stamp_write(stamp, t, e->time_ns, e->mono_ns, true);
		end_column(t, from, stamp_width(stamp->format));
	}
	put_event(t, e->type, colored);
	if (e->type != EVENT_LOST) {
		put_process(t, e);
		put_ends(t, e);
	}
	detail_write(t, e, own_netns);
	while (t->length > from && t->data[t->length - 1] == ' ')
		t->length--;
}

void log_line_header(struct text *t, enum time_format format)
{
	put_header(format, t);
}

static int log_event(struct view *view, const struct event *e,
		     const struct connection_change *change)
{
	struct log_view *v = (struct log_view *)view;
	struct text *t = &view->output->text;

	(void)change;
	stamp_begin(&v->stamp, e->mono_ns);
	if (v->header_due) {
		v->header_due = false;
		put_header(v->options->time_format, t);
		text_char(t, '\n');
	}
	if (!is_shown(v, e->type))
		return output_line(view->output);
	log_line_write(t, e, &v->stamp, v->options->own_netns, v->options->color);
	text_char(t, '\n');
	return output_line(view->output);
}

static void log_free(struct view *v)
{
	free(v);
}

struct view *log_view_new(struct output *o, const struct view_options *options)
{
	static const struct view_ops ops = { .event = log_event, .free = log_free };
	struct log_view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->view.ops = &ops;
	v->view.output = o;
	v->options = options;
	v->stamp.format = options->time_format;
	v->header_due = !options->no_header;
	return &v->view;
}
