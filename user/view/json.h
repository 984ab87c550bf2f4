/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NETTRACE_JSON_H
#define NETTRACE_JSON_H

#include "base/text.h"
#include "model/event.h"

/*
 * Writes the event as one JSON object and a newline: exactly the fields that are present, in table
 * order.
 */
void json_write_event(struct text *t, const struct event *e);

#endif
