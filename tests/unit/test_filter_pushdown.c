/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/filter_pushdown.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "atom.h"
#include "event.h"
#include "model/pid_set.h"
#include "source/record_event.h"

#define FILTERS 20000
#define RECORDS 40 /* for each */

/* xorshift: the same on every machine and in every run */
static uint64_t random_state = 88172645463325252ULL;

static unsigned int pick(unsigned int n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)(random_state >> 33) % n;
}

#define ONE_OF(...)                                                             \
	({                                                                      \
		static const char *const words_[] = { __VA_ARGS__ };            \
		words_[pick((unsigned int)(sizeof(words_) / sizeof(*words_)))]; \
	})

/* --- random filters --- */

static void put_comparison(struct text *t)
{
	const char *equal = ONE_OF("=", "!="), *order = ONE_OF("=", "!=", "<", "<=", ">", ">=");

	switch (pick(9)) {
	case 0:
		text_printf(t, "%s %s %u", ONE_OF("sport", "dport", "port"), order, pick(4));
		break;
	case 1:
		text_printf(t, "%s %s %u,%u", ONE_OF("sport", "dport", "port", "pid", "uid"), equal,
			    pick(4), 1 + pick(4));
		break;
	case 2:
		text_printf(t, "%s %s %s", ONE_OF("src", "dst", "host"), equal,
			    ONE_OF("10.0.0.1", "10.0.0.0/8", "10.0.1.0/24:2", "::1",
				   "2001:db8::/32", "[2001:db8::1]:3", "::ffff:10.0.0.1", "*:1",
				   "0.0.0.0/0", "::/0"));
		break;
	case 3:
		text_printf(t, "%s %s %u", ONE_OF("pid", "pid", "netns"), order, pick(5));
		break;
	case 4:
		text_printf(t, "comm %s",
			    ONE_OF("= a", "!= a", "~ a*", "!~ ab*", "~ 'a?'", "~ *b",
				   "= abcdefghijklmnop", "~ *", "= a,b"));
		break;
	case 5:
		text_printf(t, "uid %s %s", equal, ONE_OF("0", "1", "root"));
		break;
	case 6:
		text_printf(t, "family %s %s", equal, ONE_OF("4", "6"));
		break;
	case 7:
		text_puts(t, ONE_OF("tx > 1", "outcome != clean", "state estab", "event close",
				    "opener_pid = 2", "dir out", "retrans = 0"));
		break;
	default:
		text_printf(
			t, "%s %s %s", ONE_OF("sport", "pid", "netns", "port"), order,
			ONE_OF("0", "4294967295", "4294967296", "65535", "18446744073709551615"));
		break;
	}
}

static void put_expression(struct text *t, unsigned int depth)
{
	unsigned int parts = 1 + pick(3);
	const char *joined = ONE_OF(" and ", " or ");

	if (!depth || !pick(3)) {
		put_comparison(t);
		return;
	}
	text_puts(t, pick(4) ? "(" : "not (");
	for (unsigned int i = 0; i < parts; i++) {
		if (i)
			text_puts(t, joined);
		put_expression(t, depth - 1);
	}
	text_char(t, ')');
}

static int no_port(const char *service)
{
	(void)service;
	return -1;
}

static bool root_only(const char *name, uint32_t *uid)
{
	*uid = 0;
	return !strcmp(name, "root");
}

/* Ports beyond 65535 are no filter: NULL then. */
static struct filter *random_filter(struct text *t)
{
	static const struct filter_names names = { no_port, NULL, root_only };
	struct filter_error error;
	struct filter *f = NULL;

	t->length = 0;
	put_expression(t, 3);
	text_char(t, '\0');
	assert_false(t->failed);
	if (filter_parse(t->data, &names, &f, &error))
		assert_non_null(strstr(error.message, "expected a port"));
	return f;
}

/* --- random records, and what the kernel knows of them --- */

static void random_address(int family, uint8_t *to)
{
	static const uint8_t v4[][4] = {
		{ 10, 0, 0, 1 }, { 10, 0, 1, 1 }, { 192, 0, 2, 1 }, { 0 }
	};
	static const uint8_t v6[][16] = { { [15] = 1 },
					  { 0x20, 1, 0xd, 0xb8, [15] = 1 },
					  { [10] = 0xff, 0xff, 10, 0, 0, 1 },
					  { [10] = 0xff, 0xff, 192, 0, 2, 1 },
					  { 0 } };

	memset(to, 0, 16);
	if (family == AF_INET)
		memcpy(to, v4[pick(4)], 4);
	else
		memcpy(to, v6[pick(5)], 16);
}

