/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP states as people name them: each by itself in any spelling, or ss's groups of them. */
#ifndef NETTRACE_STATE_GROUPS_H
#define NETTRACE_STATE_GROUPS_H

#include <stddef.h>
#include <stdint.h>

/* Bits 1 << enum tcp_state of a state or group, in any case and spelling; 0: there is none. */
uint32_t state_bits_from_name(const char *name);

/* What may be named, for messages: the states first, then the groups. */
extern const size_t state_word_count;
const char *state_word(void *context, size_t i);

#endif
