// SPDX-License-Identifier: BSD-2-Clause
/* Which programs this kernel takes, how they are attached, and what they must know about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/kernel_private.h"

static struct bpf_program *program_of(const struct kernel_source *k, const struct hook *hook)
{
	return bpf_object__find_program_by_name(k->object.bpf, hook->program);
}

void hooks_forget_reasons(struct kernel_source *k)
{
	for (size_t i = 0; i < REASONS_MAX; i++) {
		free(k->reset_reasons[i]);
		k->reset_reasons[i] = NULL;
	}
}

/* Copies: the types of a kernel are megabytes, and are not kept for these few words. */
static void load_reset_reasons(struct kernel_source *k)
{
	static const char prefix[] = "SK_RST_REASON_";
	int id = btf__find_by_name_kind(k->btf, "sk_rst_reason", BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *values;

	hooks_forget_reasons(k);
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
		free(k->reset_reasons[values[i].val]);
		k->reset_reasons[values[i].val] = strdup(name);
	}
}

const char *hooks_reset_reason(void *kernel_source, unsigned int number)
{
	const struct kernel_source *k = kernel_source;

	return number < REASONS_MAX ? k->reset_reasons[number] : NULL;
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

/* Is it wanted in this set, as far as the set and the options say? */
static bool is_in_set(const struct hook *hook, const struct kernel_options *options,
		      enum hooks_set set)
{
	switch (hook->group) {
	case HOOK_TCP:
		if (!options->tcp)
			return false;
		break;
	case HOOK_UDP:
		if (!options->udp || set >= HOOKS_WITHOUT_DATAGRAMS)
			return false;
		break;
	case HOOK_UDP_OWNER:
		if (!options->udp || set >= HOOKS_WITHOUT_DATAGRAM_OWNERS)
			return false;
		break;
	case HOOK_FOLLOW:
		if (!options->followed)
			return false;
		break;
	case HOOK_ALWAYS:
		break;
	}
	if (hook->kind == HOOK_FEXIT)
		return set < HOOKS_WITHOUT_FEXIT;
	if (hook->kind == HOOK_CGROUP)
		return set < HOOKS_WITHOUT_CGROUP;
	return hook->kind != HOOK_TRACEPOINT || hook->needed || !hook->name || set != HOOKS_NEEDED;
}

/* Has this kernel what the hook hooks into? */
static bool is_there(const struct kernel_source *k, const struct hook *hook, bool fexit_works)
{
	switch (hook->kind) {
	case HOOK_TRACEPOINT:
		if (hook->preempted && !tracepoints_are_preempted(k->btf))
			return false;
		return hook->needed || ladder_tracepoint_args(k->btf, hook->target) >= 0;
	case HOOK_FEXIT:
		return fexit_works && ladder_function_args(k->btf, hook->target) == hook->args;
	case HOOK_ITERATOR:
		return k->rung != RUNG_RAW;
	case HOOK_CGROUP:
		break;
	}
	return true;
}

/* The fallback's tracepoints are raw ones, which take typed arguments as well. */
static void make_typed(struct bpf_program *program, const struct hook *hook)
{
	bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
	bpf_program__set_expected_attach_type(program, BPF_TRACE_RAW_TP);
	bpf_program__set_attach_target(program, 0, hook->target);
}

static void set_args(const struct kernel_source *k, const char *tracepoint, __u32 *setting)
{
	int args = ladder_tracepoint_args(k->btf, tracepoint);

	if (args > 0)
		*setting = (__u32)args;
}

void hooks_choose(struct kernel_source *k, const struct kernel_options *options, enum hooks_set set)
{
	bool fexit = k->rung != RUNG_RAW && set < HOOKS_WITHOUT_FEXIT && options->tcp &&
		     !ladder_fexit(k->btf, "inet_csk_accept");
	bool udp = options->udp && set < HOOKS_WITHOUT_DATAGRAMS && k->rung != RUNG_RAW;

	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		const struct hook *hook = &hook_table[i];
		struct bpf_program *program = program_of(k, hook);
		bool is_udp = hook->group == HOOK_UDP || hook->group == HOOK_UDP_OWNER;
		bool load = is_in_set(hook, options, set) && is_there(k, hook, fexit) &&
			    (udp || !is_udp);

		bpf_program__set_autoload(program, load);
		if (load && hook->kind == HOOK_TRACEPOINT && k->rung == RUNG_HASH)
			make_typed(program, hook);
	}
	set_args(k, "tcp_retransmit_skb", k->object.rodata.retransmit_args);
	set_args(k, "tcp_send_reset", k->object.rodata.send_reset_args);
	set_args(k, "udp_fail_queue_rcv_skb", k->object.rodata.receive_failed_args);
	*k->object.rodata.follow_datagrams = udp;
	if (!udp) {
		bpf_map__set_autocreate(k->object.maps.flows, false);
		datagrams_free(k->datagrams);
		k->datagrams = NULL;
	}
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

static struct bpf_link *attach(const struct kernel_source *k, const struct hook *hook,
			       int cgroup_fd)
{
	struct bpf_program *program = program_of(k, hook);

	switch (hook->kind) {
	case HOOK_TRACEPOINT:
		if (k->rung == RUNG_RAW)
			return bpf_program__attach_raw_tracepoint(program, hook->target);
		return bpf_program__attach_trace(program);
	case HOOK_CGROUP:
		errno = ENOENT; /* no cgroup v2 */
		return cgroup_fd < 0 ? NULL : bpf_program__attach_cgroup(program, cgroup_fd);
	default:
		return bpf_program__attach_trace(program);
	}
}

/*
 * Without the cgroup hooks accepts are confirmed later, connects that fail at once are not seen, and UDP is not followed.
 * Iterators are linked when they are read.
 */
int hooks_attach(struct kernel_source *k, const char **which)
{
	AUTO_CLOSE int cgroup_fd =
		ladder_cgroup_root(k->names.cgroups ? cgroup_mount(k->names.cgroups) : NULL);

	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		const struct hook *hook = &hook_table[i];
		struct bpf_program *program = program_of(k, hook);

		if (!bpf_program__autoload(program))
			continue;
		if (hook->kind != HOOK_ITERATOR) {
			k->links[i] = attach(k, hook, cgroup_fd);
			if (!k->links[i] && hook->needed) {
				*which = hook->name;
				return errno ? -errno : -EINVAL;
			}
			if (!k->links[i])
				continue;
		}
		hook_add(k, hook_name(hook, k->rung));
	}
	return 0;
}

void hooks_detach(struct kernel_source *k)
{
	/* First the one that takes an end it was not told of for an unseen one: the others go one by one. */
	for (int first = 1; first >= 0; first--) {
		for (size_t i = 0; i < HOOKS_COUNT; i++) {
			if (first && strcmp(hook_table[i].program, "socket_destroyed"))
				continue;
			bpf_link__destroy(k->links[i]);
			k->links[i] = NULL;
		}
	}
}
