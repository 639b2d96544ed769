// SPDX-License-Identifier: MIT
/*
 * A system call filter. Everything that needs a refused call is done by now; what comes after it
 * (exec, PID 1's loop) is in every filter. no_new_privs is set, or CAP_SYS_ADMIN is still there.
 */
#include <errno.h>

#include <sandbox/sys.h>

#include "ops.h"

static void explain(struct err *err)
{
	switch (err->num) {
	case ENOSYS:
	case EINVAL:
		err->code = ERR_KERNEL;
		(void)err_cause(err, "this kernel has no seccomp filters, or a filter around us "
				     "hides them");
		break;
	case ENOMEM:
		(void)err_cause(err, "out of memory, or the filters of all boxes around this one "
				     "are 32768 instructions already");
		break;
	default: break;
	}
	(void)err_fix(err, "use a kernel with CONFIG_SECCOMP_FILTER; or do without the filter: "
			   "--seccomp off");
}

int op_seccomp_apply(const struct op *op, struct run *run, struct err *err)
{
	int r = sys_seccomp_load(op->u.seccomp.program);

	(void)run;
	if (r >= 0)
		return 0;
	(void)err_set(err, ERR_LOCKDOWN, r, "cannot load the system call filter '%s'",
		      op->u.seccomp.name);
	explain(err);
	return r;
}
