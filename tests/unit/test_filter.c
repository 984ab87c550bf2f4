/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int port_of(const char *service)
{
	return !strcmp(service, "https") ? 443 : !strcmp(service, "ssh") ? 22 : -1;
}

static const char *nearest_service(const char *mistyped)
{
	return !strcmp(mistyped, "htpps") ? "https" : NULL;
}

static bool user_of(const char *name, uint32_t *uid)
{
	if (strcmp(name, "alice"))
		return false;
	*uid = 1000;
	return true;
}

static const struct filter_names names = { port_of, nearest_service, user_of };

static struct filter *parse(const char *text)
{
	struct filter *f = NULL;
	struct filter_error error;
	int err = filter_parse(text, &names, &f, &error);

	if (err)
		fail_msg("%s: column %u: %s", text, error.column, error.message);
	return f;
}

static void set_address(uint8_t *to, const char *text)
{
	memset(to, 0, 16);
	assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, to), 1);
}

/* A close of python3 from 192.0.2.1:40000 to 10.1.2.3:443. */
static struct event sample(void)
{
	static const enum event_field fields[] = {
		FIELD_ID,	 FIELD_PROTO,	 FIELD_FAMILY,	FIELD_DIRECTION, FIELD_PID,
		FIELD_COMM,	 FIELD_UID,	 FIELD_LADDR,	FIELD_LPORT,	 FIELD_RADDR,
		FIELD_RPORT,	 FIELD_NETNS,	 FIELD_OUTCOME, FIELD_ERRNO,	 FIELD_DURATION_US,
		FIELD_TX_BYTES,	 FIELD_RX_BYTES, FIELD_SRTT_US, FIELD_RETRANS,	 FIELD_LAST_STATE,
		FIELD_CONTAINER, FIELD_UNIT
	};
	struct event e;

	event_init(&e, EVENT_CLOSE, 1, 1);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		event_set(&e, fields[i]);
	e.cookie = 0x1f;
	e.start_ns = 0x3a2;
	e.proto = IPPROTO_TCP;
	e.family = 4;
	e.direction = DIRECTION_OUT;
	e.pid = 100;
	strcpy(e.comm, "python3");
	e.uid = 1000;
	set_address(e.laddr, "192.0.2.1");
	set_address(e.raddr, "10.1.2.3");
	e.lport = 40000;
	e.rport = 443;
	e.netns = 4026531840;
	e.outcome = OUTCOME_RESET_SENT;
	e.error = 104;
	e.duration_us = 1500000;
	e.tx_bytes = 1048576;
	e.rx_bytes = 10;
	e.srtt_us = 20000;
	e.retrans = 3;
	e.last_state = STATE_CLOSE_WAIT;
	e.container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	e.unit = "web.service";
	return e;
}

static bool fits(const char *text, const struct event *e)
{
	struct filter *f = parse(text);
	bool fit = filter_match(f, e);

	filter_free(f);
	return fit;
}

#define YES(text, e)                                        \
	do {                                                \
		if (!fits(text, e))                         \
			fail_msg("%s: should match", text); \
	} while (0)
#define NO(text, e)                                             \
	do {                                                    \
		if (fits(text, e))                              \
			fail_msg("%s: should not match", text); \
	} while (0)

static void ports(void **state)
{
	struct event e = sample();

	(void)state;
	YES("dport = 443", &e);
	YES("dport = :443", &e);
	YES("dport == https", &e);
	YES("dport = :https", &e);
	YES("dport eq 443", &e);
	YES("dport 443", &e);
	YES("rport=443", &e);
	YES("DPORT=443", &e);
	NO("sport = 443", &e);
	YES("sport gt 1024", &e);
	YES("sport >= 40000 and sport le 40000", &e);
	YES("port = 443", &e);
	YES("port = 40000", &e);
	YES("port = 80,443", &e);
	YES("port = 80 , 443", &e);
	NO("port != 443", &e);
	NO("port != 40000", &e);
	YES("port != 80", &e);
	NO("port != 80,443", &e);
	YES("port < 1024", &e);
	YES("port > 1024", &e);
	event_unset(&e, FIELD_RPORT);
	NO("dport = 443", &e);
	NO("dport != 80", &e);
	YES("not dport = 443", &e);
	YES("port != 443", &e);
}

