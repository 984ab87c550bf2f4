/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From records to events where one event takes several records. The kernel tells of a RST only after the
 * → CLOSE that it explains, and of the acceptor of a connection that its peer reset only when that
 * acceptor touches it. Such a close is held back, bounded in time and number; all the rest passes straight through.
 * Needs no kernel: fed with records by hand in the unit tests.
 */
#ifndef NETTRACE_ASSEMBLY_H
#define NETTRACE_ASSEMBLY_H

#include <stddef.h>

#include "source/record_event.h"

struct assembly;

/* Borrowed: names (its members may change between calls), context. NULL when out of memory. */
struct assembly *assembly_new(const struct record_names *names, event_sink *sink, void *context);
void assembly_free(struct assembly *a);

/* One ring record. 0, what the sink returned, or -EBADMSG for a record that makes no sense (it was counted). */
int assembly_record(struct assembly *a, const void *data, size_t size);

/* Tells the closes that were held back for long enough at mono_ns. 0 or what the sink returned. */
int assembly_expire(struct assembly *a, uint64_t mono_ns);
/* Tells all of them. */
int assembly_flush(struct assembly *a);

size_t assembly_held(const struct assembly *a);
uint64_t assembly_bad_records(const struct assembly *a);

#endif
