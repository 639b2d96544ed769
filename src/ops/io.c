// SPDX-License-Identifier: MIT
/*
 * Which disk a path lies on, and its rates: io.max of cgroup v2 takes whole disks alone, by
 * major:minor (Documentation/admin-guide/cgroup-v2.rst, "IO"). A file system without one disk of its
 * own has a device number with major 0 (btrfs, overlay, tmpfs, nfs, zfs): there is nothing that
 * could be limited, and any guess would limit something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <sandbox/cgroup.h>
#include <sandbox/fd.h>

#include "cgroup.h"

enum { DEVICE_MAX = 32 };

/* A partition's directory in sysfs lies in that of its disk. */
static void disk_of(dev_t dev, char *ret)
{
	g_autofree char *part =
		g_strdup_printf("/sys/dev/block/%u:%u/partition", major(dev), minor(dev));
	g_autofree char *disk =
		g_strdup_printf("/sys/dev/block/%u:%u/../dev", major(dev), minor(dev));
	autofd int fd = access(part, F_OK) == 0 ? open(disk, O_RDONLY | O_CLOEXEC) : -EBADF;
	ssize_t n = fd < 0 ? -1 : read(fd, ret, DEVICE_MAX - 1);

	if (n > 0)
		ret[n] = '\0';
	else
		(void)snprintf(ret, DEVICE_MAX, "%u:%u", major(dev), minor(dev));
	g_strchomp(ret);
}

static int refuse_device(const struct io_rate *row, struct err *err)
{
	(void)err_set(err, ERR_LIMIT, ENODEV, "cannot limit the disk of '%s'", row->path);
	(void)err_cause(err,
			"its file system is not on one disk (btrfs, overlay, tmpfs, a network's)");
	(void)err_fix(err, "name the disk itself: --io-%s /dev/sda:RATE; lsblk lists them",
		      row->write ? "write" : "read");
	return err_origin(err, row->origin);
}

static int find_disk(const struct io_rate *row, char *ret, struct err *err)
{
	struct stat st;
	dev_t dev;

	if (stat(row->path, &st) < 0) {
		(void)err_set(err, ERR_FILE, errno, "cannot find the disk of '%s'", row->path);
		return err_origin(err, row->origin);
	}
	dev = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	if (major(dev) == 0)
		return refuse_device(row, err);
	disk_of(dev, ret);
	return 0;
}

static int set_rate(struct run *run, const struct io_rate *row, struct err *err)
{
	char disk[DEVICE_MAX], line[128];
	int r = find_disk(row, disk, err);

	if (r < 0)
		return r;
	(void)snprintf(line, sizeof(line), "%s %c%s=%llu", disk, row->write ? 'w' : 'r',
		       row->ops ? "iops" : "bps", (unsigned long long)row->rate);
	r = cgroup_write(run->tree.box, "io.max", line);
	if (r == -ENODEV)
		return refuse_device(row, err);
	if (r == 0)
		return 0;
	(void)err_set(err, ERR_LIMIT, r, "cannot write '%s' to io.max", line);
	return err_origin(err, row->origin);
}

int io_limits(struct run *run, bool write, struct err *err)
{
	const GArray *io = run->plan->io;
	int r = cgroup_has(run->tree.box, "io.max") ? 0 : -ENOENT;

	for (unsigned i = 0; r == 0 && i < io->len; i++) {
		const struct io_rate *row = &g_array_index(io, struct io_rate, i);

		if (row->write == write)
			r = set_rate(run, row, err);
	}
	return r;
}
