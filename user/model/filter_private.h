/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the filter only: its fields, its words and its tree. */
#ifndef NETTRACE_FILTER_PRIVATE_H
#define NETTRACE_FILTER_PRIVATE_H

#include "model/filter.h"

#define FILTER_WORD_MAX 256 /* bytes of a value with its NUL */

enum filter_kind {
	FILTER_NUMBER,
	FILTER_SIZE,
	FILTER_TIME, /* µs in the event */
	FILTER_PORT,
	FILTER_ADDRESS,
	FILTER_USER,
	FILTER_FAMILY,
	FILTER_ERRNO,
	FILTER_BOOL,
	FILTER_ID,
	FILTER_NAME,  /* a word of a known set: bits of a mask */
	FILTER_STATE, /* likewise; the event's state, the new one or the last one */
	FILTER_STRING,
	FILTER_COMM,	  /* at most 15 bytes: what the kernel keeps */
	FILTER_CONTAINER, /* its first 12 digits are enough */
};

enum filter_operator {
	FILTER_EQ,
	FILTER_NE,
	FILTER_LT,
	FILTER_LE,
	FILTER_GT,
	FILTER_GE,
	FILTER_GLOB,
	FILTER_NOT_GLOB,
	FILTER_OPERATOR_COUNT
};

/* A word that can be compared. */
struct filter_field {
	const char *name;
	const char *aliases; /* with a comma behind each; NULL: none */
	enum filter_kind kind;
	unsigned int count; /* of `fields`: one or two; with two, either will do */
	enum event_field fields[2];
	const char *what; /* "a port": for messages */
};

extern const struct filter_field filter_fields[];
extern const size_t filter_field_count;

/* The field of this name or alias, in any case, or NULL. */
const struct filter_field *filter_field_find(const char *name);
/* The i-th name, for parse_nearest. */
const char *filter_field_word(void *context, size_t i);
extern const char *const filter_operator_names[FILTER_OPERATOR_COUNT];
/* Which operators (bits) a kind takes. */
unsigned int filter_operators_of(enum filter_kind kind);

struct filter_value {
	uint64_t number;     /* of an id: its cookie */
	uint64_t start_ns;   /* of an id */
	uint32_t mask;	     /* NAME, STATE: bits of the numbers that fit */
	uint8_t family;	     /* ADDRESS: 4, 6, or 0 for any */
	uint8_t prefix;	     /* bits of the address that count */
	uint8_t address[16]; /* network byte order; bits behind the prefix are 0 */
	bool has_port;	     /* ADDRESS: the port of the same end counts too */
	uint16_t port;
	char *string; /* owned */
};

enum filter_node_kind { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_TEST };

struct filter_node {
	enum filter_node_kind kind;
	uint32_t first, next; /* child, sibling: indices; 0: none */
	const struct filter_field *field;
	enum filter_operator op;
	uint32_t value, value_count; /* in the filter's values */
};

/* Owned: both arrays, and the values' strings. */
struct filter {
	struct filter_node *nodes; /* nodes[0] is not used */
	size_t node_count, node_capacity;
	struct filter_value *values;
	size_t value_count, value_capacity;
	uint32_t root;
};

enum filter_token_kind {
	FILTER_TOKEN_END,
	FILTER_TOKEN_WORD,
	FILTER_TOKEN_QUOTED,
	FILTER_TOKEN_OPEN,
	FILTER_TOKEN_CLOSE,
	FILTER_TOKEN_COMMA,
	FILTER_TOKEN_OPERATOR,
	FILTER_TOKEN_AND,
	FILTER_TOKEN_OR,
	FILTER_TOKEN_NOT,
	FILTER_TOKEN_UNCLOSED, /* a quote without its end */
	FILTER_TOKEN_LONG,     /* a word of FILTER_WORD_MAX bytes or more */
};

struct filter_token {
	enum filter_token_kind kind;
	enum filter_operator op;
	size_t begin, end;	    /* bytes in the text, quotes included */
	char word[FILTER_WORD_MAX]; /* WORD, QUOTED: without quotes */
};

/* The token that begins at or after byte `at`. Words like `and` and `eq` are WORDs: the grammar knows their place. */
void filter_lex(const char *text, size_t at, struct filter_token *token);
/* The operator that a word stands for (eq, ne, lt …), or -1. */
int filter_operator_word(const char *word);

/*
 * A value from the text. `named_us`: the field was named by its unit, so that a bare number is in µs. Returns 0, -ENOMEM
 * or -EINVAL, with *what and, where something is near, *nearest for the message (static or the names' own).
 */
struct filter_value_error {
	const char *what; /* what was expected, instead of the field's own */
	const char *nearest;
};
int filter_value_parse(const struct filter_field *field, enum filter_operator op, bool named_us,
		       const char *word, const struct filter_names *names,
		       struct filter_value *value, struct filter_value_error *error);
/* `above`: what the expression is a part of, for its parentheses. */
void filter_print_node(const struct filter *f, uint32_t node, enum filter_node_kind above,
		       struct text *t);
void filter_value_print(const struct filter_field *field, const struct filter_value *value,
			struct text *t);

/* Borrowed: text, names, error. */
struct filter_parser {
	const char *text;
	const struct filter_names *names;
	struct filter_error *error;
	struct filter *f;
	struct filter_token token; /* the next one */
	size_t last_end;	   /* where the one before it ended */
	size_t test_begin;	   /* of the comparison at hand or the last one */
	bool after_string;	   /* the last comparison was with a string */
	unsigned int depth;
};

/* From 1, in characters: of a place in the text. */
unsigned int filter_column(const char *text, size_t at);

/* These fill in p->error and return -EINVAL. `at`: a place in the text. */
int filter_fail(struct filter_parser *p, size_t at, struct text *message); /* releases the text */
int filter_fail_plain(struct filter_parser *p, size_t at, const char *message);
/* "expected WHAT [after '...'], found '...'": at the next token. `after`: where its context begins, SIZE_MAX: none. */
int filter_expected(struct filter_parser *p, const char *what, size_t after, const char *nearest);
/* `first`: nothing but a field can stand here. */
int filter_expected_field(struct filter_parser *p, bool first);

#endif
