// SPDX-License-Identifier: BSD-2-Clause
/* Which programs this kernel takes, how they are attached, and what they must know about it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "source/kernel_private.h"

/* Tracepoints that a kernel may lack; without one its program stays out and its fields are absent. */
struct optional_hook {
	const char *program;
	const char *tracepoint; /* as in its BTF: btf_trace_<name> */
};

static const struct optional_hook optional_hooks[] = {
	{ "socket_read", "tcp_rcv_space_adjust" },
	{ "segment_retransmitted", "tcp_retransmit_skb" },
	{ "synack_retransmitted", "tcp_retransmit_synack" },
	{ "reset_received", "tcp_receive_reset" },
	{ "reset_sent", "tcp_send_reset" },
	{ "datagram_refused", "udp_fail_queue_rcv_skb" },
};

/* Each group is left out as a whole, where it is not wanted or one of it is refused. */
static const char *const tcp_programs[] = {
	"state_first",		"state_second",
	"state_third",		"socket_destroyed",
	"accept_returned2",	"accept_returned4",
	"connect_returned4",	"connect_returned6",
	"socket_read",		"segment_retransmitted",
	"synack_retransmitted", "reset_received",
	"reset_sent",		"peer_asked4",
	"peer_asked6",		"connect_began4",
	"connect_began6",	"tracked",
};
static const char *const datagram_programs[] = {
	"datagram_opened",   "datagram_closed",	  "datagram_sent",
	"datagram_received", "datagrams_tracked",
};
static const char *const datagram_owner_programs[] = {
	"datagram_connect4", "datagram_connect6", "datagram_sendmsg4", "datagram_sendmsg6",
	"datagram_recvmsg4", "datagram_recvmsg6", "datagram_refused",
};

struct cgroup_hook {
	const char *program;
	const char *name; /* NULL: named with the one before */
	bool needed;	  /* without it there is no use in the rest */
};

static const struct cgroup_hook cgroup_hooks[CGROUP_HOOKS] = {
	{ "peer_asked4", "cgroup/getpeername", false },
	{ "peer_asked6", NULL, false },
	{ "connect_began4", "cgroup/connect", false },
	{ "connect_began6", NULL, false },
	{ "datagram_opened", "cgroup/sock_create", true },
	{ "datagram_closed", "cgroup/sock_release", true },
	{ "datagram_connect4", "cgroup/connect", false },
	{ "datagram_connect6", NULL, false },
	{ "datagram_sendmsg4", "cgroup/sendmsg", false },
	{ "datagram_sendmsg6", NULL, false },
	{ "datagram_recvmsg4", "cgroup/recvmsg", false },
	{ "datagram_recvmsg6", NULL, false },
	{ "datagram_sent", "cgroup_skb/egress", true },
	{ "datagram_received", "cgroup_skb/ingress", true },
};

/* Arguments of a function of the running kernel, or -ENOENT. */
static int function_args(const struct btf *btf, const char *function)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	const struct btf_type *t;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) : -ENOENT;
}

/* Arguments of a tracepoint of the running kernel, or -ENOENT. */
static int tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	char name[80];
	const struct btf_type *t;
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
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

/* Does this kernel let fexit programs in? Some lack the trampoline, some refuse it: found out with one that does nothing. */
static bool fexit_works(const struct btf *btf)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int id = btf__find_by_name_kind(btf, "inet_csk_accept", BTF_KIND_FUNC);
	DECLARE_LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
			    .attach_btf_id = (__u32)id);
	AUTO_CLOSE int program = -1, link = -1;

	if (id < 0)
		return false;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe_fexit", "GPL", nothing,
				sizeof(nothing) / sizeof(*nothing), &opts);
	if (program < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, program);
	return link >= 0;
}

static void set_autoload(struct kernel_source *k, const char *name, bool load)
{
	bpf_program__set_autoload(bpf_object__find_program_by_name(k->skeleton->obj, name), load);
}

