/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/schema.h"

#include "base/text.h"
#include "model/event_fields.h"

#include <errno.h>

static const char heading[] =
	"{\n"
	"  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	"  \"title\": \"nettrace record\",\n"
	"  \"description\": \"One line of nettrace --json. A field that is unknown is absent; newer versions may add fields.\",\n"
	"  \"type\": \"object\",\n"
	"  \"required\": [\"event\"],\n"
	"  \"properties\": {\n";

static const char ending[] =
	"  },\n"
	"  \"$comment\": \"Rows of --top (event: top) have the columns of the ranking beside these fields.\"\n"
	"}\n";

static void put_json(struct text *t, const char *s)
{
	text_json_string(t, s, strlen(s));
}

static const char *event_name(unsigned int number)
{
	return number < EVENT_TYPE_COUNT ? event_type_name((enum event_type)number) : "?";
}

/* All names that a uint8_t can stand for; "?" are the gaps. */
static void put_names(struct text *t, const char *(*to_name)(unsigned int))
{
	bool first = true;

	text_puts(t, "\"enum\": [");
	for (unsigned int i = 0; i <= UINT8_MAX; i++) {
		const char *name = to_name(i);

		if (name[0] == '?')
			continue;
		text_puts(t, first ? "" : ", ");
		put_json(t, name);
		first = false;
	}
	text_char(t, ']');
}

static void put_integer(struct text *t, uint64_t maximum)
{
	text_printf(t, "\"type\": \"integer\", \"minimum\": 0, \"maximum\": %llu",
		    (unsigned long long)maximum);
}

static void put_type(struct text *t, enum event_field number)
{
	const struct field *f = &event_fields[number];

	switch (f->type) {
	case FIELD_TYPE_NAME:
		put_names(t, f->to_name);
		break;
	case FIELD_TYPE_EVENT:
		put_names(t, event_name);
		break;
	case FIELD_TYPE_U8:
		if (number == FIELD_FAMILY)
			text_puts(t, "\"enum\": [4, 6]");
		else
			put_integer(t, UINT8_MAX);
		break;
	case FIELD_TYPE_U16:
		put_integer(t, UINT16_MAX);
		break;
	case FIELD_TYPE_U32:
		put_integer(t, UINT32_MAX);
		break;
	case FIELD_TYPE_U64:
		put_integer(t, INT64_MAX);
		break;
	case FIELD_TYPE_BOOL:
		text_puts(t, "\"type\": \"boolean\"");
		break;
	case FIELD_TYPE_COMM:
	case FIELD_TYPE_STRING:
		text_puts(t, "\"type\": \"string\"");
		break;
	case FIELD_TYPE_STRINGS:
		text_puts(t, "\"type\": \"array\", \"items\": {\"type\": \"string\"}");
		break;
	case FIELD_TYPE_TIME:
		text_puts(
			t,
			"\"type\": \"string\", \"format\": \"date-time\", "
			"\"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\\\.[0-9]{9}Z$\"");
		break;
	case FIELD_TYPE_ID:
		text_puts(t, "\"type\": \"string\", \"pattern\": \"^[0-9a-f]+-[0-9a-f]+$\"");
		break;
	case FIELD_TYPE_ADDRESS:
		text_puts(
			t,
			"\"type\": \"string\", \"anyOf\": [{\"format\": \"ipv4\"}, {\"format\": \"ipv6\"}]");
		break;
	case FIELD_TYPE_HOLDERS:
		text_puts(
			t,
			"\"type\": \"array\", \"items\": {\"type\": \"object\", \"required\": [\"pid\", \"fd\"], "
			"\"properties\": {\"pid\": {\"type\": \"integer\"}, \"fd\": {\"type\": \"integer\"}, "
			"\"comm\": {\"type\": \"string\"}}}");
		break;
	}
}

int schema_write(FILE *out)
{
	struct text t = { 0 };
	int err = 0;

	text_puts(&t, heading);
	for (int i = 0; i < FIELD_COUNT; i++) {
		text_puts(&t, "    ");
		put_json(&t, event_fields[i].name);
		text_puts(&t, ": {");
		put_type(&t, (enum event_field)i);
		text_puts(&t, ", \"description\": ");
		put_json(&t, event_fields[i].description);
		text_puts(&t, i + 1 < FIELD_COUNT ? "},\n" : "}\n");
	}
	text_puts(&t, ending);
	if (t.failed)
		err = -ENOMEM;
	else if (fwrite(t.data, 1, t.length, out) != t.length || fflush(out))
		err = errno ? -errno : -EIO;
	text_done(&t);
	return err;
}
