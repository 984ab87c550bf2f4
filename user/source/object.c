// SPDX-License-Identifier: BSD-2-Clause
#include "source/object.h"

#include <errno.h>
#include <stdlib.h>

#include "atom.h"
#include "fallback.skel.h"
#include "nettrace.skel.h"

/* Both skeletons have these members; only their types differ. */
#define BIND(o, s)                                                                   \
	do {                                                                         \
		(o)->memory = (s);                                                   \
		(o)->skeleton = (s)->skeleton;                                       \
		(o)->bpf = (s)->obj;                                                 \
		(o)->maps.ring = (s)->maps.ring;                                     \
		(o)->maps.sockets = (s)->maps.sockets;                               \
		(o)->maps.datagram_sockets = (s)->maps.datagram_sockets;             \
		(o)->maps.flows = (s)->maps.flows;                                   \
		(o)->maps.followed = (s)->maps.followed;                             \
		(o)->progs.holders = (s)->progs.holders;                             \
		(o)->progs.tracked = (s)->progs.tracked;                             \
		(o)->progs.datagrams_tracked = (s)->progs.datagrams_tracked;         \
		(o)->rodata.wakeup_bytes = &(s)->rodata->wakeup_bytes;               \
		(o)->rodata.own_tgid = &(s)->rodata->own_tgid;                       \
		(o)->rodata.tell_states = &(s)->rodata->tell_states;                 \
		(o)->rodata.follow_datagrams = &(s)->rodata->follow_datagrams;       \
		(o)->rodata.filter_family = &(s)->rodata->filter_family;             \
		(o)->rodata.filter_atoms = (s)->rodata->filter_atoms;                \
		(o)->rodata.filter_atom_count = &(s)->rodata->filter_atom_count;     \
		(o)->rodata.retransmit_args = &(s)->rodata->retransmit_args;         \
		(o)->rodata.send_reset_args = &(s)->rodata->send_reset_args;         \
		(o)->rodata.receive_failed_args = &(s)->rodata->receive_failed_args; \
		(o)->bss.counters = (s)->bss->counters;                              \
		(o)->bss.unconfirmed = &(s)->bss->unconfirmed;                       \
		(o)->bss.wakeup_pending = &(s)->bss->wakeup_pending;                 \
		(o)->bss.sweep_mode = &(s)->bss->sweep_mode;                         \
		(o)->bss.datagrams_on = &(s)->bss->datagrams_on;                     \
		(o)->bss.further_flows = &(s)->bss->further_flows;                   \
	} while (0)

int object_open(struct object *o, bool fallback, const char *btf_path)
{
	DECLARE_LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = btf_path);

	*o = (struct object){ 0 };
	if (fallback) {
		struct fallback_bpf *s = fallback_bpf__open_opts(&options);

		if (!s)
			return -errno;
		BIND(o, s);
		o->rodata.cookie_key = &s->rodata->cookie_key;
		return 0;
	}
	struct nettrace_bpf *s = nettrace_bpf__open_opts(&options);

	if (!s)
		return -errno;
	BIND(o, s);
	return 0;
}

int object_load(struct object *o)
{
	return bpf_object__load_skeleton(o->skeleton);
}

void object_close(struct object *o)
{
	if (o->skeleton)
		bpf_object__destroy_skeleton(o->skeleton);
	free(o->memory);
	*o = (struct object){ 0 };
}
