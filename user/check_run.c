// SPDX-License-Identifier: BSD-2-Clause
#include "check_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/report.h"
#include "source/ladder.h"
#include "source/types_check.h"

#define LABEL_WIDTH 13
#define HOOK_WIDTH 31

static const char *const rung_words[] = {
	[RUNG_STORAGE] = "typed tracepoints, storage in the socket, iterators",
	[RUNG_HASH] = "typed tracepoints, a hash by the socket's address, iterators",
	[RUNG_RAW] = "raw tracepoints, a hash by the socket's address; no passes, no UDP",
	[RUNG_POLLING] = "polling: short connections can be missed",
};

/* The words after a label are somebody else's (a mount's path): escaped. */
static void put_line(struct text *t, const char *label, const char *words)
{
	size_t from = t->length;

	text_puts(t, label);
	text_pad(t, from, LABEL_WIDTH);
	text_escaped(t, words, strlen(words));
	text_char(t, '\n');
}

static void put_capabilities(struct text *t, const struct check *c)
{
	const char *label = "capabilities";
	char line[200];

	for (size_t i = 0; i < CHECK_CAPABILITIES; i++) {
		if (c->capabilities[i].here)
			continue;
		snprintf(line, sizeof(line), "%s is missing: %s", c->capabilities[i].name,
			 c->capabilities[i].what_for);
		put_line(t, label, line);
		label = "";
	}
	if (*label)
		put_line(t, label, "all that nettrace can use");
}

static void put_memlock(struct text *t, const struct check *c)
{
	char line[80];

	if (c->memlock_bytes == UINT64_MAX)
		snprintf(line, sizeof(line), "no limit");
	else
		snprintf(line, sizeof(line),
			 "%llu KB; raised where the kernel counts it (before 5.11)",
			 (unsigned long long)(c->memlock_bytes >> 10));
	put_line(t, "memlock", line);
}

static void put_rung(struct text *t, const struct check *c)
{
	char line[160];

	snprintf(line, sizeof(line), "%u: %s", c->rung, rung_words[c->rung]);
	put_line(t, "rung", line);
	for (unsigned int rung = RUNG_STORAGE; rung < c->rung && rung <= CHECK_RUNGS; rung++) {
		int error = c->rung_errors[rung - 1];

		snprintf(line, sizeof(line), "not %u: %s", rung,
			 !c->btf ? "the kernel has no BTF" : strerror(-error));
		put_line(t, "", line);
	}
}

static void put_hook(struct text *t, const struct check_hook *h)
{
	size_t from = t->length;

	text_puts(t, h->name);
	text_pad(t, from, HOOK_WIDTH);
	text_puts(t, h->error ? "no" : "yes\n");
	if (!h->error)
		return;
	text_printf(t, "   %s\n", h->reason);
	if (h->without)
		text_printf(t, "%*sthen: %s\n", HOOK_WIDTH + 5, "", h->without);
	text_printf(t, "%*sneeds: %s\n", HOOK_WIDTH + 5, "", h->remedy);
}

void check_to_text(const struct check *c, struct text *t)
{
	unsigned int missing = check_missing(c);
	char line[200];

	snprintf(line, sizeof(line), "%s %s", c->uts.release, c->uts.machine);
	put_line(t, "kernel", line);
	put_line(t, "types (BTF)", c->btf ? "yes" : "no");
	put_line(t, "lockdown", *c->lockdown ? c->lockdown : "not told");
	put_line(t, "cgroup v2", *c->cgroup2 ? c->cgroup2 : "not mounted");
	put_memlock(t, c);
	put_capabilities(t, c);
	put_rung(t, c);
	text_char(t, '\n');
	for (size_t i = 0; i < HOOKS_COUNT && c->hooks[i].name; i++)
		put_hook(t, &c->hooks[i]);
	text_char(t, '\n');
	if (c->rung == RUNG_POLLING)
		text_puts(
			t,
			"eBPF can't be used: nettrace polls, and short connections can be missed.\n");
	else if (missing)
		text_printf(t, "nettrace traces, with %u hook%s missing.\n", missing,
			    missing > 1 ? "s" : "");
	else
		text_puts(t, "Everything is there.\n");
}

