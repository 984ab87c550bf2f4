// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * UDP: what each flow moves, counted where a packet meets its socket. No record for a datagram: one when a flow
 * begins, one when it ends.
 */
#include "vmlinux.h"

#include "datagram.bpf.h"

#define HEADERS_MAX 6 /* IPv6 extension headers that are looked behind */
#define UDP_HEADER 8
#define MAPPED bpf_htonl(0xffff)

/*
 * The flows of a socket beyond its first. Inserted by the counting programs, deleted by user space when the socket
 * closes or the flow falls silent, read by both. Not an LRU: that would evict living flows.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FLOWS_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

struct datagram {
	struct peer local, remote; /* as the packet has them */
	__u64 bytes;		   /* payload, of all of them */
	__u64 datagrams;	   /* more than one with UDP_SEGMENT and UDP_GRO */
	bool out;
};

static __always_inline bool peer_same(const struct peer *a, const struct peer *b)
{
	return a->port == b->port && a->address[0] == b->address[0] &&
	       a->address[1] == b->address[1] && a->address[2] == b->address[2] &&
	       a->address[3] == b->address[3];
}

static __always_inline __u64 peer_hash(const struct peer *p)
{
	__u64 hash = p->port;

	for (int i = 0; i < 4; i++) {
		hash = (hash ^ p->address[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return hash | 1;
}

static __always_inline __u32 sent_check_of(const struct peer *p, __u32 tid)
{
	__u64 hash = peer_hash(p) + tid * 0x9e3779b97f4a7c15ULL;

	return hash >> 32;
}

static __always_inline void peer_set4(struct peer *p, __u32 address, __u16 port,
				      __u32 socket_family)
{
	p->address[0] = socket_family == AF_INET ? address : 0;
	p->address[1] = 0;
	p->address[2] = socket_family == AF_INET ? 0 : MAPPED;
	p->address[3] = socket_family == AF_INET ? 0 : address;
	p->port = port;
}

/* The UDP header's offset, or 0: not UDP. Egress is before fragmentation, ingress behind reassembly. */
static __always_inline __u32 find_udp(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end;
	__u8 *data = (void *)(long)skb->data;
	__u8 next[2];
	__u32 at;

	if ((void *)(data + 20) > end)
		return 0;
	if (data[0] >> 4 == 4)
		return data[9] == IPPROTO_UDP ? (data[0] & 15) * 4 : 0;
	if (data[0] >> 4 != 6)
		return 0;
	next[0] = data[6];
	at = 40;
	for (int i = 0; i < HEADERS_MAX && next[0] != IPPROTO_UDP; i++) {
		__u8 type = next[0];

		/* hop-by-hop, routing, destination options; a TCP segment leaves here */
		if (type != 0 && type != 43 && type != 60)
			return 0;
		if (bpf_skb_load_bytes(skb, at, next, sizeof(next)))
			return 0;
		at += (next[1] + 1) * 8;
	}
	return next[0] == IPPROTO_UDP ? at : 0;
}

/* False: not to be counted. */
static __always_inline bool read_datagram(struct __sk_buff *skb, __u32 at, __u32 socket_family,
					  bool out, struct datagram *d)
{
	struct peer *source = out ? &d->local : &d->remote,
		    *destination = out ? &d->remote : &d->local;
	__u32 size = skb->gso_size;
	__u16 ports[2];
	__u8 version;
	__u32 ends[2];

	if (skb->len < at + UDP_HEADER || bpf_skb_load_bytes(skb, at, ports, sizeof(ports)) ||
	    bpf_skb_load_bytes(skb, 0, &version, sizeof(version)))
		return false;
	if (version >> 4 == 4) {
		if (bpf_skb_load_bytes(skb, 12, ends, sizeof(ends)))
			return false;
		peer_set4(source, ends[0], bpf_ntohs(ports[0]), socket_family);
		peer_set4(destination, ends[1], bpf_ntohs(ports[1]), socket_family);
	} else {
		if (bpf_skb_load_bytes(skb, 8, source->address, sizeof(source->address)) ||
		    bpf_skb_load_bytes(skb, 24, destination->address, sizeof(destination->address)))
			return false;
		source->port = bpf_ntohs(ports[0]);
		destination->port = bpf_ntohs(ports[1]);
	}
	d->out = out;
	d->bytes = skb->len - at - UDP_HEADER;
	d->datagrams = size && d->bytes > size ? (d->bytes + size - 1) / size : 1;
	return true;
}

/*
 * An end of a socket as `struct peer` has it. Each member is read by an instruction of its own (READ): the compiler
 * would choose between their addresses, and the verifier allows no arithmetic on a socket.
 */
#define READ(to, from)           \
	do {                     \
		(to) = (from);   \
		barrier_var(to); \
	} while (0)

static __always_inline void socket_peer(const struct bpf_sock *sk, struct peer *p)
{
	__u32 v4, v6[4];
	__u16 port;

	READ(port, sk->dst_port);
	READ(v4, sk->dst_ip4);
	READ(v6[0], sk->dst_ip6[0]);
	READ(v6[1], sk->dst_ip6[1]);
	READ(v6[2], sk->dst_ip6[2]);
	READ(v6[3], sk->dst_ip6[3]);
	p->port = bpf_ntohs(port);
	p->address[0] = sk->family == AF_INET ? v4 : v6[0];
	p->address[1] = sk->family == AF_INET ? 0 : v6[1];
	p->address[2] = sk->family == AF_INET ? 0 : v6[2];
	p->address[3] = sk->family == AF_INET ? 0 : v6[3];
}

/*
 * Whom the process meant: what it connected to, or the address that it gave to sendto(). The packet's destination is
 * that too, unless a NAT changed it on its way here. Answers come in with the address that was meant.
 */
static __always_inline void settle_peer(const struct bpf_sock *sk, struct datagram_socket *st,
					struct datagram *d)
{
	struct peer connected, sent;
	__u32 tid = GET(task_current(), pid); /* cgroup_skb has the pid helper since 6.10 only */

	socket_peer(sk, &connected);
	if (connected.port && peer_same(&connected, &d->remote))
		return;
	if (st->sent_tid == tid) {
		sent = st->sent;
		st->sent_tid = 0;
		if (st->sent_check == sent_check_of(&sent, tid)) {
			d->remote = sent;
			return;
		}
	}
	if (connected.port)
		d->remote = connected;
}

/* Where the socket is bound or connected from; the packet tells it for a wildcard. */
static __always_inline void settle_local(const struct bpf_sock *sk, const struct datagram *d,
					 struct flow *flow)
{
	__u32 *laddr = (__u32 *)flow->laddr;
	__u32 v4, v6[4], port;

	READ(port, sk->src_port);
	READ(v4, sk->src_ip4);
	READ(v6[0], sk->src_ip6[0]);
	READ(v6[1], sk->src_ip6[1]);
	READ(v6[2], sk->src_ip6[2]);
	READ(v6[3], sk->src_ip6[3]);
	flow->lport = port ? port : d->local.port;
	if (sk->family == AF_INET && v4) {
		laddr[0] = v4;
		laddr[1] = laddr[2] = laddr[3] = 0;
	} else if (sk->family != AF_INET && (v6[0] | v6[1] | v6[2] | v6[3])) {
		laddr[0] = v6[0];
		laddr[1] = v6[1];
		laddr[2] = v6[2];
		laddr[3] = v6[3];
	} else {
		__builtin_memcpy(laddr, d->local.address, sizeof(flow->laddr));
	}
}

/* When a flow begins: no two of one socket at the same time, so that their ids differ. */
static __always_inline __u64 take_start(struct datagram_socket *st, __u64 now)
{
	return number_take(&st->last_start_ns, now);
}

static __always_inline void flow_begin(struct flow *flow, const struct bpf_sock *sk,
				       struct datagram_socket *st, const struct datagram *d,
				       __u64 now)
{
	settle_local(sk, d, flow);
	flow->direction = d->out ? DIRECTION_OUT : DIRECTION_IN;
	flow->start_ns = take_start(st, now);
}

static __always_inline void tell_open(const struct datagram_socket *st, const struct flow *flow,
				      const struct peer *peer, __u8 detail)
{
	struct record *r = record_reserve(sizeof(*r));

	if (!r)
		return;
	datagram_record(r, flow->direction == DIRECTION_OUT ? RECORD_CONNECT : RECORD_ACCEPT, st,
			flow, peer, flow->start_ns);
	r->detail = detail;
	record_submit(r);
}

static __always_inline void flow_count(struct flow *flow, const struct datagram *d)
{
	struct flow_counters *c = &flow->counters;

	if (d->out) {
		__sync_fetch_and_add(&c->tx_bytes, d->bytes);
		__sync_fetch_and_add(&c->tx_datagrams, d->datagrams);
	} else {
		__sync_fetch_and_add(&c->rx_bytes, d->bytes);
		__sync_fetch_and_add(&c->rx_datagrams, d->datagrams);
	}
	c->last_ns = time_coarse_ns();
}

/* A flow beyond the socket's first: that of this peer, made where there is none. */
static __always_inline struct flow *
further_flow(const struct bpf_sock *sk, struct datagram_socket *st, const struct datagram *d)
{
	struct flow_key key = { .cookie = st->cookie,
				.rport = d->remote.port,
				.family = st->family };
	struct flow fresh = {}, *flow;

	__builtin_memcpy(key.raddr, d->remote.address, sizeof(key.raddr));
	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow || !datagram_wanted(st, sk->src_port, &d->remote))
		return flow;
	flow_begin(&fresh, sk, st, d, bpf_ktime_get_ns());
	fresh.counters.last_ns = fresh.start_ns;
	if (!bpf_map_update_elem(&flows, &key, &fresh, BPF_NOEXIST)) {
		__sync_fetch_and_add(&st->further, 1);
		further_flows = 1;
		tell_open(st, &fresh, &d->remote, FLOW_FURTHER);
	}
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow)
		count(COUNTER_FLOWS_FULL);
	return flow;
}

/* The flow of the datagram; NULL: nobody wants it, or there is no room. */
static __always_inline struct flow *flow_of(const struct bpf_sock *sk, struct datagram_socket *st,
					    const struct datagram *d)
{
	__u64 claim, before;
	struct peer connected;

	if (st->opened && peer_same(&st->peer, &d->remote))
		return &st->first;
	claim = peer_hash(&d->remote);
	if (st->claim == claim && !st->opened)
		return &st->first; /* on another CPU, or below this softirq, it is being filled in */
	if (st->claim)
		return further_flow(sk, st, d);
	if (!datagram_wanted(st, sk->src_port, &d->remote))
		return 0;
	if (!claim_take(&st->claim, claim, &before))
		return before == claim ? &st->first : further_flow(sk, st, d);
	st->peer = d->remote;
	flow_begin(&st->first, sk, st, d, bpf_ktime_get_ns());
	st->first.counters.last_ns = st->first.start_ns;
	if (st->flags & DATAGRAM_BEFORE) {
		st->flags &= ~DATAGRAM_BEFORE;
		socket_peer(sk, &connected);
		if (peer_same(&connected, &d->remote)) {
			/* Who began it was before us. */
			st->first.start_ns = 0;
			st->first.direction = DIRECTION_UNKNOWN;
		}
	}
	barrier();
	st->opened = 1;
	if (st->first.start_ns)
		tell_open(st, &st->first, &st->peer, 0);
	return &st->first;
}

static __always_inline int packet(struct __sk_buff *skb, bool out)
{
	__u32 at = find_udp(skb);
	struct datagram_socket *st;
	struct datagram d;
	struct bpf_sock *sk;
	struct flow *flow;

	if (!at || !datagrams_on)
		return 1;
	sk = skb->sk;
	sk = sk ? bpf_sk_fullsock(sk) : 0;
	/* Not UDP-Lite, nor a raw socket that gets a copy. */
	if (!sk || sk->protocol != IPPROTO_UDP || sk->type != SOCK_DGRAM)
		return 1;
	if (!read_datagram(skb, at, sk->family, out, &d))
		return 1;
	st = datagram_find(sk);
	if (!st)
		st = datagram_met(sk);
	if (!st || st->flags & DATAGRAM_CLOSED)
		return 1;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(skb);
	if (out)
		settle_peer(sk, st, &d);
	flow = flow_of(sk, st, &d);
	if (flow)
		flow_count(flow, &d);
	return 1;
}

/*
 * Each packet that a socket sends, before it is cut into segments or fragments; in the sender's context, mostly. Lets
 * all pass, and leaves at once with what is not UDP. Misses what IPsec has wrapped already.
 */
SEC("cgroup_skb/egress")
int datagram_sent(struct __sk_buff *skb)
{
	return packet(skb, true);
}

/*
 * Each packet that has found its socket; softirq. Behind it a socket's own filter may still drop it, and a full
 * buffer does (see datagram_refused). Misses what the kernel takes from its own tunnels' sockets.
 */
SEC("cgroup_skb/ingress")
int datagram_received(struct __sk_buff *skb)
{
	return packet(skb, false);
}

/*
 * There was no room for a datagram that was counted as received; softirq. Only from 6.10 on it is told which; before
 * that the drop is counted with the first flow, and the datagram stays counted as received.
 */
TRACEPOINT("udp_fail_queue_rcv_skb")
int BPF_PROG(datagram_refused, int rc, struct sock *sk)
{
	struct sk_buff *skb = compat_failed_datagram(ctx);
	__u64 bytes, datagrams = 1;
	struct flow_key key = {};
	struct datagram_socket *st;
	struct peer peer = {};
	struct flow *flow;
	__u32 ends[10];
	__u16 port, size;
	void *head;

	if (GET(sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	st = datagram_find(sk);
	if (!st || !st->claim)
		return 0;
	if (!skb) {
		__sync_fetch_and_add(&st->first.counters.drops, 1);
		return 0;
	}
	head = GET(skb, head);
	if (bpf_probe_read_kernel(ends, sizeof(ends), head + GET(skb, network_header)) ||
	    bpf_probe_read_kernel(&port, sizeof(port), head + GET(skb, transport_header)))
		return 0;
	if (((__u8 *)ends)[0] >> 4 == 4) {
		peer_set4(&peer, ends[3], bpf_ntohs(port), st->family);
	} else {
		__builtin_memcpy(peer.address, &ends[2], sizeof(peer.address));
		peer.port = bpf_ntohs(port);
	}
	bytes = GET(skb, len); /* the headers are pulled by now */
	size = BPF_CORE_READ((struct skb_shared_info *)(head + GET(skb, end)), gso_size);
	if (size && bytes > size)
		datagrams = (bytes + size - 1) / size;
	if (st->opened && peer_same(&st->peer, &peer)) {
		flow = &st->first;
	} else {
		key.cookie = st->cookie;
		__builtin_memcpy(key.raddr, peer.address, sizeof(key.raddr));
		key.rport = peer.port;
		key.family = st->family;
		flow = bpf_map_lookup_elem(&flows, &key);
		if (!flow)
			return 0;
	}
	__sync_fetch_and_add(&flow->counters.rx_bytes, -bytes);
	__sync_fetch_and_add(&flow->counters.rx_datagrams, -datagrams);
	__sync_fetch_and_add(&flow->counters.drops, datagrams);
	return 0;
}

static __always_inline bool is_udp(const struct bpf_sock *sk)
{
	return sk->protocol == IPPROTO_UDP && sk->type == SOCK_DGRAM;
}

/* socket(); process context. */
SEC("cgroup/sock_create")
int datagram_opened(struct bpf_sock *sk)
{
	struct datagram_socket *st;

	if (!is_udp(sk))
		return 1;
	datagram_drop(sk); /* what is kept by address may be of another socket, from before */
	st = datagram_met(sk);
	if (!st)
		return 1;
	st->flags = 0;
	datagram_owner_current(st, task_current(), OWNER_CONNECT);
	return 1;
}

static __always_inline void datagram_ended(struct datagram_socket *st)
{
	struct record_flow *r;
	__u64 now;

	st->flags |= DATAGRAM_CLOSED;
	if (!st->claim && !st->further)
		return;
	datagram_operated(st);
	now = bpf_ktime_get_ns();
	r = record_reserve(sizeof(*r));
	if (!r)
		return;
	datagram_record(&r->head, st->claim ? RECORD_FLOW_CLOSE : RECORD_DESTROY, st, &st->first,
			&st->peer, now);
	r->head.value = st->further;
	r->counters = st->first.counters;
	record_submit(r);
}

/* The last holder lets go of it: close() or exit, process context; not for the kernel's own sockets. */
SEC("cgroup/sock_release")
int datagram_closed(struct bpf_sock *sk)
{
	struct datagram_socket *st;

	if (!is_udp(sk))
		return 1;
	st = datagram_find(sk);
	if (st)
		datagram_ended(st);
	datagram_drop(sk);
	return 1;
}

static __always_inline struct datagram_socket *addressed(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct datagram_socket *st;

	if (ctx->protocol != IPPROTO_UDP || ctx->type != SOCK_DGRAM || !sk)
		return 0;
	st = datagram_find(sk);
	if (!st)
		st = datagram_met(sk);
	if (!st)
		return 0;
	/* Before its first datagram the process may still take another name or user. */
	if (st->pid != bpf_get_current_pid_tgid() >> 32 || !st->claim)
		datagram_operated(st);
	return st;
}

/* connect() on a datagram socket; process context. Always lets it through, as all of these do. */
SEC("cgroup/connect4")
int datagram_connect4(struct bpf_sock_addr *ctx)
{
	addressed(ctx);
	return 1;
}

SEC("cgroup/connect6")
int datagram_connect6(struct bpf_sock_addr *ctx)
{
	addressed(ctx);
	return 1;
}

/* Whom the process meant, for the packet that this thread makes next. */
static __always_inline void sent_note(struct datagram_socket *st, const struct peer *sent)
{
	/* Not the pid helper: cgroup_skb, which compares with it, has that since 6.10 only. */
	__u32 tid = GET(task_current(), pid);

	st->sent = *sent;
	st->sent_check = sent_check_of(sent, tid);
	st->sent_tid = tid;
}

/* sendto() and sendmsg() with an address; process context, right before the packet is made. */
SEC("cgroup/sendmsg4")
int datagram_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct datagram_socket *st = addressed(ctx);
	struct peer sent = {};

	if (!st)
		return 1;
	peer_set4(&sent, ctx->user_ip4, bpf_ntohs(ctx->user_port), st->family);
	sent_note(st, &sent);
	return 1;
}

SEC("cgroup/sendmsg6")
int datagram_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct datagram_socket *st = addressed(ctx);
	struct peer sent = {};

	if (!st)
		return 1;
	sent.address[0] = ctx->user_ip6[0];
	sent.address[1] = ctx->user_ip6[1];
	sent.address[2] = ctx->user_ip6[2];
	sent.address[3] = ctx->user_ip6[3];
	sent.port = bpf_ntohs(ctx->user_port);
	sent_note(st, &sent);
	return 1;
}

/* recvfrom() and recvmsg() that ask for the sender; process context. */
SEC("cgroup/recvmsg4")
int datagram_recvmsg4(struct bpf_sock_addr *ctx)
{
	addressed(ctx);
	return 1;
}

SEC("cgroup/recvmsg6")
int datagram_recvmsg6(struct bpf_sock_addr *ctx)
{
	addressed(ctx);
	return 1;
}

/*
 * Every UDP socket that has a storage; process context (nettrace reads it). A full pass ends the first flows that fell
 * silent. What a datagram adds to such a flow meanwhile is the next flow's, so that nothing counts twice or is lost.
 * Runs again for a socket whose row found no room, and so changes nothing before the row is written.
 */
SEC(STORAGE_ITERATOR)
int datagrams_tracked(struct STORAGE_CONTEXT *ctx)
{
	struct datagram_socket *st = ctx->value;
	struct flow_counters *c;
	struct record_flow row;
	bool told, idle;
	__u64 moved;

	if (!storage_socket(ctx) || !st || st->flags & DATAGRAM_CLOSED ||
	    (!st->opened && !st->further))
		return 0;
	__builtin_memset(&row, 0, sizeof(row));
	c = &st->first.counters;
	row.counters = *c;
	moved = row.counters.tx_bytes + row.counters.rx_bytes + row.counters.tx_datagrams +
		row.counters.rx_datagrams + row.counters.drops;
	told = st->opened && (sweep_mode != SWEEP_CHANGED || moved != st->told);
	if (!told && !st->further)
		return 0;
	/* Where there are further flows, user space needs their owner. */
	datagram_record(&row.head, told ? RECORD_SOCKET : RECORD_NONE, st, &st->first, &st->peer,
			bpf_ktime_get_ns());
	row.head.value = st->further;
	idle = told && sweep_mode == SWEEP_ALL &&
	       row.head.mono_ns > row.counters.last_ns + FLOW_IDLE_NS;
	if (idle) {
		row.head.type = RECORD_FLOW_CLOSE;
		row.head.detail = FLOW_IDLE;
	}
	if (bpf_seq_write(ctx->meta->seq, &row, sizeof(row)))
		return 0;
	if (told)
		st->told = moved;
	if (!idle)
		return 0;
	st->told = 0;
	st->opened = 0;
	__sync_fetch_and_add(&c->tx_bytes, -row.counters.tx_bytes);
	__sync_fetch_and_add(&c->rx_bytes, -row.counters.rx_bytes);
	__sync_fetch_and_add(&c->tx_datagrams, -row.counters.tx_datagrams);
	__sync_fetch_and_add(&c->rx_datagrams, -row.counters.rx_datagrams);
	__sync_fetch_and_add(&c->drops, -row.counters.drops);
	barrier();
	st->claim = 0;
	return 0;
}
