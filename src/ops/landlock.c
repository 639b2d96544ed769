// SPDX-License-Identifier: MIT
/*
 * Landlock: a layer of its own under the tree, or, without namespaces, in its place. PID 1 puts
 * itself into the domain, in LOCKDOWN: a scoped signal reaches the sender's own domain and those
 * inside it, so PID 1 can signal whatever the command starts, and the command PID 1; the soft
 * limiter, forked before, stays outside, where it reaches the box and the box does not reach it.
 * Where the first process is no PID 1, it stays outside as well, since it could be killed: then the
 * command's process enters the domain, in HANDOFF. (It shares memory: nothing is written here.)
 *
 * Needs the final tree, since a rule is tied to an inode, and no_new_privs or CAP_SYS_ADMIN. After
 * it no mount can be made, if any right to files is handled.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

static int refuse(int num, const char *what, struct err *err)
{
	(void)err_set(err, ERR_LOCKDOWN, num, "cannot set up Landlock: %s", what);
	if (num == -E2BIG)
		(void)err_cause(err, "the kernel stacks 16 layers of Landlock, and so many stand "
				     "around this box already");
	return err_fix(err, "--landlock off leaves this second layer out");
}

static int allow(int ruleset, int fd, uint64_t access)
{
	struct ll_path_beneath rule = { .allowed = access, .fd = fd };

	return access == 0 ? 0 : sys_landlock_allow(ruleset, &rule);
}

/* Of /dev and /proc what was mounted there is meant, whatever has the name by now. */
static int open_place(const struct run *run, const struct landlock_place *place)
{
	if (run->at_dev >= 0 && strcmp(place->path, "/dev") == 0)
		return fcntl(run->at_dev, F_DUPFD_CLOEXEC, 3);
	if (run->at_dev >= 0 && strcmp(place->path, "/dev/mqueue") == 0)
		return path_open_beneath(run->at_dev, "mqueue", O_NOFOLLOW);
	if (run->at_proc >= 0 && strcmp(place->path, "/proc") == 0)
		return fcntl(run->at_proc, F_DUPFD_CLOEXEC, 3);
	if (place->slot < 0)
		return path_open_in(run->root, place->path, 0);
	return run->pins[place->slot].fd < 0 ? -ENOENT
					     : fcntl(run->pins[place->slot].fd, F_DUPFD_CLOEXEC, 3);
}

/* A place that is absent was optional, or covered since: there is nothing to allow. */
static int allow_place(int ruleset, const struct run *run, const struct landlock_place *place,
		       struct err *err)
{
	autofd int fd = open_place(run, place);
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(fd < 0 ? fd : -errno, place->path, err);
	r = allow(ruleset, fd,
		  S_ISDIR(st.st_mode) ? place->access : place->access & LL_FS_OF_FILES);
	return r < 0 ? refuse(r, place->path, err) : 0;
}

/* What may be done by opening an inherited file once more (/dev/stderr is /proc/self/fd/2): what its
 * descriptor allows. For a directory all that is possible below it, if it was handed on by name. */
static uint64_t inherited_access(uint64_t access, const struct stat *st, int flags, bool by_name)
{
	if (S_ISDIR(st->st_mode))
		return by_name ? access : 0;
	access &= LL_FS_OF_FILES;
	if (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))
		access &= ~LL_FS_IOCTL_DEV;
	if ((flags & O_ACCMODE) == O_RDONLY)
		access &= ~(LL_FS_WRITE_FILE | LL_FS_TRUNCATE);
	if ((flags & O_ACCMODE) == O_WRONLY)
		access &= ~(LL_FS_READ_FILE | LL_FS_EXECUTE);
	return access;
}

static int allow_inherited(int ruleset, int fd, uint64_t access, bool by_name, struct err *err)
{
	int flags = fcntl(fd, F_GETFL), r;
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0 || S_ISSOCK(st.st_mode))
		return 0;
	r = allow(ruleset, fd, inherited_access(access, &st, flags, by_name));
	/* pipes and files without a name, which no rule confines */
	return r < 0 && r != -EBADFD ? refuse(r, "an inherited descriptor", err) : 0;
}

static int allow_descriptors(const struct op *op, const struct run *run, int ruleset,
			     struct err *err)
{
	int r = 0;

