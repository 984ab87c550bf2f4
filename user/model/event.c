/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const event_type_names[EVENT_TYPE_COUNT] = {
	[EVENT_START] = "start",       [EVENT_LISTEN] = "listen",
	[EVENT_UNLISTEN] = "unlisten", [EVENT_CONNECT] = "connect",
	[EVENT_ACCEPT] = "accept",     [EVENT_FAIL] = "fail",
	[EVENT_RESET] = "reset",       [EVENT_RETRANSMIT] = "retransmit",
	[EVENT_DROP] = "drop",	       [EVENT_CLOSE] = "close",
	[EVENT_STATE] = "state",       [EVENT_SOCKET] = "socket",
	[EVENT_TOP] = "top",	       [EVENT_LOST] = "lost",
	[EVENT_SUMMARY] = "summary",   [EVENT_RECORDING] = "recording",
};

static const char *const tcp_state_names[STATE_COUNT] = {
	[STATE_ESTABLISHED] = "ESTABLISHED",
	[STATE_SYN_SENT] = "SYN_SENT",
	[STATE_SYN_RECV] = "SYN_RECV",
	[STATE_FIN_WAIT1] = "FIN_WAIT1",
	[STATE_FIN_WAIT2] = "FIN_WAIT2",
	[STATE_TIME_WAIT] = "TIME_WAIT",
	[STATE_CLOSE] = "CLOSE",
	[STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	[STATE_LAST_ACK] = "LAST_ACK",
	[STATE_LISTEN] = "LISTEN",
	[STATE_CLOSING] = "CLOSING",
};

/*
 * What ss, netstat and other systems call them where it is not the kernel's name; '-' and '_' are
 * the same.
 */
static const struct {
	const char *name;
	enum tcp_state state;
} tcp_state_aliases[] = {
	{ "ESTAB", STATE_ESTABLISHED },	    { "SYN_RCVD", STATE_SYN_RECV },
	{ "SYN_RECEIVED", STATE_SYN_RECV }, { "SYNSENT", STATE_SYN_SENT },
	{ "SYNRECV", STATE_SYN_RECV },	    { "FIN_WAIT_1", STATE_FIN_WAIT1 },
	{ "FIN_WAIT_2", STATE_FIN_WAIT2 },  { "FINWAIT1", STATE_FIN_WAIT1 },
	{ "FINWAIT2", STATE_FIN_WAIT2 },    { "TIMEWAIT", STATE_TIME_WAIT },
	{ "CLOSED", STATE_CLOSE },	    { "UNCONN", STATE_CLOSE },
	{ "CLOSEWAIT", STATE_CLOSE_WAIT },  { "LASTACK", STATE_LAST_ACK },
	{ "LISTENING", STATE_LISTEN },
};

static const char *const direction_names[DIRECTION_COUNT] = {
	[DIRECTION_OUT] = "out",
	[DIRECTION_IN] = "in",
};

static const char *const owner_kind_names[OWNER_COUNT] = {
	[OWNER_CONNECT] = "connect",   [OWNER_ACCEPT] = "accept",     [OWNER_LISTEN] = "listen",
	[OWNER_LISTENER] = "listener", [OWNER_SNAPSHOT] = "snapshot", [OWNER_HANDED] = "handed",
	[OWNER_KERNEL] = "kernel",     [OWNER_UNKNOWN] = "unknown",
};

static const char *const outcome_names[OUTCOME_COUNT] = {
	[OUTCOME_CLEAN] = "clean",	     [OUTCOME_REFUSED] = "refused",
	[OUTCOME_TIMED_OUT] = "timed_out",   [OUTCOME_UNREACHABLE] = "unreachable",
	[OUTCOME_RESET_SENT] = "reset_sent", [OUTCOME_RESET_RECEIVED] = "reset_received",
	[OUTCOME_ABORTED] = "aborted",	     [OUTCOME_IDLE] = "idle",
};

static const char *const side_names[SIDE_COUNT] = {
	[SIDE_LOCAL] = "local",
	[SIDE_REMOTE] = "remote",
};

static const char *const retransmit_kind_names[RETRANSMIT_KIND_COUNT] = {
	[RETRANSMIT_DATA] = "data",
	[RETRANSMIT_SYN] = "syn",
	[RETRANSMIT_SYNACK] = "synack",
	[RETRANSMIT_TLP] = "tlp",
};

static const char *const trace_mode_names[MODE_COUNT] = {
	[MODE_EBPF] = "ebpf",
	[MODE_POLLING] = "polling",
};

static const char *const socket_type_names[SOCKET_TYPE_COUNT] = {
	[SOCKET_TYPE_STREAM] = "stream",
	[SOCKET_TYPE_DGRAM] = "dgram",
	[SOCKET_TYPE_SEQPACKET] = "seqpacket",
};

static const char *const socket_timer_names[TIMER_COUNT] = {
	[TIMER_ON] = "on",
	[TIMER_KEEPALIVE] = "keepalive",
	[TIMER_TIMEWAIT] = "timewait",
	[TIMER_PERSIST] = "persist",
};

static const char *const proto_names[UINT8_MAX + 1] = {
	[IPPROTO_TCP] = "tcp",
	[IPPROTO_UDP] = "udp",
	[PROTO_UNIX] = "unix",
	[PROTO_RAW] = "raw",
};

static const char *name_of(const char *const *names, size_t count, unsigned int number)
{
	return number < count && names[number] ? names[number] : "?";
}

static int number_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && !strcasecmp(names[i], name))
			return (int)i;
	return -1;
}