static void addresses(void **state)
{
	struct event e = sample();

	(void)state;
	YES("dst 10.0.0.0/8", &e);
	YES("dst = 10.9.9.9/8", &e);
	YES("dst 10.1.2.3", &e);
	NO("dst 10.1.2.4", &e);
	NO("dst 10.1.2.2/31 and not dst 10.1.2.3/31", &e);
	YES("dst 10.1.2.2/31", &e);
	NO("dst 10.1.2.0/31", &e);
	YES("dst 0.0.0.0/0", &e);
	NO("dst ::/0", &e);
	YES("dst ::ffff:10.1.2.3", &e);
	YES("dst [::ffff:10.0.0.0]/104", &e);
	YES("dst 10.1.2.3:443", &e);
	YES("dst 10.1.2.3:https", &e);
	NO("dst 10.1.2.3:80", &e);
	YES("dst :443", &e);
	YES("dst *:443", &e);
	YES("dst 10.0.0.0/8:443", &e);
	YES("src 192.0.2.1:*", &e);
	YES("host 192.0.2.1", &e);
	YES("host 10.1.2.3", &e);
	NO("host 10.1.2.3:40000", &e);
	NO("host != 10.1.2.3", &e);
	YES("host != 10.1.2.4", &e);
	YES("src != 10.0.0.0/8", &e);
	YES("raddr 10.0.0.0/8,2001:db8::/32", &e);

	e.family = 6;
	set_address(e.raddr, "2001:db8::42");
	set_address(e.laddr, "fe80::1");
	YES("dst 2001:db8::/32", &e);
	YES("dst [2001:db8::42]:443", &e);
	YES("dst [2001:db8::]/32:443", &e);
	YES("dst [2001:db8::/32]:443", &e);
	YES("dst 2001:db8::42/128", &e);
	NO("dst 2001:db8::43/128", &e);
	YES("dst 2001:db8::43/127", &e);
	NO("dst 0.0.0.0/0", &e);
	YES("dst ::/0", &e);
	event_unset(&e, FIELD_RADDR);
	NO("dst ::/0", &e);
	NO("dst != ::1", &e);
	YES("host ::/0", &e);
}

static void processes(void **state)
{
	struct event e = sample();

	(void)state;
	YES("pid = 100", &e);
	YES("pid!=101", &e);
	YES("comm = python3", &e);
	YES("comm ~ 'python*'", &e);
	YES("comm ~ \"pytho?[0-9]\"", &e);
	NO("comm ~ PYTHON*", &e);
	YES("comm !~ curl*", &e);
	NO("comm != python3", &e);
	NO("comm = 'python*'", &e);
	YES("uid = alice", &e);
	YES("uid = 1000", &e);
	NO("uid = 0", &e);
	YES("unit ~ *.service", &e);
	YES("container = 0123456789ab", &e);
	NO("container = 0123456789", &e);
	NO("container = 0123456789ac", &e);
	YES("container ~ 0123*", &e);
	YES("netns = 4026531840", &e);
	YES("id = 1f-3a2", &e);
	NO("id = 1f-3a3", &e);

	e.opener_pid = 55;
	strcpy(e.opener_comm, "inetd");
	NO("pid = 55", &e);
	event_set(&e, FIELD_OPENER_PID);
	event_set(&e, FIELD_OPENER_COMM);
	YES("pid = 55", &e);
	YES("comm = inetd", &e);
	NO("pid != 55", &e);
	YES("opener_pid = 55 and opener_comm = inetd", &e);
	strcpy(e.comm, "systemd-resolve");
	YES("comm = systemd-resolved", &e);
}

static void kinds(void **state)
{
	struct event e = sample();

	(void)state;
	YES("event = close", &e);
	YES("event close", &e);
	YES("event ~ c*", &e);
	NO("event = connect,accept", &e);
	YES("event != connect,accept", &e);
	YES("proto = tcp", &e);
	NO("proto = udp", &e);
	YES("family = 4 and family ipv4 and family != inet6", &e);
	YES("dir = out", &e);
	YES("direction out", &e);
	YES("outcome != clean", &e);
	YES("outcome ~ reset*", &e);
	YES("outcome = reset_sent", &e);
	YES("errno = ECONNRESET", &e);
	YES("errno = 104", &e);
	YES("state = CLOSE-WAIT", &e);
	YES("state close_wait,established", &e);
	YES("state connected", &e);
	NO("state bucket", &e);
	NO("exclude connected", &e);
	YES("exclude time-wait", &e);
	YES("state ~ close*", &e);
	YES("last_state = CLOSE_WAIT", &e);
	NO("new_state = CLOSE_WAIT", &e);
	e.new_state = STATE_CLOSE;
	event_set(&e, FIELD_NEW_STATE);
	YES("state closed", &e); /* the new state goes before the last one */
	NO("mptcp = yes", &e);
	NO("mptcp = no", &e); /* not told */
	e.mptcp = true;
	event_set(&e, FIELD_MPTCP);
	YES("mptcp = yes", &e);
	event_unset(&e, FIELD_OUTCOME);
	NO("outcome != clean", &e);
	NO("outcome = reset_sent", &e);
	YES("not outcome = clean", &e);
}

