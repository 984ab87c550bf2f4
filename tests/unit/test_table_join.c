/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/table_join.h"

#include "source/table_event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct table_names names = { .time_ns = 100, .mono_ns = 50, .hz = 250 };

static int setup(void **state)
{
	*state = table_join_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	table_join_free(*state);
	return 0;
}

/* Exactly as long as allocated, so that a sanitizer sees an overread. */
static void put(struct rows *rows, const void *record, size_t size)
{
	rows->data = realloc(rows->data, rows->bytes + size);
	assert_non_null(rows->data);
	memcpy((char *)rows->data + rows->bytes, record, size);
	rows->bytes += size;
	rows->capacity = rows->bytes;
}

static void put_process(struct rows *rows, uint32_t pid, uint64_t start_ns)
{
	struct table_process p = { .record = TABLE_PROCESS, .pid = pid, .start_ns = start_ns };

	snprintf(p.comm, sizeof(p.comm), "p%u", pid);
	put(rows, &p, sizeof(p));
}

static struct table_socket make_socket(uint64_t cookie, int fd, uint8_t state)
{
	return (struct table_socket){ .record = TABLE_SOCKET,
				      .kind = TABLE_TCP,
				      .family = AF_INET,
				      .state = state,
				      .fd = fd,
				      .netns = 1,
				      .cookie = cookie,
				      .inode = cookie + 1000 };
}

static void put_socket(struct rows *rows, uint64_t cookie, int fd, uint8_t state)
{
	struct table_socket s = make_socket(cookie, fd, state);

	put(rows, &s, sizeof(s));
}

static void put_detail(struct rows *rows, uint32_t mss)
{
	struct table_detail d = { .record = TABLE_DETAIL, .mss = mss, .congestion = "reno" };

	put(rows, &d, sizeof(d));
}

/* What a visitor met, in words. */
struct seen {
	char text[2000];
	int stop_after, result;
};

static int see(void *context, struct event *e, uint32_t number)
{
	struct seen *s = context;
	size_t n = strlen(s->text);

	(void)number;
	n += (size_t)snprintf(s->text + n, sizeof(s->text) - n,
			      "%llu:", (unsigned long long)e->cookie);
	for (uint32_t i = 0; i < e->holder_count; i++)
		n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, "%s%u/%d", i ? "," : "",
				      e->holders[i].pid, e->holders[i].fd);
	if (event_has(e, FIELD_MSS))
		n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, " mss %u", e->mss);
	snprintf(s->text + n, sizeof(s->text) - n, ";");
	assert_int_equal(event_has(e, FIELD_PID) ? e->pid : 0,
			 e->holder_count ? e->holders[0].pid : 0);
	return s->stop_after && !--s->stop_after ? s->result : 0;
}

static bool in_namespace_9(void *context, uint32_t netns)
{
	(void)context;
	return netns == 9;
}

static void assert_told(struct table_join *j, bool listeners, const char *expected)
{
	struct seen s = { 0 };

	assert_int_equal(table_join_tell(j, listeners, &names, in_namespace_9, see, &s), 0);
	assert_string_equal(s.text, expected);
}

static void owners_first(void **state)
{
	struct rows rows = { 0 };

	/* A listener is the oldest process's, a connection, which is handed on, the youngest's. */
	put_process(&rows, 30, 300);
	put_socket(&rows, 1, 8, STATE_LISTEN);
	put_socket(&rows, 1, 3, STATE_LISTEN);
	put_socket(&rows, 2, 4, STATE_ESTABLISHED);
	put_process(&rows, 10, 100);
	put_socket(&rows, 1, 5, STATE_LISTEN);
	put_socket(&rows, 2, 6, STATE_ESTABLISHED);
	put_process(&rows, 20, 200);
	put_socket(&rows, 2, 7, STATE_ESTABLISHED);
	put_socket(&rows, 3, 0, STATE_CLOSE);
	assert_int_equal(table_join_add(*state, &rows), 0);
	assert_null(rows.data);
	assert_told(*state, true, "1:10/5,30/3,30/8;");
	assert_told(*state, false, "2:30/4,10/6,20/7;3:20/0;");
	assert_true(table_join_has(*state, 1) && table_join_has(*state, 3));
	assert_false(table_join_has(*state, 4) || table_join_has(*state, 0));
}

