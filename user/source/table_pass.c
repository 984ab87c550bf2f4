/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_pass.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/ladder.h"
#include "source/table_share.h"
#include "source/types_check.h"
#include "table.h"
#include "table.skel.h"

/* Owned: all. */
struct table_pass {
	struct table_bpf *skeleton;
	struct bpf_link *holders, *unheld; /* of the iterators; `unheld` NULL: not to be had */
};

/* An iterator that a kernel lacks must not cost the other one. */
static int load(struct table_pass *p, uint32_t kinds, bool detail, const char *btf_path,
		bool unheld)
{
	DECLARE_LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);

	p->skeleton = table_bpf__open_opts(&opts);
	if (!p->skeleton)
		return -errno;
	p->skeleton->rodata->wanted_kinds = kinds;
	p->skeleton->rodata->wanted_detail = detail;
	bpf_program__set_autoload(p->skeleton->progs.table_unheld, unheld);
	return table_bpf__load(p->skeleton);
}

static int start(struct table_pass *p, uint32_t kinds, bool detail, const char *btf_path)
{
	bool unheld = kinds & 1U << TABLE_TCP;
	int err = load(p, kinds, detail, btf_path, unheld);

	if (err && unheld && err != -EPERM && err != -ENOMEM) {
		table_bpf__destroy(p->skeleton);
		p->skeleton = NULL;
		unheld = false;
		err = load(p, kinds, detail, btf_path, unheld);
	}
	if (err)
		return err;
	p->holders = bpf_program__attach_iter(p->skeleton->progs.table_holders, NULL);
	if (!p->holders)
		return -errno;
	if (unheld)
		p->unheld = bpf_program__attach_iter(p->skeleton->progs.table_unheld, NULL);
	return 0;
}

/* 0, or -errno with *error filled. */
static int find_types(const char *path, struct kernel_error *error)
{
	if (!path && access("/sys/kernel/btf/vmlinux", R_OK))
		return kernel_error_no_btf(error, NULL, -errno);
	return path ? types_from_file(path, NULL, error) : 0;
}

/* Kernels before 5.11 have no bpf_sock_from_file: said in words, for nothing else is wrong with them. */
static void explain(struct kernel_error *error, int err)
{
	struct btf *btf = err == -EINVAL ? btf__load_vmlinux_btf() : NULL;

	kernel_error_explain(error, err);
	if (btf && ladder_function_args(btf, "bpf_sock_from_file") < 0)
		snprintf(
			error->what, sizeof(error->what),
			"eBPF can't tell sockets from other files on this kernel (that takes Linux 5.11)");
	btf__free(btf);
}

int table_pass_open(uint32_t kinds, bool detail, const char *btf_path, struct table_pass **out,
		    struct kernel_error *error)
{
	struct table_pass *p = calloc(1, sizeof(*p));
	int err;

	*error = (struct kernel_error){ 0 };
	if (!p) {
		kernel_error_explain(error, -ENOMEM);
		return -ENOMEM;
	}
	kernel_error_report_libbpf();
	err = find_types(btf_path, error);
	if (err) {
		free(p);
		return err;
	}
	err = start(p, kinds, detail, btf_path);
	if (err) {
		explain(error, err);
		table_pass_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void table_pass_close(struct table_pass *p)
{
	if (!p)
		return;
	bpf_link__destroy(p->holders);
	bpf_link__destroy(p->unheld);
	table_bpf__destroy(p->skeleton);
	free(p);
}

/* A file of its own for each run: where it starts, and in which namespace, is decided by who opens it. */
static int run(const struct bpf_link *link, struct rows *rows)
{
	AUTO_CLOSE int fd = bpf_iter_create(bpf_link__fd(link));

	return fd < 0 ? fd : rows_read_fd(fd, rows);
}

static void begin_pass(struct table_pass *p, size_t wanted)
{
	p->skeleton->bss->wanted_count = (__u32)wanted;
	memset(p->skeleton->bss->told_pids, 0, sizeof(p->skeleton->bss->told_pids));
}

static void parts_done(struct rows *parts)
{
	for (size_t i = 0; i < TABLE_SHARES_MAX; i++)
		rows_done(&parts[i]);
}

int table_pass_holders(struct table_pass *p, struct rows *parts)
{
	int err;

	begin_pass(p, 0);
	err = table_share_read(bpf_program__fd(p->skeleton->progs.table_holders), parts);
	if (!err || err == -ENOMEM)
		return err;
	/* One iterator over all can do it on every kernel. */
	parts_done(parts);
	begin_pass(p, 0);
	return run(p->holders, &parts[0]);
}

/* In pieces as rows_each, part by part. */
static int take_parts(struct rows *parts,
		      int (*take)(void *context, const void *data, size_t bytes), void *context)
{
	int err = 0;

	for (size_t i = 0; !err && i < TABLE_SHARES_MAX; i++)
		if (parts[i].bytes)
			err = take(context, parts[i].data, parts[i].bytes);
	return err;
}

int table_pass_each_holder(struct table_pass *p, const uint64_t *inodes, size_t count,
			   int (*take)(void *context, const void *data, size_t bytes),
			   void *context)
{
	bool few = count <= TABLE_WANTED_MAX; /* MISSING_INODES_MAX is more */
	struct rows parts[TABLE_SHARES_MAX] = { 0 };
	AUTO_CLOSE int fd = -1;
	int err;

	for (size_t i = 0; few && i < count; i++)
		p->skeleton->bss->wanted_inodes[i] = inodes[i];
	begin_pass(p, few ? count : 0);
	if (few) {
		err = table_share_read(bpf_program__fd(p->skeleton->progs.table_holders), parts);
		if (!err)
			err = take_parts(parts, take, context);
		parts_done(parts);
		if (!err || err == -ENOMEM)
			return err;
		begin_pass(p, count);
	}
	fd = bpf_iter_create(bpf_link__fd(p->holders));
	return fd < 0 ? fd : rows_each(fd, take, context);
}

bool table_pass_sees_unheld(const struct table_pass *p)
{
	return p->unheld;
}

int table_pass_unheld(const struct table_pass *p, struct rows *rows)
{
	return run(p->unheld, rows);
}
