/* SPDX-License-Identifier: BSD-2-Clause */
/* Every difference between kernels: a getter named for its meaning, the rest of bpf/ does not know. */
#ifndef NETTRACE_COMPAT_BPF_H
#define NETTRACE_COMPAT_BPF_H

#include "maps.bpf.h"

/*
 * How many arguments a tracepoint of the running kernel has: user space counts them in its BTF
 * (btf_trace_<name>) and sets these before loading, so that a missing one is never read.
 */
const volatile __u32 retransmit_args __weak = 2; /* (sk, skb), and err since 6.18 */
const volatile __u32 send_reset_args __weak = 2; /* (sk, skb), and reason since 6.10 */

/* tcp_retransmit_skb: since 6.18 it is called for failed attempts too, with err as the third argument. */
static __always_inline bool compat_retransmit_failed(unsigned long long *ctx)
{
	return retransmit_args >= 3 && (int)ctx[2] != 0;
}

/* tcp_send_reset: enum sk_rst_reason plus one; 0 where the kernel does not tell. */
static __always_inline __u32 compat_reset_reason(unsigned long long *ctx)
{
	return send_reset_args >= 3 ? (__u32)ctx[2] + 1 : 0;
}

#endif
