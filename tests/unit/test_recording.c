/* SPDX-License-Identifier: BSD-2-Clause */
/* What is recorded, damaged, cut, put together, and read again: without a kernel. */
#include "view/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/replay.h"
#include "view/flight.h"
#include "view/json.h"

#define S 1000000000ULL
#define OFFSET (1700000000 * S)

static char directory[] = "/tmp/nettrace-unit-XXXXXX";

struct world {
	struct recording_options options;
	struct selection selection;
	struct connection_table *table;
	struct recording *recording;
	const char *host;
	uint64_t offset_ns; /* wall less monotonic clock */
	char path[64];
};

static void begin(struct world *w, const char *name, const char *host, uint64_t offset_ns)
{
	*w = (struct world){ .host = host, .offset_ns = offset_ns };
	snprintf(w->path, sizeof(w->path), "%s/%s", directory, name);
	w->options.path = w->path;
	w->options.files = 4;
	memset(w->options.run, host[0], sizeof(w->options.run));
	snprintf(w->options.boot, sizeof(w->options.boot), "boot of %s", host);
	w->table = connection_table_new(1000);
	assert_non_null(w->table);
	assert_int_equal(recording_new(&w->options, w->table, &w->selection, NULL, &w->recording),
			 0);
}

static void end(struct world *w)
{
	recording_finish(w->recording);
	recording_free(w->recording);
	connection_table_free(w->table);
}

static void tell(struct world *w, enum event_type type, uint64_t cookie, uint64_t mono_ns)
{
	struct connection_change change;
	struct event e;

	event_init(&e, type, mono_ns + w->offset_ns, mono_ns);
	if (type == EVENT_START) {
		e.host = w->host;
		event_set(&e, FIELD_HOST);
	} else if (cookie) {
		e.cookie = cookie;
		e.start_ns = 7 + cookie;
		e.proto = IPPROTO_TCP;
		e.pid = 100;
		event_set(&e, FIELD_ID);
		event_set(&e, FIELD_PROTO);
		event_set(&e, FIELD_PID);
	}
	connection_table_apply(w->table, &e, &change);
	recording_event(w->recording, &e);
}

/* Ends the frame. */
static void pause_a_second(struct world *w, uint64_t mono_ns)
{
	recording_tick(w->recording, mono_ns + 2 * S + w->offset_ns, mono_ns + 2 * S);
}

/* `start`, then connections 1 to `count`, each opened at its second in a frame of its own; none is closed. */
static void record_opens(struct world *w, uint64_t count)
{
	tell(w, EVENT_START, 0, 10 * S);
	for (uint64_t i = 1; i <= count; i++) {
		tell(w, EVENT_CONNECT, i, (10 + 10 * i) * S);
		pause_a_second(w, (10 + 10 * i) * S);
	}
}

/* What a replay tells, as words: start, connect1, socket2; errors as !what. */
static void words_of(struct replay *r, struct text *words)
{
	struct replay_error error;
	struct event e;
	int n;

	while ((n = replay_next(r, &e, &error)) != 0) {
		if (words->length)
			text_char(words, ' ');
		if (n < 0) {
			text_printf(words, "!%.20s", error.what);
			assert_true(n == -EBADMSG || n == REPLAY_NOTE || n == -EPROTO);
			continue;
		}
		text_puts(words, event_type_name(e.type));
		if (event_has(&e, FIELD_ID))
			text_u64(words, e.cookie & 0xffff);
		if (e.snapshot)
			text_char(words, '*');
		if (event_has(&e, FIELD_HOST) && e.type != EVENT_START)
			text_printf(words, "@%s", e.host);
	}
	text_char(words, '\0');
}

static void assert_replay(const char *expected, unsigned int count, const char *const *paths,
			  uint64_t from_ns)
{
	struct text words = { 0 };
	struct replay_error error;
	struct replay *r;

	assert_int_equal(replay_open(paths, count, NULL, &r, &error), 0);
	if (from_ns)
		assert_int_equal(replay_seek(r, from_ns), 0);
	words_of(r, &words);
	assert_string_equal(words.data, expected);
	text_done(&words);
	replay_close(r);
}

static void assert_file(const char *expected, const char *path)
{
	assert_replay(expected, 1, &path, 0);
}

static void read_file(const char *path, struct text *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_true(text_reserve(bytes, (size_t)status.st_size));
	assert_int_equal(read(fd, bytes->data, (size_t)status.st_size), status.st_size);
	bytes->length = (size_t)status.st_size;
	close(fd);
}

static const char *write_file(const char *name, const void *bytes, size_t n)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return path;
}

