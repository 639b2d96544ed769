// SPDX-License-Identifier: MIT
/*
 * What the mounting ops share. Mounts are made detached, given their attributes, and only then
 * attached, through descriptors: at no moment does a writable or suid-honouring mount stand in
 * the tree that should not be one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>
#include <sandbox/wire.h>

#include "ops.h"

uint64_t mnt_attr_bits(unsigned attrs)
{
	/* clang-format off */
	static const struct { unsigned attr; uint64_t bit; } rows[] = {
		{ ATTR_RDONLY, MOUNT_ATTR_RDONLY },
		{ ATTR_NOSUID, MOUNT_ATTR_NOSUID },
		{ ATTR_NODEV, MOUNT_ATTR_NODEV },
		{ ATTR_NOEXEC, MOUNT_ATTR_NOEXEC },
	};
	/* clang-format on */
	uint64_t bits = 0;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (attrs & rows[i].attr)
			bits |= rows[i].bit;
	return bits;
}

static bool own_has(const struct run *run, uint64_t dev)
{
	for (unsigned i = 0; i < run->nown; i++)
		if (run->own[i] == dev)
			return true;
	return false;
}

bool mnt_is_own(const struct run *run, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && own_has(run, st.st_dev);
}

static int too_many(struct err *err)
{
	(void)err_set(err, ERR_MOUNT, ENOSPC, "more than %d file systems of the box's own",
		      RUN_OWN_MAX);
	(void)err_cause(err, "each --tmpfs is one");
	return err_fix(err, "use directories below one --tmpfs");
}

int mnt_own(struct run *run, int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot look at a new mount");
	if (own_has(run, st.st_dev))
		return 0;
	if (run->nown == RUN_OWN_MAX)
		return too_many(err);
	run->own[run->nown++] = st.st_dev;
	return 0;
}

/* `make`: the row lets names be created in any file system (a writable root directory).
 * Otherwise only file systems made in this run: a mount point is never made by touching the
 * host's tree. */
struct maker {
	struct run *run;
	bool make;
};

static enum path_may may_make(int dir, void *data)
{
	const struct maker *m = data;

	if (mnt_is_own(m->run, dir))
		return PATH_MAY;
	return m->make ? PATH_MAY_ANNOUNCED : PATH_MAY_NOT;
}

/* The launcher removes what was made outside of our own file systems, if it is still empty. */
static int announce(int dir, const char *name, enum path_want what, mode_t *mode, void *data)
{
	const struct maker *m = data;

	*mode |= MADE_MARK;
	return made_announce(m->run, dir, name, what == PATH_FILE);
}

static int place_error(int num, const char *dst, enum path_want want, struct err *err)
{
	(void)err_set(err, ERR_DEST, num, "cannot use '%s' as a mount point", dst);
	switch (-num) {
	case EROFS:
		(void)err_cause(err,
				"it does not exist there, and is not made in a tree that belongs "
				"to the host or is read-only");
		return err_fix(err, "create it first with %s, or choose another place",
			       want == PATH_DIR ? "mkdir -p" : "touch");
	case ENOTDIR:
		return err_cause(err, "a directory is needed, and it (or a part of it) is none");
	case EISDIR: return err_cause(err, "a file is mounted there, and it is a directory");
	case EACCES:
		return err_cause(err, "a directory on the way belongs to a user that is not mapped "
				      "into the box, and may not be entered or written");
	case EMFILE:
	case ENFILE: return err_fix(err, "raise the limit of open files: ulimit -n 1024");
	case EEXIST: return err_cause(err, "it is a symbolic link to nothing");
	default: return -err->num;
	}
}

/* What is made in the caller's tree is the caller's, who must be able to remove it, and has the
 * right to make it: by the file system ids of this thread. Their change moves capabilities. */
static int become(const struct run *run, bool caller)
{
	uid_t uid = caller ? run->caller_uid : geteuid();
	gid_t gid = caller ? run->caller_gid : getegid();

	(void)setfsgid(gid);
	(void)setfsuid(uid);
	if ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid)
		return -EPERM;
	return op_raise_effective();
}

