// SPDX-License-Identifier: BSD-2-Clause
#include "explain.h"

#include <errno.h>

#include "model/filter_pushdown.h"

int explain(const struct options *o, FILE *out)
{
	struct text t = { 0 };
	int err = 0;

	filter_explain(&o->selection, o->filter, &t);
	if (t.failed)
		err = -ENOMEM;
	else if (fwrite(t.data, 1, t.length, out) != t.length)
		err = -errno;
	text_done(&t);
	return err;
}
