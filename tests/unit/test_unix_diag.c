/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/sock_diag.h"

#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>

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

/* An answer as the kernel makes them, attribute by attribute. */
struct answer {
	struct nlmsghdr *message;
};

static void begin(struct answer *a)
{
	struct unix_diag_msg *m;

	a->message = calloc(1, NLMSG_LENGTH(sizeof(*m)));
	assert_non_null(a->message);
	a->message->nlmsg_len = NLMSG_LENGTH(sizeof(*m));
	m = NLMSG_DATA(a->message);
	m->udiag_family = AF_UNIX;
	m->udiag_type = SOCK_STREAM;
	m->udiag_state = STATE_ESTABLISHED;
	m->udiag_ino = 4294967295u;
	m->udiag_cookie[0] = 0x11;
	m->udiag_cookie[1] = 0x22;
}

static void add(struct answer *a, uint16_t type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(a->message->nlmsg_len), length = at + RTA_SPACE(size);
	struct rtattr attribute = { .rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(size) };

	a->message = realloc(a->message, length);
	assert_non_null(a->message);
	memset((char *)a->message + at, 0, length - at);
	memcpy((char *)a->message + at, &attribute, sizeof(attribute));
	memcpy((char *)a->message + at + RTA_LENGTH(0), data, size);
	a->message->nlmsg_len = (uint32_t)length;
}

/* Exactly as long as allocated, so that a sanitizer sees an overread. *copy is the caller's. */
static int parse_cut(const struct nlmsghdr *message, size_t length, struct nlmsghdr **copy,
		     struct socket_row *row, const char **name, size_t *name_length)
{
	*copy = malloc(length);
	assert_non_null(*copy);
	memcpy(*copy, message, length);
	(*copy)->nlmsg_len = (uint32_t)length;
	return unix_diag_parse(*copy, row, name, name_length);
}

static void full_answer(void **state)
{
	const struct unix_diag_rqlen queues = { .udiag_rqueue = 5, .udiag_wqueue = 4096 };
	const uint32_t peer = 4000000000u, uid = 1000;
	struct answer a;
	struct socket_row row;
	const char *name;
	size_t length;

	(void)state;
	begin(&a);
	add(&a, UNIX_DIAG_NAME, "/run/x.sock", 12);
	add(&a, UNIX_DIAG_PEER, &peer, sizeof(peer));
	add(&a, UNIX_DIAG_RQLEN, &queues, sizeof(queues));
	add(&a, UNIX_DIAG_UID, &uid, sizeof(uid));
	add(&a, 999, "a later kernel's", 16);
	assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), 0);
	assert_true(row.cookie == 0x2200000011);
	assert_true(row.inode == 4294967295u && row.peer_inode == 4000000000u);
	assert_int_equal(row.proto, PROTO_UNIX);
	assert_int_equal(row.family, AF_UNIX);
	assert_int_equal(row.state, STATE_ESTABLISHED);
	assert_int_equal(row.type, SOCKET_TYPE_STREAM);
	assert_true(row.has_queues && row.recv_q == 5 && row.send_q == 4096);
	assert_true(row.has_uid && row.uid == 1000);
	/* The NUL that ends a path is counted by the kernel, not here. */
	assert_int_equal(length, 11);
	assert_memory_equal(name, "/run/x.sock", 11);
	free(a.message);
}

static void little_is_told(void **state)
{
	struct answer a;
	struct socket_row row;
	const char *name = "before";
	size_t length = 6;

	(void)state;
	begin(&a);
	assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), 0);
	assert_null(name);
	assert_int_equal(length, 0);
	assert_false(row.has_queues || row.has_uid);
	assert_int_equal(row.peer_inode, 0);
	free(a.message);
}

static void types(void **state)
{
	static const uint8_t known[256] = { [SOCK_STREAM] = SOCKET_TYPE_STREAM,
					    [SOCK_DGRAM] = SOCKET_TYPE_DGRAM,
					    [SOCK_SEQPACKET] = SOCKET_TYPE_SEQPACKET };
	struct answer a;
	struct socket_row row;
	const char *name;
	size_t length;

	(void)state;
	begin(&a);
	for (unsigned int type = 0; type < 256; type++) {
		((struct unix_diag_msg *)NLMSG_DATA(a.message))->udiag_type = (uint8_t)type;
		assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), 0);
		assert_int_equal(row.type, known[type]);
	}
	free(a.message);
}

