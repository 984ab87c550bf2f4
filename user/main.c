// SPDX-License-Identifier: BSD-2-Clause
/* What was asked for: a view (run.c), or something that needs none. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "check_run.h"
#include "explain.h"
#include "names.h"
#include "options.h"
#include "run.h"
#include "signals.h"
#include "view/schema.h"
#include "view/terminal.h"

/* A screen needs a terminal that can do more than print lines. */
static void settle_screen(struct options *o)
{
	const char *why;

	if (o->mode != RUN_TOP || o->view.batch || o->view.chart || !o->view.lines)
		return;
	if (terminal_can(getenv("TERM"), &why))
		return;
	report("no screen, plain tables: %s (set TERM to what your terminal is, or ask for them with -b)",
	       why);
	o->view.batch = true;
}

/* What only the running machine knows; options_parse leaves it open, so that tests can fix it. */
static void options_complete(struct options *o)
{
	struct winsize size;
	struct stat own;

	o->view.user_name = user_name;
	o->view.port_name = port_name;
	o->view.filter_names = &names_of_system;
	o->view.closed = selection_wants_closed(&o->selection) || filter_wants_closed(o->filter);
	o->view.recorded = o->replay_path;
	o->view.ascii = !terminal_is_utf8();
	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size)) {
		o->view.columns = size.ws_col;
		o->view.lines = size.ws_row;
	}
	settle_screen(o);
	/* a recording's namespaces are another machine's, or another day's */
	if (!o->replay_path && !stat("/proc/self/ns/net", &own))
		o->view.own_netns = (uint32_t)own.st_ino;
}

static int text_written(int err)
{
	if (!err && fflush(stdout))
		err = -errno;
	if (err && err != -EPIPE) {
		report("can't write the output: %s", strerror(-err));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int run_text(int (*write_text)(FILE *))
{
	return text_written(write_text(stdout));
}

static int version(FILE *out)
{
	return fprintf(out, "nettrace %s\n", NETTRACE_VERSION) < 0 ? -errno : 0;
}

static int run_what(struct options *o)
{
	switch (o->mode) {
	case RUN_HELP:
		return run_text(options_help);
	case RUN_VERSION:
		return run_text(version);
	case RUN_CHECK:
		return check_main(o);
	case RUN_SCHEMA:
		return run_text(schema_write);
	case RUN_EXPLAIN:
		return text_written(explain(o, stdout));
	default:
		return run(o);
	}
}

/* Started without standard descriptors, the files that we open must not take their numbers. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	static struct options o;
	int code;

	fill_standard_descriptors();
	setlocale(LC_CTYPE, "C.UTF-8"); /* widths of names; numbers and order stay as they are */
	if (signals_catch()) {
		report("can't catch signals: %s", strerror(errno));
		return EXIT_FAILED;
	}
	code = options_parse(argc, argv, &o);
	if (code)
		return code;
	report_verbose = o.verbose;
	options_complete(&o);
	code = run_what(&o);
	options_done(&o);
	return code;
}
