/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/types_check.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NESTING_MOST 8
#define TRIES 5			 /* another process may begin to listen just then */
#define BACKLOG 93		 /* as good as any other number */
#define LISTEN 10		 /* TCP_LISTEN */
#define SSTHRESH_NONE 0x7fffffff /* TCP_INFINITE_SSTHRESH: what a new socket has */
#define VALUE_SIZE 8

enum { SKC_FAMILY, SKC_NUM, BACKLOG_MOST, SPORT, SSTHRESH, COMM, FIELDS };

/* Each of these structs begins with the one before it, so that a socket's address is that of all. */
static const struct {
	const char *structure, *member;
} fields[FIELDS] = {
	[SKC_FAMILY] = { "sock_common", "skc_family" },	   [SKC_NUM] = { "sock_common", "skc_num" },
	[BACKLOG_MOST] = { "sock", "sk_max_ack_backlog" }, [SPORT] = { "inet_sock", "inet_sport" },
	[SSTHRESH] = { "tcp_sock", "snd_ssthresh" },	   [COMM] = { "task_struct", "comm" },
};

static int offset_within(const struct btf *btf, uint32_t id, const char *name, unsigned int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_composite(t) || depth == NESTING_MOST)
		return -ENOENT;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *its = btf__name_by_offset(btf, m->name_off);
		uint32_t bits = btf_member_bit_offset(t, i);
		int inner = 0;

		if (its && *its && strcmp(its, name))
			continue;
		if (!its || !*its)
			inner = offset_within(btf, m->type, name, depth + 1);
		if (inner >= 0 && bits % 8 == 0 && !btf_member_bitfield_size(t, i))
			return (int)(bits / 8) + inner;
	}
	return -ENOENT;
}

int types_member_offset(const struct btf *btf, const char *structure, const char *member)
{
	int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);

	return id < 0 ? -ENOENT : offset_within(btf, (uint32_t)id, member, 0);
}

#define CODE_MOST (8 + 6 * FIELDS)

struct code {
	struct bpf_insn insns[CODE_MOST];
	size_t count;
};

static void add(struct code *c, struct bpf_insn insn)
{
	c->insns[c->count++] = insn;
}

static void call(struct code *c, int helper)
{
	add(c, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper });
}

/* bpf_probe_read_kernel(value + field * 8, 8, from + offset), `from` a register */
static void read_field(struct code *c, int values, int field, uint8_t from, int offset)
{
	add(c, (struct bpf_insn){ .code = BPF_DW | BPF_IMM,
				  .dst_reg = BPF_REG_1,
				  .src_reg = BPF_PSEUDO_MAP_VALUE,
				  .imm = values });
	add(c, (struct bpf_insn){ .imm = field * VALUE_SIZE });
	add(c, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = BPF_REG_2,
				  .imm = VALUE_SIZE });
	add(c, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				  .dst_reg = BPF_REG_3,
				  .src_reg = from });
	add(c,
	    (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_3, .imm = offset });
	call(c, BPF_FUNC_probe_read_kernel);
}

/* raw_tp/inet_sock_set_state (socket, old, new): of a socket that begins to listen the fields at these offsets; negative: left out. */
static int load_reader(int values, const int offsets[FIELDS])
{
	struct code c = { .count = 0 };
	struct bpf_insn *skip;

	add(&c, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_DW,
				   .dst_reg = BPF_REG_6,
				   .src_reg = BPF_REG_1 });
	add(&c, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_DW,
				   .dst_reg = BPF_REG_7,
				   .src_reg = BPF_REG_1,
				   .off = 16 });
	skip = &c.insns[c.count];
	add(&c, (struct bpf_insn){
			.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_7, .imm = LISTEN });
	call(&c, BPF_FUNC_get_current_task);
	add(&c, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				   .dst_reg = BPF_REG_8,
				   .src_reg = BPF_REG_0 });
	for (int i = 0; i < FIELDS; i++)
		if (offsets[i] >= 0)
			read_field(&c, values, i, i == COMM ? BPF_REG_8 : BPF_REG_6, offsets[i]);
	skip->off = (int16_t)(&c.insns[c.count] - skip - 1);
	add(&c, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 });
	add(&c, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "nettrace_probe", "GPL", c.insns,
			     c.count, NULL);
}