static void random_owner(struct record *r)
{
	r->pid = pick(5);
	r->uid = r->pid ? pick(3) : 0;
	r->tid = r->pid;
	r->owner = r->pid ? OWNER_CONNECT : pick(2) ? OWNER_KERNEL : OWNER_UNKNOWN;
	r->opener_pid = r->pid && !pick(3) ? 1 + pick(4) : 0;
	memset(r->comm, 0, sizeof(r->comm));
	memset(r->opener_comm, 0, sizeof(r->opener_comm));
	if (r->pid)
		strcpy(r->comm, ONE_OF("a", "ab", "b", "abcdefghijklmno", "A"));
	if (r->opener_pid)
		strcpy(r->opener_comm, ONE_OF("a", "ab", "c"));
}

static void random_record(struct record_close *c)
{
	static const uint8_t types[] = { RECORD_LISTEN, RECORD_CONNECT, RECORD_ACCEPT,
					 RECORD_FAIL,	RECORD_CLOSE,	RECORD_RETRANSMIT,
					 RECORD_STATE };
	struct record *r = &c->head;

	memset(c, 0, sizeof(*c));
	r->type = types[pick(sizeof(types))];
	r->family = pick(2) ? AF_INET : AF_INET6;
	r->direction = (uint8_t)pick(3);
	r->old_state = (uint8_t)(1 + pick(11));
	r->new_state = (uint8_t)(1 + pick(11));
	r->lport = (uint16_t)pick(4);
	r->rport = (uint16_t)pick(4);
	r->netns = pick(5);
	r->mono_ns = 1000;
	r->cookie = 1 + pick(100);
	r->start_ns = pick(2) ? 500 : 0;
	r->protocol = IPPROTO_TCP;
	random_owner(r);
	random_address(r->family, r->laddr);
	random_address(r->family, r->raddr);
	if (r->type == RECORD_LISTEN || r->new_state == STATE_LISTEN) { /* a listener has no peer */
		r->rport = 0;
		memset(r->raddr, 0, sizeof(r->raddr));
	}
	c->counters.tx_bytes = pick(3);
}

/* As bpf/record.bpf.h has them from the socket. */
static void facts_of(const struct record *r, bool any_owner, struct filter_facts *f)
{
	struct event e;

	memset(f, 0, sizeof(*f));
	f->pid = r->pid;
	f->opener_pid = r->opener_pid;
	f->uid = r->uid;
	f->no_owner = r->owner == OWNER_KERNEL;
	f->any_owner = any_owner;
	memcpy(f->comm, r->comm, sizeof(f->comm));
	f->lport = r->lport;
	f->rport = r->rport;
	f->netns = r->netns;
	memcpy(f->laddr, r->laddr, sizeof(f->laddr));
	memcpy(f->raddr, r->raddr, sizeof(f->raddr));
	filter_facts_settle(f, r->family == AF_INET6);

	/* the same addresses as in events */
	event_init(&e, EVENT_CLOSE, 1, 1);
	event_set_addresses(&e, r->family, r->laddr, r->raddr);
	assert_int_equal(f->family, e.family);
	assert_memory_equal(f->laddr, e.laddr, 16);
	assert_memory_equal(f->raddr, e.raddr, 16);
}

static void event_of(const struct record_close *c, struct event *e)
{
	static const struct record_names names;

	if (c->head.type == RECORD_CLOSE)
		record_to_close(c, &names, e);
	else
		record_to_event(&c->head, &names, e);
}

static bool everything_known(const struct filter_facts *f, const struct event *e)
{
	static const uint32_t none[4];

	return f->pid && !f->opener_pid && f->netns && !f->any_owner && event_has(e, FIELD_LPORT) &&
	       event_has(e, FIELD_RPORT) && event_has(e, FIELD_LADDR) &&
	       event_has(e, FIELD_RADDR) && memcmp(f->laddr, none, 16) &&
	       memcmp(f->raddr, none, 16);
}

