/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/container.h"

#include <stdint.h>
#include <string.h>

#define HEX_ID_LENGTH 64

/* Borrowed from the path. */
struct component {
	const char *name;
	size_t length;
};

/* The next component; false at the end. *path moves on. */
static bool next_component(const char **path, struct component *c)
{
	const char *s = *path + strspn(*path, "/");

	c->name = s;
	c->length = strcspn(s, "/");
	*path = s + c->length;
	return c->length > 0;
}

static bool copy(char out[CONTAINER_NAME_MAX], const char *name, size_t length)
{
	if (!length || length >= CONTAINER_NAME_MAX)
		return false;
	memcpy(out, name, length);
	out[length] = '\0';
	return true;
}

static bool begins(const struct component *c, const char *prefix)
{
	size_t length = strlen(prefix);

	return c->length > length && !memcmp(c->name, prefix, length);
}

static bool ends(const struct component *c, const char *suffix)
{
	size_t length = strlen(suffix);

	return c->length > length && !memcmp(c->name + c->length - length, suffix, length);
}

static bool is(const struct component *c, const char *name)
{
	return c->length == strlen(name) && !memcmp(c->name, name, c->length);
}

static bool is_wrapper(const struct component *c)
{
	return is(c, "-.slice") || is(c, "user.slice") || begins(c, "user-");
}

bool container_unit(const char *path, char unit[CONTAINER_NAME_MAX])
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
	struct component c;
	bool found = false;

	unit[0] = '\0';
	while (next_component(&path, &c)) {
		bool leaf = false;

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			leaf |= ends(&c, kinds[i]);
		if (leaf)
			found |= copy(unit, c.name, c.length);
		else if (!found && ends(&c, ".slice") && !is_wrapper(&c))
			copy(unit, c.name, c.length);
	}
	return unit[0] != '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static struct component without_suffix(struct component c, const char *suffix)
{
	if (ends(&c, suffix))
		c.length -= strlen(suffix);
	return c;
}

static bool contains(const struct component *c, const char *word)
{
	return memmem(c->name, c->length, word, strlen(word)) != NULL;
}

/*
 * ID, docker-ID.scope, cri-containerd-ID.scope, crio-ID, libpod-ID.scope,
 * kubepods-…:cri-containerd:ID: whatever the manager, the id comes last. conmon is the supervisor
 * of a container and not in it.
 */
static bool take_hex_id(const struct component *c, char id[CONTAINER_NAME_MAX])
{
	struct component rest = without_suffix(*c, ".scope");
	const char *digits;

	if (rest.length < HEX_ID_LENGTH || contains(&rest, "conmon"))
		return false;
	digits = rest.name + rest.length - HEX_ID_LENGTH;
	if (rest.length > HEX_ID_LENGTH && digits[-1] != '-' && digits[-1] != ':')
		return false;
	for (size_t i = 0; i < HEX_ID_LENGTH; i++) {
		if (hex_digit(digits[i]) < 0)
			return false;
	}
	return copy(id, digits, HEX_ID_LENGTH);
}

/* systemd's escapes (systemd.unit(5)): \xNN is a byte. */
static bool copy_unescaped(char id[CONTAINER_NAME_MAX], const char *name, size_t length)
{
	size_t n = 0;

	if (!length || length >= CONTAINER_NAME_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (length - i >= 4 && name[i] == '\\' && name[i + 1] == 'x' &&
		    (high = hex_digit(name[i + 2])) >= 0 && (low = hex_digit(name[i + 3])) >= 0 &&
		    (high || low)) {
			id[n++] = (char)(high << 4 | low);
			i += 3;
		} else {
			id[n++] = name[i];
		}
	}
	id[n] = '\0';
	return true;
}

/*
 * machine-NAME.scope and systemd-nspawn@NAME.service; machines of libvirt's qemu are no containers.
 */
static bool take_machine(const struct component *c, char id[CONTAINER_NAME_MAX])
{
	const char *prefix = "machine-", *suffix = ".scope";
	struct component name;

	if (begins(c, "systemd-nspawn@")) {
		prefix = "systemd-nspawn@";
		suffix = ".service";
	}
	if (!begins(c, prefix) || !ends(c, suffix))
		return false;
	name = without_suffix(*c, suffix);
	if (name.length <= strlen(prefix))
		return false;
	name.name += strlen(prefix);
	name.length -= strlen(prefix);
	if (begins(&name, "qemu\\x2d") || begins(&name, "qemu-"))
		return false;
	return copy_unescaped(id, name.name, name.length);
}

bool container_id(const char *path, char id[CONTAINER_NAME_MAX])
{
	static const char payload[] = "lxc.payload.";
	struct component c;
	bool names_follow = false; /* the component before was LXC's parent directory */

	id[0] = '\0';
	while (next_component(&path, &c)) {
		if (names_follow)
			copy(id, c.name, c.length);
		else if (begins(&c, payload))
			copy(id, c.name + strlen(payload), c.length - strlen(payload));
		else if (!take_hex_id(&c, id))
			take_machine(&c, id);
		names_follow = !names_follow && (is(&c, "lxc") || is(&c, "lxc.payload"));
	}
	return id[0] != '\0';
}

bool container_is(const char *id, const char *wanted)
{
	size_t length = strlen(wanted);

	if (!strcmp(id, wanted))
		return true;
	return length >= 12 && strlen(id) == 64 && strspn(wanted, "0123456789abcdef") == length &&
	       !strncmp(wanted, id, length);
}