static void no_rows(void **state)
{
	struct rows rows = { 0 };
	struct event e;
	uint64_t cookie = 5;
	size_t count = 7;

	assert_int_equal(table_join_add(*state, &rows), 0);
	assert_told(*state, true, "");
	assert_told(*state, false, "");
	assert_false(table_join_has_inode(*state, 1, &cookie));
	assert_int_equal(cookie, 5);
	assert_int_equal(table_join_missing(*state), 0);
	table_join_missing_inodes(*state, &count);
	assert_int_equal(count, 0);
	event_init(&e, EVENT_SOCKET, 1, 2);
	assert_int_equal(table_join_holders(*state, 1, &names, &e), 0);
	assert_false(event_has(&e, FIELD_HOLDERS) || event_has(&e, FIELD_PID));
	table_join_free(NULL);
}

static void broken_rows(void **state)
{
	struct rows whole = { 0 };
	const uint64_t no_cookie = 0;

	(void)state;
	put_process(&whole, 1, 1);
	put_socket(&whole, 1, 3, STATE_ESTABLISHED);
	put_detail(&whole, 1448);
	put_socket(&whole, 2, 4, STATE_ESTABLISHED);
	for (size_t bytes = 0; bytes <= whole.bytes; bytes++) {
		const size_t ends[] = { 0, sizeof(struct table_process),
					sizeof(struct table_process) + sizeof(struct table_socket),
					whole.bytes - sizeof(struct table_socket), whole.bytes };
		struct table_join *j = table_join_new();
		struct rows cut = { 0 };
		bool good = false;

		assert_non_null(j);
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			good |= bytes == ends[i];
		if (bytes)
			put(&cut, whole.data, bytes);
		assert_int_equal(table_join_add(j, &cut), good ? 0 : -EBADMSG);
		if (bytes)
			assert_int_equal(table_join_add_missing(j, whole.data, bytes),
					 good ? 0 : -EBADMSG);
		rows_done(&cut);
		table_join_free(j);
	}
	for (int i = 0; i < 3; i++) {
		struct table_join *j = table_join_new();
		struct rows bad = { 0 };

		assert_non_null(j);
		if (i)
			put_process(&bad, 1, 1);
		put_socket(&bad, 1, 3, STATE_ESTABLISHED); /* 0: of no process */
		if (i == 1)
			memcpy((char *)bad.data + sizeof(struct table_process) +
				       offsetof(struct table_socket, cookie),
			       &no_cookie, sizeof(no_cookie));
		if (i == 2)
			*((char *)bad.data + sizeof(struct table_process)) = 77;
		assert_int_equal(table_join_add(j, &bad), -EBADMSG);
		rows_done(&bad);
		table_join_free(j);
	}
	rows_done(&whole);
}

static void details(void **state)
{
	struct rows rows = { 0 };

	put_process(&rows, 1, 1);
	put_socket(&rows, 1, 3, STATE_ESTABLISHED);
	put_detail(&rows, 1448);
	put_socket(&rows, 2, 4, STATE_ESTABLISHED);
	put_process(&rows, 2, 2);
	put_socket(&rows, 1, 5, STATE_ESTABLISHED);
	put_detail(&rows, 1400); /* read last, it knows best */
	put_socket(&rows, 3, 6, STATE_ESTABLISHED);
	assert_int_equal(table_join_add(*state, &rows), 0);
	assert_told(*state, false, "1:2/5,1/3 mss 1400;2:1/4;3:2/6;");
}