static void index_of_a_frame(void **state)
{
	struct frame_info info = { .number = 1ULL << 40,
				   .first_ns = 5,
				   .last_ns = 6,
				   .flags = FRAME_KEY,
				   .records = 3,
				   .plain_bytes = 100,
				   .packed_bytes = 50 },
			  back;
	uint8_t bytes[FRAME_INDEX_BYTES + 8] = { 0 };

	(void)state;
	memset(info.run, 0xab, sizeof(info.run));
	frame_index_write(bytes + 8, &info);
	assert_int_equal(frame_index_find(bytes, sizeof(bytes)), 8);
	assert_int_equal(frame_index_find(bytes, 20), 20);
	assert_true(frame_is_zstd(bytes + 8));
	assert_false(frame_is_zstd((const uint8_t *)"{\"ev"));
	assert_true(frame_index_read(bytes + 8, &back));
	assert_memory_equal(&info, &back, sizeof(info));
	info.packed_bytes = FRAME_BYTES_MAX + 1;
	frame_index_write(bytes, &info);
	assert_false(frame_index_read(bytes, &back));
	info.packed_bytes = 0;
	frame_index_write(bytes, &info);
	assert_false(frame_index_read(bytes, &back));
}

static void there_and_back(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "x.zst", "a", OFFSET);
	record_opens(&w, 3);
	tell(&w, EVENT_CLOSE, 2, 60 * S);
	end(&w);
	assert_file("start* connect1 connect2 connect3 close2", w.path);
}

/* Every cut: what is whole before it, and one word on it. */
static void cut_anywhere(void **state)
{
	struct text bytes = { 0 };
	struct world w;
	const char *path;

	(void)state;
	begin(&w, "whole.zst", "a", OFFSET);
	record_opens(&w, 1);
	end(&w);
	read_file(w.path, &bytes);
	for (size_t n = 1; n < bytes.length; n++) {
		struct text words = { 0 };
		struct replay_error error;
		struct replay *r;

		path = write_file("cut.zst", bytes.data, n);
		assert_int_equal(replay_open(&path, 1, NULL, &r, &error), 0);
		words_of(r, &words);
		if (!strstr(words.data, "!truncated") && !strstr(words.data, "!this is not") &&
		    strcmp(words.data, "start*") != 0)
			fail_msg("cut at %zu: %s", n, words.data);
		assert_null(strstr(words.data, "connect"));
		text_done(&words);
		replay_close(r);
	}
	text_done(&bytes);
}

/* Every frame but the damaged one is there. Where nothing in its lines is changed (its index) all are. */
static void damaged_anywhere(void **state)
{
	struct text bytes = { 0 };
	unsigned int harmless = 0;
	struct world w;
	const char *path;

	(void)state;
	begin(&w, "good.zst", "a", OFFSET);
	record_opens(&w, 3);
	end(&w);
	read_file(w.path, &bytes);
	for (size_t at = 0; at < bytes.length; at++) {
		struct text words = { 0 };
		struct replay_error error;
		unsigned int found = 0;
		struct replay *r;

		bytes.data[at] ^= 0x41;
		path = write_file("bad.zst", bytes.data, bytes.length);
		bytes.data[at] ^= 0x41;
		assert_int_equal(replay_open(&path, 1, NULL, &r, &error), 0);
		words_of(r, &words);
		for (const char *p = words.data; (p = strstr(p, "connect")); p++)
			found++;
		found += strncmp(words.data, "start", 5) == 0;
		harmless += found == 4;
		/* one that says it is longer than it is takes the next with it */
		if (found < 2)
			fail_msg("byte %zu: %s", at, words.data);
		text_done(&words);
		replay_close(r);
	}
	assert_true(harmless > FRAME_INDEX_BYTES);
	text_done(&bytes);
}

/* A frame is missing: what was known is forgotten with the next part, not before. */
static void a_gap(void **state)
{
	struct text bytes = { 0 };
	struct frame_info info;
	struct world w;
	size_t second;

	(void)state;
	begin(&w, "gap.zst", "a", OFFSET);
	record_opens(&w, 3);
	end(&w);
	read_file(w.path, &bytes);
	assert_true(frame_index_read((const uint8_t *)bytes.data, &info));
	second = FRAME_INDEX_BYTES + info.packed_bytes;
	assert_true(frame_index_read((const uint8_t *)bytes.data + second, &info));
	memmove(bytes.data + second, bytes.data + second + FRAME_INDEX_BYTES + info.packed_bytes,
		bytes.length - second - FRAME_INDEX_BYTES - info.packed_bytes);
	bytes.length -= FRAME_INDEX_BYTES + info.packed_bytes;
	assert_file("start* connect2 connect3", write_file("gap.zst", bytes.data, bytes.length));
	text_done(&bytes);
}

