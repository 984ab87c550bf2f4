// SPDX-License-Identifier: BSD-2-Clause
/* Which programs this kernel takes, how they are attached, and what they must know about it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

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
	{ "reset_received", "tcp_receive_reset" },
	{ "reset_sent", "tcp_send_reset" },
};

/* Arguments of a tracepoint on the running kernel, or -ENOENT. */
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
	t = btf__type_by_id(btf, t->type); /* → function, whose first parameter is the tracer's own */
	if (!t || !btf_is_func_proto(t) || btf_vlen(t) < 1)
		return -ENOENT;
	return btf_vlen(t) - 1;
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

void hooks_choose(struct kernel_source *k, enum hooks_set set)
{
	struct bpf_object *object = k->skeleton->obj;
	int args;

	for (size_t i = 0; i < sizeof(optional_hooks) / sizeof(*optional_hooks); i++)
		if (set == HOOKS_NEEDED || tracepoint_args(k->btf, optional_hooks[i].tracepoint) < 0)
			bpf_program__set_autoload(
				bpf_object__find_program_by_name(object, optional_hooks[i].program), false);
	args = tracepoint_args(k->btf, "tcp_retransmit_skb");
	if (args > 0)
		k->skeleton->rodata->retransmit_args = (__u32)args;
	args = tracepoint_args(k->btf, "tcp_send_reset");
	if (args > 0)
		k->skeleton->rodata->send_reset_args = (__u32)args;
	/* Iterators are linked when they are read, the cgroup programs to a cgroup: not by the skeleton. */
	bpf_program__set_autoattach(k->skeleton->progs.holders, false);
	bpf_program__set_autoattach(k->skeleton->progs.tracked, false);
	bpf_program__set_autoattach(k->skeleton->progs.peer_asked4, false);
	bpf_program__set_autoattach(k->skeleton->progs.peer_asked6, false);
	bpf_program__set_autoload(k->skeleton->progs.peer_asked4, set == HOOKS_ALL);
	bpf_program__set_autoload(k->skeleton->progs.peer_asked6, set == HOOKS_ALL);
	load_reset_reasons(k);
}

static void hook_add(struct kernel_source *k, const char *name)
{
	if (k->hook_count < KERNEL_HOOKS_MAX)
		k->hooks[k->hook_count++] = name;
}

/* To the root of cgroup v2, so that every process is below it. Without it accepts are confirmed later. */
static void attach_cgroup(struct kernel_source *k)
{
	struct bpf_program *programs[] = { k->skeleton->progs.peer_asked4, k->skeleton->progs.peer_asked6 };
	bool loaded = bpf_program__autoload(programs[0]);
	const char *mount = loaded && k->names.cgroups ? cgroup_mount(k->names.cgroups) : NULL;
	AUTO_CLOSE int fd = mount ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool all = fd >= 0;

	for (int i = 0; i < 2 && fd >= 0; i++) {
		k->cgroup_links[i] = bpf_program__attach_cgroup(programs[i], fd);
		all = all && k->cgroup_links[i];
	}
	if (all)
		hook_add(k, "cgroup/getpeername");
}

/* Both ends of the pair first: what begins while the rest is attached is already followed. */
int hooks_attach(struct kernel_source *k, const char **which)
{
	struct {
		struct bpf_program *program;
		struct bpf_link **link;
		const char *name;
		bool needed;
	} hooks[] = {
#define HOOK(member, name, needed) { k->skeleton->progs.member, &k->skeleton->links.member, name, needed }
		HOOK(state_first, "tp_btf/inet_sock_set_state", true),
		HOOK(state_second, NULL, true),
		HOOK(socket_destroyed, "tp_btf/tcp_destroy_sock", true),
		HOOK(socket_read, "tp_btf/tcp_rcv_space_adjust", false),
		HOOK(segment_retransmitted, "tp_btf/tcp_retransmit_skb", false),
		HOOK(reset_received, "tp_btf/tcp_receive_reset", false),
		HOOK(reset_sent, "tp_btf/tcp_send_reset", false),
#undef HOOK
	};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		if (!bpf_program__autoload(hooks[i].program))
			continue;
		*hooks[i].link = bpf_program__attach(hooks[i].program);
		if (!*hooks[i].link && hooks[i].needed) {
			*which = bpf_program__section_name(hooks[i].program);
			return errno ? -errno : -EINVAL;
		}
		if (*hooks[i].link && hooks[i].name)
			hook_add(k, hooks[i].name);
	}
	attach_cgroup(k);
	if (bpf_program__autoload(k->skeleton->progs.holders))
		hook_add(k, "iter/task_file");
	if (bpf_program__autoload(k->skeleton->progs.tracked))
		hook_add(k, "iter/bpf_sk_storage_map");
	return 0;
}
