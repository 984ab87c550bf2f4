/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/replay_chain.h"

#define SOURCES_MAX 255 /* hosts that are told apart; struct event's `source` has 8 bits */
/* Odd, and far from any number that a kernel counts up to: an id times it stays unlike the others. */
#define ID_STEP 0x9e3779b97f4a7c15ULL

struct replay_source {
	char host[REPLAY_HOST_MAX], boot[64];
};

/* A chain with the event that it would tell next. Owned: chain. */
struct stream {
	struct replay_chain chain;
	struct event event;
	bool waiting; /* event is one */
	uint8_t source;
	/* added to its monotonic clock, so that all run alike */
	int64_t shift_ns;
};

/* Owned: all of it. */
struct replay {
	struct stream *streams;
	unsigned int count;
	bool begun;
	struct replay_source *sources;
	unsigned int source_count;
	uint64_t base_ns;    /* wall less monotonic clock of the host that started up first */
	bool several;	     /* hosts */
	struct stream *last; /* whose event was handed out last */
};

/* --- opening --- */

static bool same_run(const struct frame_info *a, const struct frame_info *b)
{
	return !memcmp(a->run, b->run, sizeof(a->run));
}

/* The chain that this file belongs to: of the same run, or a new one. NULL when out of memory. */
static struct stream *find_stream(struct replay *r, struct replay_input *input)
{
	struct frame_info first;
	struct stream *streams;

	if (replay_input_peek(input, &first))
		for (unsigned int i = 0; i < r->count; i++) {
			const struct replay_chain *c = &r->streams[i].chain;

			if (c->files[0].has_index && same_run(&c->files[0].first, &first))
				return &r->streams[i];
		}
	streams = realloc(r->streams, (r->count + 1UL) * sizeof(*streams));
	if (!streams)
		return NULL;
	r->streams = streams;
	memset(&streams[r->count], 0, sizeof(*streams));
	return &streams[r->count++];
}

static int add_file(struct replay *r, const char *path, const volatile sig_atomic_t *stop)
{
	struct replay_input *input;
	struct stream *s;
	int error = replay_input_open(path, stop, &input);

	if (error)
		return error;
	s = find_stream(r, input);
	error = s ? replay_chain_add(&s->chain, path, input) : -ENOMEM;
	if (error)
		replay_input_free(input);
	return error;
}

int replay_open(const char *const *paths, unsigned int count, const volatile sig_atomic_t *stop,
		struct replay **out, struct replay_error *error)
{
	struct replay *r = calloc(1, sizeof(*r));
	int result = r ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < count && !result; i++) {
		error->path = paths[i];
		result = add_file(r, paths[i], stop);
	}
	if (result) {
		replay_close(r);
		return result;
	}
	for (unsigned int i = 0; i < r->count; i++)
		replay_chain_sort(&r->streams[i].chain);
	*out = r;
	return 0;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	for (unsigned int i = 0; i < r->count; i++)
		replay_chain_done(&r->streams[i].chain);
	free(r->streams);
	free(r->sources);
	free(r);
}

/* --- hosts --- */

/* The number of the host, in the order in which they are met. */
static uint8_t find_source(struct replay *r, const struct replay_chain *c)
{
	struct replay_source *sources;

	for (unsigned int i = 0; i < r->source_count; i++)
		if (!strcmp(r->sources[i].host, c->host) && !strcmp(r->sources[i].boot, c->boot))
			return (uint8_t)i;
	if (r->source_count > SOURCES_MAX)
		return SOURCES_MAX;
	sources = realloc(r->sources, (r->source_count + 1UL) * sizeof(*sources));
	if (!sources) /* taken for the last one, rather than lost */
		return (uint8_t)(r->source_count ? r->source_count - 1 : 0);
	r->sources = sources;
	memcpy(sources[r->source_count].host, c->host, sizeof(c->host));
	memcpy(sources[r->source_count].boot, c->boot, sizeof(c->boot));
	return (uint8_t)r->source_count++;
}

static void set_source(struct replay *r, struct stream *s)
{
	const struct replay_chain *c = &s->chain;

	s->source = find_source(r, c);
	r->several = r->source_count > 1;
	s->shift_ns = r->several ? (int64_t)(c->last_time_ns - c->last_mono_ns - r->base_ns) : 0;
}

static uint64_t shifted(uint64_t ns, int64_t shift_ns)
{
	uint64_t result = ns + (uint64_t)shift_ns;

	/* from before that host's time zero: as early as can be said */
	return shift_ns < 0 && result > ns ? 1 : result;
}

