/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the tree to clauses (conjunctive normal form). Weakened where something can't be told in the kernel, or would take too
 * much room: a part that is left out counts as true. A `not` is carried down to the comparisons, so that leaving out only
 * ever lets more through.
 */
#include "model/filter_clauses.h"

#include <string.h>

#define DEPTH_MAX 12 /* what is nested deeper is left out */

static void set_weaker(struct clauses *c)
{
	c->count = 0;
	c->weaker = true;
}

static uint32_t clause_length(const struct clauses *c, uint32_t at)
{
	uint32_t n = at;

	while (!c->atoms[n].last)
		n++;
	return n + 1 - at;
}

/* A clause of one atom. */
static void add_atom(struct clauses *c, const struct filter_atom *a)
{
	if (c->count == FILTER_ATOMS) {
		c->weaker = true;
		return;
	}
	c->atoms[c->count] = *a;
	c->atoms[c->count++].last = 1;
}

void clauses_and(struct clauses *to, const struct clauses *more)
{
	uint32_t n;

	to->weaker |= more->weaker;
	for (uint32_t i = 0; i < more->count; i += n) {
		n = clause_length(more, i);
		if (to->count + n > FILTER_ATOMS) {
			to->weaker = true;
			continue;
		}
		memcpy(to->atoms + to->count, more->atoms + i, n * sizeof(*more->atoms));
		to->count += n;
	}
}

/* Each clause of one with each of the other: (a and b) or (c and d) is (a or c) and (a or d) and … */
static void clauses_or(struct clauses *to, const struct clauses *other)
{
	struct clauses result = { .weaker = to->weaker || other->weaker };
	uint32_t n, m;

	for (uint32_t i = 0; i < to->count; i += n) {
		n = clause_length(to, i);
		for (uint32_t j = 0; j < other->count; j += m) {
			m = clause_length(other, j);
			if (result.count + n + m > FILTER_ATOMS) {
				result.weaker = true;
				continue;
			}
			memcpy(result.atoms + result.count, to->atoms + i, n * sizeof(*to->atoms));
			result.atoms[result.count + n - 1].last = 0;
			memcpy(result.atoms + result.count + n, other->atoms + j,
			       m * sizeof(*other->atoms));
			result.count += n + m;
		}
	}
	*to = result;
}

/* --- comparisons --- */

static void set_empty(struct filter_atom *a)
{
	a->low = 1;
	a->high = 0;
}

static void set_range(struct filter_atom *a, enum filter_operator op, uint64_t n)
{
	const uint32_t max = UINT32_MAX, clipped = n > max ? max : (uint32_t)n;

	a->low = 0;
	a->high = max;
	switch (op) {
	case FILTER_LT:
		a->high = clipped - (n <= max);
		if (!n) /* nothing is below 0 */
			set_empty(a);
		return;
	case FILTER_LE:
		a->high = clipped;
		return;
	case FILTER_GT:
		a->low = clipped + (n < max);
		break;
	case FILTER_GE:
		a->low = clipped;
		break;
	default:
		a->low = a->high = clipped;
	}
	if (n > max || (n == max && op == FILTER_GT))
		set_empty(a); /* beyond all numbers that there are */
}

/* The first `length` bytes of a name, and with `whole` its end. */
static void set_name(struct filter_atom *a, const char *name, size_t length, bool whole)
{
	uint8_t word[16] = { 0 }, mask[16] = { 0 };

	memcpy(word, name, length);
	memset(mask, 0xff, length + whole);
	memcpy(a->word, word, sizeof(word));
	memcpy(a->mask, mask, sizeof(mask));
}

/* Only `name` and `beginning*`. */
static bool comm_atom(const struct filter_node *n, const char *pattern, struct filter_atom *a)
{
	size_t length = strcspn(pattern, "*?[\\");
	bool glob = n->op == FILTER_GLOB || n->op == FILTER_NOT_GLOB;
	bool whole = !glob || !pattern[length];

	a->subject = SUBJECT_COMM;
	if (!glob)
		length = strlen(pattern);
	else if (!whole && (pattern[length] != '*' || pattern[length + 1]))
		return false;
	if (length > 15) /* no process has such a name */
		return false;
	set_name(a, pattern, length, whole);
	return true;
}

/* The family goes into the range, and the address behind its prefix into the mask. */
static void set_address(struct filter_atom *a, const struct filter_value *v)
{
	uint8_t mask[16] = { 0 };

	for (unsigned int bit = 0; bit < v->prefix; bit++)
		mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	memcpy(a->mask, mask, sizeof(mask));
	memcpy(a->word, v->address, sizeof(a->word));
	a->low = v->family ? v->family : 4;
	a->high = v->family ? v->family : 6;
}

/* One value against one side, as atoms that must all be true: their number, or 0: not for the kernel. */
static unsigned int value_atoms(const struct filter_node *n, const struct filter_value *v,
				unsigned int side, struct filter_atom atoms[2])
{
	enum event_field f = n->field->fields[side];
	enum filter_operator op = n->op == FILTER_NE ? FILTER_EQ : n->op;

	memset(atoms, 0, 2 * sizeof(*atoms));
	switch (n->field->kind) {
	case FILTER_ADDRESS:
		atoms[0].subject = f == FIELD_LADDR ? SUBJECT_LADDR : SUBJECT_RADDR;
		set_address(&atoms[0], v);
		if (!v->has_port)
			return 1;
		atoms[1].subject = f == FIELD_LADDR ? SUBJECT_LPORT : SUBJECT_RPORT;
		set_range(&atoms[1], FILTER_EQ, v->port);
		return 2;
	case FILTER_PORT:
		atoms->subject = n->field->count == 2 ? SUBJECT_PORT
				 : f == FIELD_LPORT   ? SUBJECT_LPORT
						      : SUBJECT_RPORT;
		break;
	case FILTER_COMM:
		return f == FIELD_COMM && comm_atom(n, v->string, atoms);
	case FILTER_USER:
		atoms->subject = SUBJECT_UID;
		break;
	case FILTER_FAMILY:
		atoms->subject = SUBJECT_FAMILY;
		break;
	default:
		if (f != FIELD_PID && f != FIELD_NETNS)
			return 0;
		atoms->subject = f == FIELD_PID ? SUBJECT_PID : SUBJECT_NETNS;
	}
	set_range(atoms, op, v->number);
	return 1;
}

