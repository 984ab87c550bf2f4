/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view turns events and the model into output. The loop (live or replay) calls event() for each event that
 * passed the selection, tick() when next_tick_ns has come, and finish() once at the end.
 * A view reads the model, never a source. All clocks are given, so a replay drives it by its own time.
 */
#ifndef NETTRACE_VIEW_H
#define NETTRACE_VIEW_H

#include "base/output.h"
#include "model/connection_table.h"
#include "model/filter.h"
#include "model/selection.h"

struct view;

struct view_ops {
	/* 0, 1 when the view wants no more (e.g. --count reached), or -errno. `change` may be NULL (start, lost, summary). */
	int (*event)(struct view *v, const struct event *e, const struct connection_change *change);
	/* mono_ns: now. 0, 1 when it wants no more, or -errno. May be NULL. */
	int (*tick)(struct view *v, uint64_t time_ns, uint64_t mono_ns);
	/* 0 or -errno. May be NULL. */
	int (*finish)(struct view *v, uint64_t time_ns, uint64_t mono_ns);
	void (*free)(struct view *v);
};

struct view {
	const struct view_ops *ops;
	struct output *output; /* borrowed */
	uint64_t next_tick_ns; /* mono; 0: never */
	bool wants_listeners;  /* and what waits at those that listen */
	bool wants_counters;   /* top: asks the source for the sockets' counters before each tick */
};

enum time_format { TIME_FORMAT_LOCAL, TIME_FORMAT_UTC, TIME_FORMAT_RELATIVE, TIME_FORMAT_NONE };

/* What the views need of the options; borrowed from struct options. */
struct view_options {
	bool json, csv, no_header, color, numeric, extended, timers;
	enum time_format time_format;
	uint32_t events;      /* bits 1 << enum event_type: which are shown in the stream */
	unsigned int columns; /* width of the terminal; 0: no terminal, nothing is cut */
	unsigned int lines;   /* its height; 0: no terminal */
	uint64_t interval_ns; /* top, repeated list */
	uint64_t count;	      /* tables to print; 0: no end */
	int by;		      /* enum ranking_by */
	int sort;	      /* a column of the ranking, plus one; 0: the grouping's own default */
	unsigned int rows;    /* 0: all that fit */
	bool batch;	      /* top as plain tables */
	bool chart;	      /* top as bars */
	bool closed;	      /* top by connection: those that closed, too */
	bool recorded;	      /* from another time, maybe another machine */
	bool ascii;	      /* nothing but ASCII, where nettrace draws */
	bool listening, connected; /* list: -l, --list; neither is -a */
	uint32_t
		own_netns; /* inode of nettrace's own namespace: not worth showing; 0: unknown, none is shown */
	const struct filter *filter; /* borrowed; which connections tables show; NULL: all */
	const struct filter_names *filter_names; /* for one that is typed in; may be NULL */
	/* Name of a user, or NULL: passed in, so that a test can fix it. */
	const char *(*user_name)(uint32_t uid);
	/* Name of a service, or NULL. May be NULL. */
	const char *(*port_name)(uint16_t port, uint8_t proto);
};

struct view *log_view_new(struct output *o, const struct view_options *options);
struct view *json_view_new(struct output *o, const struct view_options *options);
struct view *list_view_new(struct output *o, const struct view_options *options,
			   const struct connection_table *t, const struct selection *s);
/*
 * From now on the list shows only what list_view_row tells it of, and does not look at the connection table. `lent` gives a row's
 * event again (0 or -errno), so that a table of a million rows is not copied.
 */
void list_view_lend(struct view *v, int (*lent)(void *context, uint64_t row, struct event *e),
		    void *context);
/* A row of the next table, noted where it is selected. 0 or -ENOMEM. */
int list_view_row(struct view *v, const struct event *e, uint64_t row);
struct view *csv_view_new(struct output *o, const struct view_options *options);
struct view *top_view_new(struct output *o, const struct view_options *options,
			  const struct connection_table *t, const struct selection *s);

static inline void view_free(struct view *v)
{
	if (v)
		v->ops->free(v);
}

#endif
