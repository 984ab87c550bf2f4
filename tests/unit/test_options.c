/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/report.h"
#include "model/ranking.h"
#include "options.h"
#include "view/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In the place of base/report.c, so that what is said can be read. */
int report_verbose;
static char said[2048];
static unsigned int lines;

void report(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	lines++;
}

void report_debug(const char *format, ...)
{
	(void)format;
}

/* The words of `line`, separated by single blanks, as main would get them. */
static int parse(const char *line, struct options *o)
{
	static char words[1024];
	static char *argv[64];
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	argv[argc++] = "nettrace";
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	options_done(o); /* of the line before: all tests share it, or begin with zeros */
	said[0] = '\0';
	lines = 0;
	return options_parse(argc, argv, o);
}

#define GOOD(line)                                           \
	do {                                                 \
		int code = parse(line, &o);                  \
		if (code)                                    \
			print_error("%s: %s\n", line, said); \
		assert_int_equal(code, 0);                   \
		assert_int_equal(lines, 0);                  \
	} while (0)

/* Refused in one line that has `words` in it. */
#define BAD(line, words)                                                \
	do {                                                            \
		assert_int_equal(parse(line, &o), EXIT_USAGE);          \
		assert_int_equal(lines, 1);                             \
		if (!strstr(said, words))                               \
			print_error("%s: %s\n", line, said);            \
		assert_non_null(strstr(said, words));                   \
		assert_non_null(strstr(said, "try 'nettrace --help'")); \
		assert_null(strchr(said, '\n'));                        \
	} while (0)

/* A filter says its column instead of pointing to the help. */
#define BAD_FILTER(line, words)                       \
	do {                                          \
		assert_int_equal(parse(line, &o), 2); \
		assert_int_equal(lines, 1);           \
		if (!strstr(said, words))             \
			fail_msg("%s", said);         \
	} while (0)

static struct options o;

static void defaults(void **state)
{
	(void)state;
	GOOD("");
	assert_int_equal(o.mode, RUN_STREAM);
	assert_int_equal(o.buffer_bytes, 8 << 20);
	assert_int_equal(o.max_connections, 1000000);
	assert_int_equal(o.for_ns, 0);
	assert_int_equal(o.event_count, 0);
	assert_null(o.replay_path);
	assert_true(o.view.events >> EVENT_CONNECT & 1);
	assert_true(o.view.events >> EVENT_SUMMARY & 1);
	assert_false(o.view.events >> EVENT_STATE & 1);
	assert_false(o.view.events >> EVENT_SOCKET & 1);
	assert_false(o.states);
}

static void modes(void **state)
{
	(void)state;
	GOOD("--top");
	assert_int_equal(o.mode, RUN_TOP);
	assert_true(o.view.interval_ns == 1000000000);
	GOOD("--top --by container --chart --sort loss");
	assert_int_equal(o.view.by, BY_CONTAINER);
	assert_true(o.view.chart);
	assert_false(o.view.batch);
	BAD("--chart", "belongs to --top");
	BAD("--top --sort speed", "Sort keys: rate, total");
	GOOD("--top 500ms 3 --by remote --sort tx --rows 10 -b");
	assert_true(o.view.interval_ns == 500000000);
	assert_int_equal(o.view.count, 3);
	assert_int_equal(o.view.by, BY_REMOTE);
	assert_int_equal(o.view.sort, column_by_key("tx") + 1);
	assert_int_equal(o.view.rows, 10);
	assert_true(o.view.batch);
	GOOD("--top --sort cwait");
	assert_int_equal(o.view.sort, column_by_key("close_wait") + 1);
	GOOD("--top --sort RETR%");
	assert_int_equal(o.view.sort, column_by_key("loss") + 1);
	GOOD("-j --top");
	assert_true(o.view.batch);
	GOOD("-a");
	assert_int_equal(o.mode, RUN_LIST);
	assert_true(o.view.interval_ns == 0);
	assert_false(o.view.listening || o.view.connected);
	GOOD("-l 2");
	assert_true(o.view.listening && !o.view.connected);
	assert_true(o.view.interval_ns == 2000000000);
	GOOD("--list");
	assert_true(!o.view.listening && o.view.connected);
	GOOD("--list -l");
	assert_false(o.view.listening || o.view.connected);
	GOOD("-al");
	assert_false(o.view.listening || o.view.connected);
	GOOD("-h --nonsense");
	assert_int_equal(o.mode, RUN_HELP);
	GOOD("-V");
	assert_int_equal(o.mode, RUN_VERSION);
	GOOD("--schema");
	assert_int_equal(o.mode, RUN_SCHEMA);
	BAD("--top --list", "exclude each other");
	BAD("--top -tulpn", "exclude each other");
}

