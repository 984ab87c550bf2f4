/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workload --truth FILE SHAPE...|all [--repeat N]
 * workload --list
 * workload datagrams --truth FILE SHAPE...|all
 * workload churn [--connections N] [--processes PAIRS] [--truth FILE] [--netns]
 */
#include "datagram.h"
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct shape *const tables[] = { owner_shapes, handed_shapes, ending_shapes,
					      network_shapes };

static void usage(FILE *to)
{
	fputs("usage: workload --truth FILE [--repeat N] SHAPE...|all\n"
	      "       workload --list\n"
	      "       workload datagrams --truth FILE SHAPE...|all\n"
	      "       workload churn [--connections N] [--processes PAIRS] [--truth FILE] [--netns]\n",
	      to);
}

static void list_shapes(void)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct shape *s = tables[t]; s->name; s++)
			printf("%-20s %s\n", s->name, s->shows);
}

static bool is_wanted(const char *name, char **wanted)
{
	for (; *wanted; wanted++)
		if (!strcmp(*wanted, "all") || !strcmp(*wanted, name))
			return true;
	return false;
}

static bool is_known(const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct shape *s = tables[t]; s->name; s++)
			if (!strcmp(s->name, name))
				return true;
	return !strcmp(name, "all");
}

/* In a process of its own, whose death takes all others of the shape with it. */
static void shape_run(const struct shape *s, int truth)
{
	unsigned int first = truth_count();
	pid_t pid;

	truth_shape(s->name);
	pid = process_fork("wl-shape");
	if (!pid) {
		s->run();
		_exit(0);
	}
	process_wait(pid, false);
	truth_print(truth, first);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "truth", required_argument, NULL, 't' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *path = NULL;
	int option, repeat = 1, truth;

	if (argc > 1 && !strcmp(argv[1], "churn"))
		return churn_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "datagrams"))
		return datagram_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], EXEC_WORD))
		return exec_main(argc - 2, argv + 2);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't':
			path = optarg;
			break;
		case 'r':
			repeat = atoi(optarg);
			break;
		case 'l':
			list_shapes();
			return 0;
		default:
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	if (!path || optind == argc || repeat < 1 || repeat > 100) {
		usage(stderr);
		return 2;
	}
	errno = 0;
	for (int i = optind; i < argc; i++)
		if (!is_known(argv[i]))
			die("no such shape: %s", argv[i]);
	truth = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (truth < 0)
		die("%s", path);
	truth_open(-1);
	while (repeat--)
		for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
			for (const struct shape *s = tables[t]; s->name; s++)
				if (is_wanted(s->name, argv + optind))
					shape_run(s, truth);
	return 0;
}
