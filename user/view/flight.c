/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void flight_init(struct flight *f, uint64_t keep_ns, size_t size_max)
{
	*f = (struct flight){ .keep_ns = keep_ns, .size_max = size_max };
}

static void drop_first(struct flight *f)
{
	struct flight_frame *frame = f->first;

	f->first = frame->next;
	if (!f->first)
		f->last = NULL;
	f->size -= frame->size;
	f->keys -= frame->info.flags & FRAME_KEY;
	free(frame);
}

void flight_done(struct flight *f)
{
	while (f && f->first)
		drop_first(f);
}

int flight_add(struct flight *f, const struct frame_info *info, uint64_t mono_ns, const void *bytes,
	       size_t size)
{
	struct flight_frame *frame = malloc(sizeof(*frame) + size);

	if (!frame)
		return -ENOMEM;
	*frame = (struct flight_frame){ .info = *info, .mono_ns = mono_ns, .size = size };
	memcpy(frame->bytes, bytes, size);
	if (f->last)
		f->last->next = frame;
	else
		f->first = frame;
	f->last = frame;
	f->size += size;
	f->keys += info->flags & FRAME_KEY;
	return 0;
}

/* The first frame of the next group, or NULL. */
static const struct flight_frame *next_group(const struct flight *f)
{
	const struct flight_frame *frame = f->first ? f->first->next : NULL;

	while (frame && !(frame->info.flags & FRAME_KEY))
		frame = frame->next;
	return frame;
}

static void drop_until(struct flight *f, const struct flight_frame *until, bool early)
{
	while (f->first && f->first != until) {
		f->early += early;
		drop_first(f);
	}
}

void flight_trim(struct flight *f, uint64_t mono_ns)
{
	const struct flight_frame *next;

	/* a group is needed while the next one begins too late */
	while ((next = next_group(f)) && next->mono_ns + f->keep_ns <= mono_ns)
		drop_until(f, next, false);
	while (f->size > f->size_max && (next = next_group(f)))
		drop_until(f, next, true);
	while (f->size > f->size_max && f->first && f->first->next)
		drop_until(f, f->first->next, true);
}
