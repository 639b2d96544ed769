// SPDX-License-Identifier: MIT
/*
 * The root of the new tree. It is mounted over "/" itself: every host has that mount point, path
 * lookups of the launcher's names still start at the old root below it, and a directory on the
 * root file system can become the root as well as any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

/* A rootless namespace's mounts are slaves of the host's: private, so that nothing mounted on
 * the host later appears inside. */
int op_propagation_apply(const struct op *op, struct run *run, struct err *err)
{
	int r = sys_mount_propagation("/", MS_REC | MS_PRIVATE);

	(void)op;
	(void)run;
	return r < 0 ? err_set(err, ERR_MOUNT, r, "cannot make the mounts private") : 0;
}

static int root_tmpfs(const struct op *op, struct run *run, struct err *err)
{
	char size[32];
	const char *const options[][2] = { { "size", size }, { "mode", "0755" }, { NULL, NULL } };

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)op->u.root.size);
	return mnt_new(run, "tmpfs", options, op->u.root.attrs, err);
}

static int root_bind(const struct op *op, struct run *run, struct err *err)
{
	const struct pin *pin = &run->pins[op->u.root.slot];
	autofd int mnt = mnt_clone(AT_FDCWD, pin->path, op->u.root.recursive);
	struct stat st;
	int r;

	if (mnt < 0 || fstat(mnt, &st) < 0)
		return err_set(err, ERR_SOURCE, mnt < 0 ? mnt : errno,
			       "cannot use '%s' as the root directory", op->u.root.src);
	if (st.st_dev != pin->dev || st.st_ino != pin->ino)
		return err_set(err, ERR_RACE, ESTALE,
			       "'%s' is not the directory it was a moment ago", op->u.root.src);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_SOURCE, ENOTDIR, "cannot use '%s' as the root directory",
			       op->u.root.src);
	r = mnt_attrs(mnt, op->u.root.attrs, op->u.root.recursive, op->u.root.src, err);
	return r < 0 ? r : fd_steal(&mnt);
}

/* "/" as the source of a volume means the host's root, without the new one that is to stand there. */
static int save_old_root(struct run *run, struct err *err)
{
	for (unsigned i = 0; i < run->plan->nslots; i++) {
		struct pin *pin = &run->pins[i];

		if (pin->fd < 0 || strcmp(pin->path, "/") != 0)
			continue;
		pin->tree = mnt_clone(AT_FDCWD, "/", true);
		if (pin->tree < 0)
			return err_set(err, ERR_SOURCE, pin->tree, "cannot bind '/'");
	}
	return 0;
}

int op_root_apply(const struct op *op, struct run *run, struct err *err)
{
	int r;

	run->root = op->u.root.src ? root_bind(op, run, err) : root_tmpfs(op, run, err);
	if (run->root < 0)
		return run->root;
	r = save_old_root(run, err);
	if (r < 0)
		return r;
	r = sys_move_mount(run->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? err_set(err, ERR_MOUNT, r, "cannot attach the new root") : 0;
}

int op_root_attr_apply(const struct op *op, struct run *run, struct err *err)
{
	return mnt_attrs(run->root, op->u.root_attr.attrs, false, "/", err);
}

/* Success may be claimed by a filter around us, see caps.c. ".." at the root crosses what is mounted on
 * it: the old root, if that is still there. Where statx(2) is refused too, as old containers do, device
 * and inode tell all roots apart but that of --rootfs /. */
static bool is_root(int root, const char *path)
{
	struct statx want, have;
	struct stat a, b;

	if (statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &want) == 0 &&
	    statx(AT_FDCWD, path, 0, STATX_MNT_ID, &have) == 0 &&
	    (want.stx_mask & have.stx_mask & STATX_MNT_ID)) /* Linux 5.8 */
		return want.stx_mnt_id == have.stx_mnt_id;
	return fstat(root, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int not_taken(struct err *err)
{
	(void)err_set(err, ERR_MOUNT, EPERM, "the root is not the new tree");
	return err_cause(err, "a system call was skipped and success claimed for it, by a seccomp "
			      "filter around this process");
}

/* pivot_root(".", ".") stacks the old root on the new one; the detach takes it away with
 * everything below (pivot_root(2), NOTES). */
int op_pivot_apply(const struct op *op, struct run *run, struct err *err)
{
	int r;

	(void)op;
	if (fchdir(run->root) < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot enter the new root");
	r = sys_pivot_root(".", ".");
	if (r < 0)
		return err_set(err, ERR_MOUNT, r, "cannot make the new tree the root (pivot_root)");
	r = sys_umount_detach(".");
	if (r < 0)
		return err_set(err, ERR_MOUNT, r, "cannot let go of the host's tree");
	if (chdir("/") < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot enter the new root");
	return is_root(run->root, "/") && is_root(run->root, "/..") ? 0 : not_taken(err);
}

/* Only at the top of a root of ours, where nobody else has written. */
int op_symlink_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *dst = op->u.symlink.dst;

	while (*dst == '/')
		dst++;
	if (symlinkat(op->u.symlink.target, run->root, dst) < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot make the link '%s'",
			       op->u.symlink.dst);
	return 0;
}
