/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of options and the text of --help made from it. */
#include "options.h"
#include "options_table.h"

#include <errno.h>
#include <string.h>

#define LEFT_WIDTH 25 /* of the column with the flags */
#define LINE_WIDTH 79

#define HEADING(text)                     \
	{                                 \
		NULL, 0, NULL, 0, text, 0 \
	}
#define OPTION(name, key, argument, text)       \
	{                                       \
		name, key, argument, 0, text, 0 \
	}

const struct argp_option option_table[] = {
	HEADING("What to show (the stream of events unless one of these is given):"),
	OPTION("top", OPTION_TOP, NULL,
	       "live ranking of who is busiest; refreshed each INTERVAL (1s), COUNT times"),
	OPTION("all", 'a', NULL,
	       "the table of all sockets with their processes, once or each INTERVAL"),
	OPTION("listening", 'l', NULL, "the same, listening sockets only"),
	OPTION("list", OPTION_LIST, NULL, "the same, connected sockets only"),
	OPTION("replay", OPTION_REPLAY, "FILE",
	       "any of these from what --record or --json wrote ('-': standard input); needs "
	       "no root; more FILEs may follow"),
	OPTION("explain", OPTION_EXPLAIN, NULL,
	       "say how FILTER was understood, and what of it the kernel decides"),
	OPTION("check", OPTION_CHECK, NULL,
	       "what this kernel and these privileges allow, and what brings the rest"),
	OPTION("schema", OPTION_SCHEMA, NULL, "print the JSON Schema of what --json writes"),

	HEADING("Which connections:"),
	OPTION("tcp", 't', NULL, "TCP"),
	OPTION("udp", 'u', NULL, "UDP; the stream shows it only with -u, beside TCP with -tu"),
	OPTION("raw", 'w', NULL, "raw sockets (lists only)"),
	OPTION("unix", 'x', NULL, "unix sockets (lists only)"),
	OPTION("ipv4", '4', NULL, "IPv4"),
	OPTION("ipv6", '6', NULL, "IPv6"),
	OPTION("pid", 'p', "PID[,...]",
	       "of these processes; -p without a number says 'show the process', which is "
	       "always done"),
	OPTION("follow", OPTION_FOLLOW, NULL,
	       "with -p: also of the processes that those fork, or have forked"),
	OPTION("comm", OPTION_COMM, "NAME",
	       "of processes of this name; * ? [] match parts; may be repeated"),
	OPTION("uid", OPTION_UID, "USER[,...]", "of these users, by name or number"),
	OPTION("cgroup", OPTION_CGROUP, "PATH",
	       "of processes in this cgroup or below it: /system.slice/nginx.service"),
	OPTION("container", OPTION_CONTAINER, "ID",
	       "of processes in this container, by id (12 digits are enough) or name"),
	OPTION("port", 'P', "N[,...]", "with this port on either side"),
	OPTION("lport", OPTION_LPORT, "N[,...]", "with this local port"),
	OPTION("rport", OPTION_RPORT, "N[,...]", "with this remote port"),
	OPTION("netns", OPTION_NETNS, "NETNS[,...]",
	       "in these network namespaces: of a pid, by name, path or inode; all, the default"),
	OPTION("state", OPTION_STATE, "NAME[,...]",
	       "in these states, as ss, netstat or the kernel spell them; also all, connected, "
	       "synchronized, bucket, big"),

	HEADING("Stream:"),
	OPTION("events", OPTION_EVENTS, "NAME[,...]",
	       "only these: listen, unlisten, connect, accept, fail, retransmit, reset, drop, "
	       "close, state"),
	OPTION("states", OPTION_STATES, NULL, "every state transition too"),
	OPTION("for", OPTION_FOR, "DURATION",
	       "stop after this time (also --top): 500ms, 30s, 5m, 1h"),
	OPTION("count", 'c', "N", "stop after N events"),
	OPTION("time", 'T', "FORMAT", "local, utc, relative or none"),

	HEADING("Tables:"),
	OPTION("by", OPTION_BY, "GROUP",
	       "--top: by process, connection, remote, listener or container"),
	OPTION("sort", OPTION_SORT, "KEY",
	       "--top: by rate, total, tx, rx, connections, opens, closes, fails, retrans, loss, "
	       "queue, drops, srtt, age, name and more: a wrong one lists them"),
	OPTION("rows", OPTION_ROWS, "N", "--top: at most N rows"),
	OPTION("batch", 'b', NULL, "--top: plain tables, one after the other, and no screen"),
	OPTION("chart", OPTION_CHART, NULL,
	       "--top: bars of the sort key, ten of them unless --rows"),
	OPTION("timers", 'o', NULL, "lists: the timer that runs"),
	OPTION("extended", 'e', NULL, "lists: user, inode, cookie, TCP detail as ss -i"),
	OPTION("numeric", 'n', NULL, "numbers, not names: as it is anyway"),

	HEADING("Output:"),
	OPTION("json", 'j', NULL, "one JSON object a line"),
	OPTION("csv", OPTION_CSV, NULL, "comma-separated values"),
	OPTION("no-header", 'H', NULL, "no headings"),
	OPTION("color", OPTION_COLOR, "WHEN", "auto, always or never; NO_COLOR is heeded"),

	HEADING("Recordings:"),
	OPTION("record", OPTION_RECORD, "FILE",
	       "write what happens into this new file, beside any view (x.jsonl.zst)"),
	OPTION("record-size", OPTION_RECORD_SIZE, "SIZE", "begin a new file when it has this size"),
	OPTION("record-files", OPTION_RECORD_FILES, "N", "keep so many of them (4)"),
	OPTION("force", OPTION_FORCE, NULL, "replace files that are there already"),
	OPTION("flight", OPTION_FLIGHT, "DURATION",
	       "keep only that long, in memory; written on SIGUSR1"),
	OPTION("flight-size", OPTION_FLIGHT_SIZE, "SIZE", "memory for it (64M)"),
	OPTION("trigger", OPTION_TRIGGER, "FILTER",
	       "--flight: write it, and the next minute, also when an event fits this"),
	OPTION("from", OPTION_FROM, "TIME",
	       "--replay: begin there: 2026-11-21T07:43:18Z, 07:43:18, 5m (after the beginning), "
	       "-30s (before the end)"),
	OPTION("to", OPTION_TO, "TIME", "--replay: end there"),
	OPTION("speed", OPTION_SPEED, "N",
	       "--replay: N times as fast as it was, or max; max unless --top has a terminal"),

	HEADING("Other:"),
	OPTION("strict", OPTION_STRICT, NULL, "exit code 4 if anything was lost"),
	OPTION("buffer", OPTION_BUFFER, "SIZE", "ring buffer between kernel and nettrace (8M)"),
	OPTION("max-connections", OPTION_MAX_CONNECTIONS, "N",
	       "connections kept in memory (1000000)"),
	OPTION("rung", OPTION_RUNG, "N",
	       "how to trace: 1 socket storage, 2 hash, 3 raw tracepoints, 4 polling; else the "
	       "best that this kernel has"),
	OPTION("btf", OPTION_BTF, "FILE", "types of this kernel, where it has no BTF of its own"),
	OPTION("verbose", 'v', NULL, "say on standard error what is done"),
	OPTION("version", 'V', NULL, "print the version"),
	OPTION("help", 'h', NULL, "print this"),
	HEADING(NULL)
};

