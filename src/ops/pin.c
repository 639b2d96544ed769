// SPDX-License-Identifier: MIT
/*
 * PREPARE, in the launcher, with the caller's rights. A descriptor of the launcher's mount
 * namespace cannot be mounted from the child's (open_tree(2) answers EINVAL), so the child opens
 * the path again, as the kernel gave it here, and compares device and inode.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "ops.h"

/* The name the kernel has for it: resolved once and for all. In the child a ".." that reaches "/"
 * would lead onto the new root, which stands there. */
static char *kernel_path(int fd)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || path[0] != '/')
		return NULL;
	path[n] = '\0';
	return g_strdup(path);
}

/* Opened through its pin, not by its name again. A directory that cannot be opened for reading, or a file system without locks: then what is
 * made in it is left. */
static void lock_directory(struct run *run, int pin)
{
	autofd int fd = openat(pin, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && run->nlocks < RUN_LOCKS_MAX && flock(fd, LOCK_SH) == 0)
		run->locks[run->nlocks++] = fd_steal(&fd);
}

static int check_kind(const struct op *op, const struct stat *st, struct err *err)
{
	if (op->u.pin.want == PIN_DIR && !S_ISDIR(st->st_mode))
		return err_set(err, ERR_SOURCE, ENOTDIR, "cannot use '%s' as a directory",
			       op->u.pin.src);
	if (op->u.pin.want == PIN_FILE && S_ISDIR(st->st_mode))
		return err_set(err, ERR_SOURCE, EISDIR, "cannot use '%s' as a file", op->u.pin.src);
	return 0;
}

int op_pin_apply(const struct op *op, struct run *run, struct err *err)
{
	struct pin *pin = &run->pins[op->u.pin.slot];
	struct stat st;
	autofd int fd = open(op->u.pin.src, O_PATH | O_CLOEXEC);
	int r;

	if (fd < 0 && op->u.pin.optional && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)err_set(err, ERR_SOURCE, errno, "cannot use '%s' as a source", op->u.pin.src);
		if (err->num == ENOENT)
			(void)err_fix(err, "check the path%s",
				      op->u.pin.want == PIN_ANY
					      ? "; a volume may be marked optional"
					      : "");
		return -err->num;
	}
	r = check_kind(op, &st, err);
	if (r < 0)
		return r;
	*pin = (struct pin){
		.dev = st.st_dev, .ino = st.st_ino, .mode = st.st_mode, .tree = -EBADF
	};
	pin->path = kernel_path(fd);
	if (!pin->path &&
	    S_ISFIFO(st.st_mode)) /* <(command) of a shell: no name but the caller's */
		pin->path = g_strdup(op->u.pin.src);
	pin->fd = fd_steal(&fd);
	if (!pin->path)
		return err_set(err, ERR_SOURCE, ENOENT,
			       "cannot find the way to '%s' (is /proc mounted?)", op->u.pin.src);
	if (op->u.pin.lock)
		lock_directory(run, pin->fd);
	return 0;
}
