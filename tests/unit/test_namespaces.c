/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/namespaces.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

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

/* No namespace: the kernel's numbers begin far above. */
#define NOT_THERE 12

static void own(void **state)
{
	const struct network here = { .inode = network_own(), .pid = 1, .fd = -1 };
	struct stat st;

	(void)state;
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(network_own(), st.st_ino);
	/* Nothing is to be done, so nobody's leave is needed. */
	assert_int_equal(network_enter(&here), 0);
	/* Whether others could be entered or not: it stays where it is. */
	assert_true(networks_may_enter() == 0 || networks_may_enter() == -EPERM);
	assert_int_equal(network_own(), st.st_ino);
}

static void found(void **state)
{
	struct networks n = { 0 };
	size_t count;

	(void)state;
	assert_int_equal(networks_find(&n), 0);
	assert_true(networks_has(&n, network_own()));
	assert_false(networks_has(&n, NOT_THERE) || networks_has(&n, 0) ||
		     networks_has(&n, UINT32_MAX));
	count = n.count;
	for (size_t i = 0; i < n.count; i++) {
		assert_non_null(n.list[i].path);
		assert_true(!i || n.list[i - 1].inode < n.list[i].inode);
		assert_true(networks_has(&n, n.list[i].inode));
	}
	/* Known already. */
	assert_int_equal(networks_add_holder(&n, network_own(), 1, 0), 0);
	assert_int_equal(n.count, count);
	networks_done(&n);
	assert_true(!n.list && !n.count && !n.capacity);
	networks_done(&n);
}

static void holders_in_order(void **state)
{
	static const uint32_t inodes[] = { 50, 10, UINT32_MAX, 30, 10, 50, 1 };
	static const uint32_t sorted[] = { 1, 10, 30, 50, UINT32_MAX };
	struct networks n = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(networks_add_holder(&n, inodes[i], 100 + i, (int)i), 0);
	assert_int_equal(n.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(n.list[i].inode, sorted[i]);
	/* Who was first stays. */
	assert_true(n.list[1].pid == 101 && n.list[1].fd == 1 && !n.list[1].path);
	networks_done(&n);
}

static void at_most(void **state)
{
	struct networks n = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= 65536 + 100; i++)
		assert_int_equal(networks_add_holder(&n, i, 1, 0), 0);
	assert_int_equal(n.count, 65536);
	assert_true(networks_has(&n, 65536));
	assert_false(networks_has(&n, 65537));
	assert_int_equal(networks_find(&n), 0);
	assert_int_equal(n.count, 65536);
	networks_done(&n);
}

static void stale(void **state)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), socket_fd, err;
	char missing[] = "/proc/self/ns/nothing", null[] = "/dev/null",
	     here[] = "/proc/thread-self/ns/net";
	struct network n = { .inode = NOT_THERE, .path = missing };
	uint32_t before = network_own();

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(network_enter(&n), -ESTALE);
	/* Another file, and another namespace, than it was. */
	n.path = null;
	assert_int_equal(network_enter(&n), -ESTALE);
	n.path = here;
	assert_int_equal(network_enter(&n), -ESTALE);
	n.path = NULL;
	n.pid = (uint32_t)getpid();
	n.fd = 1 << 20;
	assert_int_equal(network_enter(&n), -ESTALE);
	n.fd = file;
	assert_int_equal(network_enter(&n), -ESTALE);
	/* A socket, but one in another namespace; who has no CAP_NET_ADMIN may not even ask. */
	socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(socket_fd >= 0);
	n.fd = socket_fd;
	err = network_enter(&n);
	assert_true(err == -ESTALE || err == -EPERM);
	/* No process has such a pid. */
	n.pid = 4194304 + 1;
	assert_int_equal(network_enter(&n), -ESTALE);
	assert_int_equal(network_own(), before);
	close(socket_fd);
	close(file);
}

