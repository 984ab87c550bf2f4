/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/replay_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define FIRST_ROOM (64u * 1024)
#define STOP_LOOK_MS 100
#define SKIP_HEADER 8	  /* of a skippable frame: magic and size */
#define WINDOW_LOG_MAX 27 /* 128 MiB: what zstd itself takes without being told to */

enum input_kind {
	INPUT_UNKNOWN, /* nothing was read yet */
	INPUT_PLAIN,
	INPUT_ZSTD,
};

/* Owned: all of it (fd unless it is standard input). */
struct replay_input {
	int fd;
	const volatile sig_atomic_t *stop; /* borrowed; may be NULL */
	enum input_kind kind;
	uint8_t *data; /* as read */
	size_t begin, end, capacity;
	bool at_end;
	uint64_t offset; /* in the file, of data[begin] */

	ZSTD_DCtx *context;
	bool streaming; /* within a frame without an index */
	char *lines;	/* of a whole frame */
	size_t lines_begin, lines_end, lines_capacity;

	unsigned long frames; /* begun so far */
	bool has_last, has_followed;
	struct frame_info followed; /* the last that was read in a file before this one */
	struct frame_info last;	    /* the last that was handed out or passed over */
	bool gap_told;		    /* for the frame that comes */
	bool passed;		    /* a frame that was read elsewhere */
	char what[120];
};

int replay_input_open(const char *path, const volatile sig_atomic_t *stop,
		      struct replay_input **out)
{
	struct replay_input *in;
	struct stat status;
	int fd = STDIN_FILENO, error;

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	/* opening a directory works, only reading it does not */
	error = fstat(fd, &status) < 0 ? -errno : S_ISDIR(status.st_mode) ? -EISDIR : 0;
	in = error ? NULL : calloc(1, sizeof(*in));
	if (!error && !in)
		error = -ENOMEM;
	if (error) {
		if (fd != STDIN_FILENO)
			close(fd);
		return error;
	}
	in->fd = fd;
	in->stop = stop;
	*out = in;
	return 0;
}

void replay_input_free(struct replay_input *in)
{
	if (!in)
		return;
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	ZSTD_freeDCtx(in->context);
	free(in->data);
	free(in->lines);
	free(in);
}

const char *replay_input_what(const struct replay_input *in)
{
	return in->what;
}