static void stop_early(void **state)
{
	struct seen s = { .stop_after = 2, .result = -EINTR };
	struct rows rows = { 0 };

	put_process(&rows, 1, 1);
	for (uint64_t i = 1; i <= 5; i++)
		put_socket(&rows, i, (int)i, STATE_ESTABLISHED);
	assert_int_equal(table_join_add(*state, &rows), 0);
	assert_int_equal(table_join_tell(*state, false, &names, in_namespace_9, see, &s), -EINTR);
	assert_string_equal(s.text, "1:1/1;2:1/2;");
}

static void unix_elsewhere(void **state)
{
	struct table_socket s = make_socket(1, 3, STATE_ESTABLISHED);
	struct rows rows = { 0 };

	put_process(&rows, 1, 1);
	s.kind = TABLE_UNIX;
	put(&rows, &s, sizeof(s));
	s.cookie = 2;
	s.netns = 9; /* which nobody could look into */
	put(&rows, &s, sizeof(s));
	assert_int_equal(table_join_add(*state, &rows), 0);
	assert_told(*state, false, "2:1/3;");
}

static void second_pass(void **state)
{
	struct rows rows = { 0 }, second = { 0 };
	const uint64_t *inodes;
	size_t count;

	put_process(&rows, 1, 1);
	put_socket(&rows, 1, 3, STATE_ESTABLISHED);
	assert_int_equal(table_join_add(*state, &rows), 0);
	assert_int_equal(table_join_miss(*state, 1, 1001), 0); /* is known */
	assert_int_equal(table_join_missing(*state), 0);
	assert_int_equal(table_join_miss(*state, 2, 1002), 0);
	assert_int_equal(table_join_miss(*state, 2, 1002), 0); /* once is enough */
	assert_int_equal(table_join_miss(*state, 3, 1003), 0);
	assert_int_equal(table_join_missing(*state), 2);
	inodes = table_join_missing_inodes(*state, &count);
	assert_int_equal(count, 2);
	assert_true(inodes[0] == 1002 && inodes[1] == 1003);
	/* Takes only what was missed, of every holder. */
	put_process(&second, 8, 80);
	put_socket(&second, 1, 9, STATE_ESTABLISHED);
	put_socket(&second, 2, 7, STATE_ESTABLISHED);
	put_detail(&second, 1200);
	put_process(&second, 9, 90);
	put_socket(&second, 2, 6, STATE_ESTABLISHED);
	put_detail(&second, 1300);
	put_socket(&second, 0, 6, STATE_ESTABLISHED);
	assert_int_equal(table_join_add_missing(*state, second.data, second.bytes), 0);
	rows_done(&second);
	assert_int_equal(table_join_missing(*state), 1);
	assert_false(table_join_is_missing(*state, 2));
	assert_true(table_join_is_missing(*state, 3) && table_join_has(*state, 2));
	assert_told(*state, false, "1:1/3;2:9/6,8/7 mss 1300;");
	/* Told otherwise. */
	assert_false(table_join_has(*state, 4));
	assert_int_equal(table_join_told(*state, 4), 0);
	assert_true(table_join_has(*state, 4));
	assert_told(*state, false, "1:1/3;2:9/6,8/7 mss 1300;");
}

static void more_missing_than_are_told(void **state)
{
	const uint64_t *inodes;
	size_t count;

	for (uint64_t i = 1; i <= 5000; i++)
		assert_int_equal(table_join_miss(*state, i, i * 2), 0);
	assert_int_equal(table_join_missing(*state), 5000);
	inodes = table_join_missing_inodes(*state, &count);
	assert_int_equal(count, 5000);
	for (uint64_t i = 0; i < MISSING_INODES_MAX; i++)
		assert_true(inodes[i] == (i + 1) * 2);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_true(table_join_is_missing(*state, i));
	assert_false(table_join_is_missing(*state, 5001));
}

#define MANY 20000

