/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/report.h"

#define BLOCK (256 * 1024) /* more than a pipe holds */

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

/*
 * Reads all there is and checks that nothing is missing, doubled or moved. Returns how much that
 * was.
 */
static void *read_pattern(void *fd)
{
	size_t total = 0;
	unsigned char block[10000];
	ssize_t got;

	while ((got = read(*(int *)fd, block, sizeof(block))) > 0)
		for (ssize_t i = 0; i < got; i++, total++)
			if (block[i] != pattern(total))
				return NULL;
	return (void *)total;
}

static void write_through_pipe(int flags, const volatile sig_atomic_t *stop)
{
	struct output o;
	int fds[2];
	pthread_t reader;
	void *total;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, flags), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_pattern, &fds[0]), 0);
	output_init(&o, fds[1]);
	o.stop = stop;
	for (size_t i = 0; i < 5 * BLOCK; i++) {
		text_char(&o.text, (char)pattern(i));
		if (i % 100 == 0)
			assert_int_equal(output_line(&o), 0);
	}
	assert_int_equal(output_flush(&o), 0);
	assert_int_equal(o.text.length, 0);
	close(fds[1]);
	pthread_join(reader, &total);
	assert_int_equal((size_t)total, 5 * BLOCK);
	close(fds[0]);
	output_done(&o);
}

static void all_arrives(void **state)
{
	static const volatile sig_atomic_t running = 0, stopping = 1;

	(void)state;
	write_through_pipe(0, NULL);
	write_through_pipe(O_NONBLOCK, NULL);
	write_through_pipe(0, &running);
	write_through_pipe(O_NONBLOCK, &running);
	write_through_pipe(0, &stopping); /* a reader that reads still gets it all */
}

/* Nobody reads for a while: what is put waits, in order, and nothing blocks before patience ends. */
static void slow_reader_is_not_waited_for(void **state)
{
	static const volatile sig_atomic_t stop;
	struct output o;
	int fds[2];
	pthread_t reader;
	void *total;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	output_init(&o, fds[1]);
	o.stop = &stop;
	o.patience = 8 * BLOCK;
	for (size_t i = 0; i < 5 * BLOCK; i++) {
		text_char(&o.text, (char)pattern(i));
		if (i % 100 == 0)
			assert_int_equal(output_line(&o), 0);
	}
	assert_int_equal(output_push(&o), 0);
	assert_true(output_waiting(&o) > 3 * BLOCK);
	assert_int_equal(pthread_create(&reader, NULL, read_pattern, &fds[0]), 0);
	assert_int_equal(output_flush(&o), 0);
	close(fds[1]);
	assert_int_equal(pthread_join(reader, &total), 0);
	assert_int_equal((size_t)total, 5 * BLOCK);
	close(fds[0]);
	output_done(&o);
}

static void closed_pipe(void **state)
{
	struct output o;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	output_init(&o, fds[1]);
	text_puts(&o.text, "nobody reads this\n");
	assert_int_equal(output_line(&o), 0); /* nothing written yet */
	assert_int_equal(output_flush(&o), -EPIPE);
	assert_int_equal(output_line(&o), -EPIPE);
	assert_int_equal(output_flush(&o), -EPIPE);
	close(fds[1]);
	output_done(&o);
}

static void full_disk(void **state)
{
	struct output o;
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	if (fd < 0)
		skip();
	output_init(&o, fd);
	text_puts(&o.text, "line\n");
	assert_int_equal(output_flush(&o), -ENOSPC);
	for (int i = 0; i < 100000; i++) { /* what comes later is dropped, not gathered */
		text_puts(&o.text, "another line\n");
		assert_int_equal(output_line(&o), -ENOSPC);
	}
	assert_true(o.text.capacity <= 256 * 1024);
	close(fd);
	output_done(&o);
}

static void no_memory(void **state)
{
	struct output o;
	int fd = open("/dev/null", O_WRONLY);

	(void)state;
	output_init(&o, fd);
	text_puts(&o.text, "half a ");
	assert_false(text_reserve(&o.text, SIZE_MAX / 2));
	assert_int_equal(output_flush(&o), -ENOMEM);
	close(fd);
	output_done(&o);
}

/* Nobody reads, the pipe is full, and then Ctrl-C: this must end. */
static void stalled_reader_is_given_up(void **state)
{
	static const volatile sig_atomic_t stopping = 1;
	struct output o;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	output_init(&o, fds[1]);
	o.stop = &stopping;
	assert_true(text_reserve(&o.text, BLOCK));
	memset(o.text.data, 'x', BLOCK);
	o.text.length = BLOCK;
	alarm(30); /* the test itself must end, too */
	assert_int_equal(output_flush(&o), -ETIMEDOUT);
	alarm(0);
	close(fds[0]);
	close(fds[1]);
	output_done(&o);
}

/* Standard error while `speak` runs. */
static size_t capture_report(void (*speak)(void), char *got, size_t size)
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	speak();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], got, size - 1);
	close(fds[0]);
	assert_true(n >= 0);
	got[n] = '\0';
	return (size_t)n;
}

static void say_hostile(void)
{
	report("cannot open %s: %s", "a\nnettrace: all is well\x1b[2J\xff", "No such file");
}

static void say_long(void)
{
	char name[5000];

	memset(name, '\x01', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	report("%s", name);
}

static void say_debug(void)
{
	report_debug("%d", 5);
}

static void reports_are_one_line(void **state)
{
	char got[8192];
	size_t n;

	(void)state;
	capture_report(say_hostile, got, sizeof(got));
	assert_string_equal(
		got,
		"nettrace: cannot open a\\x0anettrace: all is well\\x1b[2J\\xff: No such file\n");
	n = capture_report(say_long, got, sizeof(got));
	assert_true(n > 4000 && n < 4200);
	assert_ptr_equal(strchr(got, '\n'), got + n - 1);
	report_verbose = 0;
	assert_int_equal(capture_report(say_debug, got, sizeof(got)), 0);
	report_verbose = 1;
	capture_report(say_debug, got, sizeof(got));
	assert_string_equal(got, "nettrace: 5\n");
	report_verbose = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrives),
		cmocka_unit_test(slow_reader_is_not_waited_for),
		cmocka_unit_test(closed_pipe),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(stalled_reader_is_given_up),
		cmocka_unit_test(reports_are_one_line),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
