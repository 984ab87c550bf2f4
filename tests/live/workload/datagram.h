/* SPDX-License-Identifier: BSD-2-Clause */
/* The truth of UDP flows: what a process itself sent and received, by socket and peer. */
#ifndef WORKLOAD_DATAGRAM_H
#define WORKLOAD_DATAGRAM_H

#include "workload.h"

/* A flow as one socket has it. Lives in memory that all processes share. */
struct flow_truth {
	char shape[24];
	int socket_family;
	union address local, remote; /* as the socket has them */
	uint32_t netns;
	bool out; /* this end sent first */
	uint32_t open_pid, close_pid, opener_pid;
	char open_comm[16], close_comm[16];
	uint64_t tx_bytes, rx_bytes, tx_datagrams, rx_datagrams, drops;
};

void flow_truth_open(void);
void flow_truth_shape(const char *shape);
void flow_truth_print(int fd);

/* The flow of this socket and that peer, opened by this process. `local`: where it is bound, with its port. */
struct flow_truth *flow_begin(int fd, const union address *local, const union address *remote,
			      bool out);
/* The flow of this shape between these ends, or NULL. */
struct flow_truth *flow_find(const union address *local, const union address *remote);
/* Notes that this process is the last to let go of the socket. */
void flow_end(struct flow_truth *f);

/* A socket bound to this address; port 0: the kernel chooses, *a then has its choice. Dies on error. */
int udp_bind(union address *a);
/* A bound socket that is connected. */
int udp_connect(union address *local, const union address *to);
/* Exactly one datagram of this size there (`to` NULL: connected), noted. */
void udp_send(struct flow_truth *f, int fd, const union address *to, size_t size);
/* One datagram, noted in `f`; *from may be NULL. Returns its size. */
size_t udp_receive(struct flow_truth *f, int fd, union address *from);

int datagram_main(int argc, char **argv);

struct datagram_shape {
	const char *name;
	void (*run)(void);
	const char *shows;
};
extern const struct datagram_shape datagram_shapes[]; /* ends with a NULL name */

#endif
