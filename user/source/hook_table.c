/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/hook_table.h"

#include <linux/bpf.h>

#define TRACEPOINT(function, event, who, must, lost)                                         \
	{                                                                                    \
		.program = function, .name = "tp_btf/" event, .other_name = "raw_tp/" event, \
		.kind = HOOK_TRACEPOINT, .group = who, .target = event, .needed = must,      \
		.without = lost                                                              \
	}
#define TRACEPOINT_AGAIN(function, event)                                                        \
	{                                                                                        \
		.program = function, .kind = HOOK_TRACEPOINT, .group = HOOK_TCP, .target = event \
	}
#define TRACEPOINT_PREEMPTED(function, event)                                                     \
	{                                                                                         \
		.program = function, .kind = HOOK_TRACEPOINT, .group = HOOK_TCP, .target = event, \
		.preempted = true                                                                 \
	}
#define FEXIT(function, traced, count, lost)                                        \
	{                                                                           \
		.program = function, .name = "fexit/" traced, .kind = HOOK_FEXIT,   \
		.group = HOOK_TCP, .target = traced, .args = count, .without = lost \
	}
#define CGROUP(function, hook, type, attach, who, must, lost)                                \
	{                                                                                    \
		.program = function, .name = hook, .kind = HOOK_CGROUP, .group = who,        \
                                                                                             \
		.program_type = type, .attach_type = attach, .needed = must, .without = lost \
	}
#define CGROUP_AGAIN(function, who)                                    \
	{                                                              \
		.program = function, .kind = HOOK_CGROUP, .group = who \
	}
#define ITERATOR(function, iterator, by_address, who, lost)                      \
	{                                                                        \
		.program = function, .name = iterator, .other_name = by_address, \
		.kind = HOOK_ITERATOR, .group = who, .without = lost             \
	}

/* In the order in which they are attached: what begins while the rest is attached is followed already. */
const struct hook hook_table[HOOKS_COUNT] = {
	TRACEPOINT("process_forked", "sched_process_fork", HOOK_FOLLOW, true, "--follow"),
	TRACEPOINT("state_first", "inet_sock_set_state", HOOK_TCP, true, "TCP connections"),
	TRACEPOINT_AGAIN("state_second", "inet_sock_set_state"),
	TRACEPOINT_PREEMPTED("state_third", "inet_sock_set_state"),
	TRACEPOINT_PREEMPTED("state_fourth", "inet_sock_set_state"),
	TRACEPOINT("socket_destroyed", "tcp_destroy_sock", HOOK_TCP, true,
		   "ends that no state change told of"),
	FEXIT("accept_returned2", "inet_csk_accept", 2,
	      "how long a connection waited for accept; acceptors that do not ask for the "
	      "address are found later"),
	FEXIT("accept_returned4", "inet_csk_accept", 4, 0),
	FEXIT("connect_returned4", "tcp_v4_connect", 3,
	      "errno and outcome of IPv4 connects that fail before a SYN"),
	FEXIT("connect_returned6", "tcp_v6_connect", 3,
	      "errno and outcome of IPv6 connects that fail before a SYN"),
	TRACEPOINT("socket_read", "tcp_rcv_space_adjust", HOOK_TCP, false,
		   "an acceptor that only reads is found later"),
	TRACEPOINT("segment_retransmitted", "tcp_retransmit_skb", HOOK_TCP, false,
		   "retransmit events"),
	TRACEPOINT("synack_retransmitted", "tcp_retransmit_synack", HOOK_TCP, false,
		   "retransmit events of SYN-ACKs"),
	TRACEPOINT("reset_received", "tcp_receive_reset", HOOK_TCP, false,
		   "reset events of received RSTs"),
	TRACEPOINT("reset_sent", "tcp_send_reset", HOOK_TCP, false, "reset events of sent RSTs"),
	TRACEPOINT("datagram_refused", "udp_fail_queue_rcv_skb", HOOK_UDP_OWNER, false,
		   "drops of UDP"),
	CGROUP("peer_asked4", "cgroup/getpeername", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	       BPF_CGROUP_INET4_GETPEERNAME, HOOK_TCP, false,
	       "acceptors are found when they first read, or by a pass over open files"),
	CGROUP_AGAIN("peer_asked6", HOOK_TCP),
	CGROUP("connect_began4", "cgroup/connect", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	       BPF_CGROUP_INET4_CONNECT, HOOK_TCP, false,
	       "connects that fail before a SYN is sent"),
	CGROUP_AGAIN("connect_began6", HOOK_TCP),
	CGROUP("datagram_opened", "cgroup/sock_create", BPF_PROG_TYPE_CGROUP_SOCK,
	       BPF_CGROUP_INET_SOCK_CREATE, HOOK_UDP, true, "UDP flows"),
	CGROUP("datagram_closed", "cgroup/sock_release", BPF_PROG_TYPE_CGROUP_SOCK,
	       BPF_CGROUP_INET_SOCK_RELEASE, HOOK_UDP, true, "UDP flows"),
	CGROUP("datagram_connect4", "cgroup/connect", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	       BPF_CGROUP_INET4_CONNECT, HOOK_UDP_OWNER, false, 0),
	CGROUP_AGAIN("datagram_connect6", HOOK_UDP_OWNER),
	CGROUP("datagram_sendmsg4", "cgroup/sendmsg", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	       BPF_CGROUP_UDP4_SENDMSG, HOOK_UDP_OWNER, false,
	       "to whom a UDP socket was handed; peers of UDP before NAT"),
	CGROUP_AGAIN("datagram_sendmsg6", HOOK_UDP_OWNER),
	CGROUP("datagram_recvmsg4", "cgroup/recvmsg", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	       BPF_CGROUP_UDP4_RECVMSG, HOOK_UDP_OWNER, false, "to whom a UDP socket was handed"),
	CGROUP_AGAIN("datagram_recvmsg6", HOOK_UDP_OWNER),
	CGROUP("datagram_sent", "cgroup_skb/egress", BPF_PROG_TYPE_CGROUP_SKB,
	       BPF_CGROUP_INET_EGRESS, HOOK_UDP, true, "UDP flows"),
	CGROUP("datagram_received", "cgroup_skb/ingress", BPF_PROG_TYPE_CGROUP_SKB,
	       BPF_CGROUP_INET_INGRESS, HOOK_UDP, true, "UDP flows"),
	ITERATOR("holders", "iter/task_file", "iter/task_file", HOOK_ALWAYS,
		 "tables come from /proc; owners of what was there before are found there"),
	ITERATOR("tracked", "iter/bpf_sk_storage_map", "iter/bpf_map_elem", HOOK_TCP,
		 "live rates, and healing of what was not seen"),
	ITERATOR("datagrams_tracked", 0, 0, HOOK_UDP, 0),
};

const char *hook_name(const struct hook *hook, unsigned int rung)
{
	if (rung == 1 || !hook->other_name)
		return hook->name;
	if (hook->kind == HOOK_ITERATOR)
		return rung == 2 ? hook->other_name : NULL;
	return rung == 3 ? hook->other_name : hook->name;
}
