// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* --follow: what the chosen processes fork is chosen too. */
#include "vmlinux.h"

#include "record.bpf.h"

static __always_inline void tell_followed(__u32 pid, __u32 parent, __u32 follow)
{
	struct record *r = record_reserve(sizeof(*r));

	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	r->type = RECORD_FOLLOW;
	r->mono_ns = bpf_ktime_get_ns();
	r->pid = pid;
	r->opener_pid = parent;
	r->value = follow;
	record_submit(r);
}

/*
 * A process or thread is made, in the context of the one that forks, before the new one runs: so user space hears of it
 * before anything that it does. An exit is not looked at: connections outlive their process, and still are its. But a
 * number that comes to another process is forgotten.
 */
TRACEPOINT("sched_process_fork")
int BPF_PROG(process_forked, struct task_struct *parent, struct task_struct *child)
{
	__u32 pid = GET(child, tgid), parent_pid = GET(parent, tgid), value = 1;

	if (pid == parent_pid) /* a thread */
		return 0;
	if (filter_followed(parent_pid)) {
		if (bpf_map_update_elem(&followed, &pid, &value, BPF_ANY))
			count(COUNTER_FOLLOWED_FULL);
		else
			tell_followed(pid, parent_pid, 1);
	} else if (filter_followed(pid)) {
		bpf_map_delete_elem(&followed, &pid);
		tell_followed(pid, parent_pid, 0);
	}
	return 0;
}
