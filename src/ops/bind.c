// SPDX-License-Identifier: MIT
/* Binds: the source is re-opened in the child's mount namespace and compared with its pin. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

static int check_pin(const struct run *run, int slot, const struct stat *st, const char *src,
		     struct err *err)
{
	const struct pin *pin;

	if (slot < 0)
		return 0;
	pin = &run->pins[slot];
	if (pin->dev == st->st_dev && pin->ino == st->st_ino)
		return 0;
	(void)err_set(err, ERR_RACE, ESTALE, "'%s' is not the file it was a moment ago", src);
	(void)err_cause(err, "somebody replaced it, or a link on the way to it, during the start");
	return err_fix(err, "run again; keep others from changing the path to a volume's source");
}

/* A pinned source that was absent and optional has no pin. */
static bool absent(const struct op *op, const struct run *run)
{
	return op->u.bind.slot >= 0 && run->pins[op->u.bind.slot].fd < 0;
}

static int clone_source(const struct op *op, struct run *run)
{
	struct pin *pin = op->u.bind.slot >= 0 ? &run->pins[op->u.bind.slot] : NULL;

	if (pin && pin->tree >= 0)
		return fd_steal(&pin->tree);
	return mnt_clone(AT_FDCWD, pin ? pin->path : op->u.bind.src, op->u.bind.recursive);
}

int op_bind_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *src = op->u.bind.src, *dst = op->u.bind.dst;
	autofd int mnt = -EBADF, at = -EBADF;
	struct stat st;
	int r;

	if (absent(op, run))
		return 0;
	mnt = clone_source(op, run);
	if (mnt < 0 && op->on_fail == FAIL_SKIP_ABSENT && (mnt == -ENOENT || mnt == -ENOTDIR))
		return 0;
	if (mnt < 0)
		return err_set(err, ERR_SOURCE, mnt, "cannot bind '%s'", src);
	if (fstat(mnt, &st) < 0)
		return err_set(err, ERR_SOURCE, errno, "cannot look at '%s'", src);
	r = check_pin(run, op->u.bind.slot, &st, src, err);
	if (r < 0)
		return r;
	r = mnt_attrs(mnt, op->u.bind.attrs, op->u.bind.recursive, src, err);
	if (r < 0)
		return r;
	at = S_ISDIR(st.st_mode) ? mnt_place(run, dst, PATH_DIR, 0755, op->u.bind.make, err)
				 : mnt_place(run, dst, PATH_FILE, 0644, op->u.bind.make, err);
	if (at < 0 && op->on_fail == FAIL_SKIP_PLACE)
		return 0;
	return at < 0 ? at : mnt_attach(mnt, at, dst, err);
}

/* The identity of a mount, to tell whether a directory is one's root. Linux 5.8. */
static uint64_t mount_id(int fd)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) == 0 ? stx.stx_mnt_id : 0;
}

static bool is_readonly(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

/* Onto itself, so that it is a mount point and cannot be renamed (EBUSY). */
static int hold_in_place(int at, const char *dst, struct err *err)
{
	autofd int mnt = mnt_clone(at, "", true);

	return mnt < 0 ? err_set(err, ERR_MOUNT, mnt, "cannot hold '%s' in its place", dst)
		       : mnt_attach(mnt, at, dst, err);
}

/* Every writable directory on the way to a protected place is held, else the command renames it
 * and puts another one, with other contents, where the protected one was. */
static int hold_parents(struct run *run, const char *dst, struct err *err)
{
	char prefix[PATH_MAX];
	uint64_t above = mount_id(run->root);
	int r = 0;

	for (const char *p = strchr(dst + 1, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		autofd int at = -EBADF;
		uint64_t id;

		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(p - dst), dst);
		at = path_open_in(run->root, prefix, O_DIRECTORY);
		if (at < 0)
			return err_set(err, ERR_DEST, at, "cannot find '%s' to protect '%s'",
				       prefix, dst);
		id = mount_id(at);
		if (id == above && !is_readonly(at)) {
			autofd int now = -EBADF;

			r = hold_in_place(at, prefix, err);
			now = r == 0 ? path_open_in(run->root, prefix, O_DIRECTORY) : -EBADF;
			id = now >= 0 ? mount_id(now) : id;
		}
		above = id;
	}
	return r;
}

/* Whether this name is a link that the command could replace: then what is protected behind it is
 * no longer behind it. */
static bool is_open_link(const struct run *run, const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	autofd int at = path_open_in(run->root, path, O_NOFOLLOW);
	autofd int parent = -EBADF;
	struct stat st;

	if (at < 0 || fstat(at, &st) < 0 || !S_ISLNK(st.st_mode))
		return false;
	(void)snprintf(dir, sizeof(dir), "%.*s/", (int)(slash - path), path);
	parent = path_open_in(run->root, dir, O_DIRECTORY);
	return parent < 0 || !is_readonly(parent);
}

static int refuse_link(const struct run *run, const char *dst, struct err *err)
{
	char prefix[PATH_MAX];

	for (const char *p = dst + 1; p; p = *p ? p + 1 : NULL) {
		p += strcspn(p, "/");
		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(p - dst), dst);
		if (is_open_link(run, prefix)) {
			(void)err_set(err, ERR_DEST, ELOOP, "cannot protect '%s'", dst);
			(void)err_cause(err,
					"'%s' is a symbolic link, which the command could replace",
					prefix);
			return err_fix(err, "protect the place it leads to");
		}
	}
	return 0;
}