static void put_string(struct text *t, const char *name, const char *value)
{
	text_printf(t, "\"%s\":", name);
	text_json_string(t, value, strlen(value));
	text_char(t, ',');
}

static void put_bool(struct text *t, const char *name, bool value)
{
	text_printf(t, "\"%s\":%s,", name, value ? "true" : "false");
}

/* In the place of the comma behind the last member. */
static void put_end(struct text *t, char c)
{
	if (t->length && t->data[t->length - 1] == ',')
		t->length--;
	text_char(t, c);
}

static void put_hooks_json(struct text *t, const struct check *c)
{
	text_puts(t, "\"hooks\":[");
	for (size_t i = 0; i < HOOKS_COUNT && c->hooks[i].name; i++) {
		const struct check_hook *h = &c->hooks[i];

		text_char(t, '{');
		put_string(t, "hook", h->name);
		put_bool(t, "works", !h->error);
		if (h->error) {
			put_string(t, "reason", h->reason);
			if (h->without)
				put_string(t, "lost", h->without);
			put_string(t, "needs", h->remedy);
		}
		put_end(t, '}');
		text_char(t, ',');
	}
	put_end(t, ']');
	text_char(t, ',');
}

void check_to_json(const struct check *c, struct text *t)
{
	text_char(t, '{');
	put_string(t, "version", NETTRACE_VERSION);
	put_string(t, "kernel", c->uts.release);
	put_string(t, "machine", c->uts.machine);
	put_bool(t, "btf", c->btf);
	if (*c->lockdown)
		put_string(t, "lockdown", c->lockdown);
	if (*c->cgroup2)
		put_string(t, "cgroup2", c->cgroup2);
	if (c->memlock_bytes != UINT64_MAX)
		text_printf(t, "\"memlock_bytes\":%llu,", (unsigned long long)c->memlock_bytes);
	text_puts(t, "\"capabilities\":{");
	for (size_t i = 0; i < CHECK_CAPABILITIES; i++)
		put_bool(t, c->capabilities[i].name, c->capabilities[i].here);
	put_end(t, '}');
	text_printf(t, ",\"rung\":%u,\"rungs\":[", c->rung);
	for (unsigned int rung = RUNG_STORAGE; rung <= CHECK_RUNGS; rung++)
		if (!c->rung_errors[rung - 1])
			text_printf(t, "%u,", rung);
	text_printf(t, "%u],", RUNG_POLLING);
	put_string(t, "accept", c->accept);
	put_bool(t, "reset_reasons", c->reset_reasons);
	put_bool(t, "udp", c->udp);
	put_bool(t, "udp_drops_by_flow", c->udp_drops_by_flow);
	put_hooks_json(t, c);
	put_end(t, '}');
	text_char(t, '\n');
}

/* Else it is reported. */
static bool is_of_this_kernel(const char *btf_path)
{
	struct kernel_error error = { 0 };

	kernel_error_report_libbpf();
	if (!types_from_file(btf_path, NULL, &error))
		return true;
	report("%s; %s", error.what, error.advice);
	return false;
}

int check_main(const struct options *o)
{
	static struct check c;
	struct text t = { 0 };
	int err;

	if (o->btf_path && !is_of_this_kernel(o->btf_path))
		return EXIT_IMPOSSIBLE;
	err = check_run(o->btf_path, &c);
	if (!err) {
		if (o->view.json)
			check_to_json(&c, &t);
		else
			check_to_text(&c, &t);
		err = t.failed ? -ENOMEM : 0;
	}
	if (!err && (fwrite(t.data, 1, t.length, stdout) != t.length || fflush(stdout)))
		err = errno ? -errno : -EIO;
	text_done(&t);
	if (err && err != -EPIPE) {
		report("the check failed: %s", strerror(-err));
		return EXIT_FAILED;
	}
	return c.rung == RUNG_POLLING ? EXIT_IMPOSSIBLE : EXIT_DONE;
}