static const char before[] =
	"Usage: nettrace [OPTION...] [FILTER]\n"
	"       nettrace --top [INTERVAL [COUNT]] [OPTION...] [FILTER]\n"
	"       nettrace -a|-l|--list [INTERVAL [COUNT]] [OPTION...] [FILTER]\n"
	"Which process opens, accepts, fails, retransmits and closes which connection,\n"
	"how much it moved, and who is busiest now.\n"
	"\n"
	"Examples:\n"
	"  nettrace                      every connection of this host, as it happens\n"
	"  nettrace -p 4242 -P 443       those of one process, port 443 on either side\n"
	"  nettrace --events fail        what could not connect, and why\n"
	"  nettrace -tu -P 443,53        TCP and UDP flows (QUIC, DNS) of these ports\n"
	"  nettrace dport = 443 and comm ~ 'python*' and outcome != clean\n"
	"  nettrace --top --by remote    the busiest peers\n"
	"  nettrace -tulpn               who listens, as with netstat and ss\n"
	"  nettrace --record f --for 1m  record one minute, and show it\n"
	"  nettrace --replay f --top     any view of it again, without root\n";

static const char after[] =
	"\n"
	"FILTER: sport dport port src dst host pid comm uid state proto dir event\n"
	"outcome tx rx rtt retrans duration latency netns container and more, with\n"
	"= != < <= > >= ~ !~, and, or, not, parentheses.\n"
	"DURATION and INTERVAL: 500ms, 2, 30s, 5m, 1h. SIZE: 64K, 8M, 1G.\n"
	"Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 not possible here\n"
	"(the message says what to do), 4 --strict and something was lost.\n"
	"All fields and examples: man nettrace\n";

/* `doc`, broken at blanks into lines that begin at LEFT_WIDTH. */
static void print_doc(FILE *out, int column, const char *doc)
{
	const int room = LINE_WIDTH - LEFT_WIDTH;

	if (column >= LEFT_WIDTH) {
		fputc('\n', out);
		column = 0;
	}
	while (*doc) {
		int length = (int)strlen(doc);

		if (length > room) {
			length = room;
			while (length > 1 && doc[length] != ' ')
				length--;
		}
		fprintf(out, "%*s%.*s\n", LEFT_WIDTH - column, "", length, doc);
		column = 0;
		doc += length + (doc[length] == ' ');
	}
}

int options_help(FILE *out)
{
	fputs(before, out);
	for (const struct argp_option *o = option_table; o->name || o->doc; o++) {
		int column;

		if (!o->name) {
			fprintf(out, "\n%s\n", o->doc);
			continue;
		}
		if (o->key < OPTION_TOP)
			column = fprintf(out, "  -%c, --%s", o->key, o->name);
		else
			column = fprintf(out, "      --%s", o->name);
		if (o->arg)
			column += fprintf(out, "=%s", o->arg);
		print_doc(out, column, o->doc);
	}
	fputs(after, out);
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
