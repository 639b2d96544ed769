// SPDX-License-Identifier: MIT
/*
 * /proc and /sys. A fresh procfs is always ours (user and PID namespace are new); the kernel
 * refuses it with EPERM where the procfs we can see is covered in part (mount_too_revealing in
 * fs/namespace.c), as in most containers.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

static int explain(struct err *err, const char *where)
{
	if (err->num != EPERM)
		return -err->num;
	err->code = ERR_PROC_MASKED;
	(void)err_cause(err,
			"parts of the %s outside are covered by other mounts, as containers do; "
			"the kernel then gives no uncovered one",
			where);
	return err_fix(
		err, "%s",
		where[1] == 'p'
			? "share the PID namespace (--share pid), or let the container uncover it: docker run "
			  "--security-opt systempaths=unconfined, podman run --security-opt unmask=ALL"
			: "share the network namespace (--network host), or let the container uncover it");
}

static int fresh(struct run *run, const char *fstype, const char *dst, bool make, unsigned attrs,
		 int *ret_mnt, struct err *err)
{
	autofd int at = mnt_top_dir(run, dst, make, err);
	autofd int mnt = -EBADF;
	int r;

	if (at < 0)
		return at;
	mnt = mnt_new(run, fstype, NULL, attrs, err);
	if (mnt < 0)
		return explain(err, dst);
	r = mnt_attach(mnt, at, dst, err);
	if (r == 0)
		*ret_mnt = fd_steal(&mnt);
	return r;
}

/* The host's own instance, read-only. */
static int shared(struct run *run, const char *dst, bool make, int *ret_mnt, struct err *err)
{
	autofd int at = mnt_top_dir(run, dst, make, err);
	autofd int mnt = -EBADF;
	int r;

	if (at < 0)
		return at;
	mnt = mnt_clone(AT_FDCWD, dst, true);
	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot bind '%s'", dst);
	r = mnt_attrs(mnt, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC, true, dst, err);
	if (r == 0)
		r = mnt_attach(mnt, at, dst, err);
	if (r == 0)
		*ret_mnt = fd_steal(&mnt);
	return r;
}

int op_proc_apply(const struct op *op, struct run *run, struct err *err)
{
	unsigned attrs = ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC;
	int r;

	if (!op->u.proc.fresh)
		return shared(run, "/proc", op->u.proc.make, &run->at_proc, err);
	r = fresh(run, "proc", "/proc", op->u.proc.make, attrs, &run->at_proc, err);
	if (r == 0)
		run->proc = run->at_proc;
	return r;
}

int op_sysfs_apply(const struct op *op, struct run *run, struct err *err)
{
	unsigned attrs = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC;

	return op->u.sysfs.fresh
		       ? fresh(run, "sysfs", "/sys", op->u.sysfs.make, attrs, &run->at_sys, err)
		       : shared(run, "/sys", op->u.sysfs.make, &run->at_sys, err);
}

/* By way of our own procfs: its descriptor cannot be anything else. Without one by the host's, which
 * lies below the new root still, where no name of the box's is looked up. The sysctls of user
 * namespaces belong to the opener's namespace (kernel/ucount.c). */
int op_sysctl_apply(const struct op *op, struct run *run, struct err *err)
{
	autofd int host = run->proc < 0 ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	autofd int fd = openat(run->proc < 0 ? host : run->proc, op->u.sysctl.path,
			       O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	r = fd < 0 ? -errno : fd_write_all(fd, op->u.sysctl.value, strlen(op->u.sysctl.value));
	if (r < 0) {
		(void)err_set(err, ERR_LOCKDOWN, r, "cannot set %s to %s", op->u.sysctl.path,
			      op->u.sysctl.value);
		return err_fix(
			err,
			"with --nested the command may make user namespaces and this is left out");
	}
	return 0;
}