static void finger_habits(void **state)
{
	(void)state;
	GOOD("-tulpn");
	assert_int_equal(o.mode, RUN_LIST);
	assert_true(o.selection.tcp && o.selection.udp && o.view.listening && o.view.numeric);
	assert_int_equal(o.selection.pids.count, 0);
	GOOD("-tanp");
	assert_true(o.mode == RUN_LIST && !o.view.listening && o.selection.tcp && !o.selection.udp);
	GOOD("-antp");
	assert_true(o.mode == RUN_LIST && !o.view.listening && o.selection.tcp);
	GOOD("-plnt");
	assert_true(o.mode == RUN_LIST && o.view.listening);
	GOOD("-ltn");
	assert_true(o.mode == RUN_LIST && o.view.listening);
	GOOD("-tan");
	assert_int_equal(o.mode, RUN_LIST);
	GOOD("-t");
	assert_int_equal(o.mode, RUN_STREAM);
	GOOD("-p");
	assert_int_equal(o.mode, RUN_STREAM);
	GOOD("-p -a");
	assert_int_equal(o.mode, RUN_LIST);
	GOOD("-tanp 42,43");
	assert_int_equal(o.selection.pids.count, 2);
	assert_int_equal(o.selection.pids.values[1], 43);
	GOOD("-tap42");
	assert_int_equal(o.selection.pids.values[0], 42);
	GOOD("-p 42 -p 43");
	assert_int_equal(o.selection.pids.count, 2);
	GOOD("--comm -p -t");
	assert_string_equal(o.selection.comms[0], "-p");
	GOOD("-tulpnx");
	assert_int_equal(o.mode, RUN_LIST);
	assert_true(o.view.listening && o.selection.unix_sockets && !o.selection.raw);
	GOOD("-xa");
	assert_true(o.selection.unix_sockets && !o.selection.tcp && !o.selection.udp);
	GOOD("-wanpoe");
	assert_true(o.selection.raw && o.view.timers && o.view.extended);
	GOOD("-a --csv");
	assert_true(o.view.csv && !o.view.json);
	GOOD("--csv");
	assert_int_equal(o.mode, RUN_STREAM);
	GOOD("-a --netns all");
	assert_int_equal(o.selection.netns.count, 0);
	GOOD("-a --netns net:[4026531840],4026531841");
	assert_int_equal(o.selection.netns.count, 2);
	assert_int_equal(o.selection.netns.values[1], 4026531841);
	GOOD("--netns /proc/self/ns/net");
	assert_int_equal(o.selection.netns.count, 1);
	BAD("-o", "-o belongs to the lists");
	BAD("-x --top", "-x belongs to the lists");
	BAD("-wt", "-w belongs to the lists");
	GOOD("--top --csv");
	assert_true(o.view.csv && o.view.batch);
	BAD("-a --csv --json", "--json and --csv exclude each other");
	BAD("-a --netns /proc/self/ns/pid", "'/proc/self/ns/pid' is no network namespace");
	BAD("-a --netns 4194304", "there is no such network namespace");
	BAD("-a --netns no-such-name", "there is no such network namespace");
	BAD("-a --netns ''", "there is no such network namespace");
	BAD("-tp42x", "pid '42x'");
	BAD("-p 4294967296", "pid '4294967296'");
	BAD("-p 1,,2", "empty word");
	BAD("-p 0", "pid '0'");
}

