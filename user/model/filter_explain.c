/* SPDX-License-Identifier: BSD-2-Clause */
/* --explain: the expression as it was understood, what the kernel decides of it, and what is left. */
#include <string.h>

#include "model/filter_clauses.h"
#include "model/filter_pushdown.h"

static const char *const subject_names[SUBJECT_COUNT] = {
	[SUBJECT_PID] = "pid",	     [SUBJECT_FOLLOWED] = "pid", [SUBJECT_COMM] = "comm",
	[SUBJECT_UID] = "uid",	     [SUBJECT_LPORT] = "sport",	 [SUBJECT_RPORT] = "dport",
	[SUBJECT_PORT] = "port",     [SUBJECT_LADDR] = "src",	 [SUBJECT_RADDR] = "dst",
	[SUBJECT_FAMILY] = "family", [SUBJECT_NETNS] = "netns",
};

static void put_name(const struct filter_atom *a, struct text *t)
{
	char name[17] = { 0 };
	const uint8_t *mask = (const uint8_t *)a->mask;
	size_t length;

	memcpy(name, a->word, 16);
	length = strlen(name);
	text_puts(t, mask[length] ? " = \"" : " ~ \"");
	text_escaped(t, name, length);
	text_puts(t, mask[length] ? "\"" : "*\"");
}

static void put_network(const struct filter_atom *a, struct text *t)
{
	unsigned int prefix = 0;

	for (int i = 0; i < 4; i++)
		prefix += (unsigned int)__builtin_popcount(a->mask[i]);
	text_puts(t, " = ");
	if (a->low != a->high) {
		text_char(t, '*');
		return;
	}
	text_address(t, a->low, (const uint8_t *)a->word);
	if (prefix < (a->low == 4 ? 32 : 128)) {
		text_char(t, '/');
		text_u64(t, prefix);
	}
}

static void put_range(const struct filter_atom *a, struct text *t)
{
	if (a->low == a->high)
		text_puts(t, " = ");
	else
		text_puts(t, a->low > a->high ? " < " : a->low ? " >= " : " <= ");
	text_u64(t, a->low > a->high ? 0 : a->low ? a->low : a->high);
}

static void put_atom(const struct filter_atom *a, struct text *t)
{
	if (a->negate)
		text_puts(t, "not ");
	text_puts(t, subject_names[a->subject]);
	if (a->subject == SUBJECT_FOLLOWED)
		text_puts(t, " one of -p or forked by it");
	else if (a->subject == SUBJECT_COMM)
		put_name(a, t);
	else if (a->subject == SUBJECT_LADDR || a->subject == SUBJECT_RADDR)
		put_network(a, t);
	else
		put_range(a, t);
}

static void put_clauses(const struct clauses *c, struct text *t)
{
	bool first = true, several = false;

	for (uint32_t i = 0; i + 1 < c->count; i++)
		several |= c->atoms[i].last;
	for (uint32_t i = 0; i < c->count; i++) {
		const struct filter_atom *a = &c->atoms[i];
		bool list = several && (first ? !a->last : a->last);

		if (i)
			text_puts(t, first ? " and " : " or ");
		if (list && first)
			text_char(t, '(');
		put_atom(a, t);
		if (list && !first)
			text_char(t, ')');
		first = a->last;
	}
	if (!c->count)
		text_puts(t, "nothing");
}

/* Appends a conjunct that user space has to decide. */
static void put_rest(const struct filter *f, uint32_t node, struct text *t)
{
	if (t->length)
		text_puts(t, " and ");
	filter_print_node(f, node, node == f->root ? FILTER_OR : FILTER_AND, t);
}

void filter_explain(const struct selection *s, const struct filter *f, struct text *t)
{
	const struct filter_node *root = f ? &f->nodes[f->root] : NULL;
	bool conjunction = root && root->kind == FILTER_AND;
	struct clauses all = { 0 }, part;
	struct text rest = { 0 };

	text_puts(t, "filter: ");
	filter_print(f, t);
	if (s)
		clauses_of_selection(s, &all);
	for (uint32_t node = !f		   ? 0
			     : conjunction ? root->first
					   : f->root;
	     node; node = conjunction ? f->nodes[node].next : 0) {
		clauses_of_node(f, node, &part);
		all.weaker = false;
		clauses_and(&all, &part);
		if (all.weaker)
			put_rest(f, node, &rest);
	}
	text_puts(t, "\nkernel: ");
	put_clauses(&all, t);
	text_puts(t, "\nuser space: ");
	if (rest.length)
		text_put(t, rest.data, rest.length);
	else
		text_puts(t, "nothing");
	text_char(t, '\n');
	t->failed |= rest.failed;
	text_done(&rest);
}
