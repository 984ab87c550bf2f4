/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_chain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TAIL_BYTES (256u * 1024) /* of a plain file, where its last line is looked for */
#define FOREIGN_LINES 20	 /* so many bad lines and not one good: this is something else */

int replay_chain_add(struct replay_chain *c, const char *path, struct replay_input *input)
{
	struct replay_chain_file *files = realloc(c->files, (c->count + 1UL) * sizeof(*c->files));

	if (!files)
		return -ENOMEM;
	c->files = files;
	files[c->count] = (struct replay_chain_file){ .path = path, .input = input };
	files[c->count].has_index = replay_input_peek(input, &files[c->count].first);
	c->count++;
	return 0;
}

void replay_chain_done(struct replay_chain *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->count; i++)
		replay_input_free(c->files[i].input);
	free(c->files);
	replay_lines_done(&c->lines);
	replay_decoder_done(&c->decoder);
	*c = (struct replay_chain){ .ended = true };
}

static int compare_files(const void *a, const void *b)
{
	const struct replay_chain_file *x = a, *y = b;

	return (x->first.number > y->first.number) - (x->first.number < y->first.number);
}

void replay_chain_sort(struct replay_chain *c)
{
	if (c->count > 1)
		qsort(c->files, c->count, sizeof(*c->files), compare_files);
}

/* The latest time in the last lines of a plain file. */
static bool last_of_lines(const struct replay_input *input, uint64_t *last_ns)
{
	AUTO_FREE char *bytes = malloc(TAIL_BYTES);
	size_t size = bytes ? replay_input_tail(input, bytes, TAIL_BYTES) : 0;
	struct replay_decoder decoder = { 0 };
	char *line = bytes, *end = bytes + size, *newline;
	uint64_t last = 0;

	for (; line < end; line = newline + 1) {
		struct event e;
		char what[160];
		bool not_json;

		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			newline = end;
		if (replay_decode(&decoder, line, (size_t)(newline - line), &e, what, sizeof(what),
				  &not_json) == 1 &&
		    event_has(&e, FIELD_TIME) && e.time_ns > last)
			last = e.time_ns;
	}
	replay_decoder_done(&decoder);
	*last_ns = last;
	return last;
}

bool replay_chain_last(const struct replay_chain *c, unsigned int i, uint64_t *last_ns)
{
	uint64_t first_ns;

	*last_ns = 0;
	if (!c->files[i].input) /* read already, in search of the first event: it has none */
		return true;
	return replay_input_span(c->files[i].input, &first_ns, last_ns) ||
	       last_of_lines(c->files[i].input, last_ns);
}

int replay_chain_seek(struct replay_chain *c, uint64_t from_ns)
{
	if (c->ended || c->lines.data) /* it has begun */
		return 0;
	/* files that a later one of the run makes needless */
	while (c->at + 1 < c->count && c->files[c->at + 1].has_index &&
	       c->files[c->at + 1].first.flags & FRAME_KEY &&
	       c->files[c->at + 1].first.first_ns <= from_ns) {
		replay_input_free(c->files[c->at].input);
		c->files[c->at].input = NULL;
		c->at++;
	}
	return replay_input_seek(c->files[c->at].input, from_ns, &c->skipped);
}

/* --- what is wrong --- */

static int bad_line(struct replay_chain *c, struct replay_error *error, const char *what)
{
	c->bad++;
	error->line = c->lines.number + c->skipped;
	if (what)
		snprintf(error->what, sizeof(error->what), "%s", what);
	return -EBADMSG;
}

static int foreign_file(struct replay_chain *c, struct replay_error *error)
{
	c->ended = true;
	snprintf(error->what, sizeof(error->what), "this is not a nettrace recording");
	return -EPROTO;
}

/* Nothing that another call could get around. */
static int no_reading(struct replay_chain *c, struct replay_error *error, int cause)
{
	c->ended = true;
	snprintf(error->what, sizeof(error->what), "cannot be read: %s", strerror(-cause));
	return cause;
}

static int damaged(struct replay_chain *c, struct replay_error *error)
{
	c->broken = true;
	snprintf(error->what, sizeof(error->what), "%s", replay_input_what(c->files[c->at].input));
	return -EBADMSG;
}

static int truncated(const struct replay_chain *c, struct replay_error *error)
{
	snprintf(error->what, sizeof(error->what), "truncated: %s, what stands before it is shown",
		 replay_input_what(c->files[c->at].input));
	return REPLAY_NOTE;
}

/* --- files --- */

static int begin_file(struct replay_chain *c)
{
	return replay_lines_init(&c->lines, c->files[c->at].input);
}

/* Closes the file at hand; the next one goes on behind its last frame. */
static void end_file(struct replay_chain *c)
{
	struct replay_chain_file *file = &c->files[c->at];
	struct frame_info last;
	bool has_last = replay_input_last(file->input, &last);

	replay_lines_done(&c->lines);
	c->lines = (struct replay_lines){ 0 };
	replay_input_free(file->input);
	file->input = NULL;
	c->good = c->bad = c->skipped = 0;
	c->at++;
	if (c->at == c->count)
		c->ended = true;
	else if (has_last)
		replay_input_follow(c->files[c->at].input, last.run, last.number);
}

/* --- lines --- */

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

/*
 * Views run by both clocks; a line that somebody has cut one out of gets it from the other (its
 * presence bit stays clear). 0, or -EBADMSG where there is nothing to take it from.
 */