/* Room for `size` bytes from `begin` on. 0 or -ENOMEM. */
static int make_room(struct replay_input *in, size_t size)
{
	size_t capacity = in->capacity ? in->capacity : FIRST_ROOM;
	uint8_t *data;

	if (in->begin) {
		memmove(in->data, in->data + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	while (capacity < size)
		capacity *= 2;
	if (capacity == in->capacity)
		return 0;
	data = realloc(in->data, capacity);
	if (!data)
		return -ENOMEM;
	in->data = data;
	in->capacity = capacity;
	return 0;
}

/*
 * As read(2), but a pipe that nobody writes to, or a line without an end, does not keep us from ending. A signal that
 * comes between the look and the wait would be missed: so the wait is short. Bytes, 0 at the end, or -errno.
 */
static ssize_t read_some(const struct replay_input *in, void *buffer, size_t size)
{
	struct pollfd fd = { .fd = in->fd, .events = POLLIN };
	ssize_t got = -1;
	int ready;

	do {
		if (in->stop && *in->stop)
			return -ECANCELED;
		ready = poll(&fd, 1, STOP_LOOK_MS);
		if (ready > 0)
			got = read(in->fd, buffer, size);
	} while (!ready || ((ready < 0 || got < 0) && errno == EINTR));
	return ready < 0 || got < 0 ? -errno : got;
}

/* One read into what room there is. 0 or -errno. */
static int read_once(struct replay_input *in)
{
	ssize_t got = read_some(in, in->data + in->end, in->capacity - in->end);

	if (got < 0)
		return (int)got;
	in->at_end = got == 0;
	in->end += (size_t)got;
	return 0;
}

/* Until `size` bytes are there, or the file ends. 0 or -errno. */
static int fill(struct replay_input *in, size_t size)
{
	int error = 0;

	if (in->end - in->begin >= size)
		return 0;
	if (in->capacity - in->begin < size)
		error = make_room(in, size);
	while (!error && !in->at_end && in->end - in->begin < size)
		error = read_once(in);
	return error;
}

static size_t available(const struct replay_input *in)
{
	return in->end - in->begin;
}

static void consume(struct replay_input *in, size_t size)
{
	in->begin += size;
	in->offset += size;
}

static int find_kind(struct replay_input *in)
{
	int error = fill(in, 4);

	if (error)
		return error;
	/* one whose first bytes are damaged is known by the next index */
	in->kind = available(in) >= 4 && (frame_is_zstd(in->data + in->begin) ||
					  frame_index_find(in->data + in->begin, available(in)) <
						  available(in))
			   ? INPUT_ZSTD
			   : INPUT_PLAIN;
	if (in->kind == INPUT_PLAIN)
		return 0;
	in->context = ZSTD_createDCtx();
	if (!in->context ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(in->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return -ENOMEM;
	return 0;
}

static ssize_t read_plain(struct replay_input *in, void *buffer, size_t size)
{
	if (available(in)) {
		if (size > available(in))
			size = available(in);
		memcpy(buffer, in->data + in->begin, size);
		consume(in, size);
		return (ssize_t)size;
	}
	return read_some(in, buffer, size);
}

/* --- frames --- */

static ssize_t truncated(struct replay_input *in)
{
	snprintf(in->what, sizeof(in->what), "ends within frame %lu", in->frames);
	in->begin = in->end;
	in->at_end = true;
	in->streaming = false;
	return REPLAY_TRUNCATED;
}

/* Looks for the next index from here on. REPLAY_DAMAGED or -errno. */
static ssize_t find_way(struct replay_input *in, const char *what)
{
	snprintf(in->what, sizeof(in->what), "frame %lu is damaged (%s) and left out", in->frames,
		 what);
	in->streaming = false;
	in->lines_begin = in->lines_end = 0;
	for (;;) {
		size_t found = frame_index_find(in->data + in->begin, available(in));
		int error;

		if (found < available(in)) {
			consume(in, found);
			return REPLAY_DAMAGED;
		}
		/* its beginning may be the end of what is there */
		if (available(in) >= FRAME_INDEX_BYTES)
			consume(in, available(in) - FRAME_INDEX_BYTES + 1);
		if (in->at_end) {
			consume(in, available(in));
			return REPLAY_DAMAGED;
		}
		error = fill(in, available(in) + FIRST_ROOM);
		if (error)
			return error;
	}
}

static int reserve_lines(struct replay_input *in, size_t size)
{
	char *lines;

	if (size <= in->lines_capacity)
		return 0;
	lines = realloc(in->lines, size);
	if (!lines)
		return -ENOMEM;
	in->lines = lines;
	in->lines_capacity = size;
	return 0;
}

static bool same_run(const struct frame_info *a, const struct frame_info *b)
{
	return !memcmp(a->run, b->run, sizeof(a->run));
}

/* Read already, in a file before this one? */
static bool is_known(const struct replay_input *in, const struct frame_info *info)
{
	return in->has_followed && same_run(&in->followed, info) &&
	       info->number <= in->followed.number;
}

static bool follows(const struct replay_input *in, const struct frame_info *info)
{
	return !in->has_last || (same_run(&in->last, info) && info->number == in->last.number + 1);
}

/* The lines of the frame behind the index that is here. 1, 0 when it was passed over, or as replay_input_read. */
static ssize_t unpack_frame(struct replay_input *in, const struct frame_info *info)
{
	int error = fill(in, FRAME_INDEX_BYTES + (size_t)info->packed_bytes);
	size_t plain;

	if (error)
		return error;
	if (available(in) < FRAME_INDEX_BYTES + (size_t)info->packed_bytes) {
		/* the index may be what is wrong, and whole ones stand behind it */
		consume(in, FRAME_INDEX_BYTES);
		if (frame_index_find(in->data + in->begin, available(in)) < available(in))
			return find_way(in, "its index is wrong");
		return truncated(in);
	}
	if (!is_known(in, info) && !follows(in, info) && !in->gap_told) {
		in->gap_told = true;
		return REPLAY_GAP;
	}
	error = reserve_lines(in, info->plain_bytes);
	if (error)
		return error;
	consume(in, FRAME_INDEX_BYTES);
	if (is_known(in, info)) {
		in->passed = true;
		consume(in, info->packed_bytes);
		return 0;
	}
	in->gap_told = false;
	plain = ZSTD_decompressDCtx(in->context, in->lines, info->plain_bytes, in->data + in->begin,
				    info->packed_bytes);
	if (ZSTD_isError(plain))
		return find_way(in, ZSTD_getErrorName(plain));
	if (plain != info->plain_bytes || !plain || in->lines[plain - 1] != '\n')
		return find_way(in, "it is not what its index says");
	consume(in, info->packed_bytes);
	in->lines_begin = 0;
	in->lines_end = plain;
	in->last = *info;
	in->has_last = true;
	return 1;
}

/* Any other skippable frame. 0 or as replay_input_read. */
static ssize_t skip_frame(struct replay_input *in)
{
	const uint8_t *p = in->data + in->begin;
	uint32_t size = p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24;
	int error;

	if (size > FRAME_BYTES_MAX) {
		consume(in, SKIP_HEADER);
		return find_way(in, "more is to be skipped than can be");
	}
	error = fill(in, SKIP_HEADER + (size_t)size);
	if (error)
		return error;
	if (available(in) < SKIP_HEADER + (size_t)size)
		return truncated(in);
	consume(in, SKIP_HEADER + (size_t)size);
	return 0;
}

/* An index that is damaged: the frame behind it need not be. */
static ssize_t pass_index(struct replay_input *in)
{
	if (frame_index_find(in->data + in->begin, FRAME_INDEX_BYTES)) {
		consume(in, SKIP_HEADER);
		return find_way(in, "its index is wrong");
	}
	consume(in, FRAME_INDEX_BYTES);
	snprintf(in->what, sizeof(in->what), "the index of frame %lu is damaged and not used",
		 in->frames);
	return REPLAY_DAMAGED;
}

/* At the beginning of a frame. 1 when there are lines, 0 when not yet, or as replay_input_read; *over: the end. */
static ssize_t begin_frame(struct replay_input *in, bool *over)
{
	struct frame_info info;
	int error = fill(in, FRAME_INDEX_BYTES);

	if (error)
		return error;
	if (!available(in)) {
		*over = true;
		return 0;
	}
	in->frames += !in->gap_told;
	if (available(in) < SKIP_HEADER)
		return truncated(in);
	if (available(in) >= FRAME_INDEX_BYTES && frame_is_index(in->data + in->begin)) {
		if (frame_index_read(in->data + in->begin, &info))
			return unpack_frame(in, &info);
		return pass_index(in);
	}
	if (!frame_is_zstd(in->data + in->begin)) {
		consume(in, 1);
		return find_way(in, "no frame begins there");
	}
	if (!memcmp(in->data + in->begin, "\x28\xb5\x2f\xfd", 4)) {
		ZSTD_DCtx_reset(in->context, ZSTD_reset_session_only);
		in->streaming = true;
		return 0;
	}
	return skip_frame(in);
}

/* More of a frame that has no index. Bytes, 0 for none yet, or as replay_input_read. */
static ssize_t read_stream(struct replay_input *in, void *buffer, size_t size)
{
	ZSTD_outBuffer out = { .dst = buffer, .size = size };
	ZSTD_inBuffer source;
	size_t left;
	int error = available(in) ? 0 : fill(in, 1);

	if (error)
		return error;
	source = (ZSTD_inBuffer){ .src = in->data + in->begin, .size = available(in) };
	left = ZSTD_decompressStream(in->context, &out, &source);
	consume(in, source.pos);
	if (ZSTD_isError(left))
		return find_way(in, ZSTD_getErrorName(left));
	if (!left)
		in->streaming = false;
	else if (!source.size && !out.pos) /* the file has ended, and nothing comes out any more */
		return truncated(in);
	return (ssize_t)out.pos;
}

static ssize_t read_frames(struct replay_input *in, void *buffer, size_t size)
{
	ssize_t result = 0;
	bool over = false;

	while (!over && result >= 0) {
		if (in->lines_begin < in->lines_end) {
			if (size > in->lines_end - in->lines_begin)
				size = in->lines_end - in->lines_begin;
			memcpy(buffer, in->lines + in->lines_begin, size);
			in->lines_begin += size;
			return (ssize_t)size;
		}
		if (in->streaming) {
			result = read_stream(in, buffer, size);
			if (result)
				return result;
		} else {
			result = begin_frame(in, &over);
		}
	}
	return over ? 0 : result;
}

ssize_t replay_input_read(struct replay_input *in, void *buffer, size_t size)
{
	int error = in->kind == INPUT_UNKNOWN ? find_kind(in) : 0;

	if (error)
		return error;
	return in->kind == INPUT_PLAIN ? read_plain(in, buffer, size)
				       : read_frames(in, buffer, size);
}

bool replay_input_peek(struct replay_input *in, struct frame_info *info)
{
	if (in->kind == INPUT_UNKNOWN && find_kind(in))
		return false;
	return in->kind == INPUT_ZSTD && !fill(in, FRAME_INDEX_BYTES) &&
	       available(in) >= FRAME_INDEX_BYTES && frame_index_read(in->data + in->begin, info);
}

void replay_input_follow(struct replay_input *in, const uint8_t run[FRAME_RUN_BYTES],
			 uint64_t number)
{
	memcpy(in->last.run, run, sizeof(in->last.run));
	in->last.number = number;
	in->has_last = true;
	in->followed = in->last;
	in->has_followed = true;
}

bool replay_input_last(const struct replay_input *in, struct frame_info *info)
{
	if (in->has_last)
		*info = in->last;
	return in->has_last;
}

bool replay_input_passed(const struct replay_input *in)
{
	return in->passed;
}

/* --- finding one's way by the indices alone --- */

struct place {
	uint64_t offset, first_ns, last_ns; /* the times: of all frames up to it */
	struct frame_info info;
	unsigned long frame, lines; /* before it */
};

/* The frame at p->offset: true and p->info when there is an index. */
static bool look(const struct replay_input *in, struct place *p)
{
	uint8_t bytes[FRAME_INDEX_BYTES];

	return pread(in->fd, bytes, sizeof(bytes), (off_t)p->offset) == (ssize_t)sizeof(bytes) &&
	       frame_index_read(bytes, &p->info);
}

static void pass(struct place *p)
{
	if (!p->frame || p->info.first_ns < p->first_ns)
		p->first_ns = p->info.first_ns;
	if (p->info.last_ns > p->last_ns)
		p->last_ns = p->info.last_ns;
	p->offset += FRAME_INDEX_BYTES + p->info.packed_bytes;
	p->lines += p->info.records;
	p->frame++;
}

bool replay_input_span(const struct replay_input *in, uint64_t *first_ns, uint64_t *last_ns)
{
	struct place p = { 0 };

	while (look(in, &p))
		pass(&p);
	if (!p.frame)
		return false;
	*first_ns = p.first_ns;
	*last_ns = p.last_ns;
	return true;
}

size_t replay_input_tail(const struct replay_input *in, void *buffer, size_t size)
{
	struct stat status;
	ssize_t got;

	if (in->kind != INPUT_PLAIN || fstat(in->fd, &status) || !S_ISREG(status.st_mode))
		return 0;
	if ((uint64_t)status.st_size < size)
		size = (size_t)status.st_size;
	got = pread(in->fd, buffer, size, status.st_size - (off_t)size);
	return got < 0 ? 0 : (size_t)got;
}

int replay_input_seek(struct replay_input *in, uint64_t from_ns, unsigned long *lines)
{
	struct place p = { 0 }, found = { 0 };

	for (; look(in, &p); pass(&p)) {
		if (p.frame && p.info.first_ns > from_ns)
			break;
		if (p.info.flags & FRAME_KEY)
			found = p;
	}
	if (!found.frame)
		return 0;
	if (lseek(in->fd, (off_t)found.offset, SEEK_SET) < 0)
		return -errno;
	in->begin = in->end = 0;
	in->at_end = false;
	in->offset = found.offset;
	in->frames = found.frame;
	*lines += found.lines;
	return 0;
}
