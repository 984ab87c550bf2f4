// SPDX-License-Identifier: BSD-2-Clause
#include "drops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "source/clock.h"

#define EVERY_NS 1000000000ULL

static struct drops_namespace *namespace_find(const struct drops *d, uint32_t netns)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->namespaces[i].netns == netns)
			return &d->namespaces[i];
	return NULL;
}

/* The process may have moved to another namespace since it listened. */
static bool is_in_namespace(uint32_t pid, uint32_t netns)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	return !stat(path, &st) && st.st_ino == netns;
}

static struct drops_namespace *namespace_add(struct drops *d, uint32_t netns, uint32_t pid)
{
	struct drops_namespace *n;

	if (d->count == DROPS_NAMESPACES || !is_in_namespace(pid, netns))
		return NULL;
	n = &d->namespaces[d->count];
	/* `before` is zero: a listener may have dropped before we heard of it, and its own counter says how many. */
	*n = (struct drops_namespace){ .netns = netns, .pid = pid };
	d->count++;
	return n;
}

static void namespace_look(struct drops_namespace *n)
{
	struct netstat now;

	n->grown = false;
	if (!is_in_namespace(n->pid, n->netns) || netstat_read(n->pid, &now)) {
		n->pid = 0; /* the next listener of this namespace lends its own */
		return;
	}
	n->growth.listen_overflows = now.listen_overflows - n->before.listen_overflows;
	n->growth.listen_drops = now.listen_drops - n->before.listen_drops;
	n->growth.syn_queue_drops = now.syn_queue_drops - n->before.syn_queue_drops;
	n->grown = n->growth.listen_drops > 0;
	n->before = now;
}

static int visit_listener(void *context, const struct connection *listener)
{
	struct drops *d = context;
	struct drops_namespace *n = namespace_find(d, listener->netns);

	if (!connection_has(listener, FIELD_PID) || !connection_has(listener, FIELD_NETNS))
		return 0;
	if (!n)
		n = namespace_add(d, listener->netns, listener->pid);
	else if (!n->pid && is_in_namespace(listener->pid, listener->netns))
		n->pid = listener->pid;
	if (n)
		n->seen = true;
	return 0;
}

/* Namespaces come and go with their listeners. */
static void namespaces_update(struct drops *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		d->namespaces[i].seen = false;
	connection_table_listeners(d->pipeline->table, visit_listener, d);
	for (size_t i = 0; i < d->count; i++)
		if (d->namespaces[i].seen)
			d->namespaces[kept++] = d->namespaces[i];
	d->count = kept;
}

/* What the namespace's counters leave no doubt about, or else the listener's queues. */
static const char *reason(const struct drops_namespace *n, const struct event *listener)
{
	bool accept_queue = n->growth.listen_overflows, syn_queue = n->growth.syn_queue_drops;

	if (accept_queue && syn_queue && event_has(listener, FIELD_RECV_Q)) {
		accept_queue = listener->recv_q > listener->send_q;
		syn_queue = listener->syn_queue >= listener->send_q;
	}
	if (accept_queue == syn_queue)
		return NULL;
	return accept_queue ? "accept_queue_full" : "syn_queue_full";
}

static int tell_drops(struct drops *d, const struct drops_namespace *n,
		      const struct event *listener, uint64_t count)
{
	struct event e = *listener;

	e.type = EVENT_DROP;
	for (int f = FIELD_STATE; f < FIELD_COUNT; f++)
		event_unset(&e, f);
	e.count = count;
	event_set(&e, FIELD_COUNT_LOST);
	e.reason = reason(n, listener);
	if (e.reason)
		event_set(&e, FIELD_REASON);
	return pipeline_event(d->pipeline, &e);
}

/* Since the last time; the kernel's counter has 32 bits, and goes round. */
static uint32_t new_drops(const struct drops *d, const struct event *e)
{
	const struct connection *row =
		connection_table_find(d->pipeline->table, e->cookie, e->start_ns);

	if (!row || !event_has(e, FIELD_DROPS))
		return 0;
	return (uint32_t)e->drops - (connection_has(row, FIELD_DROPS) ? (uint32_t)row->drops : 0);
}

static int on_listener(void *context, struct event *e)
{
	struct drops *d = context;
	const struct drops_namespace *n = namespace_find(d, e->netns);
	uint32_t count = new_drops(d, e);
	int err = 0;

	if (!n || !n->grown || !count)
		return 0;
	err = tell_drops(d, n, e, count);
	return err ? err : pipeline_event(d->pipeline, e);
}

int drops_event(struct drops *d, const struct event *e)
{
	struct drops_namespace *n, unknown = { .netns = e->netns };
	uint32_t count;

	if (e->type != EVENT_LISTEN && e->type != EVENT_UNLISTEN)
		return 0;
	n = namespace_find(d, e->netns);
	if (e->type == EVENT_LISTEN) {
		if (!n && event_has(e, FIELD_PID))
			namespace_add(d, e->netns, e->pid);
		return 0;
	}
	count = new_drops(d, e);
	if (!count)
		return 0;
	if (n)
		namespace_look(n);
	return tell_drops(d, n ? n : &unknown, e, count);
}

int drops_init(struct drops *d, struct kernel_source *kernel, struct pipeline *p, uint64_t mono_ns)
{
	*d = (struct drops){ .kernel = kernel, .pipeline = p, .next_ns = mono_ns + EVERY_NS };
	d->namespaces = calloc(DROPS_NAMESPACES, sizeof(*d->namespaces));
	if (!d->namespaces)
		return -ENOMEM;
	namespaces_update(d);
	for (size_t i = 0; i < d->count; i++)
		namespace_look(&d->namespaces[i]);
	return 0;
}

void drops_done(struct drops *d)
{
	free(d->namespaces);
	d->namespaces = NULL;
	d->count = 0;
}

int drops_run(struct drops *d, uint64_t mono_ns)
{
	bool grown = false;

	if (mono_ns < d->next_ns)
		return 0;
	d->next_ns = mono_ns + EVERY_NS;
	namespaces_update(d);
	for (size_t i = 0; i < d->count; i++) {
		namespace_look(&d->namespaces[i]);
		grown = grown || d->namespaces[i].grown;
	}
	return grown ? kernel_source_sweep(d->kernel, SWEEP_LISTENERS, on_listener, d) : 0;
}