static int complete_clocks(struct replay_chain *c, struct event *e, struct replay_error *error)
{
	bool has_time = event_has(e, FIELD_TIME), has_mono = event_has(e, FIELD_MONO_NS);

	if (has_time && has_mono) {
		c->has_offset = e->time_ns >= e->mono_ns;
		c->offset_ns = e->time_ns - e->mono_ns;
	} else if (has_time) {
		/*
		 * Nothing but differences is read from the monotonic clock: before any line had
		 * both, one is as good as the other.
		 */
		e->mono_ns = !c->has_offset		 ? e->time_ns
			     : e->time_ns > c->offset_ns ? e->time_ns - c->offset_ns
							 : 0;
	} else if (has_mono && c->has_offset && e->mono_ns <= UINT64_MAX - c->offset_ns) {
		e->time_ns = e->mono_ns + c->offset_ns;
	} else if (e->type == EVENT_START || e->type == EVENT_SUMMARY ||
		   e->type == EVENT_RECORDING) {
		e->time_ns = c->last_time_ns;
		if (!has_mono)
			e->mono_ns = c->last_mono_ns;
	} else {
		return bad_line(c, error, "no field \"time\"");
	}
	c->last_time_ns = e->time_ns;
	c->last_mono_ns = e->mono_ns;
	return 0;
}

/* 1 an event, 0 a line to skip, or -errno as replay_next. */
static int decode_line(struct replay_chain *c, const char *line, size_t length, bool ended,
		       struct event *e, struct replay_error *error)
{
	bool not_json;
	int result;

	if (is_blank(line, length))
		return 0;
	result = replay_decode(&c->decoder, line, length, e, error->what, sizeof(error->what),
			       &not_json);
	if (result == -EBADMSG)
		return bad_line(c, error,
				not_json && !ended ? "truncated: the last line has no end" : NULL);
	if (result < 0)
		return no_reading(c, error, result);
	if (result == 1) {
		int clocks = complete_clocks(c, e, error);

		if (clocks)
			return clocks;
	}
	c->good++;
	return result;
}

/* --- parts --- */

static void take_name(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void take_head(struct replay_chain *c, const struct event *e)
{
	bool same = event_has(e, FIELD_RUN) && !strncmp(c->run, e->run, sizeof(c->run) - 1);

	c->goes_on = same && !c->broken && e->part == c->part + 1;
	c->broken = false;
	c->head_read = true;
	c->part = e->part;
	c->rows = event_has(e, FIELD_SOCKETS) ? e->sockets : 0;
	take_name(c->run, sizeof(c->run), event_has(e, FIELD_RUN) ? e->run : NULL);
	take_name(c->host, sizeof(c->host), event_has(e, FIELD_HOST) ? e->host : NULL);
	take_name(c->boot, sizeof(c->boot), event_has(e, FIELD_BOOT) ? e->boot : NULL);
	c->own_netns = event_has(e, FIELD_NETNS) ? e->netns : 0;
}

/* Is it one to hand out? Parts are put together again, so that nobody sees where one ends and another begins. */
static bool is_news(struct replay_chain *c, struct event *e)
{
	switch (e->type) {
	case EVENT_RECORDING:
		take_head(c, e);
		return false;
	case EVENT_START:
		if (!c->head_read) { /* what --json wrote */
			c->rows = 0;
			take_name(c->host, sizeof(c->host),
				  event_has(e, FIELD_HOST) ? e->host : NULL);
			return true;
		}
		c->head_read = false;
		e->snapshot = !c->goes_on;
		return !c->goes_on;
	case EVENT_SOCKET:
		if (c->rows) {
			c->rows--;
			e->snapshot = !c->goes_on;
		}
		return true;
	case EVENT_LOST: /* may stand between `start` and the sockets */
		return true;
	default:
		c->rows = 0;
		return true;
	}
}

/* One line of the file at hand. 1 an event to hand out, 0 none (or the end of the file), or -errno as replay_next. */
static int next_line(struct replay_chain *c, struct event *e, struct replay_error *error)
{
	const char *line;
	size_t length;
	bool ended;
	int result;

	if (!c->good && c->bad >= FOREIGN_LINES)
		return foreign_file(c, error);
	result = replay_lines_next(&c->lines, &line, &length, &ended);
	switch (result) {
	case 1:
		result = decode_line(c, line, length, ended, e, error);
		return result == 1 && !is_news(c, e) ? 0 : result;
	case 0:
		/* empty, or nothing but a few bad lines */
		if (!c->good && !c->skipped && !replay_input_passed(c->files[c->at].input))
			return foreign_file(c, error);
		end_file(c);
		return 0;
	case REPLAY_GAP:
		c->broken = true;
		return 0;
	case REPLAY_DAMAGED:
		return damaged(c, error);
	case REPLAY_TRUNCATED:
		return truncated(c, error);
	case -EMSGSIZE:
		return bad_line(c, error, "the line is longer than 1 MiB");
	default:
		return no_reading(c, error, result);
	}
}

int replay_chain_next(struct replay_chain *c, struct event *e, struct replay_error *error)
{
	int result = 0;

	while (!c->ended && !result) {
		error->path = c->files[c->at].path;
		error->line = 0;
		result = c->lines.data ? 0 : begin_file(c);
		if (result)
			return no_reading(c, error, result);
		result = next_line(c, e, error);
	}
	return result;
}
