/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/frame.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL 1 /* lines that repeat themselves: higher ones gain a tenth for twice the time */
/* One of the sixteen magic numbers that RFC 8878 leaves to applications. */
#define INDEX_MAGIC 0x184D2A5EU
#define HEADER_BYTES 8
#define INDEX_VERSION 1

static const char signature[8] = { 'n', 'e', 't', 't', 'r', 'a', 'c', 'e' };

/* Little-endian, as zstd's own headers are. */
static uint8_t *put32(uint8_t *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static uint8_t *put64(uint8_t *p, uint64_t value)
{
	value = htole64(value);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static uint32_t get32(const uint8_t **p)
{
	uint32_t value;

	memcpy(&value, *p, sizeof(value));
	*p += sizeof(value);
	return le32toh(value);
}

static uint64_t get64(const uint8_t **p)
{
	uint64_t value;

	memcpy(&value, *p, sizeof(value));
	*p += sizeof(value);
	return le64toh(value);
}

/* FNV-1a over all but the check itself, which is last. */
static uint64_t check_of(const uint8_t index[FRAME_INDEX_BYTES])
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < FRAME_INDEX_BYTES - sizeof(hash); i++)
		hash = (hash ^ index[i]) * 0x100000001b3ULL;
	return hash;
}

void frame_index_write(uint8_t out[FRAME_INDEX_BYTES], const struct frame_info *info)
{
	uint8_t *p = out;

	p = put32(p, INDEX_MAGIC);
	p = put32(p, FRAME_INDEX_BYTES - HEADER_BYTES);
	memcpy(p, signature, sizeof(signature));
	p = put32(p + sizeof(signature), INDEX_VERSION);
	p = put32(p, info->flags);
	memcpy(p, info->run, sizeof(info->run));
	p = put64(p + sizeof(info->run), info->number);
	p = put64(p, info->first_ns);
	p = put64(p, info->last_ns);
	p = put32(p, info->records);
	p = put32(p, info->plain_bytes);
	p = put32(p, info->packed_bytes);
	p = put32(p, 0); /* room for what a later version may need */
	_Static_assert(FRAME_INDEX_BYTES == 8 + 8 + 4 + 4 + FRAME_RUN_BYTES + 3 * 8 + 6 * 4,
		       "the members and what is left over");
	put64(p, check_of(out));
}

bool frame_index_read(const uint8_t bytes[FRAME_INDEX_BYTES], struct frame_info *info)
{
	const uint8_t *p = bytes;
	struct frame_info i;

	if (get32(&p) != INDEX_MAGIC || get32(&p) != FRAME_INDEX_BYTES - HEADER_BYTES ||
	    memcmp(p, signature, sizeof(signature)))
		return false;
	p += sizeof(signature);
	if (get32(&p) != INDEX_VERSION)
		return false;
	i.flags = get32(&p);
	memcpy(i.run, p, sizeof(i.run));
	p += sizeof(i.run);
	i.number = get64(&p);
	i.first_ns = get64(&p);
	i.last_ns = get64(&p);
	i.records = get32(&p);
	i.plain_bytes = get32(&p);
	i.packed_bytes = get32(&p);
	get32(&p);
	if (get64(&p) != check_of(bytes))
		return false;
	if (i.plain_bytes > FRAME_BYTES_MAX || i.packed_bytes > FRAME_BYTES_MAX ||
	    !i.packed_bytes || i.records > i.plain_bytes || i.first_ns > i.last_ns)
		return false;
	*info = i;
	return true;
}

bool frame_is_index(const uint8_t bytes[FRAME_INDEX_BYTES])
{
	const uint8_t *p = bytes, *version = bytes + HEADER_BYTES + sizeof(signature);

	return get32(&p) == INDEX_MAGIC &&
	       !memcmp(bytes + HEADER_BYTES, signature, sizeof(signature)) &&
	       get32(&version) == INDEX_VERSION;
}

size_t frame_index_find(const uint8_t *bytes, size_t size)
{
	uint8_t begin[HEADER_BYTES + sizeof(signature)];
	const uint8_t *found;

	memcpy(put32(put32(begin, INDEX_MAGIC), FRAME_INDEX_BYTES - HEADER_BYTES), signature,
	       sizeof(signature));
	found = memmem(bytes, size, begin, sizeof(begin));
	return found ? (size_t)(found - bytes) : size;
}

bool frame_is_zstd(const uint8_t bytes[4])
{
	uint32_t magic = get32(&bytes);

	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

struct frame_packer {
	ZSTD_CCtx *context;
};

struct frame_packer *frame_packer_new(void)
{
	struct frame_packer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->context = ZSTD_createCCtx();
	/* With a checksum, damage is found instead of shown. */
	if (!p->context ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(p->context, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(p->context, ZSTD_c_checksumFlag, 1))) {
		frame_packer_free(p);
		return NULL;
	}
	return p;
}

void frame_packer_free(struct frame_packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->context);
	free(p);
}

int frame_pack(struct frame_packer *p, const struct text *lines, struct frame_info *info,
	       struct text *out)
{
	size_t room = ZSTD_compressBound(lines->length), packed;
	char *index;

	if (!text_reserve(out, FRAME_INDEX_BYTES + room))
		return -ENOMEM;
	index = out->data + out->length;
	packed = ZSTD_compress2(p->context, index + FRAME_INDEX_BYTES, room, lines->data,
				lines->length);
	if (ZSTD_isError(packed)) /* the room is enough: only memory can be missing */
		return -ENOMEM;
	info->plain_bytes = (uint32_t)lines->length;
	info->packed_bytes = (uint32_t)packed;
	frame_index_write((uint8_t *)index, info);
	out->length += FRAME_INDEX_BYTES + packed;
	return 0;
}
