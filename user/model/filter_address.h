/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of a filter. Used by the filter's files only. */
#ifndef NETTRACE_FILTER_ADDRESS_H
#define NETTRACE_FILTER_ADDRESS_H

#include "model/filter_private.h"

/* A number from 0 to 65535 or a service; else *nearest is the service that was meant, or NULL. */
bool filter_port_parse(const char *word, const struct filter_names *names, uint16_t *port,
		       const char **nearest);
/*
 * 192.0.2.1, 10.0.0.0/8, 2001:db8::/32, [::1]:443, 192.0.2.1:https, :443, *: an IPv4-mapped address becomes IPv4, as in
 * events. As filter_value_parse.
 */
bool filter_address_parse(const char *word, const struct filter_names *names,
			  struct filter_value *value, struct filter_value_error *error);
void filter_address_print(const struct filter_value *value, struct text *t);

/* Is the address (of an event: family 4 or 6, network byte order) in the value's network? */
bool filter_address_has(const struct filter_value *value, unsigned int family,
			const uint8_t *address);

#endif
