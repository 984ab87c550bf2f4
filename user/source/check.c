/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/check.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/cgroup.h"
#include "source/ladder.h"

enum {
	CAP_NET_ADMIN_ = 12,
	CAP_SYS_PTRACE_ = 19,
	CAP_SYS_ADMIN_ = 21,
	CAP_SYS_RESOURCE_ = 24,
	CAP_PERFMON_ = 38,
	CAP_BPF_ = 39
};

static const struct check_capability capabilities[CHECK_CAPABILITIES] = {
	{ "CAP_BPF", "loading eBPF programs", CAP_BPF_, false },
	{ "CAP_PERFMON", "tracepoints, and reading sockets in the kernel", CAP_PERFMON_, false },
	{ "CAP_NET_ADMIN", "the cgroup hooks: accepts, failed connects, UDP", CAP_NET_ADMIN_,
	  false },
	{ "CAP_SYS_PTRACE", "files and namespaces of other users' processes", CAP_SYS_PTRACE_,
	  false },
	{ "CAP_SYS_ADMIN",
	  "entering other network namespaces, and cgroup v2 where it is not mounted; the rest goes without",
	  CAP_SYS_ADMIN_, false },
	{ "CAP_SYS_RESOURCE", "locked memory, on kernels before 5.11 only", CAP_SYS_RESOURCE_,
	  false },
};

static bool has_capability(const struct check *c, unsigned int number)
{
	for (size_t i = 0; i < CHECK_CAPABILITIES; i++)
		if (c->capabilities[i].number == number)
			return c->capabilities[i].here;
	return false;
}

static void read_capabilities(struct check *c)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/self/status", "re");
	uint64_t effective = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			break;
	memcpy(c->capabilities, capabilities, sizeof(capabilities));
	for (size_t i = 0; i < CHECK_CAPABILITIES; i++)
		c->capabilities[i].here = effective >> c->capabilities[i].number & 1;
}

/* "none [integrity] confidentiality": the one in brackets. */
static void read_lockdown(struct check *c)
{
	AUTO_FCLOSE FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128], *from, *to;

	if (!file || !fgets(line, sizeof(line), file))
		return;
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to)
		snprintf(c->lockdown, sizeof(c->lockdown), "%.*s", (int)(to - from - 1), from + 1);
}

static int read_cgroup2(struct check *c)
{
	struct cgroup_cache *cache = cgroup_cache_new();
	const char *mount = cache ? cgroup_mount(cache) : NULL;

	if (mount)
		snprintf(c->cgroup2, sizeof(c->cgroup2), "%s", mount);
	cgroup_cache_free(cache);
	return cache ? 0 : -ENOMEM;
}

static void read_memlock(struct check *c)
{
	struct rlimit limit;

	c->memlock_bytes = UINT64_MAX;
	if (!getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur != RLIM_INFINITY)
		c->memlock_bytes = limit.rlim_cur;
}

static void try_rungs(struct check *c, const struct btf *btf)
{
	int typed = ladder_typed_tracepoint(btf, "inet_sock_set_state");
	int storage = typed ? typed : ladder_storage(btf);

	c->rung_errors[RUNG_STORAGE - 1] = storage == -ETIME ? 0 : storage;
	c->rung_errors[RUNG_HASH - 1] = typed;
	c->rung_errors[RUNG_RAW - 1] = btf ? ladder_raw_tracepoint("inet_sock_set_state") : -ENOENT;
	c->rung = RUNG_POLLING;
	for (unsigned int rung = RUNG_RAW; rung >= RUNG_STORAGE; rung--)
		if (!c->rung_errors[rung - 1])
			c->rung = rung;
}

/* 0, or why it does not work, as -errno. */
static int try_hook(const struct check *c, const struct hook *hook, const char *name,
		    const struct btf *btf, int cgroup)
{
	int args;

	switch (hook->kind) {
	case HOOK_TRACEPOINT:
		return c->rung == RUNG_RAW ? ladder_raw_tracepoint(hook->target)
					   : ladder_typed_tracepoint(btf, hook->target);
	case HOOK_FEXIT:
		if (c->rung == RUNG_RAW)
			return -EOPNOTSUPP;
		args = ladder_function_args(btf, hook->target);
		if (args < 0)
			return args;
		return ladder_fexit(btf, hook->target);
	case HOOK_CGROUP:
		return cgroup < 0 ? -ENOENT
				  : ladder_cgroup(cgroup, hook->program_type, hook->attach_type);
	case HOOK_ITERATOR:
		return c->rung == RUNG_RAW ? -EOPNOTSUPP
					   : ladder_iterator(btf, strchr(name, '/') + 1);
	}
	return -EOPNOTSUPP;
}

static const char *missing_for(const struct check *c, const struct hook *hook)
{
	if (has_capability(c, CAP_SYS_ADMIN_) &&
	    (hook->kind != HOOK_CGROUP || has_capability(c, CAP_NET_ADMIN_)))
		return NULL;
	if (!has_capability(c, CAP_BPF_))
		return "CAP_BPF";
	if (hook->kind != HOOK_CGROUP && !has_capability(c, CAP_PERFMON_))
		return "CAP_PERFMON";
	if (hook->kind == HOOK_CGROUP && !has_capability(c, CAP_NET_ADMIN_))
		return "CAP_NET_ADMIN";
	return NULL;
}

