// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sandbox/sys.h>

#include "ops.h"

/* A change from uid 0 drops the effective set even with KEEPCAPS: take it up again. */
int op_raise_effective(void)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &hdr, d) < 0)
		return -errno;
	d[0].effective = d[0].permitted;
	d[1].effective = d[1].permitted;
	return syscall(SYS_capset, &hdr, d) < 0 ? -errno : 0;
}

static bool is_identity(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	return getresuid(&u[0], &u[1], &u[2]) == 0 && getresgid(&g[0], &g[1], &g[2]) == 0 &&
	       u[0] == uid && u[1] == uid && u[2] == uid && g[0] == gid && g[1] == gid &&
	       g[2] == gid;
}

/* See caps.c. */
static int not_taken(struct err *err)
{
	(void)err_set(err, ERR_IDENTITY, EPERM,
		      "the user and groups are not what they were set to");
	return err_cause(err, "a system call was skipped and success claimed for it, by a seccomp "
			      "filter around this process");
}

/* First thing after the maps: a change of identity clears PDEATHSIG and the dumpable flag. The
 * capabilities are kept for building; LOCKDOWN takes them. */
int op_identity_apply(const struct op *op, struct run *run, struct err *err)
{
	int r = 0;

	if (op->u.identity.drop_groups)
		r = sys_setgroups_none();
	if (r < 0)
		return err_set(err, ERR_IDENTITY, r, "cannot drop the supplementary groups");
	if (op->u.identity.drop_groups && getgroups(0, NULL) != 0)
		return not_taken(err);
	if (!op->u.identity.set)
		return 0;
	run->other_identity = true;
	run->caller_uid = op->u.identity.caller_uid;
	run->caller_gid = op->u.identity.caller_gid;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_IDENTITY, errno, "cannot keep capabilities for the set-up");
	r = sys_setresgid(op->u.identity.gid);
	if (r < 0)
		return err_set(err, ERR_IDENTITY, r, "cannot become group %u", op->u.identity.gid);
	r = sys_setresuid(op->u.identity.uid);
	if (r < 0)
		return err_set(err, ERR_IDENTITY, r, "cannot become user %u", op->u.identity.uid);
	if (!is_identity(op->u.identity.uid, op->u.identity.gid))
		return not_taken(err);
	r = op_raise_effective();
	return r < 0 ? err_set(err, ERR_IDENTITY, r, "cannot keep capabilities for the set-up") : 0;
}
