/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is busiest: totals and per-interval rates of connections, grouped by process, remote, listener or container, or
 * each for itself. Fed with every change of the connection table; each close carries exact totals, so short connections
 * count.
 */
#ifndef NETTRACE_RANKING_H
#define NETTRACE_RANKING_H

#include "model/connection_table.h"
#include "model/filter.h"
#include "model/selection.h"

enum ranking_by { BY_PROCESS, BY_CONNECTION, BY_REMOTE, BY_LISTENER, BY_CONTAINER, BY_COUNT };

/* What a row of BY_CONTAINER is named by: the closest thing that is known. */
enum ranking_place { PLACE_NONE, PLACE_CONTAINER, PLACE_UNIT, PLACE_CGROUP };

/* One group, or one connection. Rates are per second over the last interval. */
struct ranking_row {
	/* what identifies it; those that do not apply to the grouping are zero */
	uint64_t cookie, start_ns;
	const char *place; /* borrowed: interned for the life of the program */
	uint32_t pid, uid, netns;
	char comm[16];
	uint8_t by; /* enum ranking_by */
	uint8_t place_kind;
	bool has_pid, has_uid;
	bool kernel; /* no process: the kernel's own */
	uint8_t proto, family, direction, state;
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint8_t source; /* of a process: struct event's */

	double tx_rate, rx_rate;					  /* bytes/s */
	double open_rate, close_rate, fail_rate, retrans_rate, drop_rate; /* per second */
	double retrans_percent; /* of the segments sent lately; negative: none were */
	/* since nettrace began to watch; bytes of a connection: in its life */
	uint64_t tx_bytes, rx_bytes;
	uint64_t opens, closes, fails, retrans, drops;
	uint64_t connections;				  /* open now (listeners not counted) */
	uint64_t opening, closing, close_wait, listeners; /* sockets in such states now */
	uint64_t queue, backlog; /* of listeners: waiting to be accepted, and how many may */
	uint64_t
		since_ns; /* mono: the connection's start, or when the group was first seen; 0: unknown */
	uint64_t ended_ns;		  /* mono: the connection's end; 0: it lives */
	uint32_t srtt_us;		  /* of the last connection heard of; 0 unknown */
	uint32_t outcomes[OUTCOME_COUNT]; /* how its connections ended, since watching began */
	uint8_t outcome;		  /* of the last that ended */
	bool fading; /* nothing is open, nothing happened in the last interval */
	bool idle;   /* nothing happened in the last interval */
	bool marked; /* by ranking_mark */
};

struct ranking;

/* Of each grouping at most 100 000 groups: beyond that the idle ones go first, then new ones are counted as "(other)". */
#define RANKING_GROUPS_MAX 100000

/*
 * Keeps the groupings `kept` (bits 1 << enum ranking_by) of what is in `t` (borrowed). A group with nothing open stays for
 * `silent_intervals` intervals (1 to 255) after its last event. NULL when out of memory.
 * A table serves one ranking: it marks rows in their member `group`.
 */
struct ranking *ranking_new(const struct connection_table *t, uint32_t kept,
			    unsigned int silent_intervals);
void ranking_free(struct ranking *r);
/* Keeps this grouping too, from now on. 0 or -ENOMEM. */
int ranking_keep(struct ranking *r, enum ranking_by by);

/* Counts one change. `e` is the event that made it. 0 or -ENOMEM. */
int ranking_add(struct ranking *r, const struct event *e, const struct connection_change *change);
/* Counts the rows that are in the table already, are selected and fit the filter (NULL: all), as of `mono_ns`. 0 or -ENOMEM. */
int ranking_adopt(struct ranking *r, const struct selection *s, const struct filter *f,
		  uint64_t time_ns, uint64_t mono_ns);
/*
 * Ends the interval at mono_ns: computes rates, counts what is open for the grouping `by` (the others in turn, seldom) and
 * drops groups that are gone. The first interval begins with the first event.
 */
void ranking_interval(struct ranking *r, enum ranking_by by, uint64_t mono_ns);
/* Counts what is open for another grouping, between intervals. */
void ranking_recount(struct ranking *r, enum ranking_by by);
/* Sums over all groups of the last interval; the totals also have what is gone. */
void ranking_totals(const struct ranking *r, struct ranking_row *total);
/* How many groups there are. */
size_t ranking_count(const struct ranking *r, enum ranking_by by);

struct ranking_query {
	enum ranking_by by;
	/* The number to sort by, the largest first; NULL: by name. `key` tells one from another. */
	double (*value)(const void *context, const struct ranking_row *row);
	double (*second)(const void *context,
			 const struct ranking_row *row); /* decides where equal; may be NULL */
	const void *context;
	int key;
	bool reverse;
	/* A row keeps its place while its number changes little, and falls gently. */
	bool steady;
	/* NULL: all. `c` is the open connection, NULL for groups and closed ones. */
	bool (*match)(void *match_context, const struct ranking_row *row,
		      const struct connection *c);
	void *match_context;
	bool listening; /* connections: also sockets that listen */
	bool closed;	/* connections: also those that the table keeps after their end */
	size_t limit;	/* only so many of the first rows are wanted, in order; 0: all */
};

/* Owned: entries. All zero is empty. Valid until the next event or interval. */
struct ranking_list {
	const struct ranking *ranking; /* borrowed */
	enum ranking_by by;
	struct ranking_entry *entries;
	size_t capacity;
	size_t count;	/* rows that can be read */
	size_t matched; /* rows there are */
};

void ranking_list_done(struct ranking_list *l);
/* Ties are sorted by rate, then total, then identity, so the order is stable. 0 or -ENOMEM. */
int ranking_list(struct ranking *r, const struct ranking_query *q, struct ranking_list *l);
/* The i-th row, i < count. */
void ranking_list_row(const struct ranking_list *l, size_t i, struct ranking_row *row);

/* Marks the groups that have a living socket for which `passes` holds, and no others. */
void ranking_mark(struct ranking *r, enum ranking_by by,
		  bool (*passes)(void *context, const struct connection *c), void *context);
/* What is known now of the group or connection that `identity` names; false when it is gone. They may be the same. */
bool ranking_find(const struct ranking *r, const struct ranking_row *identity,
		  struct ranking_row *row);

/* Do both rows name the same group, or connection? */
bool ranking_row_same(const struct ranking_row *a, const struct ranking_row *b);
/* Does this connection's row belong to that group? */
bool ranking_row_within(const struct ranking *r, const struct ranking_row *connection,
			const struct ranking_row *group);
/* An open connection as a row; its rates are zero. */
void ranking_row_of(const struct connection *c, struct ranking_row *row);

int ranking_by_from_name(const char *name); /* or -1 */
const char *ranking_by_name(enum ranking_by by);

#endif
