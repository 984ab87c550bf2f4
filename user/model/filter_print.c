// SPDX-License-Identifier: BSD-2-Clause
/* The expression as it was understood. */
#include "model/filter_private.h"

/* Patterns over a known set have become that set. */
static enum filter_operator printed_operator(const struct filter_node *n)
{
	bool names = n->field->kind == FILTER_NAME || n->field->kind == FILTER_STATE;

	if (names && n->op == FILTER_GLOB)
		return FILTER_EQ;
	return names && n->op == FILTER_NOT_GLOB ? FILTER_NE : n->op;
}

static void print_test(const struct filter *f, const struct filter_node *n, struct text *t)
{
	text_puts(t, n->field->name);
	text_char(t, ' ');
	text_puts(t, filter_operator_names[printed_operator(n)]);
	text_char(t, ' ');
	for (uint32_t i = 0; i < n->value_count; i++) {
		if (i)
			text_char(t, ',');
		filter_value_print(n->field, &f->values[n->value + i], t);
	}
}

void filter_print_node(const struct filter *f, uint32_t node, enum filter_node_kind above,
		       struct text *t)
{
	const struct filter_node *n = &f->nodes[node];
	/* `or` binds least, `not` most. */
	bool brackets = (n->kind == FILTER_OR && above != FILTER_OR) ||
			(n->kind == FILTER_AND && above == FILTER_NOT);

	if (n->kind == FILTER_TEST) {
		print_test(f, n, t);
		return;
	}
	if (brackets)
		text_char(t, '(');
	if (n->kind == FILTER_NOT)
		text_puts(t, "not ");
	for (uint32_t child = n->first; child; child = f->nodes[child].next) {
		if (child != n->first)
			text_puts(t, n->kind == FILTER_AND ? " and " : " or ");
		filter_print_node(f, child, n->kind, t);
	}
	if (brackets)
		text_char(t, ')');
}

void filter_print(const struct filter *f, struct text *t)
{
	if (f)
		filter_print_node(f, f->root, FILTER_OR, t);
}
