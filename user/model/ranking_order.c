/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ranking_order.h"

#include <string.h>
#include <strings.h>

static double rate(const struct ranking_row *r)
{
	return r->tx_rate + r->rx_rate;
}

static uint64_t total(const struct ranking_row *r)
{
	return r->tx_bytes + r->rx_bytes;
}

static int compare_identity(enum ranking_by by, const struct ranking_row *a,
			    const struct ranking_row *b)
{
	int d = by == BY_REMOTE ? 0 : memcmp(a->comm, b->comm, sizeof(a->comm));

	if (!d && by != BY_REMOTE)
		d = (a->pid > b->pid) - (a->pid < b->pid);
	if (d || by == BY_PROCESS)
		return d;
	d = (a->family > b->family) - (a->family < b->family);
	if (!d)
		d = memcmp(a->raddr, b->raddr, sizeof(a->raddr));
	if (!d)
		d = (a->rport > b->rport) - (a->rport < b->rport);
	if (!d)
		d = (a->lport > b->lport) - (a->lport < b->lport);
	if (!d)
		d = (a->direction > b->direction) - (a->direction < b->direction);
	if (!d)
		d = (a->proto > b->proto) - (a->proto < b->proto);
	if (!d)
		d = (a->cookie > b->cookie) - (a->cookie < b->cookie);
	if (!d)
		d = (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
	return d;
}

/* Rates come before totals: the ranking says who is busiest now. */
static int compare_key(enum ranking_key key, const struct ranking_row *a,
		       const struct ranking_row *b)
{
#define DESCENDING(member) ((a->member < b->member) - (a->member > b->member))
	int d = 0;

	switch (key) {
	case KEY_RATE:
		return (rate(a) < rate(b)) - (rate(a) > rate(b));
	case KEY_TX:
		d = DESCENDING(tx_rate);
		return d ? d : DESCENDING(tx_bytes);
	case KEY_RX:
		d = DESCENDING(rx_rate);
		return d ? d : DESCENDING(rx_bytes);
	case KEY_TOTAL:
		return (total(a) < total(b)) - (total(a) > total(b));
	case KEY_OPENS:
		d = DESCENDING(open_rate);
		return d ? d : DESCENDING(opens);
	case KEY_FAILS:
		d = DESCENDING(fail_rate);
		return d ? d : DESCENDING(fails);
	case KEY_RETRANS:
		return DESCENDING(retrans);
	case KEY_CONNECTIONS:
		return DESCENDING(connections);
	default:
		return 0;
	}
}

int ranking_compare(enum ranking_by by, enum ranking_key key, const struct ranking_row *a,
		    const struct ranking_row *b)
{
	int d = key == KEY_NAME ? compare_identity(by, a, b) : compare_key(key, a, b);

	if (!d)
		d = compare_key(KEY_RATE, a, b);
	if (!d)
		d = compare_key(KEY_TOTAL, a, b);
	return d ? d : compare_identity(by, a, b);
}

static const char *const by_names[BY_COUNT] = {
	[BY_PROCESS] = "process",
	[BY_CONNECTION] = "connection",
	[BY_REMOTE] = "remote",
};

static const char *const key_names[KEY_COUNT] = {
	[KEY_RATE] = "rate",	   [KEY_TX] = "tx",
	[KEY_RX] = "rx",	   [KEY_TOTAL] = "total",
	[KEY_OPENS] = "opens",	   [KEY_FAILS] = "fails",
	[KEY_RETRANS] = "retrans", [KEY_CONNECTIONS] = "connections",
	[KEY_NAME] = "name",
};

static int find_name(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcasecmp(names[i], name))
			return i;
	return -1;
}

int ranking_by_from_name(const char *name)
{
	return find_name(by_names, BY_COUNT, name);
}

const char *ranking_by_name(enum ranking_by by)
{
	return by < BY_COUNT ? by_names[by] : "?";
}

int ranking_key_from_name(const char *name)
{
	return find_name(key_names, KEY_COUNT, name);
}

const char *ranking_key_name(enum ranking_key key)
{
	return key < KEY_COUNT ? key_names[key] : "?";
}
