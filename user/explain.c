// SPDX-License-Identifier: BSD-2-Clause
#include "explain.h"

#include <errno.h>

int explain(const struct options *o, FILE *out)
{
	struct text t = { 0 };
	int err = 0;

	text_puts(&t, "filter: ");
	filter_print(o->filter, &t);
	text_char(&t, '\n');
	if (t.failed)
		err = -ENOMEM;
	else if (fwrite(t.data, 1, t.length, out) != t.length)
		err = -errno;
	text_done(&t);
	return err;
}
