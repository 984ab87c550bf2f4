/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "view/json.h"
#include "view/recording_part.h"
#include "view/recording_sink.h"

#define FRAME_LINES (512u * 1024) /* bytes of lines that make a frame */
#define FRAME_NS 1000000000ULL	  /* or its first line has waited so long */
#define RETRY_NS 1000000000ULL	  /* between two attempts to write on a full disk */
/*
 * So many bytes of lines after a part another one begins, or as many times as its sockets took: seeking reads that much
 * in vain, and the file grows by an eighth at most.
 */
#define PART_LINES (32u * 1024 * 1024)
#define PART_FACTOR 8
#define FLIGHT_PARTS 8 /* a flight recorder keeps up to that part of its time more than it has to */

/* Owned: all but what is said to be borrowed in the header. */
struct recording {
	const struct recording_options *options;
	const struct connection_table *table;
	struct selection selection; /* which rows belong into a part: without states */
	const struct filter *filter;
	struct frame_packer *packer;
	struct recording_start start;

	struct text lines, packed; /* the frame at work; what became of it */
	struct frame_info info;
	uint32_t events;		 /* of its lines: those that are no part's beginning */
	uint64_t began_ns, last_mono_ns; /* mono: of its first record and its last */
	uint64_t time_ns;		 /* of the last record */

	uint64_t part, part_ns;		    /* part_ns: mono, when it began */
	uint64_t part_lines, part_packed;   /* bytes: what its beginning took */
	uint64_t since_lines, since_packed; /* bytes since then */
	bool beginning;			    /* its beginning is being written */
	bool triggered;			    /* since the last tick */

	struct recording_sink sink;
	uint64_t missed, untold; /* events: in all, and not told in the recording yet */
	int error;		 /* of the last attempt to write; 0: all is well */
	int first_error;	 /* 0: there was none yet */
	uint64_t retry_ns;	 /* mono */
};

int recording_new(const struct recording_options *options, const struct connection_table *table,
		  const struct selection *selection, const struct filter *filter,
		  struct recording **out)
{
	struct recording *r = calloc(1, sizeof(*r));
	int error;

	if (r)
		r->packer = frame_packer_new();
	if (!r || !r->packer) {
		report("out of memory");
		recording_free(r);
		return -ENOMEM;
	}
	r->options = options;
	r->table = table;
	r->selection = *selection;
	r->selection.states = 0;
	r->filter = filter;
	error = recording_sink_open(&r->sink, options);
	if (error) {
		recording_free(r);
		return error;
	}
	*out = r;
	return 0;
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	recording_sink_done(&r->sink);
	recording_start_done(&r->start);
	frame_packer_free(r->packer);
	text_done(&r->lines);
	text_done(&r->packed);
	free(r);
}

uint64_t recording_missed(const struct recording *r)
{
	return r->missed;
}

static void miss(struct recording *r, uint64_t events)
{
	r->missed += events;
	r->untold += events;
}

static void begin_frame(struct recording *r)
{
	r->lines.length = 0;
	r->info = (struct frame_info){ .number = r->info.number };
	r->events = 0;
}

/* It can't be written: what is at work is not recorded, and what comes only from a new part on. */
static void fail(struct recording *r, int error, uint64_t events)
{
	if (!r->first_error) {
		r->first_error = error;
		report("can't record into %s: %s; going on, and trying again", r->options->path,
		       strerror(-error));
	}
	r->error = error;
	r->retry_ns = r->last_mono_ns + RETRY_NS;
	miss(r, events);
}

/* The file is full enough, and has more in it than how things stood. */
static bool is_file_full(const struct recording *r)
{
	return !r->options->flight_ns && recording_sink_full(&r->sink, r->packed.length) &&
	       r->since_packed > r->part_packed;
}

static void begin_part(struct recording *r);

static bool is_part_due(const struct recording *r)
{
	const struct recording_options *o = r->options;
	uint64_t spacing = PART_FACTOR * r->part_lines;

	if (r->beginning)
		return false;
	if (o->flight_ns) {
		uint64_t room = o->flight_max / FLIGHT_PARTS;

		if (room < 2 * r->part_packed)
			room = 2 * r->part_packed;
		return r->last_mono_ns - r->part_ns >= o->flight_ns / FLIGHT_PARTS ||
		       r->since_packed >= room;
	}
	return r->since_lines >= (spacing > PART_LINES ? spacing : PART_LINES);
}