/* Of several hosts: what would be mistaken for another one's. */
static void tell_apart(const struct replay *r, const struct stream *s, struct event *e)
{
	e->source = s->source;
	e->mono_ns = shifted(e->mono_ns, s->shift_ns);
	if (e->start_ns)
		e->start_ns = shifted(e->start_ns, s->shift_ns);
	if (e->cookie) {
		e->cookie += ID_STEP * s->source;
		e->cookie += !e->cookie;
	}
	if (!event_has(e, FIELD_HOST) && *r->sources[s->source].host) {
		e->host = r->sources[s->source].host;
		event_set(e, FIELD_HOST);
	}
}

/* --- events --- */

/* 1 an event, 0 the end, or as replay_next. */
static int advance(struct replay *r, struct stream *s, struct replay_error *error)
{
	int result = replay_chain_next(&s->chain, &s->event, error);

	s->waiting = result == 1;
	if (result == 1 && s->event.type == EVENT_START)
		set_source(r, s);
	return result;
}

/* The first event of each: then it is known whose they are, and by whose clock all are told. */
static int begin(struct replay *r, struct replay_error *error)
{
	int result;

	for (unsigned int i = 0; i < r->count; i++) {
		struct stream *s = &r->streams[i];

		while (!s->waiting && !s->chain.ended) {
			result = advance(r, s, error);
			if (result < 0)
				return result;
		}
		if (s->waiting) {
			uint64_t offset_ns = s->event.time_ns - s->event.mono_ns;

			if (!r->base_ns || offset_ns < r->base_ns)
				r->base_ns = offset_ns;
			if (s->event.type != EVENT_START)
				s->source = find_source(r, &s->chain);
		}
	}
	r->several = r->source_count > 1;
	for (unsigned int i = 0; i < r->count; i++)
		if (r->streams[i].waiting)
			set_source(r, &r->streams[i]);
	r->begun = true;
	return 0;
}

static struct stream *earliest(const struct replay *r)
{
	struct stream *first = NULL;
	uint64_t first_ns = 0;

	for (unsigned int i = 0; i < r->count; i++) {
		struct stream *s = &r->streams[i];
		uint64_t ns;

		if (!s->waiting)
			continue;
		ns = shifted(s->event.mono_ns, s->shift_ns);
		if (!first || ns < first_ns) {
			first = s;
			first_ns = ns;
		}
	}
	return first;
}

int replay_next(struct replay *r, struct event *e, struct replay_error *error)
{
	struct stream *s;
	int result;

	if (!r->begun) {
		result = begin(r, error);
		if (result)
			return result;
	}
	if (r->last) {
		s = r->last;
		result = advance(r, s, error);
		if (result < 0)
			return result;
		r->last = NULL;
	}
	s = r->count == 1 ? &r->streams[0] : earliest(r);
	if (!s || !s->waiting)
		return 0;
	*e = s->event;
	if (r->several)
		tell_apart(r, s, e);
	s->waiting = false;
	r->last = s;
	return 1;
}

uint32_t replay_own_netns(const struct replay *r)
{
	uint32_t netns = 0;

	for (unsigned int i = 0; i < r->count; i++) {
		const struct replay_chain *c = &r->streams[i].chain;

		if (!c->own_netns || (netns && c->own_netns != netns))
			return 0;
		netns = c->own_netns;
	}
	return netns;
}

/* --- times --- */

int replay_first(struct replay *r, uint64_t *first_ns, struct replay_error *error)
{
	uint64_t first = 0;

	for (unsigned int i = 0; i < r->count; i++) {
		struct stream *s = &r->streams[i];
		const struct replay_chain_file *file = &s->chain.files[0];
		uint64_t ns;

		if (!file->has_index && !s->waiting && !s->chain.ended) {
			int result = advance(r, s, error);

			if (result < 0)
				return result;
		}
		if (!file->has_index && !s->waiting)
			continue;
		ns = file->has_index ? file->first.first_ns : s->event.time_ns;
		if (!first || ns < first)
			first = ns;
	}
	*first_ns = first;
	return 0;
}

bool replay_last(const struct replay *r, uint64_t *last_ns)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < r->count; i++) {
		const struct replay_chain *c = &r->streams[i].chain;

		for (unsigned int k = 0; k < c->count; k++) {
			uint64_t ns;

			if (!replay_chain_last(c, k, &ns))
				return false;
			if (ns > last)
				last = ns;
		}
	}
	*last_ns = last;
	return true;
}

int replay_seek(struct replay *r, uint64_t from_ns)
{
	for (unsigned int i = 0; i < r->count; i++) {
		int error = replay_chain_seek(&r->streams[i].chain, from_ns);

		if (error)
			return error;
	}
	return 0;
}