/* The port, or -errno. Also where the loopback interface is down. */
static int listen_for_a_moment(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(a);
	const int yes = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes)) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&a, &size))
		return -errno;
	return ntohs(a.sin_port);
}

static bool holds(const uint8_t *value, const void *expected, size_t size)
{
	return !memcmp(value, expected, size);
}

static const char *thread_name(char comm[16])
{
	return prctl(PR_GET_NAME, comm) ? "" : comm;
}

/* What is behind the end of a name may be the rest of an older one. */
static size_t name_size(const char *comm)
{
	size_t size = strlen(comm) + 1;

	return size < VALUE_SIZE ? size : VALUE_SIZE;
}

static bool fits(const uint8_t values[FIELDS][VALUE_SIZE], const int offsets[FIELDS], uint16_t port)
{
	const uint16_t family = AF_INET, sport = htons(port);
	const uint32_t backlog = BACKLOG, ssthresh = SSTHRESH_NONE;
	const char *comm = thread_name((char[16]){ 0 });
	const struct {
		const void *expected;
		size_t size;
	} known[FIELDS] = {
		[SKC_FAMILY] = { &family, sizeof(family) },	[SKC_NUM] = { &port, sizeof(port) },
		[BACKLOG_MOST] = { &backlog, sizeof(backlog) }, [SPORT] = { &sport, sizeof(sport) },
		[SSTHRESH] = { &ssthresh, sizeof(ssthresh) },	[COMM] = { comm, name_size(comm) },
	};

	for (int i = 0; i < FIELDS; i++)
		if (offsets[i] >= 0 && !holds(values[i], known[i].expected, known[i].size))
			return false;
	return true;
}

static int compare(int values, const int offsets[FIELDS])
{
	const uint8_t none[FIELDS][VALUE_SIZE] = { 0 };
	uint8_t got[FIELDS][VALUE_SIZE];
	const uint32_t zero = 0;
	bool ran = false;

	for (int i = 0; i < TRIES; i++) {
		int port, err = bpf_map_update_elem(values, &zero, none, BPF_ANY);

		if (err)
			return err;
		port = listen_for_a_moment();
		if (port < 0)
			return 0;
		err = bpf_map_lookup_elem(values, &zero, got);
		if (err)
			return err;
		if (fits(got, offsets, (uint16_t)port))
			return 0;
		ran = ran || memcmp(got, none, sizeof(got));
	}
	return ran ? -ESTALE : 0;
}

int types_check(const struct btf *btf)
{
	AUTO_CLOSE int values = -1, program = -1, link = -1;
	int offsets[FIELDS];

	for (int i = 0; i < FIELDS; i++)
		offsets[i] = types_member_offset(btf, fields[i].structure, fields[i].member);
	/* Types that were cut down to what is used may lack others, but not this one. */
	if (offsets[SKC_NUM] < 0)
		return -ESTALE;
	values = bpf_map_create(BPF_MAP_TYPE_ARRAY, "nettrace_probe", sizeof(uint32_t),
				FIELDS * VALUE_SIZE, 1, NULL);
	if (values < 0)
		return values;
	program = load_reader(values, offsets);
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open("inet_sock_set_state", program);
	if (link < 0)
		return link;
	return compare(values, offsets);
}

/* Why there are no types in this file, as -errno: -ENODATA where the file itself can be read. */
static int unreadable(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? -EISDIR : -ENODATA;
}

int types_from_file(const char *path, struct btf **out, struct kernel_error *error)
{
	struct btf *btf = btf__parse(path, NULL);
	int err;

	if (!btf)
		return kernel_error_no_btf(error, path, unreadable(path));
	err = types_check(btf);
	if (err == -ESTALE) {
		btf__free(btf);
		return kernel_error_no_btf(error, path, err);
	}
	/* Whatever else speaks against loading is told when it is tried. */
	if (out)
		*out = btf;
	else
		btf__free(btf);
	return 0;
}
