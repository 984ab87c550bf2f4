// SPDX-License-Identifier: BSD-2-Clause
/* Does an event fit the filter? */
#include <string.h>

#include "base/glob.h"
#include "model/connection_table.h"
#include "model/container.h"
#include "model/event_fields.h"
#include "model/filter_address.h"

static bool in_order(enum filter_operator op, uint64_t a, uint64_t b)
{
	switch (op) {
	case FILTER_LT:
		return a < b;
	case FILTER_LE:
		return a <= b;
	case FILTER_GT:
		return a > b;
	case FILTER_GE:
		return a >= b;
	default:
		return a == b;
	}
}

static uint64_t number_of(const struct event *e, enum event_field f)
{
	const unsigned char *at = (const unsigned char *)e + event_fields[f].offset;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (event_fields[f].type) {
	case FIELD_TYPE_EVENT:
		return (uint64_t)e->type;
	case FIELD_TYPE_NAME:
	case FIELD_TYPE_U8:
	case FIELD_TYPE_BOOL:
		return *at;
	case FIELD_TYPE_U16:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case FIELD_TYPE_U32:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
}

static const char *string_of(const struct event *e, enum event_field f)
{
	const char *at = (const char *)e + event_fields[f].offset, *string;

	if (event_fields[f].type == FIELD_TYPE_COMM)
		return at;
	memcpy(&string, at, sizeof(string));
	return string;
}

static bool string_fits(const struct filter_node *n, const char *wanted, const char *s)
{
	if (n->op == FILTER_GLOB || n->op == FILTER_NOT_GLOB)
		return glob_match(wanted, s, false);
	return n->field->kind == FILTER_CONTAINER ? container_is(s, wanted) : !strcmp(wanted, s);
}

static bool address_fits(const struct filter_value *v, enum event_field f, const struct event *e)
{
	bool local = f == FIELD_LADDR;

	if (v->has_port && (!event_has(e, local ? FIELD_LPORT : FIELD_RPORT) ||
			    v->port != (local ? e->lport : e->rport)))
		return false;
	return filter_address_has(v, e->family, local ? e->laddr : e->raddr);
}

/* A listener or a transition has the state in another field than a row; which one the event has. */
static enum event_field state_field(const struct filter_node *n, const struct event *e)
{
	if (n->field->kind != FILTER_STATE || n->field->fields[0] != FIELD_STATE)
		return n->field->fields[0];
	if (event_has(e, FIELD_STATE))
		return FIELD_STATE;
	return event_has(e, FIELD_NEW_STATE) ? FIELD_NEW_STATE : FIELD_LAST_STATE;
}

static bool value_fits(const struct filter_node *n, const struct filter_value *v,
		       enum event_field f, const struct event *e)
{
	uint64_t number;

	switch (n->field->kind) {
	case FILTER_ADDRESS:
		return address_fits(v, f, e);
	case FILTER_ID:
		return v->number == e->cookie && v->start_ns == e->start_ns;
	case FILTER_NAME:
	case FILTER_STATE:
		number = number_of(e, f);
		return number < 32 && v->mask >> number & 1;
	case FILTER_STRING:
	case FILTER_COMM:
	case FILTER_CONTAINER:
		return string_fits(n, v->string, string_of(e, f));
	default:
		return in_order(n->op, number_of(e, f), v->number);
	}
}

static bool is_inverse(enum filter_operator op)
{
	return op == FILTER_NE || op == FILTER_NOT_GLOB;
}

/* Of two fields and several values one pair is enough; for != and !~ none may be. */
static bool test_fits(const struct filter *f, const struct filter_node *n, const struct event *e)
{
	bool known = false, fits = false;

	for (unsigned int i = 0; i < n->field->count && !fits; i++) {
		enum event_field field = i ? n->field->fields[i] : state_field(n, e);

		if (!event_has(e, field))
			continue;
		known = true;
		for (uint32_t v = 0; v < n->value_count && !fits; v++)
			fits = value_fits(n, &f->values[n->value + v], field, e);
	}
	return known && fits != is_inverse(n->op);
}

/* As deep as the parser allows. */
static bool node_fits(const struct filter *f, const struct filter_node *n, const struct event *e)
{
	uint32_t child;

	switch (n->kind) {
	case FILTER_TEST:
		return test_fits(f, n, e);
	case FILTER_NOT:
		return !node_fits(f, &f->nodes[n->first], e);
	case FILTER_AND:
		for (child = n->first; child; child = f->nodes[child].next)
			if (!node_fits(f, &f->nodes[child], e))
				return false;
		return true;
	default:
		for (child = n->first; child; child = f->nodes[child].next)
			if (node_fits(f, &f->nodes[child], e))
				return true;
		return false;
	}
}

bool filter_match(const struct filter *f, const struct event *e)
{
	return !f || node_fits(f, &f->nodes[f->root], e);
}

/* By its name, not by leaving others out. */
static bool asks_for(const struct filter *f, const struct filter_node *n, enum event_field field,
		     unsigned int number)
{
	if (n->kind == FILTER_NOT)
		return false;
	for (uint32_t child = n->first; child; child = f->nodes[child].next)
		if (asks_for(f, &f->nodes[child], field, number))
			return true;
	if (n->kind != FILTER_TEST || n->field->fields[0] != field || is_inverse(n->op))
		return false;
	for (uint32_t v = 0; v < n->value_count; v++)
		if (f->values[n->value + v].mask >> number & 1)
			return true;
	return false;
}

bool filter_wants_closed(const struct filter *f)
{
	return f && asks_for(f, &f->nodes[f->root], FIELD_STATE, STATE_CLOSE);
}

bool filter_wants_udp(const struct filter *f)
{
	return f && asks_for(f, &f->nodes[f->root], FIELD_PROTO, IPPROTO_UDP);
}

bool filter_match_connection(const struct filter *f, const struct connection *c, uint64_t time_ns,
			     uint64_t mono_ns)
{
	struct event e;

	if (!f)
		return true;
	connection_to_event(c, &e, time_ns, mono_ns);
	return filter_match(f, &e);
}
