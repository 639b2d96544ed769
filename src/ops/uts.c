// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ops.h"

int op_hostname_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)run;
	if (sethostname(op->u.hostname.name, strlen(op->u.hostname.name)) < 0)
		return err_set(err, ERR_NAMESPACE, errno, "cannot set the host name '%s'",
			       op->u.hostname.name);
	return 0;
}
