/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel lets us do, found by loading and attaching programs of a few instructions: never by its version.
 *
 *   rung 1  typed tracepoints, storage in the socket, iterators      (Linux 5.11 on)
 *   rung 2  the same with a hash by the socket's address             (5.8 to 5.10)
 *   rung 3  raw tracepoints, types from a file where the kernel has none; no iterators
 *   rung 4  nothing may be loaded: polling
 */
#ifndef NETTRACE_LADDER_H
#define NETTRACE_LADDER_H

#include <stdbool.h>

enum { RUNG_STORAGE = 1, RUNG_HASH, RUNG_RAW, RUNG_POLLING };

struct btf;

/* Each: 0, or why not, as -errno. `btf`: the kernel's types; NULL: -ENOENT where they are needed. */
int ladder_typed_tracepoint(const struct btf *btf, const char *tracepoint);
int ladder_raw_tracepoint(const char *tracepoint);
int ladder_fexit(const struct btf *btf, const char *function);
int ladder_iterator(const struct btf *btf, const char *target);
int ladder_cgroup(int cgroup_fd, unsigned int program_type, unsigned int attach_type);
/*
 * The root of cgroup v2, below which every process is: where it is mounted, or (`mount` NULL) a mount of our own that nobody
 * else sees. A descriptor, to be closed, or -errno.
 */
int ladder_cgroup_root(const char *mount);

/*
 * May a tracing program keep storage in a socket, and does it get it? Tried with a real socket, for some kernels allow
 * it and then never have the memory (-ENOMEM). -ETIME: the program did not run.
 */
int ladder_storage(const struct btf *btf);

/* Arguments of a function, or of a tracepoint, by the kernel's types; -ENOENT. */
int ladder_function_args(const struct btf *btf, const char *function);
int ladder_tracepoint_args(const struct btf *btf, const char *tracepoint);

#endif
