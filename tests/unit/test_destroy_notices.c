/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/destroy_notices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

struct message {
	struct nlmsghdr header;
	struct inet_diag_msg m;
	struct rtattr a;
	char info[sizeof(struct tcp_info)]; /* attributes are aligned to 4 bytes only */
};
_Static_assert(sizeof(struct message) == NLMSG_LENGTH(sizeof(struct inet_diag_msg)) +
						 RTA_LENGTH(sizeof(struct tcp_info)),
	       "no padding");

/* As inet_diag_handler_get_info writes it. */
static struct message some_message(void)
{
	struct message n = {
		.header = { .nlmsg_len = sizeof(n), .nlmsg_type = SOCK_DIAG_BY_FAMILY },
		.m = { .idiag_family = AF_INET, .idiag_state = STATE_CLOSE },
		.a = { .rta_len = RTA_LENGTH(sizeof(struct tcp_info)), .rta_type = INET_DIAG_INFO },
	};

	const struct tcp_info info = { .tcpi_bytes_sent = 1200,
				       .tcpi_bytes_retrans = 200,
				       .tcpi_bytes_received = 51,
				       .tcpi_bytes_acked = 1001,
				       .tcpi_rtt = 77 };

	memcpy(n.info, &info, sizeof(info));
	n.m.id.idiag_cookie[0] = 5;
	n.m.id.idiag_cookie[1] = 1;
	n.m.id.idiag_sport = htons(40000);
	n.m.id.idiag_dport = htons(80);
	return n;
}

static void test_notice(void **state)
{
	struct message n = some_message();
	struct destroy_notice notice;

	(void)state;
	assert_int_equal(destroy_notice_parse(&n.header, &notice), 0);
	assert_true(notice.row.cookie == (1ULL << 32 | 5));
	assert_int_equal(notice.row.lport, 40000);
	assert_int_equal(notice.row.rport, 80);
	assert_int_equal(notice.row.tx_bytes, 1000);
	/* whether the last one is the peer's FIN is not known here */
	assert_int_equal(notice.row.rx_bytes, 51);
	assert_int_equal(notice.row.srtt_us, 77);
	assert_int_equal(notice.bytes_acked, 1001);
	assert_false(notice.row.has_uid);
}

static void test_never_established(void **state)
{
	struct message n = some_message();
	struct destroy_notice notice;

	(void)state;
	memset(n.info, 0, sizeof(n.info));
	assert_int_equal(destroy_notice_parse(&n.header, &notice), 0);
	assert_int_equal(notice.bytes_acked, 0);
}

/* Cut off anywhere, or with lengths that are not true: refused or read without a byte too many. */
static void test_hostile(void **state)
{
	struct message n = some_message();
	struct destroy_notice notice, untouched;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	notice = untouched;
	n.header.nlmsg_len = NLMSG_LENGTH(sizeof(n.m)) - 1;
	assert_int_equal(destroy_notice_parse(&n.header, &notice), -EBADMSG);
	assert_memory_equal(&notice, &untouched, sizeof(notice));
	for (uint32_t length = NLMSG_LENGTH(sizeof(n.m)); length < sizeof(n); length++) {
		n.header.nlmsg_len = length;
		assert_int_equal(destroy_notice_parse(&n.header, &notice), 0);
		assert_int_equal(notice.bytes_acked, 0); /* the attribute is not whole: not taken */
	}
	n = some_message();
	n.a.rta_len = 3;
	assert_int_equal(destroy_notice_parse(&n.header, &notice), 0);
	n.a.rta_len = UINT16_MAX;
	assert_int_equal(destroy_notice_parse(&n.header, &notice), 0);
	n.m.idiag_state = 200;
	assert_int_equal(destroy_notice_parse(&n.header, &notice), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notice),
		cmocka_unit_test(test_never_established),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