static void explain_refusal(const struct check *c, const struct hook *hook, struct check_hook *h)
{
	const char *missing = missing_for(c, hook);

	if (missing) {
		snprintf(h->reason, sizeof(h->reason), "%s is missing", missing);
		snprintf(h->remedy, sizeof(h->remedy), "run it as root, or give it %s (setcap)",
			 missing);
	} else if (!strcmp(c->lockdown, "confidentiality")) {
		snprintf(h->reason, sizeof(h->reason),
			 "the kernel is locked down (confidentiality)");
		snprintf(h->remedy, sizeof(h->remedy), "boot without lockdown=confidentiality");
	} else {
		snprintf(h->reason, sizeof(h->reason), "the kernel does not permit it");
		snprintf(h->remedy, sizeof(h->remedy), "%s",
			 hook->kind == HOOK_FEXIT
				 ? "a kernel whose security policy permits fexit programs"
				 : "allow eBPF in the machine's or container's security policy");
	}
}

static void explain(const struct check *c, const struct hook *hook, struct check_hook *h)
{
	if (h->error == -EPERM || h->error == -EACCES) {
		explain_refusal(c, hook, h);
		return;
	}
	if (hook->kind == HOOK_CGROUP && !*c->cgroup2) {
		snprintf(h->reason, sizeof(h->reason), "cgroup v2 is not mounted, and can't be");
		snprintf(h->remedy, sizeof(h->remedy), "mount -t cgroup2 none /sys/fs/cgroup");
	} else if (!c->btf && hook->kind != HOOK_CGROUP) {
		snprintf(h->reason, sizeof(h->reason), "the kernel has no BTF");
		snprintf(h->remedy, sizeof(h->remedy),
			 "a kernel with CONFIG_DEBUG_INFO_BTF=y, or its types with --btf FILE");
	} else if (h->error == -ENOENT) {
		snprintf(h->reason, sizeof(h->reason), "this kernel has no %s",
			 hook->kind == HOOK_TRACEPOINT ? "such tracepoint" : "such function");
		snprintf(h->remedy, sizeof(h->remedy), "a newer kernel");
	} else {
		snprintf(h->reason, sizeof(h->reason), "this kernel can't do it: %s",
			 strerror(h->error == -524 ? EOPNOTSUPP : -h->error));
		snprintf(
			h->remedy, sizeof(h->remedy), "%s",
			hook->kind == HOOK_FEXIT
				? "a kernel with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS (on arm64 6.4 or newer)"
				: "a newer kernel");
	}
}

static bool is_told(const struct check *c, const char *name)
{
	for (size_t i = 0; i < HOOKS_COUNT; i++)
		if (c->hooks[i].name && !strcmp(c->hooks[i].name, name))
			return true;
	return false;
}

static void try_hooks(struct check *c, const struct btf *btf)
{
	AUTO_CLOSE int cgroup = ladder_cgroup_root(*c->cgroup2 ? c->cgroup2 : NULL);
	size_t count = 0;

	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		const struct hook *hook = &hook_table[i];
		unsigned int rung = c->rung == RUNG_POLLING ? RUNG_STORAGE : c->rung;
		const char *name = hook_name(hook, rung);
		struct check_hook *h;

		/* Several programs may share one hook. */
		if (!name)
			name = rung == RUNG_RAW ? hook->name : NULL;
		if (!name || is_told(c, name))
			continue;
		h = &c->hooks[count++];
		h->name = name;
		h->without = hook->without;
		h->error = try_hook(c, hook, name, btf, cgroup);
		if (h->error)
			explain(c, hook, h);
	}
}

static bool works(const struct check *c, const char *part)
{
	for (size_t i = 0; i < HOOKS_COUNT && c->hooks[i].name; i++)
		if (strstr(c->hooks[i].name, part))
			return !c->hooks[i].error;
	return false;
}

static void conclude(struct check *c, const struct btf *btf)
{
	bool traces = c->rung != RUNG_POLLING;

	c->accept = !traces				? "none"
		    : works(c, "fexit/inet_csk_accept") ? "fexit"
		    : works(c, "cgroup/getpeername")	? "getpeername"
							: "read";
	c->reset_reasons = traces && works(c, "tcp_send_reset") &&
			   ladder_tracepoint_args(btf, "tcp_send_reset") >= 3;
	c->udp = traces && c->rung != RUNG_RAW && works(c, "cgroup/sock_create") &&
		 works(c, "cgroup/sock_release") && works(c, "cgroup_skb/egress") &&
		 works(c, "cgroup_skb/ingress");
	c->udp_drops_by_flow = c->udp && works(c, "udp_fail_queue_rcv_skb") &&
			       ladder_tracepoint_args(btf, "udp_fail_queue_rcv_skb") >= 3;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int check_run(const char *btf_path, struct check *c)
{
	struct btf *btf;
	int err;

	*c = (struct check){ 0 };
	libbpf_set_print(quiet); /* what is refused is told in our own words */
	uname(&c->uts);
	read_capabilities(c);
	read_lockdown(c);
	read_memlock(c);
	err = read_cgroup2(c);
	if (err)
		return err;
	btf = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
	c->btf = btf;
	try_rungs(c, btf);
	try_hooks(c, btf);
	conclude(c, btf);
	btf__free(btf);
	return 0;
}

unsigned int check_missing(const struct check *c)
{
	unsigned int missing = 0;

	for (size_t i = 0; i < HOOKS_COUNT && c->hooks[i].name; i++)
		missing += c->hooks[i].error != 0;
	return missing;
}
