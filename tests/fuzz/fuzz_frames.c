/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: frames of zstd with and without index, damaged, cut, or something else. Reading ends, after at most one complaint
 * for each byte, and gives what is pushed on as the same events in two runs.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/replay.h"
#include "view/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path, size_t size, uint64_t from_ns, struct text *out)
{
	const char *const paths[] = { path, path };
	struct replay_error error;
	struct replay *r;
	size_t complaints = 0;
	uint64_t ns;
	int n;

	/* the same file twice: what it has an index for comes once */
	if (replay_open(paths, from_ns ? 2 : 1, NULL, &r, &error))
		abort();
	while (from_ns && (n = replay_first(r, &ns, &error)) < 0)
		if (++complaints > 2 * size + 44)
			abort();
	if (from_ns) {
		replay_last(r, &ns);
		if (replay_seek(r, from_ns))
			abort();
	}
	do {
		struct event e;

		n = replay_next(r, &e, &error);
		if (n == 1)
			json_write_event(out, &e);
		else if (n < 0 && ++complaints > 2 * size + 44)
			abort();
	} while (n == 1 || n == -EBADMSG || n == REPLAY_NOTE);
	replay_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text first = { 0 }, second = { 0 };
	int fd = memfd_create("recording", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_all(path, size, 0, &first);
	read_all(path, size, 0, &second);
	if (first.length != second.length ||
	    (first.length && memcmp(first.data, second.data, first.length) != 0))
		abort();
	read_all(path, size, 1700000000000000000ULL, &second);
	text_done(&first);
	text_done(&second);
	close(fd);
	return 0;
}