struct tally {
	unsigned long dropped, kept, exact, pushed, whole;
};

static void compare(const char *text, const struct filter *f, const struct filter_pushdown *p,
		    struct tally *tally)
{
	bool any_owner = !pick(4), told, shown;
	struct filter_facts facts;
	struct record_close c;
	struct event e;

	random_record(&c);
	facts_of(&c.head, any_owner, &facts);
	told = filter_pushdown_decides(p, &facts);
	if (any_owner) /* by the time it is an event, somebody has it */
		random_owner(&c.head);
	event_of(&c, &e);
	shown = filter_match(f, &e);
	tally->dropped += !told;
	tally->kept += shown;
	if (shown && !told)
		fail_msg("%s: the kernel drops what matches", text);
	if (p->all && everything_known(&facts, &e)) {
		tally->exact++;
		if (told != shown)
			fail_msg(
				"%s: all is for the kernel, and it lets through what does not match",
				text);
	}
	/* What a sweep finds is judged by the event. */
	if (shown && !filter_pushdown_wants(p, &e))
		fail_msg("%s: a row that matches is left out", text);
}

static void random_filters(void **state)
{
	struct filter_pushdown p;
	struct text t = { 0 };
	struct tally tally = { 0 };

	(void)state;
	for (int i = 0; i < FILTERS; i++) {
		struct filter *f = random_filter(&t);

		if (!f)
			continue;
		assert_int_equal(filter_pushdown_init(&p, NULL, f), 0);
		tally.pushed += p.count > 0;
		tally.whole += p.all;
		for (int j = 0; j < RECORDS; j++)
			compare(t.data, f, &p, &tally);
		filter_pushdown_done(&p);
		filter_free(f);
	}
	text_done(&t);
	/* It has seen enough of each. */
	assert_in_range(tally.pushed, FILTERS / 2, FILTERS);
	assert_in_range(tally.whole, FILTERS / 3, FILTERS);
	assert_in_range(tally.dropped, FILTERS, FILTERS * RECORDS);
	assert_in_range(tally.kept, FILTERS, FILTERS * RECORDS);
	assert_in_range(tally.exact, FILTERS, FILTERS * RECORDS);
}

/* The flags too: the same as selection_match. */
static void random_selections(void **state)
{
	struct pid_set followed = { 0 };
	unsigned long dropped = 0;

	(void)state;
	assert_int_equal(pid_set_add(&followed, 2), 0);
	assert_int_equal(pid_set_add(&followed, 3), 0);
	for (int i = 0; i < FILTERS; i++) {
		struct selection s = { .ipv4 = !pick(4), .ipv6 = !pick(4) };
		struct u32_list *lists[] = { &s.pids, &s.uids, &s.ports, &s.lports, &s.rports };
		struct filter_pushdown p;
		struct filter_facts facts;
		struct record_close c;
		struct event e;

		for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++) {
			lists[l]->count = pick(4) ? 0 : pick(3);
			for (uint32_t v = 0; v < lists[l]->count; v++)
				lists[l]->values[v] = pick(4);
		}
		s.comm_count = pick(4) ? 0 : 1;
		s.comms[0] = ONE_OF("a", "a*", "*b", "[a]*");
		s.followed = pick(4) ? NULL : &followed;
		assert_int_equal(filter_pushdown_init(&p, &s, NULL), 0);
		random_record(&c);
		facts_of(&c.head, false, &facts);
		event_of(&c, &e);
		dropped += !filter_pushdown_decides(&p, &facts);
		if (selection_match(&s, &e)) {
			assert_true(filter_pushdown_decides(&p, &facts));
			assert_true(filter_pushdown_wants(&p, &e));
		}
		filter_pushdown_done(&p);
	}
	assert_in_range(dropped, FILTERS / 10, FILTERS);
	pid_set_done(&followed);
}

/* --- what goes where --- */

