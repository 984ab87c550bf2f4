/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/recording_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/report.h"

#define NAMES_MAX 100 /* dumps of the same second */

static void report_existing(const char *name)
{
	report("%s is there already; name another file, or replace it with --force", name);
}

/* Those that will be there later must not be somebody else's either. */
static int check_names(const struct recording_options *o)
{
	AUTO_FREE char *name = NULL;
	int error;

	if (o->force || !o->size_max)
		return 0;
	error = recording_file_check(o->path, o->files, &name);
	if (!error && name) {
		report_existing(name);
		return -EEXIST;
	}
	if (error)
		report("out of memory");
	return error;
}

int recording_sink_open(struct recording_sink *s, const struct recording_options *options)
{
	int error;

	*s = (struct recording_sink){ .options = options, .file.fd = -1 };
	flight_init(&s->flight, options->flight_ns, options->flight_max);
	if (options->flight_ns)
		return 0;
	error = check_names(options);
	if (error)
		return error;
	error = recording_file_create(options->path, options->force, &s->file);
	if (error == -EEXIST)
		report_existing(options->path);
	else if (error == -EINVAL)
		report("%s is no regular file: it is not replaced", options->path);
	else if (error)
		report("can't record into %s: %s", options->path, strerror(-error));
	return error;
}

void recording_sink_done(struct recording_sink *s)
{
	for (unsigned int i = 0; i < s->dump_count; i++)
		free(s->dumps[i]);
	free(s->dumps);
	s->dumps = NULL;
	s->dump_count = 0;
	flight_done(&s->flight);
	recording_file_done(&s->file);
}

static void end_dump(struct recording_sink *s)
{
	recording_file_done(&s->file);
	s->dump_until_ns = 0;
}

static void add_to_dump(struct recording_sink *s, const void *bytes, size_t size)
{
	int error = recording_file_append(&s->file, bytes, size);

	if (error) {
		report("%s ends here: %s", s->file.path, strerror(-error));
		end_dump(s);
	} else if (recording_sink_full(s, 0)) {
		end_dump(s);
	}
}

int recording_sink_write(struct recording_sink *s, const struct frame_info *info, uint64_t mono_ns,
			 const struct text *packed)
{
	int error;

	if (!s->options->flight_ns)
		return recording_file_append(&s->file, packed->data, packed->length);
	error = flight_add(&s->flight, info, mono_ns, packed->data, packed->length);
	if (!error && s->file.path)
		add_to_dump(s, packed->data, packed->length);
	return error;
}

bool recording_sink_full(const struct recording_sink *s, size_t more)
{
	return s->options->size_max && s->file.bytes + more > s->options->size_max;
}

int recording_sink_rotate(struct recording_sink *s)
{
	return recording_file_rotate(&s->file, s->options->files);
}

/* Only so many dumps are kept. False when there is no memory to remember this one: then it stays. */
static bool remember_dump(struct recording_sink *s, const char *name)
{
	const unsigned int limit = s->options->files;
	char *copy;

	if (!limit)
		return true;
	if (!s->dumps)
		s->dumps = calloc(limit, sizeof(*s->dumps));
	copy = s->dumps ? strdup(name) : NULL;
	if (!copy)
		return false;
	if (s->dump_count == limit) {
		if (s->dumps[0] && unlink(s->dumps[0]) && errno != ENOENT)
			report("can't remove %s: %s", s->dumps[0], strerror(errno));
		free(s->dumps[0]);
		memmove(s->dumps, s->dumps + 1, (limit - 1) * sizeof(*s->dumps));
		s->dump_count--;
	}
	s->dumps[s->dump_count++] = copy;
	return true;
}

/* x.20261121T074318Z.jsonl.zst, and Z2, Z3 for more of the same second. */
static int create_dump(struct recording_sink *s, uint64_t time_ns)
{
	time_t second = (time_t)(time_ns / 1000000000ULL);
	char stamp[32], word[48];
	struct tm tm;
	int error = -EEXIST;

	gmtime_r(&second, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned int i = 1; i <= NAMES_MAX && error == -EEXIST; i++) {
		AUTO_FREE char *name = NULL;

		snprintf(word, sizeof(word), i > 1 ? "%s%u" : "%s", stamp, i);
		name = recording_file_name(s->options->path, word);
		error = name ? recording_file_create(name, false, &s->file) : -ENOMEM;
	}
	return error;
}

static int write_dump(struct recording_sink *s, const struct text *opening, uint64_t *records)
{
	int error = 0;

	*records = 0;
	if (opening->length)
		error = recording_file_append(&s->file, opening->data, opening->length);
	for (const struct flight_frame *f = s->flight.first; f && !error; f = f->next) {
		error = recording_file_append(&s->file, f->bytes, f->size);
		*records += f->info.records;
	}
	return error;
}

void recording_sink_dump(struct recording_sink *s, const struct text *opening, uint64_t time_ns,
			 uint64_t until_ns)
{
	uint64_t records;
	int error;

	if (s->file.path) { /* one is being written: it has all of this already, and goes on */
		if (until_ns > s->dump_until_ns)
			s->dump_until_ns = until_ns;
		return;
	}
	error = create_dump(s, time_ns);
	if (error) {
		report("can't write what was recorded beside %s: %s", s->options->path,
		       strerror(-error));
		return;
	}
	error = write_dump(s, opening, &records);
	if (error)
		report("%s: can't be written whole: %s", s->file.path, strerror(-error));
	else
		report("%s: %llu records of the last minutes%s", s->file.path,
		       (unsigned long long)records, until_ns ? ", and the next one's" : "");
	remember_dump(s, s->file.path);
	s->dump_until_ns = until_ns;
	if (error || !until_ns)
		end_dump(s);
}

bool recording_sink_dump_ends(const struct recording_sink *s, uint64_t mono_ns)
{
	return s->dump_until_ns && mono_ns >= s->dump_until_ns;
}

void recording_sink_tick(struct recording_sink *s, uint64_t mono_ns)
{
	flight_trim(&s->flight, mono_ns);
	if (recording_sink_dump_ends(s, mono_ns))
		end_dump(s);
}
