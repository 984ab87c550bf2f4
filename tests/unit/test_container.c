/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/container.h"
#include "source/cgroup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "f00dfacef00dfacef00dfacef00dfacef00dfacef00dfacef00dfacef00dface"
#define POD "kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice"

struct example {
	const char *path, *name; /* name "": none */
};

static void units(void **state)
{
	static const struct example examples[] = {
		{ "/", "" },
		{ "", "" },
		{ "/system.slice/nginx.service", "nginx.service" },
		{ "/system.slice/nginx.service/worker", "nginx.service" },
		{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service" },
		{ "/system.slice/sshd.socket", "sshd.socket" },
		{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.service",
		  "app-foo.service" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice", "user@1000.service" },
		{ "/user.slice/user-1000.slice", "" },
		{ "/user.slice", "" },
		{ "/-.slice", "" },
		{ "/machine.slice", "machine.slice" },
		{ "/init.scope", "init.scope" },
		{ "/.service", "" },
		{ "/system.slice/docker-" ID ".scope", "docker-" ID ".scope" },
		{ "/docker/" ID, "" },
		{ "/system.slice/dbus-\\x2d.service/", "dbus-\\x2d.service" },
	};
	char unit[CONTAINER_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		bool found = container_unit(examples[i].path, unit);

		assert_string_equal(unit, examples[i].name);
		assert_int_equal(found, examples[i].name[0] != '\0');
	}
}

static void containers(void **state)
{
	static const struct example examples[] = {
		{ "/", "" },
		{ "/system.slice/nginx.service", "" },
		{ "/system.slice/docker-" ID ".scope", ID },
		{ "/docker/" ID, ID },
		{ "/docker/" ID "/init.scope", ID },
		{ "/docker/" ID "/docker/" OTHER_ID, OTHER_ID },
		{ "/kubepods.slice/kubepods-burstable.slice/" POD "/cri-containerd-" ID ".scope",
		  ID },
		{ "/kubepods.slice/kubepods-burstable.slice/" POD "/crio-" ID ".scope", ID },
		{ "/kubepods.slice/kubepods-burstable.slice/" POD "/crio-conmon-" ID ".scope", "" },
		{ "/kubepods/besteffort/pod0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/" ID, ID },
		{ "/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:" ID,
		  ID },
		{ "/machine.slice/libpod-" ID ".scope", ID },
		{ "/machine.slice/libpod-" ID ".scope/container", ID },
		{ "/machine.slice/libpod-conmon-" ID ".scope", "" },
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
		  ID },
		{ "/lxc/web", "web" },
		{ "/lxc/lxc", "lxc" },
		{ "/lxc.payload.web", "web" },
		{ "/lxc.payload.web/system.slice/nginx.service", "web" },
		{ "/lxc.payload/web", "web" },
		{ "/lxc.monitor.web", "" },
		{ "/lxc", "" },
		{ "/machine.slice/machine-debian\\x2d12.scope/payload", "debian-12" },
		{ "/machine.slice/systemd-nspawn@web.service", "web" },
		{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "" },
		{ "/machine.slice/machine-.scope", "" },
		{ "/machine.slice/machine-a\\x00b.scope", "a\\x00b" },
		{ "/machine.slice/machine-a\\x2", "" },
		{ "/machine.slice/machine-a\\x2.scope", "a\\x2" },
		/* not ids: too short, too long, upper case, glued to something else */
		{ "/docker/0123456789abcdef", "" },
		{ "/docker/0" ID, "" },
		{ "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "" },
	};
	char id[CONTAINER_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		bool found = container_id(examples[i].path, id);

		assert_string_equal(id, examples[i].name);
		assert_int_equal(found, examples[i].name[0] != '\0');
	}
}

static void too_long_names(void **state)
{
	char path[1024] = "/lxc/", name[CONTAINER_NAME_MAX];

	(void)state;
	memset(path + 5, 'x', CONTAINER_NAME_MAX - 1);
	assert_true(container_id(path, name));
	assert_int_equal(strlen(name), CONTAINER_NAME_MAX - 1);
	path[5 + CONTAINER_NAME_MAX - 1] = 'x';
	assert_false(container_id(path, name));

	memset(path, 0, sizeof(path));
	path[0] = '/';
	memset(path + 1, 'x', 600);
	strcat(path, ".service");
	assert_false(container_unit(path, name));
}

static void mounts(void **state)
{
	char path[32];

	(void)state;
	assert_int_equal(
		cgroup_parse_mount(
			"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw", path,
			sizeof(path)),
		14);
	assert_string_equal(path, "/sys/fs/cgroup");
	assert_int_equal(cgroup_parse_mount("30 23 0:26 / /mnt/a\\040b\\134 rw - cgroup2 none rw",
					    path, sizeof(path)),
			 9);
	assert_string_equal(path, "/mnt/a b\\");
	assert_int_equal(
		cgroup_parse_mount("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
				   path, sizeof(path)),
		0);
	assert_int_equal(cgroup_parse_mount("", path, sizeof(path)), 0);
	assert_int_equal(cgroup_parse_mount("1 2 - cgroup2 ", path, sizeof(path)), 0);
	assert_int_equal(cgroup_parse_mount(" - cgroup2 ", path, sizeof(path)), 0);
	assert_int_equal(
		cgroup_parse_mount(
			"30 23 0:26 / /0123456789012345678901234567890123456789 rw - cgroup2 x rw",
			path, sizeof(path)),
		-ENAMETOOLONG);
}

/* On the system at hand: needs a cgroup2 mount, but neither root nor systemd. */
static void live_lookup(void **state)
{
	struct cgroup_cache *cache = cgroup_cache_new();
	const struct cgroup_names *names;
	bool mounted = cgroup_mount(cache);
	struct stat st;

	(void)state;
	assert_non_null(cache);
	assert_null(cgroup_lookup(cache, 0));
	assert_null(cgroup_lookup(cache, UINT64_MAX));
	assert_null(cgroup_lookup(cache, UINT64_MAX));
	cgroup_cache_free(cache);
	cgroup_cache_free(NULL);
	if (!mounted)
		skip();
	cache = cgroup_cache_new();
	assert_int_equal(stat(cgroup_mount(cache), &st), 0);
	names = cgroup_lookup(cache, st.st_ino);
	assert_non_null(names);
	assert_string_equal(names->path, "/");
	assert_null(names->container);
	assert_ptr_equal(cgroup_lookup(cache, st.st_ino), names);
	cgroup_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units),	  cmocka_unit_test(containers),
		cmocka_unit_test(too_long_names), cmocka_unit_test(mounts),
		cmocka_unit_test(live_lookup),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