static void assert_explains(const char *text, const char *kernel, const char *user)
{
	struct filter_error error;
	struct filter *f = NULL;
	struct text t = { 0 };
	char *line;

	assert_int_equal(filter_parse(text, NULL, &f, &error), 0);
	filter_explain(NULL, f, &t);
	text_char(&t, '\0');
	line = strstr(t.data, "\nkernel: ");
	assert_non_null(line);
	line += strlen("\nkernel: ");
	if (strncmp(line, kernel, strlen(kernel)) || line[strlen(kernel)] != '\n')
		fail_msg("%s: %s", text, line);
	line = strstr(t.data, "\nuser space: ") + strlen("\nuser space: ");
	if (strncmp(line, user, strlen(user)) || line[strlen(user)] != '\n')
		fail_msg("%s: %s", text, line);
	text_done(&t);
	filter_free(f);
}

static void explained(void **state)
{
	(void)state;
	assert_explains("dport = 443", "dport = 443", "nothing");
	assert_explains("dport = 443 and tx > 5", "dport = 443", "tx > 5");
	assert_explains("dport = 443 or tx > 5", "nothing", "dport = 443 or tx > 5");
	assert_explains("(pid 1 or pid 2) and (dst 10.0.0.0/8 or port 5)",
			"(pid = 1 or pid = 2) and (dst = 10.0.0.0/8 or port = 5)", "nothing");
	assert_explains("not (pid 1 or tx > 5)", "not pid = 1", "not (pid = 1 or tx > 5)");
	assert_explains("not (pid 1 and port 5)", "not pid = 1 or not port = 5", "nothing");
	assert_explains("pid 1 or (port 5 and uid 0)",
			"(pid = 1 or port = 5) and (pid = 1 or uid = 0)", "nothing");
	assert_explains("comm ~ 'py*' and comm = a and comm ~ '*b'",
			"comm ~ \"py*\" and comm = \"a\"", "comm ~ *b");
	assert_explains("dst [2001:db8::1]:443", "dst = 2001:db8::1 and dport = 443", "nothing");
	assert_explains("sport > 1024 and sport < 2048 and sport < 0",
			"sport >= 1025 and sport <= 2047 and sport < 0", "nothing");
	assert_explains(
		"state connected", "nothing",
		"state = ESTABLISHED,SYN_SENT,SYN_RECV,FIN_WAIT1,FIN_WAIT2,TIME_WAIT,CLOSE_WAIT,LAST_ACK,CLOSING");
}

/* More than there is room for stays with user space, and the rest still goes to the kernel. */
static void no_room(void **state)
{
	char text[4000] = "port = 1";
	struct filter_error error;
	struct filter_pushdown p;
	struct filter *f = NULL;

	(void)state;
	for (int i = 0; i < FILTER_ATOMS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", i + 2);
	strcat(text, " and pid = 7");
	assert_int_equal(filter_parse(text, NULL, &f, &error), 0);
	assert_int_equal(filter_pushdown_init(&p, NULL, f), 0);
	assert_int_equal(p.count, 1);
	assert_int_equal(filter_pushdown_first(&p, 8), 1);
	assert_int_equal(filter_pushdown_first(&p, 0), 0);
	assert_false(p.all);
	assert_int_equal(p.atoms[0].subject, SUBJECT_PID);
	filter_pushdown_done(&p);
	filter_free(f);
}

static void sets_of_pids(void **state)
{
	struct pid_set s = { 0 };
	bool in[512] = { false };

	(void)state;
	assert_false(pid_set_has(&s, 1));
	pid_set_remove(&s, 1);
	for (int i = 0; i < 20000; i++) {
		uint32_t pid = 1 + pick(511);

		if (pick(2)) {
			assert_int_equal(pid_set_add(&s, pid * 4096), 0);
			in[pid] = true;
		} else {
			pid_set_remove(&s, pid * 4096);
			in[pid] = false;
		}
		pid = 1 + pick(511);
		assert_int_equal(pid_set_has(&s, pid * 4096), in[pid]);
	}
	pid_set_done(&s);
	for (uint32_t pid = 1; pid <= PID_SET_MAX; pid++)
		assert_int_equal(pid_set_add(&s, pid), 0);
	assert_int_equal(pid_set_add(&s, PID_SET_MAX + 1), -ENOSPC);
	assert_int_equal(pid_set_add(&s, 1), 0);
	pid_set_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_filters), cmocka_unit_test(random_selections),
		cmocka_unit_test(explained),	  cmocka_unit_test(no_room),
		cmocka_unit_test(sets_of_pids),
	};

	return cmocka_run_group_tests_name("filter_pushdown", tests, NULL, NULL);
}