static void many(void **state)
{
	struct rows rows = { .data = malloc(MANY * sizeof(struct table_socket) +
					    sizeof(struct table_process)) };
	struct table_process p = { .record = TABLE_PROCESS, .pid = 1 };
	uint64_t cookie;

	assert_non_null(rows.data);
	memcpy(rows.data, &p, sizeof(p));
	rows.bytes = sizeof(p);
	for (uint64_t i = 1; i <= MANY; i++) {
		/* Cookies that begin alike, as the kernel's are, given to CPUs in batches. */
		struct table_socket s = make_socket(i * 4096, 3, STATE_ESTABLISHED);

		s.inode = MANY - i;
		memcpy((char *)rows.data + rows.bytes, &s, sizeof(s));
		rows.bytes += sizeof(s);
	}
	assert_int_equal(table_join_add(*state, &rows), 0);
	for (uint64_t i = 1; i <= MANY; i++) {
		assert_true(table_join_has(*state, i * 4096));
		assert_false(table_join_has(*state, i * 4096 + 1));
		assert_true(table_join_has_inode(*state, MANY - i, &cookie));
		assert_true(cookie == i * 4096);
	}
	assert_false(table_join_has_inode(*state, MANY, &cookie));
}

static void see_network(void *context, uint32_t netns, uint32_t pid, int32_t fd)
{
	char *text = context;

	sprintf(text + strlen(text), "%u:%u/%d;", netns, pid, fd);
}

static void networks(void **state)
{
	struct table_socket s = make_socket(4, 6, STATE_ESTABLISHED);
	struct rows rows = { 0 };
	char text[200] = "";

	s.netns = 2;
	put_process(&rows, 1, 1);
	put_socket(&rows, 1, 3, STATE_ESTABLISHED);
	put_socket(&rows, 2, 4, STATE_ESTABLISHED);
	put(&rows, &s, sizeof(s));
	put_process(&rows, 2, 1);
	put(&rows, &s, sizeof(s));
	assert_int_equal(table_join_add(*state, &rows), 0);
	table_join_networks(*state, see_network, text);
	assert_string_equal(text, "1:1/3;2:1/6;2:2/6;");
}

static int see_known(void *context, uint64_t cookie, uint64_t inode)
{
	struct seen *s = context;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "known %llu/%llu;", (unsigned long long)cookie,
		 (unsigned long long)inode);
	return 0;
}

static int see_unheld(void *context, struct event *e, uint32_t place)
{
	struct seen *s = context;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "at %u ", place);
	return see(context, e, 0);
}

static void unheld(void **state)
{
	const struct table_known known = { .record = TABLE_KNOWN, .inode = 4, .cookie = 5 };
	struct seen s = { 0 }, only = { 0 }, stopped = { .stop_after = 1, .result = 17 };
	struct rows rows = { 0 };
	struct event e;

	(void)state;
	put(&rows, &known, sizeof(known));
	put_socket(&rows, 1, -1, STATE_TIME_WAIT);
	put_socket(&rows, 2, -1, STATE_ESTABLISHED);
	put_detail(&rows, 1000);
	assert_int_equal(table_rows_unheld(&rows, &names, see_known, see_unheld, &s), 0);
	assert_string_equal(s.text, "known 5/4;at 16 1:;at 144 2: mss 1000;");
	assert_int_equal(table_rows_unheld(&rows, &names, NULL, NULL, &only), 0);
	assert_int_equal(table_rows_unheld(&rows, &names, NULL, see_unheld, &stopped), 17);
	assert_string_equal(stopped.text, "at 16 1:;");
	table_rows_event(&rows, 144, &names, &e);
	assert_true(e.cookie == 2 && e.mss == 1000);
	rows.bytes--;
	assert_int_equal(table_rows_unheld(&rows, &names, see_known, see_unheld, &only), -EBADMSG);
	rows_done(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(owners_first, setup, teardown),
		cmocka_unit_test_setup_teardown(no_rows, setup, teardown),
		cmocka_unit_test(broken_rows),
		cmocka_unit_test_setup_teardown(details, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_early, setup, teardown),
		cmocka_unit_test_setup_teardown(unix_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(second_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(more_missing_than_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(networks, setup, teardown),
		cmocka_unit_test(unheld),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