/* Ends the frame at work. 0 or -errno (counted already). */
static int write_frame(struct recording *r)
{
	uint32_t events = r->events;
	int error;

	memcpy(r->info.run, r->options->run, sizeof(r->info.run));
	r->packed.length = 0;
	error = frame_pack(r->packer, &r->lines, &r->info, &r->packed);
	if (!error)
		error = recording_sink_write(&r->sink, &r->info, r->last_mono_ns, &r->packed);
	if (!error) {
		r->since_lines += r->lines.length;
		r->since_packed += r->packed.length;
		r->info.number++;
	}
	begin_frame(r);
	if (error)
		fail(r, error, events);
	return error;
}

/* Ends the frame, and the file or the part with it when it is time. */
static void end_frame(struct recording *r)
{
	int error = 0;

	if (!r->lines.length || write_frame(r) || r->beginning)
		return;
	if (is_file_full(r))
		error = recording_sink_rotate(&r->sink);
	else if (!is_part_due(r))
		return;
	if (error)
		fail(r, error, 0);
	else
		begin_part(r);
}

/* Appends a line. False when there is no memory for it. */
static bool put_line(struct recording *r, const struct event *e)
{
	if (!r->lines.length) {
		r->info.first_ns = r->info.last_ns = e->time_ns;
		r->began_ns = e->mono_ns;
	}
	json_write_event(&r->lines, e);
	if (r->lines.failed) {
		text_done(&r->lines);
		return false;
	}
	if (e->time_ns < r->info.first_ns)
		r->info.first_ns = e->time_ns;
	if (e->time_ns > r->info.last_ns)
		r->info.last_ns = e->time_ns;
	r->info.records++;
	return true;
}

static bool is_in_part(const struct recording *r, const struct connection *c, struct event *row)
{
	connection_to_event(c, row, r->start.event.time_ns, r->start.event.mono_ns);
	return selection_match(&r->selection, row) && filter_match(r->filter, row);
}

static uint64_t count_rows(const struct recording *r)
{
	uint64_t rows = 0;
	struct event row;

	for (const struct connection *c = connection_table_first(r->table); c; c = c->next)
		rows += is_in_part(r, c, &row);
	return rows;
}

static void put_rows(struct recording *r)
{
	struct event row;

	for (const struct connection *c = connection_table_first(r->table); c && !r->error;
	     c = c->next) {
		if (!is_in_part(r, c, &row))
			continue;
		if (!put_line(r, &row))
			fail(r, -ENOMEM, 0);
		if (r->lines.length >= FRAME_LINES)
			end_frame(r);
	}
}

static void put_untold(struct recording *r)
{
	struct event lost;

	if (!r->untold)
		return;
	event_init(&lost, EVENT_LOST, r->time_ns, r->last_mono_ns);
	lost.count = r->untold;
	lost.where = "recording";
	event_set(&lost, FIELD_COUNT_LOST);
	event_set(&lost, FIELD_WHERE);
	put_line(r, &lost);
}

/* Head, `start` and what lives, with the time of the last record; all of it at once. */
static void begin_part(struct recording *r)
{
	char run_text[2 * FRAME_RUN_BYTES + 1];
	struct event *start = &r->start.event, head;
	uint64_t untold = r->untold;

	r->beginning = true;
	r->error = 0;
	begin_frame(r);
	r->info.flags = FRAME_KEY;
	start->time_ns = r->time_ns;
	start->mono_ns = r->last_mono_ns;
	if (r->part) {
		start->sockets = count_rows(r);
		event_set(start, FIELD_SOCKETS);
	}
	recording_head(&head, r->options, start, run_text, r->part, count_rows(r));
	/* a gap in the parts' numbers says that there is one in the recording */
	r->part += 1;
	r->since_lines = r->since_packed = 0;
	if (!put_line(r, &head) || !put_line(r, start))
		fail(r, -ENOMEM, 0);
	put_untold(r);
	put_rows(r);
	if (!r->error)
		end_frame(r);
	r->beginning = false;
	if (r->error) {
		begin_frame(r);
		return;
	}
	r->untold -= untold;
	r->part_ns = r->last_mono_ns;
	r->part_lines = r->since_lines;
	r->part_packed = r->since_packed;
}