static void units(void **state)
{
	struct event e = sample();

	(void)state;
	YES("tx = 1M", &e);
	YES("tx = 1024K", &e);
	YES("tx = 1MiB", &e);
	YES("tx > 1MB", &e);
	YES("tx >= 0.5M", &e);
	YES("tx_bytes = 1048576", &e);
	YES("rx < 1K", &e);
	YES("rx = 10B", &e);
	YES("duration = 1.5s", &e);
	YES("duration = 1500ms", &e);
	YES("duration < 1m and duration < 1h and duration < 2d", &e);
	YES("duration_us = 1500000", &e);
	YES("rtt = 20ms", &e);
	YES("rtt > 0", &e);
	YES("rtt > 100us", &e);
	YES("srtt_us < 20001", &e);
	YES("retrans > 0 and rtt > 1ms", &e);
	NO("latency > 0", &e); /* absent */
	NO("latency >= 0", &e);
	YES("tx < 18446744073709551615", &e);
}

static void logic(void **state)
{
	struct event e = sample();

	(void)state;
	YES("pid = 1 or pid = 100", &e);
	YES("pid = 1 || pid = 100 && dport = 443", &e);
	NO("(pid = 1 or pid = 100) and dport = 80", &e);
	YES("pid = 100 or pid = 1 and dport = 80", &e); /* and binds closer */
	NO("not pid = 100 or dport = 80", &e);
	YES("not (pid = 100 and dport = 80)", &e);
	YES("!(pid = 1)", &e);
	YES("not not pid = 100", &e);
	YES("! ! pid = 100", &e);
	YES("pid 100 dport 443", &e);
	NO("pid 100 dport 80", &e);
	YES("( dport = :443 or sport = :22 )", &e);
	YES("state connected ( dport = :443 or sport = :22 )", &e);
	YES("state connected and dst 10.0.0.0/8 not sport = 22", &e);
	YES("pid=100&dport=443", &e);
	YES("pid=1|dport=443", &e);
	YES("PID=100 AND DPORT=443", &e);
	assert_true(filter_match(NULL, &e));
}

static void blank_is_all(void **state)
{
	(void)state;
	assert_null(parse(""));
	assert_null(parse(" \t\n "));
}

/* --- errors --- */

static void bad(const char *text, unsigned int column, const char *message)
{
	struct filter *f = (struct filter *)&names; /* stays untouched */
	struct filter_error error;

	assert_int_equal(filter_parse(text, &names, &f, &error), -EINVAL);
	assert_ptr_equal(f, &names);
	if (error.column != column || !strstr(error.message, message))
		fail_msg("%s: column %u: %s\nnot %u: %s", text, error.column, error.message, column,
			 message);
	assert_null(strchr(error.message, '\n'));
}

static void bad_exactly(const char *text, unsigned int column, const char *message)
{
	struct filter *f = NULL;
	struct filter_error error;

	assert_int_equal(filter_parse(text, &names, &f, &error), -EINVAL);
	assert_int_equal(error.column, column);
	assert_string_equal(error.message, message);
}

