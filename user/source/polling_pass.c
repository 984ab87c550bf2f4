/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/polling_pass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "source/clock.h"
#include "source/namespaces.h"
#include "source/polling.h"
#include "source/socket_rows.h"
#include "source/sockstat.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define READY_AT_ONCE 64
#define STATES_ALL ((1u << STATE_COUNT) - 1)
/* Minisockets of what has not begun or is over, and sockets that nothing became of. */
#define STATES_LEFT_OUT (1u << STATE_TIME_WAIT | 1u << STATE_SYN_RECV | 1u << STATE_CLOSE)

/* What is known of a namespace. Owned: notices, rows. */
struct place {
	uint32_t inode;
	int notices;		 /* descriptor, or -1 */
	bool may_listen;	 /* it may have one, and counts */
	bool tried;		 /* to open it */
	bool known;		 /* was looked into before */
	int error;		 /* 0 or -errno of this pass */
	struct socket_rows rows; /* of this pass */
};

/* Sorted by inode. Owned: list. */
struct places {
	struct place *list;
	size_t count;
};

/* Owned: places, leaving, networks, notices. Borrowed: netns, cgroups. */
struct polling_pass {
	const struct u32_list *netns;
	struct cgroup_cache *cgroups;
	struct places places;
	struct places
		leaving; /* gone since the last pass; their last notices are still to be read */
	struct networks networks; /* while a pass runs */
	int notices;		  /* epoll: all descriptors of notices; -1: none wanted */
	size_t listening;	  /* places that may have one */
	uint32_t own;		  /* the namespace that this process is in */
	bool salted;		  /* cookies are told apart by polling_cookie */
	bool whole;
};

/* A kernel that numbers namespaces (5.14) numbers sockets across them (5.10). */
static bool counts_cookies_by_namespace(void)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
}

/* No counter comes as far as 2^40, and numbers of namespaces count from 0xF0000000; the top bit is STAND_IN_COOKIE. */
uint64_t polling_cookie(uint64_t cookie, uint32_t netns)
{
	return cookie ^ (uint64_t)(netns & 0x7fffff) << 40;
}

int polling_pass_open(const struct u32_list *netns, struct cgroup_cache *cgroups, bool notices,
		      struct polling_pass **out)
{
	struct polling_pass *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->netns = netns;
	p->cgroups = cgroups;
	p->own = network_own();
	p->salted = notices && counts_cookies_by_namespace();
	p->notices = notices ? epoll_create1(EPOLL_CLOEXEC) : -1;
	if (notices && p->notices < 0)
		report_debug("no notices of closed sockets: %s", strerror(errno));
	*out = p;
	return 0;
}

static void place_done(struct place *place)
{
	if (place->notices >= 0)
		close(place->notices);
	place->notices = -1;
	socket_rows_done(&place->rows);
}

static void places_done(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		place_done(&places->list[i]);
	free(places->list);
	*places = (struct places){ 0 };
}

void polling_pass_close(struct polling_pass *p)
{
	if (!p)
		return;
	places_done(&p->places);
	places_done(&p->leaving);
	networks_done(&p->networks);
	if (p->notices >= 0)
		close(p->notices);
	free(p);
}

bool polling_pass_is_whole(const struct polling_pass *p)
{
	return p->whole;
}

int polling_pass_fd(const struct polling_pass *p)
{
	return p->notices;
}

static bool is_wanted(const struct polling_pass *p, uint32_t inode)
{
	for (uint32_t i = 0; i < p->netns->count; i++)
		if (p->netns->values[i] == inode)
			return true;
	return !p->netns->count;
}

