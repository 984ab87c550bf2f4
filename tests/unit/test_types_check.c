/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/types_check.h"

#include <bpf/btf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * typedef const struct inner { int a; union { int b; struct { int c, d; }; }; int bits : 3; } inner_t;
 * struct outer { inner_t named; inner_t; int a; }, in which the second one has no name, and struct loop, which is within itself.
 */
static struct btf *some_types(void)
{
	struct btf *btf = btf__new_empty();
	int number, pair, either, inner, constant, alias, loop;

	assert_non_null(btf);
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	pair = btf__add_struct(btf, NULL, 8);
	btf__add_field(btf, "c", number, 0, 0);
	btf__add_field(btf, "d", number, 32, 0);
	either = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, "b", number, 0, 0);
	btf__add_field(btf, NULL, pair, 0, 0);
	inner = btf__add_struct(btf, "inner", 16);
	btf__add_field(btf, "a", number, 0, 0);
	btf__add_field(btf, NULL, either, 32, 0);
	btf__add_field(btf, "bits", number, 96, 3);
	constant = btf__add_const(btf, inner);
	alias = btf__add_typedef(btf, "inner_t", constant);
	btf__add_struct(btf, "outer", 36);
	btf__add_field(btf, "named", alias, 0, 0);
	btf__add_field(btf, NULL, alias, 128, 0);
	btf__add_field(btf, "late", number, 256, 0);
	loop = btf__add_struct(btf, "loop", 8);
	btf__add_field(btf, NULL, loop, 0, 0);
	return btf;
}

static void offsets(void **state)
{
	struct btf *btf = some_types();

	(void)state;
	assert_int_equal(types_member_offset(btf, "inner", "a"), 0);
	assert_int_equal(types_member_offset(btf, "inner", "b"), 4);
	assert_int_equal(types_member_offset(btf, "inner", "c"), 4);
	assert_int_equal(types_member_offset(btf, "inner", "d"), 8);
	assert_int_equal(types_member_offset(btf, "outer", "named"), 0);
	assert_int_equal(types_member_offset(btf, "outer", "d"), 24);
	assert_int_equal(types_member_offset(btf, "outer", "late"), 32);
	assert_int_equal(types_member_offset(btf, "inner", "bits"), -ENOENT);
	assert_int_equal(types_member_offset(btf, "inner", "e"), -ENOENT);
	assert_int_equal(types_member_offset(btf, "nobody", "a"), -ENOENT);
	assert_int_equal(types_member_offset(btf, "int", "a"), -ENOENT);
	assert_int_equal(types_member_offset(btf, "loop", "a"), -ENOENT);
	/* Without sockets they are no kernel's, which needs no try. */
	assert_int_equal(types_check(btf), -ESTALE);
	btf__free(btf);
}

static void no_files(void **state)
{
	struct kernel_error error;

	(void)state;
	kernel_error_report_libbpf();
	assert_int_equal(types_from_file("/", NULL, &error), -EINVAL);
	assert_non_null(strstr(error.what, "from /: Is a directory"));
	assert_int_equal(types_from_file("/dev/null", NULL, &error), -EINVAL);
	assert_non_null(strstr(error.what, "/dev/null: it has none"));
	assert_int_equal(types_from_file("/none/at/all", NULL, &error), -EINVAL);
	assert_non_null(strstr(error.what, "No such file"));
	assert_non_null(strstr(error.advice, "--btf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets),
		cmocka_unit_test(no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