static void selections(void **state)
{
	(void)state;
	GOOD("-4 -P 80,443 --lport 1 --rport=65535 --uid root,65534 --comm curl --comm python*");
	assert_true(o.selection.ipv4 && !o.selection.ipv6);
	assert_int_equal(o.selection.ports.count, 2);
	assert_int_equal(o.selection.ports.values[1], 443);
	assert_int_equal(o.selection.lports.values[0], 1);
	assert_int_equal(o.selection.rports.values[0], 65535);
	assert_int_equal(o.selection.uids.values[0], 0);
	assert_int_equal(o.selection.uids.values[1], 65534);
	assert_int_equal(o.selection.comm_count, 2);
	assert_string_equal(o.selection.comms[1], "python*");
	GOOD("--comm systemd-resolved");
	assert_string_equal(o.selection.comms[0], "systemd-resolve");
	BAD("-P 65536", "port '65536'");
	BAD("-P 0", "from 1 to 65535");
	BAD("--lport http", "port 'http'");
	BAD("--uid no-such-user-here", "unknown user 'no-such-user-here'");
	BAD("--uid -1", "unknown user");
}

static void too_many_values(void **state)
{
	char line[512] = "-P 1";

	(void)state;
	for (int i = 0; i < SELECTION_MAX - 1; i++)
		strcat(line, ",1");
	GOOD(line);
	strcat(line, ",1");
	BAD(line, "at most 64");
}

static void states(void **state)
{
	const uint32_t connected = 0xffe & ~(1u << STATE_LISTEN | 1u << STATE_CLOSE);

	(void)state;
	GOOD("--state ESTAB,syn-recv,TIME_WAIT");
	assert_int_equal(o.selection.states,
			 1u << STATE_ESTABLISHED | 1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT);
	GOOD("--state all");
	assert_int_equal(o.selection.states, 0xffe);
	GOOD("--state connected");
	assert_int_equal(o.selection.states, connected);
	GOOD("--state synchronized");
	assert_int_equal(o.selection.states, connected & ~(1u << STATE_SYN_SENT));
	GOOD("--state bucket");
	assert_int_equal(o.selection.states, 1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT);
	GOOD("--state big");
	assert_int_equal(o.selection.states,
			 0xffe & ~(1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT));
	BAD("--state ESTABLISHD", "did you mean 'ESTABLISHED'? States: ");
	BAD("--state bigg", "did you mean 'big'?");
	BAD("--state ?", "unknown state '?'");
	BAD("--state ESTAB,", "empty word");
}

static void stream(void **state)
{
	const uint32_t always = 1u << EVENT_START | 1u << EVENT_LOST | 1u << EVENT_SUMMARY;

	(void)state;
	GOOD("--events connect,Close");
	assert_int_equal(o.view.events, always | 1u << EVENT_CONNECT | 1u << EVENT_CLOSE);
	/* UDP only for who asks; the tables show both. */
	GOOD("");
	assert_true(o.selection.tcp && !o.selection.udp);
	GOOD("-u");
	assert_true(!o.selection.tcp && o.selection.udp);
	GOOD("-tu");
	assert_true(o.selection.tcp && o.selection.udp);
	GOOD("--top");
	assert_true(!o.selection.tcp && !o.selection.udp);
	GOOD("--top -u");
	assert_true(!o.selection.tcp && o.selection.udp);
	GOOD("--states");
	assert_true(o.states && o.view.events >> EVENT_STATE & 1 &&
		    o.view.events >> EVENT_CLOSE & 1);
	GOOD("--events state");
	assert_true(o.states);
	GOOD("--for 90s -c 5 -T utc -H --strict -v --buffer 3M --max-connections 10 --replay -");
	assert_true(o.for_ns == 90000000000ULL);
	assert_int_equal(o.event_count, 5);
	assert_int_equal(o.view.time_format, TIME_FORMAT_UTC);
	assert_true(o.view.no_header && o.strict && o.verbose);
	assert_int_equal(o.buffer_bytes, 4 << 20);
	assert_int_equal(o.max_connections, 10);
	assert_string_equal(o.replay_path, "-");
	BAD("--events conect", "unknown event 'conect'; did you mean 'connect'? Events: ");
	BAD("--events socket", "row of a table");
	GOOD("--events reset,drop");
	assert_true(o.view.events & 1u << EVENT_RESET);
	assert_true(o.view.events & 1u << EVENT_DROP);
	BAD("-T utcc", "did you mean 'utc'?");
	BAD("-c 0", "--count '0'");
	BAD("-c ten", "--count 'ten'");
	BAD("--for 0", "too short");
	BAD("--for soon", "not a duration");
	BAD("--buffer 1K", "out of range");
	BAD("--buffer 8MB", "not a size");
	BAD("--max-connections 0", "from 1 to");
}

