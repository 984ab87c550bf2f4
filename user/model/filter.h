/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FILTER: an expression over the fields of an event, in the words of ss and of the bcc tools. The manual's section
 * FILTER is its grammar. A field that an event lacks makes a comparison false, also one with !=.
 */
#ifndef NETTRACE_FILTER_H
#define NETTRACE_FILTER_H

#include "base/text.h"
#include "model/event.h"

#define FILTER_TEXT_MAX 16384 /* bytes of an expression */
#define FILTER_DEPTH_MAX 64   /* of parentheses and nots in each other */
#define FILTER_TESTS_MAX 2048 /* comparisons, and values of their lists */

struct filter;
struct connection;

/* What names stand for on this machine; passed in, so that a test can fix it. Each member may be NULL. */
struct filter_names {
	int (*port)(const char *service); /* host byte order, or -1 */
	/* The known service that is nearest to a mistyped one, or NULL; valid until the next call. */
	const char *(*nearest_service)(const char *mistyped);
	bool (*user)(const char *name, uint32_t *uid);
};

struct filter_error {
	unsigned int column; /* from 1, in characters */
	char message[320];   /* one line: what was expected, what was found; escaped */
};

/*
 * 0, -EINVAL with *error filled, or -ENOMEM. A text of blanks only gives *f = NULL, which matches all. `names` may be
 * NULL. *f is untouched on error, and keeps no pointer to `text`.
 */
int filter_parse(const char *text, const struct filter_names *names, struct filter **f,
		 struct filter_error *error);
void filter_free(struct filter *f);

/* `f` NULL matches all. Not start, lost and summary pass by themselves: that is the caller's to decide. */
bool filter_match(const struct filter *f, const struct event *e);
/* The same for a connection as it is now, with all that is known of it. */
bool filter_match_connection(const struct filter *f, const struct connection *c, uint64_t time_ns,
			     uint64_t mono_ns);

/* Does it ask for the state CLOSE? Then tables show connections that have ended, too. */
bool filter_wants_closed(const struct filter *f);
/* Does it ask for UDP? Then the stream shows that without -u. */
bool filter_wants_udp(const struct filter *f);

/* The expression as it was understood: one spelling for each field, operator and value. */
void filter_print(const struct filter *f, struct text *t);

#endif