static void wrong_words(void **state)
{
	(void)state;
	bad("dport = htpps", 9,
	    "expected a port after 'dport =', found 'htpps'; did you mean 'https'?");
	bad("dport =", 8, "expected a port after 'dport =', found the end");
	bad("dport", 6, "expected a port after 'dport', found the end");
	bad("dport and pid 1", 7, "expected a port after 'dport', found 'and'");
	/* the right word in the wrong place is not what was meant */
	bad_exactly("pid 1 and and pid 2", 11,
		    "expected a field such as dport, pid or comm, found 'and'");
	bad("dport = 65536", 9, "expected a port after 'dport =', found '65536'");
	bad("dport = -1", 9, "found '-1'");
	bad("dprt = 1", 1,
	    "expected a field such as dport, pid or comm, found 'dprt'; did you mean 'dport'?");
	bad("pid = 1 an dport = 1", 9,
	    "expected 'and', 'or' or a field, found 'an'; did you mean 'and'?");
	bad("pid = 1 and", 12, "expected a field such as dport, pid or comm, found the end");
	bad("= 1", 1, "found '='");
	bad("pid ~ 1", 5, "'~' does not fit pid, which takes = != < <= > >=");
	bad("comm < a", 6, "'<' does not fit comm, which takes = != ~ !~");
	bad("src > 10.0.0.0", 5, "'>' does not fit src, which takes = !=");
	bad("port < 1,2", 9, "a list of values takes = or !=");
	bad("port = 1,", 10, "expected a port after 'port = 1,', found the end");
	bad("rtt > 100", 7,
	    "expected a time with its unit, such as 10ms or 1.5s after 'rtt >', found '100'");
	bad("rtt > 100mss", 7, "found '100mss'");
	bad("tx > 1X", 6, "expected a size such as 4096, 64K or 1.5M");
	bad("tx > 99999999999999999999", 6, "expected a size");
	bad("tx > 18446744073709551615K", 6, "expected a size");
	bad("tx > 1.K", 6, "expected a size");
	bad("tx > .5K", 6, "expected a size");
	bad("tx > 1.12345678901K", 6, "expected a size");
	bad("retrans > 1.5", 11, "expected a number");
	bad("uid = bob", 7, "expected a user after 'uid =', found 'bob'");
	bad("dst 10.0.0.0/33", 5, "expected a network such as 10.0.0.0/8 or 2001:db8::/32");
	bad("dst 10.0.0", 5, "expected an address after 'dst', found '10.0.0'");
	bad("dst 10.0.0.1:99999", 5, "expected a port behind the address");
	bad("dst 10.0.0.1:htpps", 5, "did you mean 'https'?");
	bad("dst [::1", 5, "expected an address");
	bad("dst [::1]x", 5, "expected an address");
	bad("dst localhost", 5, "expected an address");
	bad("nginx", 1, "found 'nginx'; did you mean 'comm nginx'?");
	bad(" :8080 ", 2, "found ':8080'; did you mean 'port 8080'?");
	bad_exactly("nginx apache", 1,
		    "expected a field such as dport, pid or comm, found 'nginx'");
	bad("state ESTABLISHD", 7, "did you mean 'ESTABLISHED'?");
	bad("state bigg", 7, "did you mean 'big'?");
	bad("event = conect", 9,
	    "expected an event after 'event =', found 'conect'; did you mean 'connect'?");
	for (unsigned int outcome = 1; outcome < OUTCOME_COUNT; outcome++)
		bad("outcome = reset", 11, outcome_name(outcome));
	bad("event ~ zz*", 9, "expected a pattern that fits something");
	bad("proto = sctp", 9, "expected tcp or udp");
	bad("errno = ECONREFUSED", 9, "did you mean 'ECONNREFUSED'?");
	bad("mptcp = maybe", 9, "expected yes or no");
	bad("id = xyz", 6, "expected an id such as 1f-3a2");
	bad("id = 1-", 6, "expected an id");
	bad("id = 11111111111111111-1", 6, "expected an id");
	bad("comm = ''", 8, "expected a name");
	bad("comm = a b", 10, "(a value with blanks needs quotes), found 'b'");
}

static void wrong_signs(void **state)
{
	(void)state;
	bad("(pid = 1", 9, "expected ')' for the '(' in column 1, found the end");
	bad("pid = 1 and (pid = 2 or (pid = 3)", 34, "the '(' in column 13");
	bad("(pid = 1 pod", 10,
	    "expected 'and', 'or' or a field, found 'pod'; did you mean 'pid'?");
	bad("pid = 1)", 8, "a ')' without its '('");
	bad("()", 2, "found ')'");
	bad("comm = 'abc", 8, "a quote that is not closed");
	bad("'comm' = abc", 1, "expected a field");
	bad("not", 4, "expected a field such as dport, pid or comm, found the end");
	bad("pid = 1 = 2", 9, "found '='");
	bad(", 1", 1, "found ','");
	bad("comm = \303\244\303\266 pid = 1 x", 19, "found 'x'"); /* columns are characters */
	bad("p\033[2J = 1", 1, "'p\\x1b[2J'");
	bad("comm = a\nb", 10, "found 'b'");
}

