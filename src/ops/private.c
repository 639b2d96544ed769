// SPDX-License-Identifier: MIT
/*
 * Without a mount namespace the private home and /tmp are directories on disk, or in memory where the
 * user's runtime directory is: BASE/box-TOKEN, with mode 0700, locked as long as a process of ours
 * lives. In the launcher, in PREPARE. What boxes have left that were killed together with their
 * launcher is removed on the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

enum { TRIES = 8 };

static const char prefix[] = "box-";

static int refuse(int num, const char *base, const char *cause, struct err *err)
{
	(void)err_set(err, ERR_FILE, num, "cannot make a private home below '%s'", base);
	if (cause)
		(void)err_cause(err, "%s", cause);
	return err_fix(err, "set XDG_RUNTIME_DIR to a directory that is yours alone (mode 0700)");
}

/* *ret stays -EBADF where another box has just removed it: to be tried again. */
static int open_base(const char *base, int *ret, bool *ret_made, struct err *err)
{
	autofd int fd = -EBADF;
	struct stat st;

	*ret_made = mkdir(base, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return refuse(errno, base, NULL, err);
	fd = open(base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(errno, base, NULL, err);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return refuse(EPERM, base, "it belongs to somebody else, or others may enter it",
			      err);
	/* held while a directory is made and locked, and while unlocked ones are looked for */
	if (flock(fd, LOCK_EX) < 0)
		return refuse(errno, base, NULL, err);
	*ret = fd_steal(&fd);
	return 0;
}

/* A lock that can be had belongs to nobody any more. */
static void sweep_one(int base, const char *name)
{
	autofd int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)sys_remove_tree(base, name);
}

static void sweep(int base)
{
	struct {
		uint64_t ino;
		int64_t next;
		uint16_t len;
		uint8_t type;
		char name[];
	} * e;
	_Alignas(uint64_t) char buf[4096];
	long n;

	while ((n = syscall(SYS_getdents64, base, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n; p += e->len) {
			e = (void *)p;
			if (strncmp(e->name, prefix, sizeof(prefix) - 1) == 0)
				sweep_one(base, e->name);
		}
}

static int make_locked(int base, const char *name, int *ret)
{
	autofd int fd = -EBADF;

	if (mkdirat(base, name, 0700) < 0)
		return -errno;
	fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	*ret = fd_steal(&fd);
	return 0;
}

static int make_pinned(int dir, const char *name, struct pin *pin)
{
	struct stat st;

	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	pin->fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pin->fd < 0 || fstat(pin->fd, &st) < 0)
		return -errno;
	pin->dev = st.st_dev;
	pin->ino = st.st_ino;
	pin->mode = st.st_mode;
	pin->tree = -EBADF;
	return 0;
}

static int make(const struct op *op, struct run *run, bool *ret_made, struct err *err)
{
	const char *base = op->u.private.base;
	autofd int at = -EBADF;
	int r = -ENOENT;

	for (int i = 0; i < TRIES && r == -ENOENT; i++) {
		fd_close(&at);
		r = open_base(base, &at, ret_made, err);
		if (r < 0)
			return r;
		if (at >= 0)
			sweep(at);
		r = at >= 0 ? make_locked(at, op->u.private.name, &run->private) : -ENOENT;
	}
	if (r < 0)
		return refuse(r, base, NULL, err);
	run->private_base = fd_steal(&at);
	run->private_name = op->u.private.name;
	run->private_path = base;
	(void)flock(run->private_base, LOCK_UN);
	r = make_pinned(run->private, "home", &run->pins[op->u.private.home]);
	if (r == 0)
		r = make_pinned(run->private, "tmp", &run->pins[op->u.private.tmp]);
	return r < 0 ? refuse(r, base, NULL, err) : 0;
}

int op_private_apply(const struct op *op, struct run *run, struct err *err)
{
	bool made = false;
	int r = make(op, run, &made, err);

	if (r < 0 && made && run->private < 0)
		(void)rmdir(op->u.private.base);
	return r;
}

void op_private_remove(struct run *run)
{
	if (run->private < 0 || run->private_base < 0)
		return;
	(void)sys_remove_tree(run->private_base, run->private_name);
	fd_close(&run->private);
	fd_close(&run->private_base);
	(void)rmdir(run->private_path); /* if it was the last */
}