/* Read-only where it stands, submounts too; what does not exist needs no protection. */
int op_protect_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *dst = op->u.path.dst;
	autofd int at = path_open_in(run->root, dst, 0);
	autofd int mnt = -EBADF;
	int r;

	if (at == -ENOENT || at == -ENOTDIR)
		return 0;
	r = at < 0 ? err_set(err, ERR_DEST, at, "cannot find '%s' to protect it", dst)
		   : refuse_link(run, dst, err);
	if (r == 0)
		r = hold_parents(run, dst, err);
	if (r < 0)
		return r;
	fd_close(&at);
	at = path_open_in(run->root, dst, 0); /* on top of what has been mounted just now */
	mnt = at < 0 ? at : mnt_clone(at, "", true);
	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot protect '%s'", dst);
	r = mnt_attrs(mnt, ATTR_RDONLY, true, dst, err);
	return r < 0 ? r : mnt_attach(mnt, at, dst, err);
}

/* A detached mount of nothing: an empty read-only directory or file. */
static int nothing(struct run *run, bool dir, struct err *err)
{
	int mnt = mnt_clone(dir ? run->empty : run->empty_file, "", false);
	int r;

	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot copy an empty %s",
			       dir ? "directory" : "file");
	r = mnt_attrs(mnt, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC, false, "nothing",
		      err);
	if (r == 0)
		return mnt;
	fd_close(&mnt);
	return r;
}

int op_hide_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *dst = op->u.path.dst;
	autofd int at = path_open_in(run->root, dst, 0);
	autofd int mnt = -EBADF;
	struct stat st;

	if (at == -ENOENT || at == -ENOTDIR)
		return 0;
	if (at < 0 || fstat(at, &st) < 0)
		return err_set(err, ERR_DEST, at < 0 ? at : errno, "cannot find '%s' to hide it",
			       dst);
	mnt = nothing(run, S_ISDIR(st.st_mode), err);
	return mnt < 0 ? mnt : mnt_attach(mnt, at, dst, err);
}

/* Masks lie below mounts of ours and are looked up from there, not by a path through the new root:
 * whoever may write a root directory can give the name /proc to another directory once procfs is
 * mounted, where nothing is found to be masked, and give it back later. */
static int open_masked(const struct op *op, const struct run *run)
{
	const char *below = strchr(op->u.mask.path + 1, '/') + 1;

	return path_open_beneath(op->u.mask.in_sys ? run->at_sys : run->at_proc, below, O_NOFOLLOW);
}

/* A file is covered by the null device, which can be read as empty. */
int op_mask_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *dst = op->u.mask.path;
	autofd int at = open_masked(op, run);
	autofd int mnt = -EBADF;
	struct stat st;
	int r = 0;

	if (at == -ENOENT || at == -ENOTDIR)
		return 0;
	if (at < 0 || fstat(at, &st) < 0)
		return err_set(err, ERR_MOUNT, at < 0 ? at : errno, "cannot find '%s' to mask it",
			       dst);
	if (op->u.mask.readonly)
		mnt = mnt_clone(at, "", true);
	else
		mnt = mnt_clone(S_ISDIR(st.st_mode) ? run->empty : run->null, "", false);
	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot mask '%s'", dst);
	if (op->u.mask.readonly || S_ISDIR(st.st_mode))
		r = mnt_attrs(mnt, ATTR_RDONLY, op->u.mask.readonly, dst, err);
	else
		r = mnt_attrs(mnt, ATTR_NOSUID | ATTR_NOEXEC, false, dst, err);
	return r < 0 ? r : mnt_attach(mnt, at, dst, err);
}
