/* SPDX-License-Identifier: BSD-2-Clause */
/* The two clocks and the way between them. The kernel's records carry CLOCK_MONOTONIC only. */
#ifndef NETTRACE_CLOCK_H
#define NETTRACE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* What to add to a mono time to get ns since 1970; taken again and again, for the wall clock may be set. */
static inline int64_t clock_wall_offset_ns(void)
{
	uint64_t mono = clock_ns(CLOCK_MONOTONIC);

	return (int64_t)(clock_ns(CLOCK_REALTIME) - mono);
}

/* A mono time on the wall clock as it is set now, in ns since 1970. */
static inline uint64_t clock_wall_ns(uint64_t mono_ns)
{
	return mono_ns + (uint64_t)clock_wall_offset_ns();
}

#endif