static void choose_fexit(struct kernel_source *k, bool wanted)
{
	int args = function_args(k->btf, "inet_csk_accept");
	bool works = wanted && fexit_works(k->btf);

	set_autoload(k, "accept_returned2", works && args == 2);
	set_autoload(k, "accept_returned4", works && args == 4);
	set_autoload(k, "connect_returned4", works && function_args(k->btf, "tcp_v4_connect") == 3);
	set_autoload(k, "connect_returned6", works && function_args(k->btf, "tcp_v6_connect") == 3);
}

static void load_reset_reasons(struct kernel_source *k)
{
	static const char prefix[] = "SK_RST_REASON_";
	int id = btf__find_by_name_kind(k->btf, "sk_rst_reason", BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *values;

	if (id < 0)
		return;
	t = btf__type_by_id(k->btf, (__u32)id);
	values = btf_enum(t);
	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(k->btf, values[i].name_off);

		if (values[i].val < 0 || values[i].val >= REASONS_MAX || !name)
			continue;
		if (!strncmp(name, prefix, strlen(prefix)))
			name += strlen(prefix);
		k->reset_reasons[values[i].val] = name;
	}
}

const char *hooks_reset_reason(void *kernel_source, unsigned int number)
{
	const struct kernel_source *k = kernel_source;

	return number < REASONS_MAX ? k->reset_reasons[number] : NULL;
}

void hooks_choose_table(struct kernel_source *k)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, k->skeleton->obj)
		bpf_program__set_autoload(program, program == k->skeleton->progs.holders);
}

static void leave_out(struct kernel_source *k, const char *const *programs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		set_autoload(k, programs[i], false);
}

static void choose_datagrams(struct kernel_source *k, const struct kernel_options *options,
			     enum hooks_set set)
{
	int args = tracepoint_args(k->btf, "udp_fail_queue_rcv_skb");

	if (args > 0)
		k->skeleton->rodata->receive_failed_args = (__u32)args;
	k->skeleton->rodata->follow_datagrams = true;
	if (set >= HOOKS_WITHOUT_DATAGRAM_OWNERS || !options->udp)
		leave_out(k, datagram_owner_programs,
			  sizeof(datagram_owner_programs) / sizeof(*datagram_owner_programs));
	if (set < HOOKS_WITHOUT_DATAGRAMS && options->udp)
		return;
	leave_out(k, datagram_programs, sizeof(datagram_programs) / sizeof(*datagram_programs));
	bpf_map__set_autocreate(k->skeleton->maps.flows, false);
	k->skeleton->rodata->follow_datagrams = false;
	datagrams_free(k->datagrams);
	k->datagrams = NULL;
}

/*
 * Tracepoints run their programs with preemption disabled, until 7.0 put them under an SRCU-fast of their own. Both words are
 * in the kernel's BTF then; the SRCU that tracepoints had before 6.13 was another kind.
 */
static bool tracepoints_are_preempted(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "tracepoint_srcu_srcu_data", BTF_KIND_VAR) > 0 &&
	       btf__find_by_name_kind(btf, "srcu_ctr", BTF_KIND_STRUCT) > 0;
}

void hooks_choose(struct kernel_source *k, const struct kernel_options *options, enum hooks_set set)
{
	int args;

	for (size_t i = 0; i < sizeof(optional_hooks) / sizeof(*optional_hooks); i++)
		if (set == HOOKS_NEEDED ||
		    tracepoint_args(k->btf, optional_hooks[i].tracepoint) < 0)
			set_autoload(k, optional_hooks[i].program, false);
	for (size_t i = 0; i < sizeof(cgroup_hooks) / sizeof(*cgroup_hooks); i++)
		set_autoload(k, cgroup_hooks[i].program, set < HOOKS_WITHOUT_CGROUP);
	choose_fexit(k, set < HOOKS_WITHOUT_FEXIT && options->tcp);
	set_autoload(k, "state_third", tracepoints_are_preempted(k->btf));
	args = tracepoint_args(k->btf, "tcp_retransmit_skb");
	if (args > 0)
		k->skeleton->rodata->retransmit_args = (__u32)args;
	args = tracepoint_args(k->btf, "tcp_send_reset");
	if (args > 0)
		k->skeleton->rodata->send_reset_args = (__u32)args;
	choose_datagrams(k, options, set);
	if (!options->tcp)
		leave_out(k, tcp_programs, sizeof(tcp_programs) / sizeof(*tcp_programs));
	load_reset_reasons(k);
}

