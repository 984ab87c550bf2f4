// SPDX-License-Identifier: BSD-2-Clause
/*
 * The grammar, by recursive descent:
 *   or   = and { "or" and }
 *   and  = not { [ "and" ] not }          as in ss, two tests side by side must both hold
 *   not  = { "not" } ( "(" or ")" | test | "exclude" state )
 *   test = field [ operator ] value { "," value }
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "model/filter_private.h"

static int parse_or(struct filter_parser *p, uint32_t *node);

static void advance(struct filter_parser *p)
{
	p->last_end = p->token.end;
	filter_lex(p->text, p->token.end, &p->token);
}

/* --- the tree --- */

static int grow(void **array, size_t *capacity, size_t count, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *grown;

	if (count < *capacity)
		return 0;
	grown = realloc(*array, wanted * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = wanted;
	return 0;
}

static int node_new(struct filter_parser *p, enum filter_node_kind kind, uint32_t *node)
{
	struct filter *f = p->f;
	int err = grow((void **)&f->nodes, &f->node_capacity, f->node_count, sizeof(*f->nodes));

	if (err)
		return err;
	memset(&f->nodes[f->node_count], 0, sizeof(*f->nodes));
	f->nodes[f->node_count].kind = kind;
	*node = (uint32_t)f->node_count++;
	return 0;
}

/* Takes the value's string, also on error. */
static int value_add(struct filter_parser *p, const struct filter_value *value)
{
	struct filter *f = p->f;
	int err = f->value_count >= FILTER_TESTS_MAX
			  ? filter_fail_plain(p, p->token.begin, "too many comparisons")
			  : grow((void **)&f->values, &f->value_capacity, f->value_count,
				 sizeof(*f->values));

	if (err) {
		free(value->string);
		return err;
	}
	f->values[f->value_count++] = *value;
	return 0;
}

/* --- the grammar --- */

static bool is_word(const struct filter_parser *p, const char *word)
{
	return p->token.kind == FILTER_TOKEN_WORD && !strcasecmp(p->token.word, word);
}

static bool is_and(const struct filter_parser *p)
{
	return p->token.kind == FILTER_TOKEN_AND || is_word(p, "and");
}

static bool is_or(const struct filter_parser *p)
{
	return p->token.kind == FILTER_TOKEN_OR || is_word(p, "or");
}

static bool is_not(const struct filter_parser *p)
{
	return p->token.kind == FILTER_TOKEN_NOT || is_word(p, "not");
}

static int parse_value(struct filter_parser *p, const struct filter_field *field,
		       enum filter_operator op, bool named_us, bool bare)
{
	const bool quoted = p->token.kind == FILTER_TOKEN_QUOTED;
	struct filter_value_error why;
	struct filter_value value;
	int err;

	/* Without an operator `pid and …` has lost its value; with one, `comm = and` is meant. */
	if ((!quoted && p->token.kind != FILTER_TOKEN_WORD) ||
	    (bare && !quoted && (is_and(p) || is_or(p) || is_not(p))))
		return filter_expected(p, field->what, p->test_begin, NULL);
	err = filter_value_parse(field, op, named_us, p->token.word, p->names, &value, &why);
	if (err == -EINVAL)
		return filter_expected(p, why.what, p->test_begin, why.nearest);
	if (err)
		return err;
	err = value_add(p, &value);
	if (!err)
		advance(p);
	return err;
}

static int refuse_operator(struct filter_parser *p, const struct filter_field *field,
			   enum filter_operator op)
{
	struct text t = { 0 };
	unsigned int taken = filter_operators_of(field->kind);

	text_char(&t, '\'');
	text_puts(&t, filter_operator_names[op]);
	text_puts(&t, "' does not fit ");
	text_puts(&t, field->name);
	text_puts(&t, ", which takes");
	for (int i = 0; i < FILTER_OPERATOR_COUNT; i++) {
		if (!(taken >> i & 1))
			continue;
		text_char(&t, ' ');
		text_puts(&t, filter_operator_names[i]);
	}
	return filter_fail(p, p->token.begin, &t);
}

/* The operator, if there is one: false is "=" by itself. */
static int parse_operator(struct filter_parser *p, const struct filter_field *field,
			  enum filter_operator *op, bool *given)
{
	int word = p->token.kind == FILTER_TOKEN_WORD ? filter_operator_word(p->token.word) : -1;

	*op = FILTER_EQ;
	*given = word >= 0 || p->token.kind == FILTER_TOKEN_OPERATOR;
	if (!*given)
		return 0;
	*op = word >= 0 ? (enum filter_operator)word : p->token.op;
	if (!(filter_operators_of(field->kind) >> *op & 1))
		return refuse_operator(p, field, *op);
	advance(p);
	return 0;
}

/* Behind the field. */
static int parse_values(struct filter_parser *p, const struct filter_field *field, bool named_us,
			uint32_t node)
{
	enum filter_operator op;
	uint32_t first, count = 0;
	bool given;
	int err = parse_operator(p, field, &op, &given);

	first = (uint32_t)p->f->value_count;
	while (!err) {
		err = parse_value(p, field, op, named_us, !given);
		count++;
		if (err || p->token.kind != FILTER_TOKEN_COMMA)
			break;
		if (op >= FILTER_LT && op <= FILTER_GE)
			return filter_fail_plain(p, p->token.begin,
						 "a list of values takes = or !=");
		advance(p);
	}
	p->f->nodes[node].field = field;
	p->f->nodes[node].op = op;
	p->f->nodes[node].value = first;
	p->f->nodes[node].value_count = count;
	return err;
}

static bool ends_in_us(const char *word)
{
	size_t length = strlen(word);

	return length > 3 && !strcasecmp(word + length - 3, "_us");
}

static int parse_test(struct filter_parser *p, uint32_t *node)
{
	const struct filter_field *field =
		p->token.kind == FILTER_TOKEN_WORD ? filter_field_find(p->token.word) : NULL;
	bool named_us = ends_in_us(p->token.word);
	int err;

	if (p->token.kind == FILTER_TOKEN_CLOSE)
		return filter_expected(p, "a field such as dport, pid or comm", SIZE_MAX, NULL);
	if (!field)
		return filter_expected_field(p, true);
	err = node_new(p, FILTER_TEST, node);
	if (err)
		return err;
	p->test_begin = p->token.begin;
	p->after_string = field->kind >= FILTER_STRING;
	advance(p);
	return parse_values(p, field, named_us, *node);
}

/* ss: `exclude time-wait` is every other state. */
static int parse_exclude(struct filter_parser *p, uint32_t *node)
{
	uint32_t test;
	int err = node_new(p, FILTER_NOT, node);

	if (!err)
		err = node_new(p, FILTER_TEST, &test);
	if (err)
		return err;
	p->test_begin = p->token.begin;
	advance(p);
	p->f->nodes[*node].first = test;
	return parse_values(p, filter_field_find("state"), false, test);
}

static int parse_group(struct filter_parser *p, uint32_t *node)
{
	size_t open = p->token.begin;
	struct text t = { 0 };
	int err;

	advance(p);
	err = parse_or(p, node);
	if (err)
		return err;
	if (p->token.kind == FILTER_TOKEN_CLOSE) {
		advance(p);
		return 0;
	}
	if (p->token.kind != FILTER_TOKEN_END)
		return filter_expected_field(p, false);
	text_puts(&t, "expected ')' for the '(' in column ");
	text_u64(&t, filter_column(p->text, open));
	text_puts(&t, ", found the end");
	return filter_fail(p, p->token.begin, &t);
}

static int parse_not_here(struct filter_parser *p, uint32_t *node)
{
	uint32_t child;
	int err;

	if (is_not(p)) {
		err = node_new(p, FILTER_NOT, node);
		if (err)
			return err;
		advance(p);
		if (++p->depth > FILTER_DEPTH_MAX)
			return filter_fail_plain(p, p->token.begin, "nested too deep");
		err = parse_not_here(p, &child);
		p->depth--;
		if (!err)
			p->f->nodes[*node].first = child;
		return err;
	}
	if (p->token.kind == FILTER_TOKEN_OPEN) {
		if (++p->depth > FILTER_DEPTH_MAX)
			return filter_fail_plain(p, p->token.begin, "nested too deep");
		err = parse_group(p, node);
		p->depth--;
		return err;
	}
	return is_word(p, "exclude") || is_word(p, "excl") ? parse_exclude(p, node)
							   : parse_test(p, node);
}

/* Does another operand of `and` follow, with the word or without? */
static bool more_ands(struct filter_parser *p)
{
	if (is_and(p)) {
		advance(p);
		return true;
	}
	if (p->token.kind == FILTER_TOKEN_WORD)
		return !is_or(p) && (is_not(p) || is_word(p, "exclude") || is_word(p, "excl") ||
				     filter_field_find(p->token.word));
	return p->token.kind == FILTER_TOKEN_OPEN || p->token.kind == FILTER_TOKEN_NOT;
}

static bool more_ors(struct filter_parser *p)
{
	if (!is_or(p))
		return false;
	advance(p);
	return true;
}

/* One operand, or a node of `kind` over several. */
static int parse_chain(struct filter_parser *p, enum filter_node_kind kind,
		       int (*operand)(struct filter_parser *, uint32_t *),
		       bool (*more)(struct filter_parser *), uint32_t *node)
{
	uint32_t first = 0, last, child = 0, above;
	int err = operand(p, &first);

	if (err)
		return err;
	*node = first;
	if (!more(p))
		return 0;
	err = node_new(p, kind, &above);
	if (err)
		return err;
	p->f->nodes[above].first = last = first;
	*node = above;
	do {
		err = operand(p, &child);
		if (err)
			return err;
		p->f->nodes[last].next = child;
		last = child;
	} while (more(p));
	return 0;
}

static int parse_and(struct filter_parser *p, uint32_t *node)
{
	return parse_chain(p, FILTER_AND, parse_not_here, more_ands, node);
}

static int parse_or(struct filter_parser *p, uint32_t *node)
{
	return parse_chain(p, FILTER_OR, parse_and, more_ors, node);
}

static int parse_all(struct filter_parser *p)
{
	int err;

	if (strlen(p->text) > FILTER_TEXT_MAX)
		return filter_fail_plain(p, FILTER_TEXT_MAX,
					 "the filter is too long: at most 16384 bytes");
	filter_lex(p->text, 0, &p->token);
	err = parse_or(p, &p->f->root);
	if (err || p->token.kind == FILTER_TOKEN_END)
		return err;
	if (p->token.kind == FILTER_TOKEN_CLOSE)
		return filter_fail_plain(p, p->token.begin, "a ')' without its '('");
	return filter_expected_field(p, false);
}

static bool is_empty(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

int filter_parse(const char *text, const struct filter_names *names, struct filter **out,
		 struct filter_error *error)
{
	struct filter_parser p = { .text = text, .names = names, .error = error };
	uint32_t unused;
	int err;

	memset(error, 0, sizeof(*error));
	if (is_empty(text)) {
		*out = NULL;
		return 0;
	}
	p.f = calloc(1, sizeof(*p.f));
	if (!p.f)
		return -ENOMEM;
	err = node_new(&p, FILTER_TEST, &unused);
	if (!err)
		err = parse_all(&p);
	if (err) {
		filter_free(p.f);
		return err;
	}
	*out = p.f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->value_count; i++)
		free(f->values[i].string);
	free(f->values);
	free(f->nodes);
	free(f);
}
