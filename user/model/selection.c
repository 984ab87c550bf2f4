/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/selection.h"

#include <string.h>

#include "base/glob.h"
#include "model/container.h"
#include "model/pid_set.h"

static bool list_has(const struct u32_list *list, uint32_t value)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->values[i] == value)
			return true;
	return false;
}

/* An empty list asks for nothing. */
static bool match_list(const struct u32_list *list, const struct event *e, enum event_field a,
		       uint32_t a_value, enum event_field b, uint32_t b_value)
{
	return !list->count || (event_has(e, a) && list_has(list, a_value)) ||
	       (event_has(e, b) && list_has(list, b_value));
}

static bool match_pid(const struct selection *s, const struct event *e)
{
	if (s->followed)
		return (event_has(e, FIELD_PID) && pid_set_has(s->followed, e->pid)) ||
		       (event_has(e, FIELD_OPENER_PID) && pid_set_has(s->followed, e->opener_pid));
	if (match_list(&s->pids, e, FIELD_PID, e->pid, FIELD_OPENER_PID, e->opener_pid))
		return true;
	for (uint32_t i = 0; event_has(e, FIELD_HOLDERS) && i < e->holder_count; i++)
		if (list_has(&s->pids, e->holders[i].pid))
			return true;
	return false;
}

static bool comm_fits(const struct selection *s, const char *comm)
{
	for (uint32_t i = 0; i < s->comm_count; i++) {
		const char *wanted = s->comms[i];

		if (strpbrk(wanted, "*?[") ? glob_match(wanted, comm, false)
					   : !strcmp(wanted, comm))
			return true;
	}
	return false;
}

static bool match_comm(const struct selection *s, const struct event *e)
{
	if (!s->comm_count || (event_has(e, FIELD_COMM) && comm_fits(s, e->comm)) ||
	    (event_has(e, FIELD_OPENER_COMM) && comm_fits(s, e->opener_comm)))
		return true;
	for (uint32_t i = 0; event_has(e, FIELD_HOLDERS) && i < e->holder_count; i++)
		if (comm_fits(s, e->holders[i].comm))
			return true;
	return false;
}

/* `path` itself, or below it; the root has all. */
static bool match_cgroup(const struct selection *s, const struct event *e)
{
	size_t length;

	if (!s->cgroup)
		return true;
	if (!event_has(e, FIELD_CGROUP))
		return false;
	length = strlen(s->cgroup);
	while (length && s->cgroup[length - 1] == '/')
		length--;
	return !strncmp(e->cgroup, s->cgroup, length) &&
	       (!e->cgroup[length] || e->cgroup[length] == '/');
}

static bool match_container(const struct selection *s, const struct event *e)
{
	return !s->container ||
	       (event_has(e, FIELD_CONTAINER) && container_is(e->container, s->container));
}

static bool match_proto(const struct selection *s, const struct event *e)
{
	if (!s->tcp && !s->udp && !s->raw && !s->unix_sockets)
		return true;
	if (!event_has(e, FIELD_PROTO))
		return false;
	switch (e->proto) {
	case IPPROTO_TCP:
		return s->tcp;
	case IPPROTO_UDP:
		return s->udp;
	case PROTO_RAW:
		return s->raw;
	case PROTO_UNIX:
		return s->unix_sockets;
	}
	return false;
}

static bool match_family(const struct selection *s, const struct event *e)
{
	if (!s->ipv4 && !s->ipv6)
		return true;
	return event_has(e, FIELD_FAMILY) &&
	       ((s->ipv4 && e->family == 4) || (s->ipv6 && e->family == 6));
}

static bool match_state(const struct selection *s, const struct event *e)
{
	unsigned int state;

	if (!s->states)
		return true;
	if (event_has(e, FIELD_STATE))
		state = e->state;
	else if (event_has(e, FIELD_NEW_STATE))
		state = e->new_state;
	else if (event_has(e, FIELD_LAST_STATE))
		state = e->last_state;
	else
		return false;
	return state < 32 && s->states >> state & 1;
}

bool selection_match(const struct selection *s, const struct event *e)
{
	if (e->type == EVENT_START || e->type == EVENT_LOST || e->type == EVENT_SUMMARY)
		return true;
	return match_proto(s, e) && match_family(s, e) && match_state(s, e) && match_pid(s, e) &&
	       match_list(&s->netns, e, FIELD_NETNS, e->netns, FIELD_NETNS, e->netns) &&
	       match_list(&s->uids, e, FIELD_UID, e->uid, FIELD_UID, e->uid) &&
	       match_list(&s->ports, e, FIELD_LPORT, e->lport, FIELD_RPORT, e->rport) &&
	       match_list(&s->lports, e, FIELD_LPORT, e->lport, FIELD_LPORT, e->lport) &&
	       match_list(&s->rports, e, FIELD_RPORT, e->rport, FIELD_RPORT, e->rport) &&
	       match_comm(s, e) && match_cgroup(s, e) && match_container(s, e);
}
