// SPDX-License-Identifier: BSD-2-Clause
#include "source/rows.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define READ_SIZE (64 * 1024) /* the kernel hands out half of that at once */
#define BYTES_MAX (1ULL << 30)

void rows_done(struct rows *rows)
{
	free(rows->data);
	*rows = (struct rows){ 0 };
}

static int rows_grow(struct rows *rows)
{
	size_t capacity = rows->capacity ? rows->capacity * 2 : 4 * READ_SIZE;
	void *data;

	if (capacity > BYTES_MAX)
		return -E2BIG;
	data = realloc(rows->data, capacity);
	if (!data)
		return -ENOMEM;
	rows->data = data;
	rows->capacity = capacity;
	return 0;
}

int rows_read_fd(int fd, struct rows *rows)
{
	ssize_t n = 1;
	int err = 0;

	while (!err && n != 0) {
		if (rows->capacity - rows->bytes < READ_SIZE) {
			err = rows_grow(rows);
			continue;
		}
		n = read(fd, (char *)rows->data + rows->bytes, READ_SIZE);
		if (n > 0)
			rows->bytes += (size_t)n;
		else if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	}
	return err;
}

int rows_each(int fd, int (*take)(void *context, const void *data, size_t bytes), void *context)
{
	AUTO_FREE char *data = malloc(READ_SIZE);
	ssize_t n = 1;
	int err = data ? 0 : -ENOMEM;

	while (!err && n != 0) {
		n = read(fd, data, READ_SIZE);
		if (n > 0)
			err = take(context, data, (size_t)n);
		else if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	}
	return err;
}

int rows_read(const struct bpf_program *program, int map_fd, struct rows *rows)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)map_fd };
	DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info,
			    .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(program, map_fd < 0 ? NULL : &opts);
	AUTO_CLOSE int fd = -1;
	int err;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? fd : rows_read_fd(fd, rows);
	bpf_link__destroy(link);
	return err;
}
