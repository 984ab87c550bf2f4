/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cgroup's path says about a process: its systemd unit and its container. Pure: no system is
 * asked.
 */
#ifndef NETTRACE_CONTAINER_H
#define NETTRACE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

#define CONTAINER_NAME_MAX 256 /* bytes with the NUL: a cgroup's name has at most 255 */

/*
 * The unit that the path lies in: its last component that is a .service, .scope, .socket, .mount or
 * .swap; without one the last .slice other than those that only wrap others (-.slice, user.slice,
 * user-1000.slice). Raw bytes, as systemd escapes them. False, and `unit` empty, when there is
 * none.
 */
bool container_unit(const char *path, char unit[CONTAINER_NAME_MAX]);

/*
 * The innermost container that the path lies in: the full id of 64 hexadecimal digits for Docker,
 * containerd, CRI-O, Podman and Kubernetes, the name for LXC, LXD, Incus and systemd-nspawn (there
 * unescaped: \x2d is '-'). Raw bytes. False, and `id` empty, when there is none.
 */
bool container_id(const char *path, char id[CONTAINER_NAME_MAX]);

/* Is it the one that is meant: by its whole name or id, or by at least 12 of the 64 digits of an id, as Docker shows them? */
bool container_is(const char *id, const char *wanted);

#endif
