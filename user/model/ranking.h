/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is busiest: totals and per-interval rates of connections grouped by process, connection or remote.
 * Fed with every change of the connection table; each close carries exact totals, so short connections count.
 */
#ifndef NETTRACE_RANKING_H
#define NETTRACE_RANKING_H

#include "model/connection_table.h"

enum ranking_by { BY_PROCESS, BY_CONNECTION, BY_REMOTE, BY_COUNT };

/* One group. Rates are per second over the last interval. */
struct ranking_row {
	/* what identifies it; those that do not apply to the grouping are zero */
	uint32_t pid;
	char comm[16];
	uint32_t uid;
	bool has_pid, has_uid;
	uint8_t proto, family, direction, state;
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint64_t cookie, start_ns;
	uint32_t netns;
	uint8_t source; /* of a process: struct event's */

	double tx_rate, rx_rate;		 /* bytes/s */
	double open_rate, close_rate, fail_rate; /* per second */
	uint64_t tx_bytes, rx_bytes;		 /* since nettrace began to watch */
	uint64_t opens, closes, fails, retrans;	 /* since nettrace began to watch */
	uint64_t connections;			 /* open now (listeners not counted) */
	uint32_t srtt_us;			 /* of the last connection heard of; 0 unknown */
};

enum ranking_key {
	KEY_RATE,
	KEY_TX,
	KEY_RX,
	KEY_TOTAL,
	KEY_OPENS,
	KEY_FAILS,
	KEY_RETRANS,
	KEY_CONNECTIONS,
	KEY_NAME,
	KEY_COUNT
};

struct ranking;

/* At most 100 000 groups: beyond that the idle ones go first, then new ones are counted together as "(other)". */
struct ranking *ranking_new(enum ranking_by by);
void ranking_free(struct ranking *r);
/*
 * Counts one change. `e` is the event that made it. Marks the row with its group (its member `group`), so a table
 * serves one ranking. 0 or -ENOMEM.
 */
int ranking_add(struct ranking *r, const struct event *e, const struct connection_change *change);
/*
 * Ends the interval at mono_ns: computes rates, counts the open connections in the table `t`, drops groups that are gone
 * (no connection open and silent for two intervals), sorts by `key` (ties: rate, then total, then identity, so the order
 * is stable) and returns the rows. Borrowed until the next call. The first interval begins with the first event.
 */
const struct ranking_row *ranking_interval(struct ranking *r, const struct connection_table *t,
					   uint64_t mono_ns, enum ranking_key key, size_t *count);
/* Sums over all groups of the last interval, dropped ones included in the totals. */
void ranking_totals(const struct ranking *r, struct ranking_row *total);

int ranking_by_from_name(const char *name); /* or -1 */
const char *ranking_by_name(enum ranking_by by);
int ranking_key_from_name(const char *name); /* or -1 */
const char *ranking_key_name(enum ranking_key key);

#endif
