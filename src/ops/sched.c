// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops.h"

/* The kernel leaves out what is not there, in silence: we do not. */
static int all_taken(const struct op *op, struct err *err)
{
	uint64_t got[1024] = { 0 };

	if (syscall(SYS_sched_getaffinity, 0, sizeof(got), got) < 0)
		return err_set(err, ERR_LIMIT, errno, "cannot read the CPU affinity back");
	for (unsigned i = 0; i < op->u.affinity.bits / 64; i++) {
		if (!(op->u.affinity.cpus[i] & ~got[i]))
			continue;
		(void)err_set(err, ERR_LIMIT, EINVAL, "cannot keep the box on the CPUs %s",
			      op->u.affinity.text);
		return err_cause(err, "this host, or the cpuset around us, has not all of them");
	}
	return 0;
}

/* Children inherit it. The command can widen it again: not a boundary. */
int op_affinity_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)run;
	/* the kernel intersects with what exists; nothing left is EINVAL */
	if (syscall(SYS_sched_setaffinity, 0, op->u.affinity.bits / 8, op->u.affinity.cpus) == 0)
		return all_taken(op, err);
	(void)err_set(err, ERR_LIMIT, errno, "cannot keep the box on the CPUs %s",
		      op->u.affinity.text);
	if (err->num == EINVAL)
		(void)err_cause(err, "this host, or the cpuset around us, has none of them");
	return -err->num;
}

int op_idle_apply(const struct op *op, struct run *run, struct err *err)
{
	const struct sched_param param = { 0 };

	(void)op;
	(void)run;
	return sched_setscheduler(0, SCHED_IDLE, &param) < 0
		       ? err_set(err, ERR_LIMIT, errno,
				 "cannot take the scheduling class SCHED_IDLE")
		       : 0;
}