static void hook_add(struct kernel_source *k, const char *name)
{
	/* TCP and UDP have some in common. */
	for (uint32_t i = 0; name && i < k->hook_count; i++)
		if (!strcmp(k->hooks[i], name))
			return;
	if (name && k->hook_count < KERNEL_HOOKS_MAX)
		k->hooks[k->hook_count++] = name;
}

/* The root of cgroup v2, below which every process is: where it is mounted, or a mount of our own that nobody else sees. */
static int open_cgroup_root(struct kernel_source *k)
{
	const char *mount = k->names.cgroups ? cgroup_mount(k->names.cgroups) : NULL;
	AUTO_CLOSE int context = -1;

	if (mount)
		return open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	context = fsopen("cgroup2", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

/*
 * Without them accepts are confirmed later, connects that fail at once are not seen, and UDP is not followed. 0, or
 * -errno: one that is needed failed (its section in *which).
 */
static int attach_cgroup(struct kernel_source *k, const char **which)
{
	AUTO_CLOSE int fd = open_cgroup_root(k);

	for (size_t i = 0; i < sizeof(cgroup_hooks) / sizeof(*cgroup_hooks); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(k->skeleton->obj, cgroup_hooks[i].program);

		if (!bpf_program__autoload(program))
			continue;
		errno = ENOENT; /* no cgroup v2 */
		if (fd >= 0)
			k->cgroup_links[i] = bpf_program__attach_cgroup(program, fd);
		if (k->cgroup_links[i]) {
			hook_add(k, cgroup_hooks[i].name);
		} else if (cgroup_hooks[i].needed) {
			*which = bpf_program__section_name(program);
			return -errno;
		}
	}
	return 0;
}

/* The state programs first: what begins while the rest is attached is followed already. */
int hooks_attach(struct kernel_source *k, const char **which)
{
	struct {
		struct bpf_program *program;
		struct bpf_link **link;
		const char *name;
		bool needed;
	} hooks[] = {
#define HOOK(member, name, needed) \
	{ k->skeleton->progs.member, &k->skeleton->links.member, name, needed }
		HOOK(state_first, "tp_btf/inet_sock_set_state", true),
		HOOK(state_second, NULL, true),
		HOOK(state_third, NULL, false),
		HOOK(socket_destroyed, "tp_btf/tcp_destroy_sock", true),
		HOOK(accept_returned2, "fexit/inet_csk_accept", false),
		HOOK(accept_returned4, "fexit/inet_csk_accept", false),
		HOOK(connect_returned4, "fexit/tcp_v4_connect", false),
		HOOK(connect_returned6, "fexit/tcp_v6_connect", false),
		HOOK(socket_read, "tp_btf/tcp_rcv_space_adjust", false),
		HOOK(segment_retransmitted, "tp_btf/tcp_retransmit_skb", false),
		HOOK(synack_retransmitted, "tp_btf/tcp_retransmit_synack", false),
		HOOK(reset_received, "tp_btf/tcp_receive_reset", false),
		HOOK(reset_sent, "tp_btf/tcp_send_reset", false),
		HOOK(datagram_refused, "tp_btf/udp_fail_queue_rcv_skb", false),
#undef HOOK
	};
	int err;

	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		if (!bpf_program__autoload(hooks[i].program))
			continue;
		*hooks[i].link = bpf_program__attach(hooks[i].program);
		if (*hooks[i].link) {
			hook_add(k, hooks[i].name);
		} else if (hooks[i].needed) {
			*which = bpf_program__section_name(hooks[i].program);
			return errno ? -errno : -EINVAL;
		}
	}
	err = attach_cgroup(k, which);
	if (err)
		return err;
	/* Linked when they are read. */
	hook_add(k, "iter/task_file");
	hook_add(k, "iter/bpf_sk_storage_map");
	return 0;
}