/* The memory of a flight recorder: whole groups go, those that are not needed first. */
static void flight_memory(void **state)
{
	struct flight f;
	struct frame_info info = { .flags = FRAME_KEY };

	(void)state;

	flight_init(&f, 10 * S, 100);
	for (unsigned int i = 0; i < 8; i++) {
		info.number = i;
		info.flags = i % 2 ? 0 : FRAME_KEY;
		assert_int_equal(flight_add(&f, &info, i * S, "0123456789", 10), 0);
	}
	flight_trim(&f, 12 * S); /* the group that begins at 2 s is old enough to begin with */
	assert_int_equal(f.first->info.number, 2);
	assert_int_equal(f.early, 0);
	f.size_max = 35; /* whole groups go: two of them are 40 */
	flight_trim(&f, 12 * S);
	assert_int_equal(f.first->info.number, 6);
	assert_int_equal(f.early, 4);
	assert_int_equal(f.size, 20);
	f.size_max = 5; /* one frame stays, whatever its size */
	flight_trim(&f, 12 * S);
	assert_int_equal(f.first->info.number, 7);
	assert_ptr_equal(f.first, f.last);
	flight_done(&f);
}

/* The same host and boot: one clock, ids stay. Other hosts: told apart, and in the order of the wall clock. */
static void several(void **state)
{
	struct world a, b;
	const char *paths[2];

	(void)state;
	begin(&a, "a.zst", "alpha", OFFSET);
	record_opens(&a, 2); /* at 20 s and 30 s */
	end(&a);
	begin(&b, "b.zst", "beta", OFFSET - 1000 * S); /* runs for 1000 s longer */
	tell(&b, EVENT_START, 0, 1015 * S);
	tell(&b, EVENT_CONNECT, 1, 1025 * S);
	tell(&b, EVENT_CLOSE, 1, 1026 * S);
	end(&b);
	paths[0] = a.path;
	paths[1] = b.path;
	{
		struct replay_error error;
		struct replay *r;
		struct event e;
		uint64_t id = 0, mono = 0;
		char order[64] = "";

		assert_int_equal(replay_open(paths, 2, NULL, &r, &error), 0);
		while (replay_next(r, &e, &error) == 1) {
			assert_true(event_has(&e, FIELD_HOST));
			strncat(order, e.host, 1);
			strncat(order, event_type_name(e.type), 2);
			assert_true(e.mono_ns >= mono);
			mono = e.mono_ns;
			assert_int_equal(e.time_ns - e.mono_ns, OFFSET - 1000 * S);
			if (e.type == EVENT_CONNECT && e.source == 0 && !id)
				id = e.cookie;
			else if (e.source == 1 && e.type != EVENT_START)
				assert_int_not_equal(e.cookie, id);
		}
		assert_string_equal(order, "astbstacobcobclaco");
		replay_close(r);
	}
}

/* Two files of the same run that overlap, as dumps do: each event once. */
static void overlapping(void **state)
{
	struct text bytes = { 0 };
	const char *paths[2];
	struct world w;
	char whole[64];

	(void)state;
	begin(&w, "one.zst", "a", OFFSET);
	record_opens(&w, 2);
	end(&w);
	read_file(w.path, &bytes);
	snprintf(whole, sizeof(whole), "%s", w.path);
	paths[1] = write_file("two.zst", bytes.data, bytes.length);
	paths[0] = whole;
	assert_replay("start* connect1 connect2", 2, paths, 0);
	text_done(&bytes);
}

static void rotation_and_seeking(void **state)
{
	char names[4][80];
	const char *paths[4];
	unsigned int count = 0;
	struct world w;

	(void)state;
	begin(&w, "r.jsonl.zst", "a", OFFSET);
	w.options.size_max = 400; /* each frame is more than half of it */
	record_opens(&w, 6);
	end(&w);
	for (int i = 3; i >= 0; i--) {
		char word[8] = "";
		struct stat status;

		if (i)
			snprintf(word, sizeof(word), ".%d", i);
		snprintf(names[count], sizeof(names[count]), "%s/r%s.jsonl.zst", directory, word);
		paths[count] = names[count];
		count += !stat(names[count], &status);
	}
	assert_int_equal(count, 4);
	{
		struct text words = { 0 };
		struct replay_error error;
		struct replay *r;

		/* the last file alone knows what was opened before it, and says that it was no news */
		assert_int_equal(replay_open(&paths[3], 1, NULL, &r, &error), 0);
		words_of(r, &words);
		assert_memory_equal(words.data, "start* socket1* socket2*", 24);
		words.length = 0;
		replay_close(r);
		/* from the middle on: the parts before are not read */
		assert_int_equal(replay_open(paths, 4, NULL, &r, &error), 0);
		assert_int_equal(replay_seek(r, OFFSET + 3600 * S), 0);
		words_of(r, &words);
		assert_memory_equal(words.data, "start* socket1* socket2*", 24);
		text_done(&words);
		replay_close(r);
	}
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_of_a_frame),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(damaged_anywhere),
		cmocka_unit_test(a_gap),
		cmocka_unit_test(flight_memory),
		cmocka_unit_test(several),
		cmocka_unit_test(overlapping),
		cmocka_unit_test(rotation_and_seeking),
	};

	return cmocka_run_group_tests_name("recording", tests, make_directory, remove_directory);
}
