/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine calls ports and users. */
#ifndef NETTRACE_NAMES_H
#define NETTRACE_NAMES_H

#include "model/filter.h"

/* /etc/services, or the best known of them where there is no such file; the user database. */
extern const struct filter_names names_of_system;

/* NULL: it has no name. Both are valid until the next call. */
const char *user_name(uint32_t uid);
const char *port_name(uint16_t port, uint8_t proto);

#endif
