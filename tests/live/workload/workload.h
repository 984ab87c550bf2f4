/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that makes TCP connections in awkward shapes and writes down the truth of each end.
 *
 * The truth is what the program itself knows: whose hands a socket was in, what it really wrote and read, who
 * closed first. It never asks the kernel's counters, and it never calls getpeername(), which would give a
 * tracer that watches it the acceptor's name for free. The only thing taken from the kernel is a port number.
 *
 * Every shape runs in a process of its own. Ends live in memory that all processes of a run share, so that
 * whoever does something notes it himself; the main process prints them when the shape is over.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define PROCESS_SECONDS 60 /* no process of the workload lives longer */
#define EXEC_WORD "--exec" /* first argument of a process that a shape exec'ed */

/* Says what went wrong and ends the process with 1. With errno's text where errno is not 0. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* step.c: processes */

/* Names the process, its main thread that is: what ps shows and a tracer must print. At most 15 bytes. */
void process_name(const char *name);
/* Takes the name that an exec has already given to the process. */
void process_adopt_name(const char *name);
/* The name given last; also right in a thread that has another name. */
const char *process_comm(void);
/* fork() into a process called `name` that dies with its parent and after PROCESS_SECONDS. 0 in the child. */
pid_t process_fork(const char *name);
/* Waits for the child; dies unless it left with 0 (or, where `killed`, by SIGKILL). */
void process_wait(pid_t pid, bool killed);
/* Inode of the network namespace that the process is in. */
uint32_t process_netns(void);
/* Moves into a new network namespace with its loopback up. */
void process_unshare_netns(void);

/* step.c: a one-way channel that orders processes; bytes carry small numbers. */
struct gate {
	int fds[2];
};
void gate_init(struct gate *g);
void gate_pass(struct gate *g, uint8_t value);
uint8_t gate_wait(struct gate *g);

/* step.c: sockets. All die on error. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
/* `text` is an IPv4 or IPv6 address, or an IPv4 one for an IPv6 socket as ::ffff:a.b.c.d. */
union address address_make(const char *text, uint16_t port);
socklen_t address_length(const union address *a);
/* Bound and listening; port 0 lets the kernel choose, and *a then has its choice. */
int socket_listen(union address *a, int backlog);
/* Asking for the peer's address, or not: a tracer may see one better than the other. */
int socket_accept(int listener, bool address);
void socket_write(int fd, const void *data, size_t size);
void socket_read(int fd, void *data, size_t size);
/* Waits for the peer's FIN; dies if there is data instead. */
void socket_read_end(int fd);
/* Waits until a RST has arrived. */
void socket_wait_reset(int fd);
void socket_set_linger0(int fd);
/* Waits until this many bytes can be read. */
void socket_wait_readable(int fd, int bytes);
/* Waits until the peer has acknowledged all that was written. */
void socket_wait_acked(int fd);
/* Ends the sending side and waits until the peer has acknowledged that. */
void socket_shutdown_acked(int fd);

/* truth.c */
enum end_role { ROLE_CLIENT, ROLE_SERVER, ROLE_LISTENER };

/* One end of one connection, or a listener. No pointers: processes that were exec'ed write here too. */
struct end {
	enum end_role role;
	char shape[24];
	char detail[16]; /* tells cases of one shape apart */
	uint32_t peer;	 /* 1 + index of the other end; 0: none */
	int socket_family;
	union address local, remote; /* as the socket has them, so perhaps IPv4-mapped */
	uint32_t netns;
	uint32_t uid;

	char open_event
		[8]; /* connect, accept, fail, listen; empty: never opened, a mistake of the shape */
	uint32_t open_pid;
	char open_comm[16];
	bool never_accepted;
	bool unseen; /* accepted without asking for the address and handed on before its first use */
	int error;   /* of a fail */

	uint32_t close_pid; /* 0: not closed, as after a fail */
	char close_comm[16];
	char outcome[16], closed_by[8];
	uint64_t tx_bytes, rx_bytes;
};

