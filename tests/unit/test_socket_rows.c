/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/socket_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(struct socket_rows *r, uint64_t cookie, uint32_t inode)
{
	struct socket_row *row = socket_rows_add(r);

	assert_non_null(row);
	row->cookie = cookie;
	row->inode = inode;
}

static void expect(const struct socket_rows *r, size_t count, const uint32_t *inodes)
{
	assert_int_equal(r->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(r->rows[i].inode, inodes[i]);
}

static void the_last_of_each_stays(void **state)
{
	struct socket_rows r = { 0 };

	(void)state;
	add(&r, 7, 1);
	add(&r, 9, 2);
	add(&r, 7, 3);
	add(&r, 8, 4);
	add(&r, 9, 5);
	add(&r, 7, 6);
	assert_int_equal(socket_rows_drop_repeated(&r, 0), 0);
	expect(&r, 3, (const uint32_t[]){ 4, 5, 6 });
	assert_int_equal(socket_rows_drop_repeated(&r, 0), 0);
	expect(&r, 3, (const uint32_t[]){ 4, 5, 6 });
	socket_rows_done(&r);
}

static void rows_before_the_first_are_left(void **state)
{
	struct socket_rows r = { 0 };

	(void)state;
	assert_int_equal(socket_rows_drop_repeated(&r, 0), 0);
	add(&r, 7, 1);
	add(&r, 7, 2);
	assert_int_equal(socket_rows_drop_repeated(&r, 2), 0);
	expect(&r, 2, (const uint32_t[]){ 1, 2 });
	add(&r, 7, 3);
	add(&r, 7, 4);
	assert_int_equal(socket_rows_drop_repeated(&r, 2), 0);
	expect(&r, 3, (const uint32_t[]){ 1, 2, 4 });
	socket_rows_done(&r);
}

static void names_go_with_their_rows(void **state)
{
	struct socket_rows r = { 0 };

	(void)state;
	add(&r, 1, 1);
	assert_int_equal(socket_rows_name(&r, &r.rows[0], "/a", 2), 0);
	add(&r, 2, 2);
	assert_int_equal(socket_rows_name(&r, &r.rows[1], "\0b", 2), 0);
	add(&r, 1, 3);
	assert_int_equal(socket_rows_drop_repeated(&r, 0), 0);
	expect(&r, 2, (const uint32_t[]){ 2, 3 });
	assert_string_equal(r.names + r.rows[0].name, "@b");
	assert_int_equal(r.rows[1].name, 0);
	socket_rows_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_of_each_stays),
		cmocka_unit_test(rows_before_the_first_are_left),
		cmocka_unit_test(names_go_with_their_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