/* Room for `count` more of those that leave. 0 or -ENOMEM. */
static int make_room(struct places *leaving, size_t count)
{
	struct place *list;

	if (!count)
		return 0;
	list = realloc(leaving->list, (leaving->count + count) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	leaving->list = list;
	return 0;
}

static void leave(struct polling_pass *p, struct place *place)
{
	p->listening -= place->may_listen;
	p->leaving.list[p->leaving.count++] = *place;
}

static struct place new_place(struct polling_pass *p, uint32_t inode)
{
	struct place place = { .inode = inode, .notices = -1 };

	place.may_listen = p->notices >= 0 && p->listening < POLLING_NOTICES_MAX &&
			   is_wanted(p, inode);
	p->listening += place.may_listen;
	return place;
}

/* One place for each of p->networks; what is known of it already goes on, what is gone leaves. 0 or -ENOMEM. */
static int update_places(struct polling_pass *p)
{
	const struct networks *n = &p->networks;
	struct places old = p->places;
	struct place *list = calloc(n->count + 1, sizeof(*list));
	size_t at = 0;

	if (!list || make_room(&p->leaving, old.count)) {
		free(list);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n->count; i++) {
		while (at < old.count && old.list[at].inode < n->list[i].inode)
			leave(p, &old.list[at++]);
		list[i] = at < old.count && old.list[at].inode == n->list[i].inode
				  ? old.list[at++]
				  : new_place(p, n->list[i].inode);
	}
	while (at < old.count)
		leave(p, &old.list[at++]);
	free(old.list);
	p->places = (struct places){ list, n->count };
	return 0;
}

/* In a thread that is in that namespace. The descriptor stays there. */
static void listen_there(struct polling_pass *p, struct place *place)
{
	struct epoll_event ready = { .events = EPOLLIN };

	int err;

	place->tried = true;
	place->notices = destroy_notices_open();
	ready.data.u64 = (uint64_t)place->inode << 32 | (uint32_t)place->notices;
	if (place->notices < 0)
		err = place->notices;
	else
		err = epoll_ctl(p->notices, EPOLL_CTL_ADD, place->notices, &ready) ? -errno : 0;
	if (!err)
		return;
	report_debug("no notices of closed sockets in namespace %u: %s", place->inode,
		     strerror(-err));
	if (place->notices >= 0)
		close(place->notices);
	place->notices = -1;
}

/* Listens first: what ends while it looks gives notice. */
static void look_there(void *context, size_t index, int entered)
{
	const struct sock_diag_query query = { .tcp = true,
					       .tcp_states = STATES_ALL & ~STATES_LEFT_OUT };
	struct polling_pass *p = context;
	struct place *place = &p->places.list[index];
	struct sockstat stat;

	place->error = entered;
	if (entered)
		return;
	if (place->may_listen && !place->tried)
		listen_there(p, place);
	/* Not worth a walk through the hash tables, which are the whole host's. */
	if (!sockstat_read(&stat) && !stat.tcp_inuse)
		return;
	place->error = sock_diag_read(&query, &place->rows);
}

static int look_everywhere(struct polling_pass *p)
{
	AUTO_FREE size_t *indexes = calloc(p->places.count + 1, sizeof(*indexes));
	size_t count = 0;

	if (!indexes)
		return -ENOMEM;
	for (size_t i = 0; i < p->places.count; i++)
		if (is_wanted(p, p->places.list[i].inode))
			indexes[count++] = i;
	networks_visit(&p->networks, indexes, count, look_there, p);
	return 0;
}

/* The own namespace must be readable; another may have gone meanwhile (-ESTALE), or may not be entered. */
static int judge(struct polling_pass *p)
{
	p->whole = true;
	for (size_t i = 0; i < p->places.count; i++) {
		struct place *place = &p->places.list[i];

		if (place->error && (place->inode == p->own || place->error == -ENOMEM))
			return place->error;
		if (place->error && place->error != -ESTALE && place->known) {
			report_debug("sockets of namespace %u: %s", place->inode,
				     strerror(-place->error));
			p->whole = false;
		}
		place->known = place->known || !place->error;
	}
	return 0;
}

static bool is_salted(const struct polling_pass *p, uint32_t netns)
{
	return p->salted && netns != p->own;
}

/* Tells the rows that are listeners, or those that are not. */
static int tell_rows(struct place *place, bool listeners, bool salted, struct polling_join *join)
{
	uint64_t mono_ns = clock_mono_ns(), time_ns = clock_wall_ns(mono_ns);
	struct event e;
	int err = 0;

	for (size_t i = 0; !err && i < place->rows.count; i++) {
		const struct socket_row *row = &place->rows.rows[i];

		if ((row->state == STATE_LISTEN) != listeners)
			continue;
		socket_row_to_event(row, NULL, false, time_ns, mono_ns, &e);
		if (salted)
			e.cookie = polling_cookie(e.cookie, place->inode);
		err = polling_join_event(join, &e);
	}
	return err;
}

static int tell_places(struct polling_pass *p, struct polling_join *join)
{
	int err = 0;

	for (size_t i = 0; !err && i < p->places.count; i++) {
		struct place *place = &p->places.list[i];
		bool salted = is_salted(p, place->inode);

		err = tell_rows(place, true, salted, join);
		if (!err)
			err = tell_rows(place, false, salted, join);
		socket_rows_done(&place->rows);
	}
	return err;
}

int polling_pass_run(struct polling_pass *p, event_sink *sink, void *context)
{
	struct polling_join *join = NULL;
	struct proc_sockets processes;
	/*
	 * Holders first: a socket made between the two passes lacks an owner, one that is gone is
	 * not told of at all.
	 */
	int err = proc_sockets_read(&processes, "/proc", p->cgroups);

	networks_done(&p->networks);
	if (!err)
		err = networks_find(&p->networks);
	if (!err)
		err = update_places(p);
	if (!err)
		err = look_everywhere(p);
	if (!err)
		err = judge(p);
	if (!err && !(join = polling_join_new(&processes, p->cgroups, sink, context)))
		err = -ENOMEM;
	if (!err)
		err = tell_places(p, join);
	polling_join_free(join);
	proc_sockets_done(&processes);
	return err;
}

/* Borrowed: pass, sink's context. */
struct notice_reader {
	const struct polling_pass *pass;
	uint32_t netns;
	destroy_notice_sink *sink;
	void *context;
};

static int on_notice(void *context, const struct destroy_notice *notice)
{
	const struct notice_reader *r = context;
	struct destroy_notice n = *notice;

	n.row.netns = r->netns;
	if (is_salted(r->pass, r->netns))
		n.row.cookie = polling_cookie(n.row.cookie, r->netns);
	return r->sink(r->context, &n);
}

static int read_notices(struct notice_reader *r, int fd, uint32_t netns, uint64_t *lost)
{
	int err;

	r->netns = netns;
	err = destroy_notices_read(fd, on_notice, r);
	if (err != -ENOBUFS)
		return err;
	++*lost;
	return 0;
}

/* Of namespaces that are gone: the last ones. Our descriptor is what still held them. */
static int read_leaving(struct polling_pass *p, struct notice_reader *r, uint64_t *lost)
{
	int err = 0;

	while (!err && p->leaving.count) {
		struct place *place = &p->leaving.list[--p->leaving.count];

		if (place->notices >= 0)
			err = read_notices(r, place->notices, place->inode, lost);
		place_done(place);
	}
	return err;
}

int polling_pass_notices(struct polling_pass *p, uint64_t *lost, destroy_notice_sink *sink,
			 void *context)
{
	struct notice_reader r = { .pass = p, .sink = sink, .context = context };
	size_t rounds = p->places.count / READY_AT_ONCE + 1;
	struct epoll_event ready[READY_AT_ONCE];
	int err = 0, n = READY_AT_ONCE;

	if (p->notices < 0)
		return 0;
	for (size_t i = 0; !err && i < rounds && n == READY_AT_ONCE; i++) {
		n = epoll_wait(p->notices, ready, READY_AT_ONCE, 0);
		for (int j = 0; !err && j < n; j++)
			err = read_notices(&r, (int)(uint32_t)ready[j].data.u64,
					   (uint32_t)(ready[j].data.u64 >> 32), lost);
	}
	return err ? err : read_leaving(p, &r, lost);
}