int mnt_place(struct run *run, const char *dst, enum path_want want, mode_t mode, bool make,
	      struct err *err)
{
	struct maker m = { run, make };
	struct path_made made = { may_make, announce, &m };
	bool as_caller = make && run->other_identity;
	int fd = as_caller ? become(run, true) : 0;

	if (fd == 0 && make)
		made_adopt(run, dst);
	if (fd == 0)
		fd = path_make_in(run->root, dst, want, mode, &made);
	if (as_caller && become(run, false) < 0) {
		fd_close(&fd);
		fd = -EPERM;
	}

	return fd < 0 ? place_error(fd, dst, want, err) : fd;
}

int mnt_top_dir(struct run *run, const char *dst, bool make, struct err *err)
{
	autofd int any = -EBADF;
	int fd = -ENOENT;

	if (!mnt_is_own(run, run->root))
		fd = path_open_in(run->root, dst, O_NOFOLLOW | O_DIRECTORY);
	if (fd >= 0 && make)
		made_adopt(run, dst);
	if (fd == -ENOENT) {
		any = mnt_place(run, dst, PATH_DIR, 0755, make, err);
		if (any < 0)
			return any;
		fd = path_open_in(run->root, dst, O_NOFOLLOW | O_DIRECTORY);
	}
	if (fd == -ENOTDIR || fd == -ELOOP)
		return err_set(err, ERR_DEST, fd,
			       "cannot use '%s': it must be a directory, not a link", dst);
	return fd < 0 ? place_error(fd, dst, PATH_DIR, err) : fd;
}

int mnt_new(struct run *run, const char *fstype, const char *const (*options)[2], unsigned attrs,
	    struct err *err)
{
	autofd int fs = sys_fsopen(fstype);
	autofd int mnt = -EBADF;
	int r = fs < 0 ? fs : 0;

	for (; r == 0 && options && (*options)[0]; options++)
		r = (*options)[1] ? sys_fsconfig_string(fs, (*options)[0], (*options)[1])
				  : sys_fsconfig_flag(fs, (*options)[0]);
	if (r == 0)
		r = sys_fsconfig_create(fs);
	if (r == 0) {
		mnt = sys_fsmount(fs, (unsigned)mnt_attr_bits(attrs));
		r = mnt < 0 ? mnt : 0;
	}
	if (r < 0)
		return err_set(err, ERR_MOUNT, r, "cannot make a new %s file system", fstype);
	r = mnt_own(run, mnt, err);
	return r < 0 ? r : fd_steal(&mnt);
}

int mnt_clone(int dir, const char *path, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (recursive)
		flags |= AT_RECURSIVE;
	if (path[0] == '\0')
		flags |= AT_EMPTY_PATH;
	return sys_open_tree(dir, path, flags);
}

/* All attributes at once, among them some that there are none of, are EINVAL. Where that succeeds, a
 * filter around us skips the call and claims success, as it would for ours: it sees the same numbers,
 * and not what they point to. Reading the flags back would ask the file system (statfs(2)), which may
 * be far away and not answer, and would tell of one mount, not of those below it. */
static int set_attrs(int mnt, unsigned flags, uint64_t bits)
{
	return sys_mount_setattr(mnt, flags, UINT64_MAX, 0) < 0
		       ? sys_mount_setattr(mnt, flags, bits, 0)
		       : -EPERM;
}

int mnt_attrs(int mnt, unsigned attrs, bool recursive, const char *what, struct err *err)
{
	int r = attrs ? set_attrs(mnt, recursive ? AT_RECURSIVE : 0, mnt_attr_bits(attrs)) : 0;

	if (r == 0)
		return 0;
	(void)err_set(err, r == -ENOSYS ? ERR_KERNEL : ERR_MOUNT, r,
		      "cannot set the mount attributes of '%s'", what);
	if (r == -ENOSYS)
		(void)err_cause(err, "mount_setattr(2) is missing: it needs Linux 5.12, and a "
				     "seccomp filter around us must allow it");
	if (r == -EPERM)
		(void)err_cause(err,
				"a seccomp filter around this process refuses the call, or has "
				"it skipped and claims success; or the kernel refuses it");
	return r;
}

int mnt_attach(int mnt, int at, const char *dst, struct err *err)
{
	int r = sys_move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	return r < 0 ? err_set(err, ERR_MOUNT, r, "cannot mount onto '%s'", dst) : 0;
}