	/* a terminal is replaced by the box's own, which is a place of its /dev */
	for (int fd = 0; fd < 3 && r == 0; fd++)
		if (!run->plan->tty[fd])
			r = allow_inherited(ruleset, fd, op->u.landlock.inherited, false, err);
	for (size_t i = 0; i < op->u.landlock.nkeep && r == 0; i++)
		r = allow_inherited(ruleset, op->u.landlock.keep[i], op->u.landlock.inherited, true,
				    err);
	/* for ttyname(3), where it is none of the box's own tree */
	if (r == 0 && run->pty >= 0)
		r = allow_inherited(ruleset, run->pty, op->u.landlock.inherited, false, err);
	return r;
}

static const char *pinned_path(const struct run *run, const struct landlock_place *place)
{
	return place->slot < 0 ? NULL : run->pins[place->slot].path;
}

/* Rules add up: a place cannot have fewer rights than one it lies in. With mounts it can. */
static int check_nesting(const struct op *op, const struct run *run, struct err *err)
{
	const struct landlock_place *places = op->u.landlock.places;

	for (unsigned i = 0; i < op->u.landlock.n; i++)
		for (unsigned k = 0; k < op->u.landlock.n; k++) {
			const char *inner = pinned_path(run, &places[i]);
			const char *outer = pinned_path(run, &places[k]);
			size_t n = outer ? strlen(outer) : 0;

			if (!inner || !outer || strncmp(inner, outer, n) != 0 ||
			    (inner[n] != '/' && inner[n] != '\0') ||
			    !(places[k].access & ~places[i].access))
				continue;
			(void)err_set(err, ERR_CONFLICT, EINVAL,
				      "cannot keep '%s' from what '%s' allows", inner, outer);
			(void)err_cause(err, "it lies there, and without a mount namespace rights "
					     "can only be added");
			return err_fix(err, "use --backend namespaces, or show another directory");
		}
	return 0;
}

static int host_queues(struct run *run)
{
	enum { MQUEUE_MAGIC = 0x19800202 };
	autofd int dir = open("/dev/mqueue", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	(void)run;
	if (dir < 0 || fstatfs(dir, &fs) < 0 || fs.f_type != MQUEUE_MAGIC)
		return -ENODEV;
	return mnt_clone(dir, "", false);
}

/* mq_open(3) goes by a mount of the kernel's own, which leads to no place: its files are allowed by
 * their root, which another mount of the same queues shows. It is attached, since letting go of a
 * mount that is not takes as long as all the rules together (synchronize_rcu_expedited). */
int op_mqueue_apply(const struct op *op, struct run *run, struct err *err)
{
	autofd int mnt = -EBADF, at = -EBADF;

	if (op->u.mqueue.fresh)
		mnt = mnt_new(run, "mqueue", NULL, ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC, err);
	else
		mnt = host_queues(run);
	if (mnt == -ENODEV) /* a kernel without them, or a host that has not mounted them */
		return 0;
	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot mount the message queues");
	if (mkdirat(run->at_dev, "mqueue", 0755) < 0 && errno != EEXIST)
		return err_set(err, ERR_MOUNT, errno, "cannot make '/dev/mqueue'");
	at = openat(run->at_dev, "mqueue", O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	return at < 0 ? err_set(err, ERR_MOUNT, errno, "cannot open '/dev/mqueue'")
		      : mnt_attach(mnt, at, "/dev/mqueue", err);
}

/* Without a ruleset the kernel refuses; see seccomp.c for why that is asked first. (-1 has a meaning
 * since Linux 6.15.) */
static int restrict_really(int ruleset, unsigned flags)
{
	return sys_landlock_restrict(-EBADF, flags) < 0 ? sys_landlock_restrict(ruleset, flags)
							: -EPERM;
}

int op_landlock_apply(const struct op *op, struct run *run, struct err *err)
{
	const struct ll_ruleset rights = { .fs = op->u.landlock.fs,
					   .net = op->u.landlock.net,
					   .scoped = op->u.landlock.scoped };
	autofd int ruleset = -EBADF;
	int r = check_nesting(op, run, err);

	if (r < 0)
		return r;
	if (rights.fs == 0 && rights.scoped == 0)
		return 0; /* the plan has said why */
	ruleset = sys_landlock_create(&rights);
	if (ruleset < 0)
		return refuse(ruleset, "no ruleset", err);
	for (unsigned i = 0; i < op->u.landlock.n && r == 0; i++)
		r = allow_place(ruleset, run, &op->u.landlock.places[i], err);
	if (r == 0 && rights.fs)
		r = allow_descriptors(op, run, ruleset, err);
	if (r < 0)
		return r;
	r = restrict_really(ruleset, op->u.landlock.flags);
	return r < 0 ? refuse(r, "the rules are not accepted", err) : 0;
}
