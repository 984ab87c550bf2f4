/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_run.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "source/ladder.h"

static struct check some_check(void)
{
	struct check c = { .btf = true,
			   .lockdown = "integrity",
			   .cgroup2 = "/sys/fs/\x1b[31m\"cgroup",
			   .memlock_bytes = 65536,
			   .rung = RUNG_HASH,
			   .rung_errors = { -EINVAL, 0, 0 },
			   .accept = "getpeername",
			   .udp = true };

	strcpy(c.uts.release, "5.10.0");
	strcpy(c.uts.machine, "x86_64");
	for (size_t i = 0; i < CHECK_CAPABILITIES; i++)
		c.capabilities[i] = (struct check_capability){ "CAP_BPF", "loading", 39, true };
	c.capabilities[1] = (struct check_capability){ "CAP_PERFMON", "reading", 38, false };
	c.hooks[0] = (struct check_hook){ .name = "tp_btf/a" };
	c.hooks[1] = (struct check_hook){ .name = "fexit/b",
					  .error = -EPERM,
					  .without = "the errno",
					  .reason = "it is not permitted",
					  .remedy = "another kernel" };
	return c;
}

static void test_text(void **state)
{
	struct check c = some_check();
	struct text t = { 0 };

	(void)state;
	check_to_text(&c, &t);
	text_char(&t, '\0');
	assert_string_equal(
		t.data,
		"kernel       5.10.0 x86_64\n"
		"types (BTF)  yes\n"
		"lockdown     integrity\n"
		"cgroup v2    /sys/fs/\\x1b[31m\"cgroup\n"
		"memlock      64 KB; raised where the kernel counts it (before 5.11)\n"
		"capabilities CAP_PERFMON is missing: reading\n"
		"rung         2: typed tracepoints, a hash by the socket's address, iterators\n"
		"             not 1: Invalid argument\n"
		"\n"
		"tp_btf/a                       yes\n"
		"fexit/b                        no   it is not permitted\n"
		"                                    then: the errno\n"
		"                                    needs: another kernel\n"
		"\n"
		"nettrace traces, with 1 hook missing.\n");
	text_done(&t);
}

static void test_json(void **state)
{
	struct check c = some_check();
	struct text t = { 0 };
	json_t *told, *hook;

	(void)state;
	check_to_json(&c, &t);
	assert_int_equal(t.data[t.length - 1], '\n');
	told = json_loadb(t.data, t.length, 0, NULL);
	assert_non_null(told);
	assert_int_equal(json_integer_value(json_object_get(told, "rung")), 2);
	assert_int_equal(json_array_size(json_object_get(told, "rungs")), 3);
	assert_string_equal(json_string_value(json_object_get(told, "cgroup2")),
			    "/sys/fs/\x1b[31m\"cgroup");
	assert_true(json_is_false(
		json_object_get(json_object_get(told, "capabilities"), "CAP_PERFMON")));
	assert_int_equal(json_array_size(json_object_get(told, "hooks")), 2);
	hook = json_array_get(json_object_get(told, "hooks"), 1);
	assert_string_equal(json_string_value(json_object_get(hook, "lost")), "the errno");
	json_decref(told);
	text_done(&t);
}

static void test_full_and_none(void **state)
{
	struct check c = some_check();
	struct text t = { 0 };

	(void)state;
	c.hooks[1].error = 0;
	c.memlock_bytes = UINT64_MAX;
	c.capabilities[1].here = true;
	check_to_text(&c, &t);
	text_char(&t, '\0');
	assert_non_null(strstr(t.data, "capabilities all that nettrace can use\n"));
	assert_non_null(strstr(t.data, "memlock      no limit\n"));
	assert_non_null(strstr(t.data, "\nEverything is there.\n"));
	t.length = 0;
	c.rung = RUNG_POLLING;
	check_to_text(&c, &t);
	text_char(&t, '\0');
	assert_non_null(strstr(t.data, "short connections can be missed"));
	text_done(&t);
}

static const struct hook *find(const char *program)
{
	for (size_t i = 0; i < HOOKS_COUNT; i++)
		if (!strcmp(hook_table[i].program, program))
			return &hook_table[i];
	fail_msg("no program %s", program);
	return NULL;
}

/* The table of hooks: each program once, each name with what is lost without it. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOOKS_COUNT; i++) {
		assert_non_null(hook_table[i].program);
		assert_true(hook_table[i].kind == HOOK_CGROUP ||
			    hook_table[i].kind == HOOK_ITERATOR || hook_table[i].target);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(hook_table[i].program, hook_table[j].program);
	}
	assert_string_equal(hook_name(find("state_first"), RUNG_STORAGE),
			    "tp_btf/inet_sock_set_state");
	assert_string_equal(hook_name(find("state_first"), RUNG_HASH),
			    "tp_btf/inet_sock_set_state");
	assert_string_equal(hook_name(find("state_first"), RUNG_RAW), "raw_tp/inet_sock_set_state");
	assert_null(hook_name(find("state_second"), RUNG_RAW));
	assert_string_equal(hook_name(find("tracked"), RUNG_HASH), "iter/bpf_map_elem");
	assert_null(hook_name(find("tracked"), RUNG_RAW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_full_and_none),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