static void assert_filter(const char *printed)
{
	struct text t = { 0 };

	assert_non_null(o.filter);
	assert_ptr_equal(o.view.filter, o.filter);
	filter_print(o.filter, &t);
	text_char(&t, '\0');
	assert_string_equal(t.data, printed);
	text_done(&t);
}

static void filters(void **state)
{
	char *words[] = {
		"nettrace", "comm", "=", "my program", "and", "( pid 1 or pid 2 )", "-j"
	};
	char *home[] = { "nettrace", "comm", "/home/x", "py*", "cgroup",
			 "/home/x",  "and",  "pid",	"1" };

	(void)state;
	GOOD("dport = 443 and pid 1");
	assert_filter("dport = 443 and pid = 1");
	GOOD("--json dport = 443 -4 and sport = 22");
	assert_filter("dport = 443 and sport = 22");
	assert_true(o.view.json && o.selection.ipv4);
	GOOD("--top 5 3 dport = 443");
	assert_filter("dport = 443");
	assert_true(o.view.interval_ns == 5000000000 && o.view.count == 3);
	GOOD("--top dport = 443");
	assert_filter("dport = 443");
	assert_true(o.view.interval_ns == 1000000000);
	GOOD("-tan state established dst 10.0.0.0/8");
	assert_filter("state = ESTABLISHED and dst = 10.0.0.0/8");
	GOOD("-a 2 not pid 1");
	assert_filter("not pid = 1");
	GOOD("--explain pid 1");
	assert_int_equal(o.mode, RUN_EXPLAIN);
	GOOD("--top");
	assert_null(o.filter);
	GOOD("proto = udp and port 53");
	assert_true(o.selection.tcp && o.selection.udp);
	GOOD("not proto = udp");
	assert_true(o.selection.tcp && !o.selection.udp);
	GOOD("-t proto = udp or proto = tcp");
	assert_true(o.selection.tcp && !o.selection.udp);
	BAD("--explain", "--explain needs a FILTER");
	GOOD("--cgroup /sys/fs/cgroup/system.slice --container 0123456789ab");
	assert_string_equal(o.selection.cgroup, "/system.slice");
	assert_string_equal(o.selection.container, "0123456789ab");
	GOOD("--cgroup /sys/fs/cgroup/unified/a/b");
	assert_string_equal(o.selection.cgroup, "/a/b");
	GOOD("--cgroup /sys/fs/cgroup");
	assert_string_equal(o.selection.cgroup, "/");
	BAD("--cgroup system.slice", "is no path from the root");
	BAD("--container=", "--container '' is empty");
	GOOD("-p 4,5 --follow");
	assert_true(o.followed && o.selection.followed == o.followed);
	assert_true(pid_set_has(o.followed, 5) && !pid_set_has(o.followed, 6));
	BAD("--follow", "--follow needs -p PID");
	BAD("--follow -p 1 --replay f", "--follow belongs to the live kernel");
	BAD_FILTER("dprt = 443", "filter: column 1: ");
	BAD_FILTER("pid = 1 dport = x",
		   "filter: column 17: expected a port after 'dport =', found 'x'");
	BAD_FILTER("-a 1s pid 1 2", "filter: column 7: ");
	BAD_FILTER("--top 5 pid x", "filter: column 5: ");

	/* What the shell took away. */
	options_done(&o);
	assert_int_equal(options_parse(7, words, &o), 0);
	assert_filter("comm = \"my program\" and (pid = 1 or pid = 2)");
	options_done(&o);
	setenv("HOME", "/home/x", 1);
	assert_int_equal(options_parse(9, home, &o), 0);
	assert_filter("comm ~ py* and cgroup = /home/x and pid = 1");
	options_done(&o);
}