/* What networks_visit told of each, by index. */
struct visits {
	pthread_mutex_t lock;
	pthread_t caller;
	int calls[4], entered[4];
	bool by_caller[4];
};

static void visit(void *context, size_t index, int entered)
{
	struct visits *v = context;

	pthread_mutex_lock(&v->lock);
	v->calls[index]++;
	v->entered[index] = entered;
	v->by_caller[index] = pthread_equal(pthread_self(), v->caller);
	pthread_mutex_unlock(&v->lock);
}

static void visits(void **state)
{
	struct visits v = { .lock = PTHREAD_MUTEX_INITIALIZER, .caller = pthread_self() };
	uint32_t before = network_own();
	struct networks n = { 0 };
	size_t all[4] = { 0, 1, 2, 3 }, here = 0;

	(void)state;
	/* Three that are gone: their descriptors never were. */
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(networks_add_holder(&n, i, (uint32_t)getpid(), -1), 0);
	assert_int_equal(networks_add_holder(&n, before, 1, -1), 0);
	assert_int_equal(n.count, 4);
	networks_visit(&n, all, 4, visit, &v);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(v.calls[i], 1);
		here = n.list[i].inode == before ? i : here;
		assert_int_equal(v.entered[i], n.list[i].inode == before ? 0 : -ESTALE);
		assert_int_equal(v.by_caller[i], n.list[i].inode == before);
	}
	/* Only those that are asked for, and none. */
	memset(v.calls, 0, sizeof(v.calls));
	networks_visit(&n, &here, 1, visit, &v);
	networks_visit(&n, NULL, 0, visit, &v);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(v.calls[i], i == here);
	assert_int_equal(network_own(), before);
	networks_done(&n);
}

static void words(void **state)
{
	char text[64];
	uint32_t inode = 0;

	(void)state;
	assert_int_equal(network_from_word("net:[4026531840]", &inode), 0);
	assert_true(inode == 4026531840u);
	assert_int_equal(network_from_word("4026531841", &inode), 0);
	assert_true(inode == 4026531841u);
	assert_int_equal(network_from_word("/proc/self/ns/net", &inode), 0);
	assert_true(inode == network_own());
	snprintf(text, sizeof(text), "%d", getpid());
	inode = 0;
	assert_int_equal(network_from_word(text, &inode), 0);
	assert_true(inode == network_own());
}

static void wrong_words(void **state)
{
	static const struct {
		const char *word;
		int err;
	} wrong[] = {
		{ "", -ENOENT },
		{ ".", -ENOENT },
		{ "..", -ENOENT },
		{ "no-such-network-of-nettrace", -ENOENT },
		{ "0", -ENOENT },
		{ "net:[]", -ENOENT },
		{ "net:[0]", -EINVAL },
		{ "net:[x]", -EINVAL },
		{ "net:[-1]", -EINVAL },
		{ "net:[4294967296]", -EINVAL },
		{ "net:[99999999999999999999999999999999]", -EINVAL },
		{ "4294967296", -EINVAL },
		{ "/dev/null", -EINVAL },
		{ "/proc/self/ns/uts", -EINVAL },
		{ "/", -EINVAL },
		{ "/proc/self/ns/nothing", -ENOENT },
		{ "../no-such-directory/x", -ENOENT },
	};
	char longest[400];
	uint32_t inode = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int err = network_from_word(wrong[i].word, &inode);

		if (err != wrong[i].err)
			fail_msg("'%s' gives %d", wrong[i].word, err);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(network_from_word(longest, &inode), -ENOENT);
	/* More digits than any number has. */
	memset(longest, '9', sizeof(longest) - 1);
	assert_int_equal(network_from_word(longest, &inode), -ENOENT);
	assert_int_equal(inode, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own),
		cmocka_unit_test(found),
		cmocka_unit_test(holders_in_order),
		cmocka_unit_test(at_most),
		cmocka_unit_test(stale),
		cmocka_unit_test(visits),
		cmocka_unit_test(words),
		cmocka_unit_test(wrong_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