/*
 * `fits`: some value on some side; else none on any side. `absent`: what the comparison is for an event without such a
 * field.
 */
static void add_value(struct clauses *c, bool first, const struct filter_atom *atoms,
		      unsigned int count, bool fits, bool absent)
{
	struct clauses one = { 0 };

	for (unsigned int i = 0; i < count; i++) {
		struct filter_atom a = atoms[i];

		a.negate = !fits;
		a.absent = absent;
		if (fits || !one.count) {
			add_atom(&one, &a);
		} else { /* not both: one clause of the two */
			one.atoms[one.count - 1].last = 0;
			add_atom(&one, &a);
		}
	}
	if (first || !fits)
		clauses_and(c, &one);
	else
		clauses_or(c, &one);
}

static void clauses_of_test(const struct filter *f, const struct filter_node *n, bool negated,
			    struct clauses *c)
{
	bool inverse = n->op == FILTER_NE || n->op == FILTER_NOT_GLOB, first = true;
	/* The owner, the opener, and either port are one subject with two sides. */
	unsigned int sides = n->field->kind == FILTER_ADDRESS ? n->field->count : 1;
	struct filter_atom atoms[2];

	for (uint32_t v = 0; v < n->value_count; v++) {
		for (unsigned int side = 0; side < sides; side++) {
			unsigned int count = value_atoms(n, &f->values[n->value + v], side, atoms);

			if (!count) {
				set_weaker(c);
				return;
			}
			/* What lacks the address passes, whatever its port: no two clauses can say that. */
			if (count == 2 && inverse && negated) {
				count = 1;
				c->weaker = true;
			}
			add_value(c, first, atoms, count, inverse == negated, negated);
			first = false;
		}
	}
}

static void convert(const struct filter *f, uint32_t node, bool negated, unsigned int depth,
		    struct clauses *out)
{
	const struct filter_node *n = &f->nodes[node];
	bool all = (n->kind == FILTER_AND) != negated;
	struct clauses part;

	memset(out, 0, sizeof(*out));
	if (depth > DEPTH_MAX) {
		set_weaker(out);
	} else if (n->kind == FILTER_TEST) {
		clauses_of_test(f, n, negated, out);
	} else if (n->kind == FILTER_NOT) {
		convert(f, n->first, !negated, depth + 1, out);
	} else {
		convert(f, n->first, negated, depth + 1, out);
		for (uint32_t child = f->nodes[n->first].next; child;
		     child = f->nodes[child].next) {
			convert(f, child, negated, depth + 1, &part);
			if (all)
				clauses_and(out, &part);
			else
				clauses_or(out, &part);
		}
	}
}

void clauses_of_node(const struct filter *f, uint32_t node, struct clauses *out)
{
	convert(f, node, false, 0, out);
}

/* --- selection --- */

static void add_numbers(struct clauses *out, enum filter_subject subject,
			const struct u32_list *list)
{
	struct clauses c = { 0 };

	if (!list->count)
		return;
	for (uint32_t i = 0; i < list->count; i++) {
		struct filter_atom a = { .subject = (__u8)subject,
					 .low = list->values[i],
					 .high = list->values[i] };

		add_value(&c, !i, &a, 1, true, false);
	}
	clauses_and(out, &c);
}

static void add_comms(struct clauses *out, const struct selection *s)
{
	struct clauses c = { 0 };

	for (uint32_t i = 0; i < s->comm_count; i++) {
		const struct filter_node n = { .op = strpbrk(s->comms[i], "*?[") ? FILTER_GLOB
										 : FILTER_EQ };
		struct filter_atom a = { 0 };

		if (!comm_atom(&n, s->comms[i], &a)) {
			out->weaker = true;
			return;
		}
		add_value(&c, !i, &a, 1, true, false);
	}
	clauses_and(out, &c);
}

void clauses_of_selection(const struct selection *s, struct clauses *out)
{
	struct filter_atom family = { .subject = SUBJECT_FAMILY };
	struct filter_atom followed = { .subject = SUBJECT_FOLLOWED };

	memset(out, 0, sizeof(*out));
	if (s->followed)
		add_atom(out, &followed);
	else
		add_numbers(out, SUBJECT_PID, &s->pids);
	add_numbers(out, SUBJECT_PORT, &s->ports);
	add_numbers(out, SUBJECT_LPORT, &s->lports);
	add_numbers(out, SUBJECT_RPORT, &s->rports);
	add_numbers(out, SUBJECT_UID, &s->uids);
	add_comms(out, s);
	if (s->ipv4 != s->ipv6) {
		family.low = family.high = s->ipv4 ? 4 : 6;
		add_atom(out, &family);
	}
	if (s->tcp != s->udp || s->states || s->cgroup || s->container)
		out->weaker = true;
}
