// SPDX-License-Identifier: MIT
/* By unshare and not in the clone: the namespace's root is the cgroup one is in at that moment,
 * which is the box's own only after it was entered. */
#include <errno.h>
#include <sched.h>

#include "ops.h"

int op_cgroupns_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)op;
	(void)run;
	return unshare(CLONE_NEWCGROUP) < 0
		       ? err_set(err, ERR_NAMESPACE, errno, "cannot make a new cgroup namespace")
		       : 0;
}