/* The shared memory: made where fd is -1, else that of the process that exec'ed this one. */
void truth_open(int fd);
/* Its fd, which an exec hands on. */
int truth_fd(void);
/* The shape that ends made from now on belong to. */
void truth_shape(const char *shape);
unsigned int truth_count(void);
struct end *truth_end(unsigned int index);
unsigned int truth_index(const struct end *e);
/* Writes the ends from `first` on, one JSON object a line. Dies over an end that a shape left incomplete. */
void truth_print(int fd, unsigned int first);

/* Which connection is under way: a word that the processes of a shape share. */
void truth_set_current(const struct end *e);
struct end *truth_current(void);

/* Steps that do something and note it. A `detail` tells cases of one shape apart; it may be "". */
struct end *end_listen(int *fd, union address *a, int backlog, const char *detail);
void end_unlisten(struct end *listener, int fd);
/* A client's socket and its end, which is not open yet. */
struct end *end_socket(int *fd, const union address *to, const char *detail);
/* Connects it, blocking; the end is open when it returns. */
void end_connect(struct end *e, int fd);
/* end_socket and end_connect. */
struct end *end_open(int *fd, const union address *to, const char *detail);
/* Notes how a connect ended that the caller made himself. */
void end_connected(struct end *e, int fd);
void end_failed(struct end *e, int fd, int error);
/* Notes that this process has taken the other end of `client` from a listener of this family. */
struct end *end_accepted(struct end *client, int socket_family);
/* Accepts it, asking for the peer's address or not. */
struct end *end_accept(int *fd, int listener, struct end *client, bool address);
void end_write(struct end *e, int fd, size_t size);
void end_read(struct end *e, int fd, size_t size);
/* Notes that this process is the last to hold the socket and about to let go of it. */
void end_closing(struct end *e, const char *outcome, const char *closed_by);
void end_close(struct end *e, int fd, const char *outcome, const char *closed_by);

/* stage.c: what most shapes need, a listener, a process on either side and gates between them. */
struct stage {
	union address at;
	int listener; /* -1 once this process has let go of it */
	struct end *listening;
	struct gate to_client, to_server;
};
/* Listens at this address, in this process. */
void stage_open(struct stage *s, const char *address, int backlog);
/* Forks `run` as a process of this name, which does not hold the listener. */
pid_t stage_fork(struct stage *s, const char *name, void (*run)(struct stage *));
/* Client: connects and tells the server which end it was. Server: takes it. */
struct end *stage_connect(struct stage *s, int *fd, const char *detail);
void stage_connected(struct stage *s, const struct end *e);
struct end *stage_accept(struct stage *s, int *fd);
struct end *stage_accept_address(struct stage *s, int *fd);
/* Lets go of the listener as its last holder. */
void stage_close(struct stage *s);
/*
 * The whole of a simple shape: this process becomes "wl-server", listens, accepts one connection and hands it
 * to `server`; "wl-client" opens one and hands it to `client`. Both close their end themselves.
 */
void stage_run(const char *address, void (*server)(struct stage *s, struct end *e, int fd),
	       void (*client)(struct stage *s, struct end *e, int fd));
/* 1000 bytes there, 2000 back, client closes first. */
void talk_as_client(struct stage *s, struct end *e, int fd);
void talk_as_server(struct stage *s, struct end *e, int fd);
/* Whether ::1 can be used; if not, says on standard error that the shape is left out. */
bool stage_has_ipv6(void);

struct shape {
	const char *name;
	void (*run)(void);
	const char *shows;
};
extern const struct shape owner_shapes[]; /* each table ends with a NULL name */
extern const struct shape handed_shapes[];
extern const struct shape ending_shapes[];
extern const struct shape network_shapes[];

/* A process that a shape exec'ed; its arguments stand in shapes_owner.c. */
int exec_main(int argc, char **argv);

/* churn.c */
int churn_main(int argc, char **argv);

#endif