static void too_much(void **state)
{
	static char text[FILTER_TEXT_MAX + 100], one[400];

	(void)state;
	memset(text, '(', sizeof(text) - 1);
	bad(text, FILTER_TEXT_MAX + 1, "too long");
	text[FILTER_TEXT_MAX] = '\0';
	bad(text, FILTER_DEPTH_MAX + 1, "nested too deep");
	memset(text, '!', FILTER_TEXT_MAX);
	bad(text, FILTER_DEPTH_MAX + 2, "nested too deep");
	memset(one, 'a', sizeof(one) - 1);
	memcpy(one, "comm = ", 7);
	bad(one, 8, "a word that is too long: at most 255 bytes");
	one[300] = '\0';
	one[7] = one[299] = '"';
	bad(one, 8, "a word that is too long");
	strcpy(text, "port = 1");
	for (int i = 0; i < FILTER_TESTS_MAX - 1; i++)
		strcat(text, ",1");
	filter_free(parse(text));
	strcat(text, ",2");
	bad(text, 8 + 2 * FILTER_TESTS_MAX, "too many comparisons");
	memset(text, 0, sizeof(text));
	for (int i = 0; i < FILTER_DEPTH_MAX; i++)
		strcat(text, i & 1 ? "(" : "!");
	strcat(text, "pid 1");
	for (int i = 0; i < FILTER_DEPTH_MAX / 2; i++)
		strcat(text, ")");
	filter_free(parse(text));
}

static void assert_prints(const char *text, const char *printed)
{
	struct filter *f = parse(text), *again;
	struct text t = { 0 }, twice = { 0 };

	filter_print(f, &t);
	text_char(&t, '\0');
	assert_string_equal(t.data, printed);
	again = parse(t.data);
	filter_print(again, &twice);
	text_char(&twice, '\0');
	assert_string_equal(twice.data, printed); /* it means itself */
	text_done(&t);
	text_done(&twice);
	filter_free(f);
	filter_free(again);
}

static void printed(void **state)
{
	(void)state;
	assert_prints("DPORT==:https&sport lt 1024", "dport = 443 and sport < 1024");
	assert_prints("( pid 1 or pid 2 ) and not ( pid 3 and pid 4 )",
		      "(pid = 1 or pid = 2) and not (pid = 3 and pid = 4)");
	assert_prints("not pid 1 or pid 2 pid 3", "not pid = 1 or pid = 2 and pid = 3");
	assert_prints("not (pid 1 or pid 2)", "not (pid = 1 or pid = 2)");
	assert_prints("((pid 1))", "pid = 1");
	assert_prints("dst ::ffff:10.1.2.3/104", "dst = 10.0.0.0/8");
	assert_prints("dst [2001:db8::1]:https,:22", "dst = [2001:db8::1]:443,*:22");
	assert_prints("dst *", "dst = *");
	assert_prints("tx > 2097152 and rx < 1000", "tx > 2M and rx < 1000");
	assert_prints("rtt > 1500us and duration < 3600s and latency_us = 0",
		      "rtt > 1500us and duration < 1h and latency = 0");
	assert_prints("state estab,close-wait", "state = ESTABLISHED,CLOSE_WAIT");
	assert_prints("state bucket", "state = SYN_RECV,TIME_WAIT");
	assert_prints("event ~ *accept", "event = accept");
	assert_prints("comm ~ 'a b'", "comm ~ \"a b\"");
	assert_prints("comm = 'a\"b\\c'", "comm = \"a\\\"b\\\\c\"");
	assert_prints("comm !~ a*", "comm !~ a*");
	assert_prints("errno 111", "errno = ECONNREFUSED");
	assert_prints("id 1f-3a2 and mptcp 1 and family inet6 and uid alice",
		      "id = 1f-3a2 and mptcp = yes and family = 6 and uid = 1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports),	cmocka_unit_test(addresses),
		cmocka_unit_test(processes),	cmocka_unit_test(kinds),
		cmocka_unit_test(units),	cmocka_unit_test(logic),
		cmocka_unit_test(blank_is_all), cmocka_unit_test(wrong_words),
		cmocka_unit_test(wrong_signs),	cmocka_unit_test(too_much),
		cmocka_unit_test(printed),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
