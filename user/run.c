// SPDX-License-Identifier: BSD-2-Clause
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "live.h"
#include "pipeline.h"
#include "replay_run.h"
#include "signals.h"
#include "table_run.h"

#define INIT_PID_NAMESPACE 0xEFFFFFFCU /* its inode, the same on every kernel (PROC_PID_INIT_INO) */

/* In a container with pids of its own, ps and nettrace would talk of different ones. */
static void warn_of_pid_namespace(void)
{
	struct stat own;

	if (!stat("/proc/self/ns/pid", &own) && own.st_ino != INIT_PID_NAMESPACE)
		report("in a pid namespace: pids shown and taken by -p are the host's, not those that ps shows here");
}

static struct view *view_new(const struct options *o, struct output *out,
			     const struct connection_table *t)
{
	switch (o->mode) {
	case RUN_TOP:
		return top_view_new(out, &o->view, t, &o->selection);
	case RUN_LIST:
		return list_view_new(out, &o->view, t, &o->selection);
	default:
		if (o->view.csv)
			return csv_view_new(out, &o->view);
		return o->view.json ? json_view_new(out, &o->view) : log_view_new(out, &o->view);
	}
}

/* 1234567 as "1 234 567". */
static const char *grouped(uint64_t value, char text[32])
{
	char *at = text + 31;
	int digits = 0;

	*at = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--at = ' ';
		*--at = (char)('0' + value % 10);
		value /= 10;
		digits++;
	} while (value);
	return at;
}

/* In text the summary is for people at the terminal, beside the data. */
static void print_summary(const struct pipeline_totals *t)
{
	char events[32], lost[32], healed[32], unattributed[32];

	fprintf(stderr, "%s events, %s lost, ", grouped(t->events, events), grouped(t->lost, lost));
	if (t->healed)
		fprintf(stderr, "%s healed, ", grouped(t->healed, healed));
	fprintf(stderr, "%s unattributed", grouped(t->unattributed, unattributed));
	/* Below the first one there is less to be seen: numbers that don't say so would mislead. */
	if (t->rung > 1)
		fprintf(stderr, ", on rung %u", t->rung);
	fputc('\n', stderr);
}

#define CLOSED_MAX 20000
#define CLOSED_AGE_NS 300000000000ULL

/* The screen shows them on a key, a list where they are asked for. */
static bool keeps_closed(const struct options *o)
{
	return o->mode == RUN_TOP ||
	       (o->mode == RUN_LIST &&
		(selection_wants_closed(&o->selection) || filter_wants_closed(o->filter)));
}

static int run_live(struct options *o, struct pipeline *p, struct output *out)
{
	struct filter_pushdown pushdown;
	int err = filter_pushdown_init(&pushdown, &o->selection, o->filter);

	if (err)
		return err;
	p->pushdown = &pushdown;
	err = live_run(o, p, out);
	p->pushdown = NULL;
	filter_pushdown_done(&pushdown);
	return err;
}

static bool lists_tcp(const struct selection *s)
{
	return s->tcp || !(s->udp || s->raw || s->unix_sockets);
}

static int run_mode(struct options *o, struct pipeline *p, struct output *out)
{
	if (o->replay_path)
		return replay_run(o, p, out);
	warn_of_pid_namespace();
	/* What has ended is not found by looking: somebody must have watched. Sockets of other kinds are UNCONN, not closed. */
	if (o->mode == RUN_LIST && keeps_closed(o) && !o->view.interval_ns &&
	    lists_tcp(&o->selection))
		report("closed connections are known only to who watched: give an INTERVAL ('--list 2 --state closed') or --replay");
	if (o->mode == RUN_LIST && (!keeps_closed(o) || !o->view.interval_ns))
		return table_run(o, p, out);
	return run_live(o, p, out);
}

static int exit_code_of(const struct options *o, const struct pipeline *p, const struct output *out,
			int err)
{
	/* Whoever read our output has enough: nothing to complain about. */
	if (err == -EPIPE || out->error == -EPIPE)
		return EXIT_DONE;
	if (err == -ENOTSUP)
		return EXIT_IMPOSSIBLE;
	if (out->error == -ETIMEDOUT)
		report("whoever reads the output takes nothing: the rest of it is dropped");
	else if (out->error)
		report("can't write the output: %s", strerror(-out->error));
	if (err || out->error)
		return EXIT_FAILED;
	return o->strict && (p->totals.lost || (p->recording && recording_missed(p->recording)))
		       ? EXIT_LOST
		       : EXIT_DONE;
}

/* What a recording says of the machine that it is made on. */
static void recording_options_complete(struct recording_options *r)
{
	AUTO_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	struct stat own;
	ssize_t n;

	n = fd < 0 ? 0 : read(fd, r->boot, sizeof(r->boot) - 1);
	r->boot[n > 0 ? n : 0] = '\0';
	r->boot[strcspn(r->boot, "\n")] = '\0';
	/* only to be unlike any other */
	if (getrandom(r->run, sizeof(r->run), 0) != sizeof(r->run))
		memset(r->run, 0, sizeof(r->run));
	if (!stat("/proc/self/ns/net", &own))
		r->own_netns = (uint32_t)own.st_ino;
}

static int record_and_run(struct options *o, struct pipeline *p, struct output *out)
{
	int err = 0;

	if (o->record.path) {
		recording_options_complete(&o->record);
		err = recording_new(&o->record, p->table, &o->selection, o->filter, &p->recording);
	}
	return err ? err : run_mode(o, p, out);
}

int run(struct options *o)
{
	struct output out;
	struct stat target;
	struct pipeline p = { .selection = &o->selection,
			      .filter = o->filter,
			      .filter_rows = o->mode == RUN_TOP,
			      .shown_events = o->view.events,
			      .event_limit = o->event_count };
	int err, code;

	output_init(&out, STDOUT_FILENO);
	if (fstat(STDOUT_FILENO, &target) || !S_ISREG(target.st_mode))
		out.stop = &signals_stop; /* a file on disk takes what it gets */
	p.table = connection_table_new(o->max_connections);
	if (p.table && keeps_closed(o))
		connection_table_keep_closed(p.table, CLOSED_MAX, CLOSED_AGE_NS);
	p.view = p.table ? view_new(o, &out, p.table) : NULL;
	if (!p.view) {
		report("out of memory");
		err = -ENOMEM;
	} else {
		err = record_and_run(o, &p, &out);
	}
	view_free(p.view);
	if (!err && o->mode == RUN_STREAM && !o->view.json && !o->view.csv && !out.error)
		print_summary(&p.totals);
	if (p.table && connection_table_refused(p.table))
		report("the table was full: %llu connections were counted, not kept; raise --max-connections",
		       (unsigned long long)connection_table_refused(p.table));
	code = exit_code_of(o, &p, &out, err);
	recording_free(p.recording);
	connection_table_free(p.table);
	output_done(&out);
	return code;
}
