// SPDX-License-Identifier: BSD-2-Clause
#include "table_run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/report.h"
#include "signals.h"
#include "source/clock.h"
#include "source/kernel.h"
#include "source/polling.h"
#include "source/sock_diag.h"

struct table_run {
	struct pipeline *pipeline;
	struct kernel_source *kernel; /* NULL: /proc and sock_diag */
};

static int add_row(void *context, struct event *e)
{
	struct table_run *t = context;
	struct connection_change change;

	connection_table_apply(t->pipeline->table, e, &change);
	return 0;
}

/* What no process holds: TIME_WAIT, SYN_RECV, orphans, the accept queue. The pass over files knew the rest better. */
static int add_missing_row(void *context, struct event *e)
{
	struct table_run *t = context;

	return connection_table_find(t->pipeline->table, e->cookie, e->start_ns)
		       ? 0
		       : add_row(context, e);
}

static int ignore_event(void *context, struct event *e)
{
	(void)context;
	(void)e;
	return 0;
}

static int fill(struct table_run *t)
{
	uint64_t began = clock_mono_ns();
	long gone;
	int err;

	if (!t->kernel) {
		err = polling_snapshot(add_row, t);
	} else {
		err = kernel_source_inventory(t->kernel, false, add_row, t);
		if (!err)
			err = sock_diag_dump(add_missing_row, t);
	}
	if (err)
		return err;
	gone = connection_table_expire(t->pipeline->table, began, began, began, ignore_event, NULL);
	return gone < 0 ? (int)gone : 0;
}

/* Until the next table is due, or a signal comes. */
static void wait_until(uint64_t until_ns)
{
	struct pollfd wake = { .fd = signals_fd(), .events = POLLIN };
	uint64_t now = clock_mono_ns();
	uint64_t pause = until_ns > now ? until_ns - now : 0;
	struct timespec t = { (time_t)(pause / 1000000000ULL), (long)(pause % 1000000000ULL) };

	if (ppoll(&wake, 1, &t, NULL) > 0)
		signals_clear();
}

static int repeat(struct table_run *t, const struct options *o, struct output *out)
{
	struct view *v = t->pipeline->view;
	uint64_t end = o->for_ns ? clock_mono_ns() + o->for_ns : UINT64_MAX;
	uint64_t next = clock_mono_ns(), now;
	int err;

	do {
		err = fill(t);
		now = clock_mono_ns();
		if (!err)
			err = v->ops->tick(v, now + (uint64_t)clock_wall_offset_ns(), now);
		if (err < 0)
			return err;
		if (err > 0)
			break;
		err = output_flush(out);
		next += o->view.interval_ns;
		if (next < now)
			next = now;
		if (!err && next < end)
			wait_until(next);
	} while (!err && next < end && !signals_stop);
	return err < 0 ? err : output_flush(out);
}

static int once(struct table_run *t, struct output *out)
{
	struct view *v = t->pipeline->view;
	uint64_t now;
	int err = fill(t);

	if (err)
		return err;
	now = clock_mono_ns();
	err = v->ops->finish(v, now + (uint64_t)clock_wall_offset_ns(), now);
	return err ? err : output_flush(out);
}

int table_run(const struct options *o, struct pipeline *p, struct output *out)
{
	const struct kernel_options k = {
		.buffer_bytes = 4096, .table_only = true, .rung = o->rung, .btf_path = o->btf_path
	};
	struct table_run t = { .pipeline = p };
	struct kernel_error error;
	int err;

	err = kernel_source_open(&k, ignore_event, NULL, &t.kernel, &error);
	if (err)
		report("%s: reading /proc instead%s", error.what,
		       err == -EPERM || err == -EACCES ? "; as root it shows every process" : "");
	err = o->view.interval_ns ? repeat(&t, o, out) : once(&t, out);
	kernel_source_close(t.kernel);
	if (err && err != -EPIPE && !out->error)
		report("can't read the sockets: %s", strerror(-err));
	return err;
}
