/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How programs read the kernel's memory and what they ask it for. All of bpf/ is compiled twice: for kernels that let
 * tracing programs keep storage in a socket and follow typed pointers (5.11 on, rung 1), and, with FALLBACK defined,
 * for those that do not (rungs 2 and 3). The handlers are the same; what differs is here and in storage.bpf.h.
 */
#ifndef NETTRACE_ACCESS_BPF_H
#define NETTRACE_ACCESS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef FALLBACK

/* A member of a struct of the kernel's; CO-RE finds its place. No bit fields. */
#define GET(pointer, member) ((pointer)->member)

/* Loaded as tp_btf: its arguments are typed pointers. */
#define TRACEPOINT(name) SEC("tp_btf/" name)

static __always_inline struct task_struct *task_current(void)
{
	return bpf_get_current_task_btf();
}

/* NULL: it is no full TCP socket. `sk`: struct sock or struct bpf_sock. */
static __always_inline struct tcp_sock *tcp_of(void *sk)
{
	return bpf_skc_to_tcp_sock(sk);
}

static __always_inline struct socket *socket_of(struct file *file)
{
	return bpf_sock_from_file(file);
}

static __always_inline __u64 time_coarse_ns(void)
{
	return bpf_ktime_get_coarse_ns();
}

/* True for one of those who ask at the same time. `value`: not 0. What was there before in *before. */
static __always_inline bool claim_take(__u64 *claim, __u64 value, __u64 *before)
{
	*before = __sync_val_compare_and_swap(claim, 0, value);
	return !*before;
}

/* A number above all that were taken before; `wanted`, if that is one. */
static __always_inline __u64 number_take(__u64 *last_taken, __u64 wanted)
{
	__u64 last = *last_taken;

	if (wanted > last && __sync_val_compare_and_swap(last_taken, last, wanted) == last)
		return wanted;
	return __sync_fetch_and_add(last_taken, 1) + 1;
}

/* Its number for life; makes one where there is none. */
static __always_inline __u64 socket_cookie(struct sock *sk)
{
	return bpf_get_socket_cookie(sk);
}

#else

/* The type of a member as a value: without the qualifiers that it has as part of something const. */
#define GET(pointer, member)                                                          \
	({                                                                            \
		__typeof__(({ (pointer)->member; })) got;                             \
		bpf_probe_read_kernel(&got, sizeof(got), (void *)&(pointer)->member); \
		got;                                                                  \
	})

/* Loaded as raw_tp; as tp_btf where user space says so (hooks.c). */
#define TRACEPOINT(name) SEC("raw_tp/" name)

static __always_inline struct task_struct *task_current(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

#endif

/* A socket's address as a number. The verifier lets nobody read struct sock through the pointers that it gives out. */
static __always_inline struct sock *sock_of(void *sk)
{
	struct sock *address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &sk);
	return address;
}

#ifdef FALLBACK

/* Key of stand_in_cookie: random and odd, from user space, so that no address can be told from an id. */
const volatile __u64 cookie_key __weak = 1;

#define SOCKFS_MAGIC 0x534f434b /* include/uapi/linux/magic.h */

static __always_inline struct tcp_sock *tcp_of(void *sk)
{
	struct sock *address = sock_of(sk);
	__u8 state = GET(address, __sk_common.skc_state);

	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV ||
	    GET(address, sk_protocol) != IPPROTO_TCP)
		return 0;
	return (struct tcp_sock *)address;
}

/* A file of sockfs is a socket, and all but O_PATH files have it in private_data (net/socket.c, sock_alloc_file). */
static __always_inline struct socket *socket_of(struct file *file)
{
	struct inode *inode = GET(file, f_inode);

	if (GET(GET(inode, i_sb), s_magic) != SOCKFS_MAGIC)
		return 0;
	return GET(file, private_data);
}

static __always_inline __u64 time_coarse_ns(void)
{
	return bpf_ktime_get_ns();
}

/* These kernels have no atomic operations that return something (5.12): two CPUs may both believe to be the first. */
static __always_inline bool claim_take(__u64 *claim, __u64 value, __u64 *before)
{
	*before = *claim;
	if (*before)
		return false;
	*claim = value;
	return true;
}

static __always_inline __u64 number_take(__u64 *last_taken, __u64 wanted)
{
	__u64 last = *last_taken;

	*last_taken = wanted > last ? wanted : last + 1;
	return *last_taken;
}

/*
 * Tracing programs can't have a cookie made here (5.12). Until the kernel makes one, a socket is told from all others that
 * live by its address, scrambled: an odd factor maps no two addresses to the same number. The top bit keeps them
 * from real ones.
 */
static __always_inline __u64 socket_cookie(struct sock *sk)
{
	struct sock *address = sock_of(sk);
	__u64 cookie = GET(address, __sk_common.skc_cookie.counter);

	return cookie ? cookie : ((__u64)address * cookie_key) | 1ULL << 63;
}

#endif

#endif
