// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sys/resource.h>

#include "ops.h"

static rlim_t limit_value(uint64_t v)
{
	return v == UINT64_MAX ? RLIM_INFINITY : (rlim_t)v;
}

/* One more for the limiter, if there is one in the box. And where the cgroup counts processes it comes
 * first, since it tells how often it had to refuse. Never beyond what the caller has. */
static rlim_t slack(const struct op *op, const struct run *run)
{
	rlim_t more = (run->limiter > 0 ? 1 : 0) +
		      (run->limits[LIMIT_PIDS].by == LIMIT_BY_CGROUP ? 1 : 0);
	struct rlimit now;

	if (op->stage != STAGE_LOCKDOWN || op->u.rlimit.resource != RLIMIT_NPROC ||
	    getrlimit(RLIMIT_NPROC, &now) < 0 || now.rlim_max <= op->u.rlimit.hard)
		return 0;
	return now.rlim_max - op->u.rlimit.hard < more ? now.rlim_max - op->u.rlimit.hard : more;
}

int op_rlimit_apply(const struct op *op, struct run *run, struct err *err)
{
	rlim_t more = slack(op, run);
	const struct rlimit rl = { limit_value(op->u.rlimit.soft) + more,
				   limit_value(op->u.rlimit.hard) + more };

	if (setrlimit((__rlimit_resource_t)op->u.rlimit.resource, &rl) == 0)
		return 0;
	(void)err_set(err, ERR_LIMIT, errno, "cannot set the limit '%s'", op->u.rlimit.name);
	if (err->num == EPERM) {
		(void)err_cause(err, "it is above the caller's own hard limit");
		(void)err_fix(err,
			      "ask for less, or raise the hard limit (ulimit -H, limits.conf(5))");
	}
	return -err->num;
}

int op_nice_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)run;
	if (setpriority(PRIO_PROCESS, 0, op->u.nice.value) == 0)
		return 0;
	(void)err_set(err, ERR_LIMIT, errno, "cannot set the nice value %d", op->u.nice.value);
	if (err->num == EACCES || err->num == EPERM)
		(void)err_cause(err, "an ordinary user may only raise it (RLIMIT_NICE)");
	return -err->num;
}