/* After a failure: a new part, with a number that shows the gap. */
static void begin_again(struct recording *r)
{
	r->part++;
	begin_part(r);
}

/* The same, once it is time to. */
static void try_again(struct recording *r)
{
	if (r->last_mono_ns >= r->retry_ns)
		begin_again(r);
}

void recording_event(struct recording *r, const struct event *e)
{
	bool first = e->type == EVENT_START && !r->start.known;

	if (first && recording_start_set(&r->start, e))
		return;
	if (!r->start.known)
		return;
	/* times may step back a little; the clocks of a part's beginning don't */
	if (e->time_ns > r->time_ns || e->mono_ns > r->last_mono_ns)
		r->time_ns = e->time_ns;
	if (e->mono_ns > r->last_mono_ns)
		r->last_mono_ns = e->mono_ns;
	if (first) {
		begin_part(r);
		return;
	}
	if (r->error) {
		miss(r, 1);
		try_again(r);
		return;
	}
	if (!put_line(r, e)) {
		fail(r, -ENOMEM, r->events + 1);
		begin_frame(r);
		return;
	}
	r->events++;
	if (r->options->trigger && e->type != EVENT_SUMMARY && filter_match(r->options->trigger, e))
		r->triggered = true;
	if (r->lines.length >= FRAME_LINES)
		end_frame(r);
}

void recording_tick(struct recording *r, uint64_t time_ns, uint64_t mono_ns)
{
	if (!r->start.known)
		return;
	if (mono_ns > r->last_mono_ns) {
		r->time_ns = time_ns;
		r->last_mono_ns = mono_ns;
	}
	if (r->error)
		try_again(r);
	else if (r->lines.length && mono_ns - r->began_ns >= FRAME_NS && mono_ns > r->began_ns)
		end_frame(r);
	if (r->triggered)
		recording_dump(r, time_ns, mono_ns, r->options->after_ns);
	r->triggered = false;
	if (!r->error && recording_sink_dump_ends(&r->sink, mono_ns))
		end_frame(r);
	recording_sink_tick(&r->sink, mono_ns);
}

void recording_finish(struct recording *r)
{
	if (r->error)
		begin_again(
			r); /* if there is room by now, the file itself says what is not in it */
	if (!r->error)
		end_frame(r);
	if (r->missed)
		report("%s: %llu events were not recorded: %s", r->options->path,
		       (unsigned long long)r->missed, strerror(-r->first_error));
	if (r->sink.flight.early)
		report("the flight recorder let go of %llu frames before their time; raise --flight-size",
		       (unsigned long long)r->sink.flight.early);
}

/* A head and `start` for frames in memory whose own were let go: what lived then is not known any more. */
static int make_opening(struct recording *r, const struct frame_info *next, struct text *opening)
{
	char run_text[2 * FRAME_RUN_BYTES + 1];
	struct event start = r->start.event, head;
	struct frame_info info = { .flags = FRAME_KEY,
				   .number = next->number ? next->number - 1 : 0,
				   .first_ns = next->first_ns,
				   .last_ns = next->first_ns,
				   .records = 2 };
	struct text lines = { 0 };
	int error;

	start.mono_ns -= start.time_ns - next->first_ns;
	start.time_ns = next->first_ns;
	event_unset(&start, FIELD_SOCKETS);
	recording_head(&head, r->options, &start, run_text, r->part, 0);
	json_write_event(&lines, &head);
	json_write_event(&lines, &start);
	memcpy(info.run, r->options->run, sizeof(info.run));
	error = lines.failed ? -ENOMEM : frame_pack(r->packer, &lines, &info, opening);
	text_done(&lines);
	return error;
}

void recording_dump(struct recording *r, uint64_t time_ns, uint64_t mono_ns, uint64_t after_ns)
{
	const struct flight_frame *first;
	struct text opening = { 0 };

	if (!r->error)
		end_frame(r);
	recording_sink_tick(&r->sink, mono_ns);
	first = r->sink.flight.first;
	if (!first) {
		report("the flight recorder has nothing to write yet");
		return;
	}
	if (!(first->info.flags & FRAME_KEY) && make_opening(r, &first->info, &opening))
		report("out of memory: what is written has no beginning");
	recording_sink_dump(&r->sink, &opening, time_ns, after_ns ? mono_ns + after_ns : 0);
	text_done(&opening);
}