#define DEFINE_NAMES(function, type)                                                    \
	const char *function##_name(type number)                                        \
	{                                                                               \
		return name_of(function##_names, ARRAY_SIZE(function##_names), number); \
	}
#define DEFINE_FROM_NAME(function)                                                      \
	int function##_from_name(const char *name)                                      \
	{                                                                               \
		return number_of(function##_names, ARRAY_SIZE(function##_names), name); \
	}

DEFINE_NAMES(event_type, enum event_type)
DEFINE_NAMES(tcp_state, unsigned int)
DEFINE_NAMES(direction, unsigned int)
DEFINE_NAMES(owner_kind, unsigned int)
DEFINE_NAMES(outcome, unsigned int)
DEFINE_NAMES(side, unsigned int)
DEFINE_NAMES(retransmit_kind, unsigned int)
DEFINE_NAMES(trace_mode, unsigned int)
DEFINE_NAMES(proto, unsigned int)
DEFINE_NAMES(socket_type, unsigned int)
DEFINE_NAMES(socket_timer, unsigned int)

DEFINE_FROM_NAME(event_type)
DEFINE_FROM_NAME(direction)
DEFINE_FROM_NAME(owner_kind)
DEFINE_FROM_NAME(outcome)
DEFINE_FROM_NAME(side)
DEFINE_FROM_NAME(retransmit_kind)
DEFINE_FROM_NAME(trace_mode)
DEFINE_FROM_NAME(proto)
DEFINE_FROM_NAME(socket_type)
DEFINE_FROM_NAME(socket_timer)

int tcp_state_from_name(const char *name)
{
	char plain[16];
	size_t length = strlen(name);
	int state;

	if (length >= sizeof(plain)) /* longer than any of them */
		return -1;
	for (size_t i = 0; i <= length; i++)
		plain[i] = name[i] == '-' ? '_' : name[i];
	state = number_of(tcp_state_names, ARRAY_SIZE(tcp_state_names), plain);
	for (size_t i = 0; state < 0 && i < ARRAY_SIZE(tcp_state_aliases); i++)
		if (!strcasecmp(tcp_state_aliases[i].name, plain))
			state = tcp_state_aliases[i].state;
	return state;
}

void event_init(struct event *e, enum event_type type, uint64_t time_ns, uint64_t mono_ns)
{
	memset(e, 0, sizeof(*e));
	e->type = type;
	e->time_ns = time_ns;
	e->mono_ns = mono_ns;
	event_set(e, FIELD_EVENT);
	event_set(e, FIELD_TIME);
	event_set(e, FIELD_MONO_NS);
}

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool is_mapped(const uint8_t *address)
{
	return address && !memcmp(address, mapped_prefix, sizeof(mapped_prefix));
}

static bool is_unspecified(const uint8_t *address)
{
	static const uint8_t zero[16];

	return !address || !memcmp(address, zero, sizeof(zero));
}

bool event_is_unattributed(const struct event *e)
{
	const uint32_t owned = 1U << EVENT_LISTEN | 1U << EVENT_UNLISTEN | 1U << EVENT_CONNECT |
			       1U << EVENT_ACCEPT | 1U << EVENT_FAIL | 1U << EVENT_CLOSE;

	return owned >> e->type & 1 && !event_has(e, FIELD_PID) && e->owner != OWNER_KERNEL;
}

void event_set_addresses(struct event *e, int socket_family, const void *laddr, const void *raddr)
{
	const uint8_t *local = laddr, *remote = raddr;
	size_t size = 4;

	e->family = 4;
	e->v4mapped = false;
	event_unset(e, FIELD_V4MAPPED);
	event_set(e, FIELD_FAMILY);
	if (socket_family == AF_INET6) {
		bool local_fits = is_mapped(local) || is_unspecified(local);
		bool remote_fits = is_mapped(remote) || is_unspecified(remote);

		if (local_fits && remote_fits && (is_mapped(local) || is_mapped(remote))) {
			e->v4mapped = true;
			event_set(e, FIELD_V4MAPPED);
			/* the last four bytes: of :: they are 0.0.0.0 */
			local = local ? local + 12 : NULL;
			remote = remote ? remote + 12 : NULL;
		} else {
			e->family = 6;
			size = 16;
		}
	}
	memset(e->laddr, 0, sizeof(e->laddr));
	memset(e->raddr, 0, sizeof(e->raddr));
	event_unset(e, FIELD_LADDR);
	event_unset(e, FIELD_RADDR);
	if (local) {
		memcpy(e->laddr, local, size);
		event_set(e, FIELD_LADDR);
	}
	if (remote) {
		memcpy(e->raddr, remote, size);
		event_set(e, FIELD_RADDR);
	}
}

void event_set_cgroup(struct event *e, const char *path, const char *unit, const char *container)
{
	if (path) {
		e->cgroup = path;
		event_set(e, FIELD_CGROUP);
	}
	if (unit) {
		e->unit = unit;
		event_set(e, FIELD_UNIT);
	}
	if (container) {
		e->container = container;
		event_set(e, FIELD_CONTAINER);
	}
}
