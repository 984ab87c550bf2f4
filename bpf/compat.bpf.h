/* SPDX-License-Identifier: BSD-2-Clause */
/* Every difference between kernels: a getter named for its meaning, the rest of bpf/ does not know. */
#ifndef NETTRACE_COMPAT_BPF_H
#define NETTRACE_COMPAT_BPF_H

#include "maps.bpf.h"
#include "socket.bpf.h"

/*
 * How many arguments a function or tracepoint of the running kernel has: user space counts them in its BTF
 * and sets these before loading, so that a missing one is never read.
 */
const volatile __u32 retransmit_args __weak =
	2; /* tcp_retransmit_skb(sk, skb), and err since 6.18 */
const volatile __u32 send_reset_args __weak =
	2; /* tcp_send_reset(sk, skb), and reason since 6.10 */

const volatile __u32 receive_failed_args __weak = 2; /* (rc, sk), and skb since 6.10 */

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

#define IPPROTO_MPTCP 262

struct mptcp_subflow_context___conn {
	struct sock *conn;
} __attribute__((preserve_access_index));

#define ICSK_TIME_LOSS_PROBE 5
#define TCP_CA_CWR 2

/*
 * A tail loss probe: sent by its own timer, while that is still pending and no recovery has begun (tcp_send_loss_probe;
 * fast retransmits and timeouts are in recovery or loss, and a timeout clears the pending timer first).
 */
static __always_inline bool compat_is_loss_probe(const struct tcp_sock *tp)
{
	return GET(tp, inet_conn.icsk_pending) == ICSK_TIME_LOSS_PROBE &&
	       BPF_CORE_READ_BITFIELD_PROBED(&tp->inet_conn, icsk_ca_state) <= TCP_CA_CWR;
}

/* udp_fail_queue_rcv_skb: the datagram; 0 where the kernel does not tell. */
static __always_inline struct sk_buff *compat_failed_datagram(unsigned long long *ctx)
{
	return receive_failed_args >= 3 ? (struct sk_buff *)ctx[2] : 0;
}

#endif
