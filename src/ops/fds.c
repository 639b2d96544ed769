// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/sys.h>

#include "ops.h"

/* In the command's own process, last before exec: everything past 2 is close-on-exec, but what
 * --preserve-fds named. */
int op_close_fds_apply(const struct op *op, struct run *run, struct err *err)
{
	int r = sys_close_from(3, false);

	(void)run;
	if (r < 0)
		return err_set(err, ERR_LOCKDOWN, r, "cannot close inherited descriptors");
	for (size_t i = 0; i < op->u.fds.n; i++)
		if (fcntl(op->u.fds.keep[i], F_SETFD, 0) < 0)
			return err_set(err, ERR_FD, errno, "cannot pass descriptor %d on",
				       op->u.fds.keep[i]);
	return 0;
}

/* Last in the tree: a directory that lies outside of the new root would give the host away
 * (runc CVE-2024-21626), so the result is asked for and must be a path below "/". */
int op_chdir_apply(const struct op *op, struct run *run, struct err *err)
{
	char cwd[PATH_MAX];

	(void)run;
	if (chdir(op->u.chdir.path) < 0) {
		(void)err_set(err, ERR_WORKDIR, errno, "cannot enter the directory '%s'",
			      op->u.chdir.path);
		return err->num == ENOENT
			       ? err_fix(err,
					 "it does not exist inside the box: show it (-v, --show), or choose "
					 "another with -w")
			       : -err->num;
	}
	if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
		return err_set(err, ERR_WORKDIR, ENOENT, "the directory '%s' is not inside the box",
			       op->u.chdir.path);
	return 0;
}
