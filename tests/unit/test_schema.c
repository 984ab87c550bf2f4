/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event_fields.h"
#include "view/json.h"
#include "view/schema.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *load_schema(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *schema;

	assert_non_null(out);
	assert_int_equal(schema_write(out), 0);
	fclose(out);
	schema = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	assert_non_null(schema);
	return schema;
}

static void describes_every_field(void **state)
{
	json_t *schema = load_schema(), *properties = json_object_get(schema, "properties");

	(void)state;
	assert_int_equal(json_object_size(properties), FIELD_COUNT);
	for (int i = 0; i < FIELD_COUNT; i++) {
		json_t *property = json_object_get(properties, event_fields[i].name);

		assert_true(json_object_get(property, "type") || json_object_get(property, "enum"));
		assert_true(json_string_length(json_object_get(property, "description")) > 10);
	}
	json_decref(schema);
}

static bool in_enum(const json_t *values, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(values); i++) {
		if (json_equal(json_array_get(values, i), value))
			return true;
	}
	return false;
}

static bool fits(const json_t *property, const json_t *value)
{
	const json_t *values = json_object_get(property, "enum");
	const char *type = json_string_value(json_object_get(property, "type"));

	if (values)
		return in_enum(values, value);
	if (!strcmp(type, "integer"))
		return json_is_integer(value) && json_integer_value(value) >= 0 &&
		       json_integer_value(value) <=
			       json_integer_value(json_object_get(property, "maximum"));
	if (!strcmp(type, "boolean"))
		return json_is_boolean(value);
	if (!strcmp(type, "string"))
		return json_is_string(value);
	return !strcmp(type, "array") && json_is_array(value);
}

/* An event with every field there is, written by the JSON view. */
static void fits_what_is_written(void **state)
{
	static const char *const hooks[] = { "a", "b" };
	static const struct holder holder = { 1, 2, "x" };
	json_t *schema = load_schema(), *properties = json_object_get(schema, "properties"),
	       *record, *value;
	struct text t = { 0 };
	struct event e;
	const char *key;

	(void)state;
	event_init(&e, EVENT_CLOSE, 1700000000123456789, 5);
	e.present[0] = UINT64_MAX;
	e.present[1] = (1ULL << (FIELD_COUNT - 64)) - 1;
	e.proto = IPPROTO_TCP;
	e.family = 6;
	e.mode = e.direction = e.owner = e.outcome = e.kind = e.by = e.closed_by = 1;
	e.state = e.old_state = e.new_state = e.last_state = STATE_CLOSING;
	e.version = e.kernel = e.host = e.boot = e.run = e.cgroup = e.unit = e.container =
		e.reason = e.where = e.path = e.congestion = "text";
	e.socket_type = e.timer = 1;
	e.hooks = hooks;
	e.hook_count = 2;
	e.holders = &holder;
	e.holder_count = 1;
	e.lport = UINT16_MAX;
	e.inode = INT64_MAX;
	e.uid = UINT32_MAX;
	json_write_event(&t, &e);
	record = json_loadb(t.data, t.length, 0, NULL);
	assert_non_null(record);
	assert_int_equal(json_object_size(record), FIELD_COUNT);
	json_object_foreach(record, key, value)
	{
		if (!fits(json_object_get(properties, key), value))
			fail_msg("%s does not fit", key);
	}
	json_decref(record);
	json_decref(schema);
	text_done(&t);
}

static void full_disk(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	if (!full)
		skip();
	assert_int_equal(schema_write(full), -ENOSPC);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_every_field),
		cmocka_unit_test(fits_what_is_written),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