static void names(void **state)
{
	static const struct {
		const char *bytes;
		size_t size, length;
	} cases[] = {
		{ "\0abstract", 9, 9 },	  /* begins with a NUL, has no end */
		{ "\0a\0b\0", 5, 5 },	  /* and NULs within */
		{ "\0", 1, 1 },		  /* the empty abstract name */
		{ "/x\0rubbish", 10, 2 }, /* a path ends at its NUL */
		{ "/no-end", 7, 7 },	  { "\xff\x1b[2J", 5, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a;
		struct nlmsghdr *copy;
		struct socket_row row;
		const char *name;
		size_t length;

		begin(&a);
		add(&a, UNIX_DIAG_NAME, cases[i].bytes, cases[i].size);
		/* Without the padding behind the last attribute. */
		assert_int_equal(parse_cut(a.message,
					   NLMSG_LENGTH(sizeof(struct unix_diag_msg)) +
						   RTA_LENGTH(cases[i].size),
					   &copy, &row, &name, &length),
				 0);
		assert_int_equal(length, cases[i].length);
		assert_memory_equal(name, cases[i].bytes, length);
		free(copy);
		free(a.message);
	}
}

static void an_empty_name_is_none(void **state)
{
	struct answer a;
	struct socket_row row;
	const char *name;
	size_t length;

	(void)state;
	begin(&a);
	add(&a, UNIX_DIAG_NAME, "", 0);
	assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), 0);
	assert_null(name);
	assert_int_equal(length, 0);
	free(a.message);
}

static void cut_anywhere(void **state)
{
	const struct unix_diag_rqlen queues = { 1, 2 };
	const uint32_t number = 77;
	struct answer a;

	(void)state;
	begin(&a);
	add(&a, UNIX_DIAG_NAME, "/run/x", 7);
	add(&a, UNIX_DIAG_PEER, &number, sizeof(number));
	add(&a, UNIX_DIAG_RQLEN, &queues, sizeof(queues));
	add(&a, UNIX_DIAG_UID, &number, sizeof(number));
	for (size_t length = sizeof(struct nlmsghdr); length <= a.message->nlmsg_len; length++) {
		bool whole = length == a.message->nlmsg_len;
		struct nlmsghdr *copy;
		struct socket_row row = { .cookie = 5 };
		const char *name;
		size_t name_length;
		int err = parse_cut(a.message, length, &copy, &row, &name, &name_length);

		if (length < NLMSG_LENGTH(sizeof(struct unix_diag_msg))) {
			assert_int_equal(err, -EBADMSG);
			assert_true(row.cookie == 5);
		} else {
			assert_int_equal(err, 0);
			/* What is there in part is not there. */
			assert_int_equal(row.has_uid, whole);
			assert_true(row.uid == (whole ? 77 : 0));
			assert_true(!row.has_queues || (row.recv_q == 1 && row.send_q == 2));
			assert_true(!name || name_length == 6);
		}
		free(copy);
	}
	free(a.message);
}

static void attributes_too_short(void **state)
{
	struct answer a;
	struct socket_row row;
	const char *name;
	size_t length;

	(void)state;
	begin(&a);
	add(&a, UNIX_DIAG_PEER, "\1\2\3", 3);
	add(&a, UNIX_DIAG_RQLEN, "\1\2\3\4\5\6\7", 7);
	add(&a, UNIX_DIAG_UID, "", 0);
	assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), 0);
	assert_false(row.has_queues || row.has_uid);
	assert_int_equal(row.peer_inode, 0);
	free(a.message);
}

/* A length that does not even cover its own header, or says more than there is, ends the walk. */
static void attribute_lengths_that_lie(void **state)
{
	static const uint16_t lies[] = { 0, 1, 3, 9, 4096, UINT16_MAX };
	const uint32_t uid = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct answer a;
		struct socket_row row;
		const char *name;
		size_t length;

		begin(&a);
		add(&a, UNIX_DIAG_UID, &uid, sizeof(uid));
		memcpy((char *)a.message + NLMSG_LENGTH(sizeof(struct unix_diag_msg)), &lies[i],
		       sizeof(lies[i]));
		assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), 0);
		assert_false(row.has_uid);
		assert_null(name);
		free(a.message);
	}
}

static void not_of_this_family(void **state)
{
	struct unix_diag_msg *m;
	struct answer a;
	struct socket_row row = { .cookie = 5 };
	const char *name = NULL;
	size_t length = 3;

	(void)state;
	begin(&a);
	m = NLMSG_DATA(a.message);
	m->udiag_family = AF_INET;
	assert_int_equal(unix_diag_parse(a.message, &row, &name, &length), -EBADMSG);
	m->udiag_family = AF_UNIX;
	for (unsigned int s = 0; s < 256; s++) {
		bool good = s > 0 && s < STATE_COUNT;

		m->udiag_state = (uint8_t)s;
		if (!good)
			row.cookie = 5;
		assert_int_equal(unix_diag_parse(a.message, &row, &name, &length),
				 good ? 0 : -EBADMSG);
		assert_true(row.cookie == (good ? 0x2200000011 : 5));
	}
	free(a.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_answer),
		cmocka_unit_test(little_is_told),
		cmocka_unit_test(types),
		cmocka_unit_test(names),
		cmocka_unit_test(an_empty_name_is_none),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(attributes_too_short),
		cmocka_unit_test(attribute_lengths_that_lie),
		cmocka_unit_test(not_of_this_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