static void wrong_words(void **state)
{
	(void)state;
	BAD("--jsn", "unknown option '--jsn'; did you mean '--json'?");
	BAD("--sttrict=5", "did you mean '--strict'?");
	BAD("--zzzzzz", "unknown option '--zzzzzz'");
	BAD("-Z", "unknown option '-Z'");
	BAD("-tZ", "unknown option '-Z'");
	BAD("--json=1", "takes no argument");
	BAD("--stat", "ambiguous");
	BAD("--lport", "needs an argument");
	BAD("-tP", "needs an argument");
	BAD("-r", "not supported yet");
	BAD("-su", "not supported yet");
	BAD("-i", "not supported yet");
	BAD("-a 2 3 4", "too many numbers");
	BAD("--top 10ms", "too short");
	BAD("--top 1 0", "count '0'");
	BAD_FILTER("-- --top", "filter: column 1: expected a field");
	BAD("--by remote", "--by belongs to --top");
	BAD("-a --sort tx", "--sort belongs to --top");
	BAD("-a -c 3", "INTERVAL COUNT");
	BAD("--top --events close", "--events belongs to the stream");
	BAD("--rows 5", "--rows belongs to --top");
	BAD("-a --for 5", "--for belongs to");
	BAD("--top --by procces", "did you mean 'process'?");
	BAD("--top --sort rats", "did you mean 'rate'?");
	BAD("--color maybe", "Modes: auto, always, never");
	GOOD("--stric");
	assert_true(o.strict);
}

static void hostile_words(void **state)
{
	(void)state;
	BAD("--\033[2J", "\\x1b[2J");
	BAD("--events \033]0;x\007", "\\x1b]0;x\\x07");
	BAD_FILTER("a\nb", "expected a field");
	BAD_FILTER("pid = \001", "\\x01");
	BAD_FILTER("%s%n%s", "%s%n%s");
}

static void colour(void **state)
{
	(void)state;
	GOOD("--color always");
	assert_true(o.view.color);
	setenv("NO_COLOR", "1", 1);
	GOOD("--color always");
	assert_true(o.view.color);
	GOOD("");
	assert_false(o.view.color);
	unsetenv("NO_COLOR");
	GOOD("--color never");
	assert_false(o.view.color);
	GOOD("--color always -j");
	assert_false(o.view.color);
}

static void help_fits(void **state)
{
	char *text = NULL, *line;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	assert_int_equal(options_help(out), 0);
	fclose(out);
	assert_non_null(strstr(text, "--max-connections"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_in_range(strlen(line), 1, 79);
		assert_int_not_equal(line[strlen(line) - 1], ' ');
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	   cmocka_unit_test(modes),
		cmocka_unit_test(finger_habits),   cmocka_unit_test(selections),
		cmocka_unit_test(states),	   cmocka_unit_test(stream),
		cmocka_unit_test(too_many_values), cmocka_unit_test(wrong_words),
		cmocka_unit_test(hostile_words),   cmocka_unit_test(colour),
		cmocka_unit_test(help_fits),	   cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
