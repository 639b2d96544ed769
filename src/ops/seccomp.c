// SPDX-License-Identifier: MIT
/*
 * A system call filter. Everything that needs a refused call is done by now; what comes after it
 * (exec, PID 1's loop) is in every filter. no_new_privs is set, or CAP_SYS_ADMIN is still there.
 *
 * Whether it was loaded cannot be read back in every box: what our own filter refuses is the user's to
 * say, one around us may refuse the same, and /proc need not be there. So the call is tried first with
 * an empty program, which the kernel refuses. A filter sees nothing of a call but its number and its
 * arguments, and says the same of the second one: what is skipped once is skipped both times.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

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
	case EPERM:
		(void)err_cause(err,
				"a seccomp filter around this process refuses the call, or has it "
				"skipped and claims success");
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

static int load_really(const struct seccomp_program *program, unsigned flags)
{
	const struct seccomp_program empty = { program->insns, 0 };

	return sys_seccomp_load_with(&empty, flags) < 0 ? sys_seccomp_load_with(program, flags)
							: -EPERM;
}

/* In the command's own process, which shares PID 1's memory and descriptors until exec: what is opened
 * here is PID 1's. A kill is asked for rather than done by the kernel, so that it can be named; not in a
 * box whose surroundings have such a filter (EBUSY), nor before Linux 5.0. */
static int load_own(struct run *run)
{
	struct seccomp_program program = { run->named, run->filter.n };
	int fd = run->named ? load_really(&program,
					  run->filter.flags | SECCOMP_FILTER_FLAG_NEW_LISTENER)
			    : -EINVAL;

	if (fd >= 0) {
		run->listener = fd;
		return 0;
	}
	if (fd != -EBUSY && fd != -EINVAL)
		return fd;
	program.insns = run->filter.insns;
	return load_really(&program, run->filter.flags);
}

static int load(const struct op *op, struct run *run)
{
	if (!op->u.seccomp.program)
		return load_own(run);
	/* PID 1 executes nothing any more; without --allow-new-privs it is set already */
	if (op->stage == STAGE_INIT && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return load_really(op->u.seccomp.program, 0);
}

int op_seccomp_apply(const struct op *op, struct run *run, struct err *err)
{
	int r = load(op, run);

	if (r >= 0)
		return 0;
	(void)err_set(err, ERR_LOCKDOWN, r, "cannot load the system call filter '%s'",
		      op->u.seccomp.name);
	explain(err);
	return r;
}
