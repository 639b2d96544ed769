// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

int op_tmpfs_apply(const struct op *op, struct run *run, struct err *err)
{
	char size[32], mode[16];
	const char *const options[][2] = { { "size", size }, { "mode", mode }, { NULL, NULL } };
	autofd int mnt = -EBADF, at = -EBADF;

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)op->u.tmpfs.size);
	(void)snprintf(mode, sizeof(mode), "%o", op->u.tmpfs.mode & 07777u);
	at = mnt_place(run, op->u.tmpfs.dst, PATH_DIR, 0755, op->u.tmpfs.make, err);
	if (at < 0)
		return at;
	mnt = mnt_new(run, "tmpfs", options, op->u.tmpfs.attrs, err);
	return mnt < 0 ? mnt : mnt_attach(mnt, at, op->u.tmpfs.dst, err);
}

/*
 * The private directories of the host view (/tmp, /run, the home) are directories of the root's
 * own tmpfs, bound onto themselves: so they stay writable when the root mount turns read-only,
 * share one bound on memory, and cost no file system each.
 */
int op_scratch_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *dst = op->u.scratch.dst;
	autofd int mnt = -EBADF;
	autofd int at = mnt_place(run, dst, PATH_DIR, op->u.scratch.mode, op->u.scratch.make, err);
	int r;

	if (at < 0)
		return at;
	if (!mnt_is_own(run, at))
		return err_set(err, ERR_DEST, EROFS, "'%s' is a directory of the host's", dst);
	mnt = mnt_clone(at, "", false);
	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot make '%s' private", dst);
	r = mnt_attrs(mnt, ATTR_NOSUID | ATTR_NODEV, false, dst, err);
	return r < 0 ? r : mnt_attach(mnt, at, dst, err);
}
