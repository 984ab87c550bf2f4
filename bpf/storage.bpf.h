/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of each socket: find it, make it, drop it. In the socket itself where the kernel lets tracing programs do
 * that; else (FALLBACK) in a hash by the socket's address.
 */
#ifndef NETTRACE_STORAGE_BPF_H
#define NETTRACE_STORAGE_BPF_H

#include "access.bpf.h"

#ifndef FALLBACK

/* NAME ## s is the map, NAME_find and NAME_make give what a socket has there, NULL: nothing; no room. `clone`: see below. */
#define STORAGE(name, map, value_type, clone)                                               \
	struct {                                                                            \
		__uint(type, BPF_MAP_TYPE_SK_STORAGE);                                      \
		__uint(map_flags, BPF_F_NO_PREALLOC | ((clone) ? BPF_F_CLONE : 0));         \
		__type(key, int);                                                           \
		__type(value, value_type);                                                  \
	} map SEC(".maps") __weak;                                                          \
                                                                                            \
	static __always_inline value_type *name##_find(void *sk)                            \
	{                                                                                   \
		return bpf_sk_storage_get(&map, sk, 0, 0);                                  \
	}                                                                                   \
                                                                                            \
	static __always_inline value_type *name##_make(void *sk)                            \
	{                                                                                   \
		return bpf_sk_storage_get(&map, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);        \
	}                                                                                   \
                                                                                            \
	/* The kernel frees it with the socket. */                                          \
	static __always_inline void name##_drop(void *sk)                                   \
	{                                                                                   \
	}                                                                                   \
                                                                                            \
	/* A child of a listener, when it is made: the kernel has cloned the listener's. */ \
	static __always_inline value_type *name##_inherit(struct sock *sk, value_type *own) \
	{                                                                                   \
		return own;                                                                 \
	}

#define STORAGE_ITERATOR "iter/bpf_sk_storage_map"
#define STORAGE_CONTEXT bpf_iter__bpf_sk_storage_map

static __always_inline struct sock *storage_socket(struct STORAGE_CONTEXT *ctx)
{
	return (struct sock *)ctx->sk;
}

#else

/*
 * Preallocated, for its programs run where nothing may be allocated; no LRU, which would evict the living. An address that is
 * used again finds what the last socket there left, when its end was not seen: whoever begins a connection resets all.
 */
#define STORAGE(name, map, value_type, clone)                                                    \
	struct {                                                                                 \
		__uint(type, BPF_MAP_TYPE_HASH);                                                 \
		__uint(max_entries, 65536);                                                      \
		__type(key, __u64);                                                              \
		__type(value, value_type);                                                       \
	} map SEC(".maps") __weak;                                                               \
	static value_type map##_fresh;                                                           \
                                                                                                 \
	static __always_inline value_type *name##_find(void *sk)                                 \
	{                                                                                        \
		__u64 key = (__u64)sock_of(sk);                                                  \
                                                                                                 \
		return bpf_map_lookup_elem(&map, &key);                                          \
	}                                                                                        \
                                                                                                 \
	static __always_inline value_type *name##_make(void *sk)                                 \
	{                                                                                        \
		__u64 key = (__u64)sock_of(sk);                                                  \
		value_type *found = bpf_map_lookup_elem(&map, &key);                             \
                                                                                                 \
		if (found)                                                                       \
			return found;                                                            \
		bpf_map_update_elem(&map, &key, &map##_fresh, BPF_NOEXIST);                      \
		return bpf_map_lookup_elem(&map, &key);                                          \
	}                                                                                        \
                                                                                                 \
	static __always_inline void name##_drop(void *sk)                                        \
	{                                                                                        \
		__u64 key = (__u64)sock_of(sk);                                                  \
                                                                                                 \
		bpf_map_delete_elem(&map, &key);                                                 \
	}                                                                                        \
                                                                                                 \
	static __always_inline value_type *name##_inherit(struct sock *sk, value_type *own)      \
	{                                                                                        \
		__u64 key = (__u64)sock_of(sk), listener = storage_listener((struct sock *)key); \
		value_type *found = bpf_map_lookup_elem(&map, &listener);                        \
                                                                                                 \
		bpf_map_update_elem(&map, &key, found ? found : &map##_fresh, BPF_ANY);          \
		return bpf_map_lookup_elem(&map, &key);                                          \
	}

/*
 * The listener of a child that is being made. inet_csk_clone_lock has copied all of the listener, and the heads of its
 * lists are set up anew only after LISTEN → SYN_RECV is told (tcp_create_openreq_child): an empty list points to the head
 * that it was copied from. Nothing has been sent on a listener, so tsorted_sent_queue is one.
 */
static __always_inline __u64 storage_listener(struct sock *child)
{
	struct tcp_sock *tp = (struct tcp_sock *)child;
	__u64 head = (__u64)GET(tp, tsorted_sent_queue.next);

	return head - ((__u64)&tp->tsorted_sent_queue - (__u64)tp);
}

#define STORAGE_ITERATOR "iter/bpf_map_elem"
#define STORAGE_CONTEXT bpf_iter__bpf_map_elem

/* NULL: there is no socket any more, or one of another kind. Its memory stays a socket's (SLAB_TYPESAFE_BY_RCU). */
static __always_inline struct sock *storage_socket(struct STORAGE_CONTEXT *ctx)
{
	__u64 *key = ctx->key;

	return key ? (struct sock *)*key : 0;
}

#endif

#endif
