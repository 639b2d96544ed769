// SPDX-License-Identifier: MIT
/*
 * A minimal /dev of our own, mounted before anything of the user's and opened through its own
 * descriptor: device nodes or links in a root directory are never trusted (runc CVE-2025-52565,
 * crun CVE-2026-88264). Mode 0755 and not sticky: with O_CREAT, a device bound into a sticky
 * world-writable directory answers EACCES (fs.protected_regular).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "ops.h"

/* The host's nodes, with the device numbers they must have (Documentation/admin-guide/devices.txt). */
/* clang-format off */
static const struct { const char *name, *host; unsigned major, minor; bool may_miss; } nodes[] = {
	{ "null",    "/dev/null",    1, 3, false },
	{ "zero",    "/dev/zero",    1, 5, false },
	{ "full",    "/dev/full",    1, 7, false },
	{ "random",  "/dev/random",  1, 8, false },
	{ "urandom", "/dev/urandom", 1, 9, false },
	{ "tty",     "/dev/tty",     5, 0, true  },
};
/* clang-format on */

/* clang-format off */
static const struct { const char *name, *target; } links[] = {
	{ "fd",     "/proc/self/fd"   },
	{ "stdin",  "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
	{ "ptmx",   "pts/ptmx"        },
};
/* clang-format on */

static int bind_node(struct run *run, int dev, unsigned i, struct err *err)
{
	autofd int host = open(nodes[i].host, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autofd int file = -EBADF, mnt = -EBADF;
	struct stat st;
	int r;

	if (host < 0 && errno == ENOENT && nodes[i].may_miss)
		return 0;
	if (host < 0 || fstat(host, &st) < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot open '%s'", nodes[i].host);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor)) {
		(void)err_set(err, ERR_MOUNT, ENXIO, "cannot use '%s'", nodes[i].host);
		return err_cause(err, "it is not the character device %u:%u it should be",
				 nodes[i].major, nodes[i].minor);
	}
	file = openat(dev, nodes[i].name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC,
		      0644);
	if (file < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot make '/dev/%s'", nodes[i].name);
	mnt = mnt_clone(host, "", false);
	if (mnt < 0)
		return err_set(err, ERR_MOUNT, mnt, "cannot bind '%s'", nodes[i].host);
	r = mnt_attrs(mnt, ATTR_NOSUID | ATTR_NOEXEC, false, nodes[i].host, err);
	if (r == 0)
		r = mnt_attach(mnt, file, nodes[i].host, err);
	if (r == 0 && i == 0)
		run->null = fd_steal(&host);
	return r;
}

static int make_links(int dev, struct err *err)
{
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0)
			return err_set(err, ERR_MOUNT, errno, "cannot make '/dev/%s'",
				       links[i].name);
	return 0;
}

/* For --hide: an empty file that nobody sees, since devpts is mounted over it. */
static int make_empty_file(int dev, struct run *run, struct err *err)
{
	autofd int dir = -EBADF;

	if (mkdirat(dev, "pts", 0755) < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot make '/dev/pts'");
	dir = openat(dev, "pts", O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	run->empty_file =
		openat(dir, "empty", O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0444);
	return run->empty_file < 0 ? err_set(err, ERR_MOUNT, errno, "cannot make an empty file")
				   : 0;
}

/* For --file and --secret: a tmpfs at the same place, under devpts as well. */
static int mount_data(int dev, struct run *run, struct err *err)
{
	const char *const options[][2] = { { "mode", "0700" }, { NULL, NULL } };
	autofd int at = openat(dev, "pts", O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot open '/dev/pts'");
	run->data = mnt_new(run, "tmpfs", options, ATTR_NOSUID | ATTR_NODEV, err);
	return run->data < 0 ? run->data : mnt_attach(run->data, at, "/dev/pts", err);
}

/* Attaches a new file system at dev/name; *ret_below, if wanted: the empty directory under it. */
static int mount_at(struct run *run, int dev, const char *name, const char *fstype,
		    const char *const (*options)[2], unsigned attrs, int *ret_below,
		    struct err *err)
{
	autofd int mnt = -EBADF, at = -EBADF;
	int r;

	if (mkdirat(dev, name, 0755) < 0 && errno != EEXIST)
		return err_set(err, ERR_MOUNT, errno, "cannot make '/dev/%s'", name);
	at = openat(dev, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_set(err, ERR_MOUNT, errno, "cannot open '/dev/%s'", name);
	mnt = mnt_new(run, fstype, options, attrs, err);
	if (mnt < 0)
		return mnt;
	r = mnt_attach(mnt, at, name, err);
	if (r == 0 && ret_below)
		*ret_below = fd_steal(&at);
	return r;
}

/* From the box's own devpts, so that ttyname(3) is right inside. */
static int open_pty(int dev, struct run *run, struct err *err)
{
	autofd int master = openat(dev, "pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return master < 0 ? err_set(err, ERR_TTY, errno, "cannot open a terminal for the box")
			  : op_pty_open(master, run, err);
}

static int open_dev(const struct op *op, struct run *run, struct err *err)
{
	const char *const options[][2] = {
		{ "size", "64k" }, { "nr_inodes", "64" }, { "mode", "0755" }, { NULL, NULL }
	};
	autofd int at = mnt_top_dir(run, "/dev", op->u.dev.make, err);
	autofd int mnt = -EBADF;
	int r;

	if (at < 0)
		return at;
	mnt = mnt_new(run, "tmpfs", options, ATTR_NOSUID | ATTR_NOEXEC, err);
	if (mnt < 0)
		return mnt;
	r = mnt_attach(mnt, at, "/dev", err);
	return r < 0 ? r : fd_steal(&mnt);
}

int op_dev_apply(const struct op *op, struct run *run, struct err *err)
{
	const char *const pts[][2] = { { "newinstance", NULL },
				       { "mode", "0620" },
				       { "ptmxmode", "0666" },
				       { "max", "256" },
				       { NULL, NULL } };
	const char *const shm[][2] = { { "size", op->u.dev.shm_size },
				       { "mode", "1777" },
				       { NULL, NULL } };
	int dev = run->at_dev = open_dev(op, run, err);
	int r = dev < 0 ? dev : 0;

	for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && r == 0; i++)
		r = bind_node(run, dev, i, err);
	if (r == 0)
		r = make_links(dev, err);
	if (r == 0)
		r = make_empty_file(dev, run, err);
	if (r == 0 && op->u.dev.data)
		r = mount_data(dev, run, err);
	if (r == 0)
		r = mount_at(run, dev, "pts", "devpts", pts, ATTR_NOSUID | ATTR_NOEXEC, NULL, err);
	if (r == 0)
		r = mount_at(run, dev, "shm", "tmpfs", shm, ATTR_NOSUID | ATTR_NODEV, &run->empty,
			     err);
	if (r == 0 && op->u.dev.pty)
		r = open_pty(dev, run, err);
	return r;
}
