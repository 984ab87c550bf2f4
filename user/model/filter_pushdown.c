/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/filter_pushdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/filter_clauses.h"
#include "model/pid_set.h"

/* Of the pushdown that is asked: the kernel's code has no room for a context, there it is a map. */
static const struct pid_set *followed;

static inline __u64 filter_followed(__u32 pid)
{
	return !followed || pid_set_has(followed, pid);
}

#define FILTER_INLINE static inline
#include "wanted.h"

/* The conjuncts at the top of the filter, each by itself: what of it has no room leaves the others alone. */
static void clauses_of_filter(const struct filter *f, struct clauses *out)
{
	const struct filter_node *root = &f->nodes[f->root];
	struct clauses part;

	if (root->kind != FILTER_AND) {
		clauses_of_node(f, f->root, &part);
		clauses_and(out, &part);
		return;
	}
	for (uint32_t child = root->first; child; child = f->nodes[child].next) {
		clauses_of_node(f, child, &part);
		clauses_and(out, &part);
	}
}

int filter_pushdown_init(struct filter_pushdown *p, const struct selection *s,
			 const struct filter *f)
{
	struct clauses all = { 0 };

	memset(p, 0, sizeof(*p));
	if (s)
		clauses_of_selection(s, &all);
	if (f)
		clauses_of_filter(f, &all);
	p->all = !all.weaker;
	if (!all.count)
		return 0;
	p->atoms = malloc(all.count * sizeof(*p->atoms));
	if (!p->atoms)
		return -ENOMEM;
	memcpy(p->atoms, all.atoms, all.count * sizeof(*p->atoms));
	p->count = all.count;
	p->followed = s ? s->followed : NULL;
	return 0;
}

void filter_pushdown_done(struct filter_pushdown *p)
{
	free(p->atoms);
	memset(p, 0, sizeof(*p));
}

uint32_t filter_pushdown_first(const struct filter_pushdown *p, uint32_t room)
{
	uint32_t whole = 0;

	for (uint32_t i = 0; i < p->count && i < room; i++)
		if (p->atoms[i].last)
			whole = i + 1;
	return whole;
}

void filter_facts_settle(struct filter_facts *facts, bool ipv6)
{
	filter_settle_addresses(facts, ipv6);
}

bool filter_pushdown_decides(const struct filter_pushdown *p, const struct filter_facts *facts)
{
	followed = p->followed;
	return filter_wanted(p->atoms, p->count, facts);
}

static void facts_of_event(const struct event *e, struct filter_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	if (event_has(e, FIELD_PID)) {
		facts->pid = e->pid;
		facts->uid = e->uid;
		memcpy(facts->comm, e->comm, sizeof(facts->comm));
	}
	/* A listener's owner stands in for one that is not known yet. */
	facts->any_owner = e->owner == OWNER_LISTENER || !event_has(e, FIELD_UID);
	if (event_has(e, FIELD_OPENER_PID))
		facts->opener_pid = e->opener_pid;
	facts->lport = event_has(e, FIELD_LPORT) ? e->lport : 0;
	facts->rport = event_has(e, FIELD_RPORT) ? e->rport : 0;
	facts->netns = event_has(e, FIELD_NETNS) ? e->netns : 0;
	if (!event_has(e, FIELD_FAMILY))
		return;
	facts->family = e->family;
	if (event_has(e, FIELD_LADDR))
		memcpy(facts->laddr, e->laddr, sizeof(facts->laddr));
	if (event_has(e, FIELD_RADDR))
		memcpy(facts->raddr, e->raddr, sizeof(facts->raddr));
}

bool filter_pushdown_wants(const struct filter_pushdown *p, const struct event *e)
{
	struct filter_facts facts;

	if (!p->count)
		return true;
	facts_of_event(e, &facts);
	return filter_pushdown_decides(p, &facts);
}
