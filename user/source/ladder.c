/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/ladder.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

#define MOVE_NUMBER(to, number)                                                       \
	{                                                                             \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (number) \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}
/* A map's descriptor, or the address of its first value: two slots. */
#define LOAD_MAP(to, kind, fd)                                                                  \
	{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (to), .src_reg = (kind), .imm = (fd) }, \
	{                                                                                       \
		0                                                                               \
	}

static const struct bpf_insn nothing[] = { MOVE_NUMBER(BPF_REG_0, 0), EXIT };
static const struct bpf_insn let_through[] = { MOVE_NUMBER(BPF_REG_0, 1), EXIT };

static int load(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id,
		const struct bpf_insn *code, size_t length)
{
	DECLARE_LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach,
			    .attach_btf_id = (__u32)btf_id);

	return bpf_prog_load(type, "nettrace_probe", "GPL", code, length, &options);
}

static int tracepoint_id(const struct btf *btf, const char *tracepoint)
{
	char name[80];

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	return btf ? btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) : -ENOENT;
}

int ladder_function_args(const struct btf *btf, const char *function)
{
	int id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -ENOENT;
	const struct btf_type *t;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) : -ENOENT;
}

int ladder_tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	int id = tracepoint_id(btf, tracepoint);
	const struct btf_type *t;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type); /* typedef → pointer */
	if (!t || !btf_is_ptr(t))
		return -ENOENT;
	t = btf__type_by_id(btf,
			    t->type); /* → function, whose first parameter is the tracer's own */
	if (!t || !btf_is_func_proto(t) || btf_vlen(t) < 1)
		return -ENOENT;
	return btf_vlen(t) - 1;
}

/* Loads it, attaches it, takes it off again. */
static int try_tracing(enum bpf_attach_type attach, int btf_id)
{
	AUTO_CLOSE int program = -1, link = -1;

	if (btf_id < 0)
		return -ENOENT;
	program = load(BPF_PROG_TYPE_TRACING, attach, btf_id, nothing, LENGTH(nothing));
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(NULL, program);
	return link < 0 ? link : 0;
}

int ladder_typed_tracepoint(const struct btf *btf, const char *tracepoint)
{
	return try_tracing(BPF_TRACE_RAW_TP, tracepoint_id(btf, tracepoint));
}

int ladder_fexit(const struct btf *btf, const char *function)
{
	return try_tracing(BPF_TRACE_FEXIT,
			   btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -ENOENT);
}

int ladder_raw_tracepoint(const char *tracepoint)
{
	AUTO_CLOSE int program = -1, link = -1;

	program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, nothing, LENGTH(nothing));
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(tracepoint, program);
	return link < 0 ? link : 0;
}

int ladder_iterator(const struct btf *btf, const char *target)
{
	AUTO_CLOSE int program = -1;
	char name[80];
	int id;

	snprintf(name, sizeof(name), "bpf_iter_%s", target);
	id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -ENOENT;
	if (id < 0)
		return -ENOENT;
	program = load(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, id, nothing, LENGTH(nothing));
	return program < 0 ? program : 0;
}

int ladder_cgroup_root(const char *mount)
{
	AUTO_CLOSE int context = -1;
	int fd;

	if (mount)
		fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else if ((context = fsopen("cgroup2", FSOPEN_CLOEXEC)) < 0 ||
		 fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = -1;
	else
		fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int ladder_cgroup(int cgroup_fd, unsigned int program_type, unsigned int attach_type)
{
	AUTO_CLOSE int program = -1;
	int err;

	program = load(program_type, attach_type, 0, let_through, LENGTH(let_through));
	if (program < 0)
		return program;
	/* Beside those of others, as libbpf's links do it. */
	err = bpf_prog_attach(program, cgroup_fd, attach_type, BPF_F_ALLOW_MULTI);
	if (err)
		return err;
	return bpf_prog_detach2(program, cgroup_fd, attach_type);
}

/* Socket storage wants to know the types of its key and value: both int. */
static int int_type(void)
{
	struct btf *btf = btf__new_empty();
	int fd = -ENOMEM;

	if (!btf)
		return -ENOMEM;
	if (btf__add_int(btf, "int", 4, BTF_INT_SIGNED) > 0 && !btf__load_into_kernel(btf))
		fd = dup(btf__fd(btf));
	btf__free(btf);
	return fd;
}

static int make_storage_map(void)
{
	AUTO_CLOSE int type = int_type();
	DECLARE_LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC,
			    .btf_fd = (__u32)type, .btf_key_type_id = 1, .btf_value_type_id = 1);

	if (type < 0)
		return type;
	return bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "nettrace_probe", sizeof(int), sizeof(int),
			      0, &options);
}

/* A TCP socket goes away, which is told to nobody but tracers. */
static int close_a_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : close(fd) ? -errno : 0;
}

/* `answers`: an array of two: [0] how often the program ran, [1] how often it got its storage. */
static int load_storage_probe(const struct btf *btf, int storage, int answers)
{
	const struct bpf_insn code[] = {
		/* r2 = the socket; r1 to r4: bpf_sk_storage_get(storage, socket, NULL, create) */
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1 },
		LOAD_MAP(BPF_REG_6, BPF_PSEUDO_MAP_VALUE, answers),
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_6, .off = 0, .imm = 1 },
		LOAD_MAP(BPF_REG_1, BPF_PSEUDO_MAP_FD, storage),
		MOVE_NUMBER(BPF_REG_3, 0),
		MOVE_NUMBER(BPF_REG_4, BPF_SK_STORAGE_GET_F_CREATE),
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_sk_storage_get },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 1, .imm = 0 },
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_6, .off = 4, .imm = 1 },
		MOVE_NUMBER(BPF_REG_0, 0),
		EXIT,
	};
	int id = tracepoint_id(btf, "tcp_destroy_sock");

	if (id < 0)
		return -ENOENT;
	return load(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, id, code, LENGTH(code));
}

int ladder_storage(const struct btf *btf)
{
	AUTO_CLOSE int storage = -1, answers = -1, program = -1, link = -1;
	uint32_t got[2] = { 0 }, zero = 0;
	int err;

	storage = make_storage_map();
	if (storage < 0)
		return storage;
	answers = bpf_map_create(BPF_MAP_TYPE_ARRAY, "nettrace_probe", sizeof(zero), sizeof(got), 1,
				 NULL);
	if (answers < 0)
		return answers;
	program = load_storage_probe(btf, storage, answers);
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		return link;
	err = close_a_socket();
	if (!err)
		err = bpf_map_lookup_elem(answers, &zero, got);
	if (err)
		return err;
	return !got[0] ? -ETIME : !got[1] ? -ENOMEM : 0;
}
