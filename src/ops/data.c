// SPDX-License-Identifier: MIT
/* Files with given content (--file, --secret): written into a tmpfs that nobody sees (ops/dev.c),
 * then bound, so that the place may be a file of the host's tree and nothing is written there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "ops.h"

enum { DATA_MAX = 64 << 20 };

static int copy_fd(int to, int from, const char *dst, struct err *err)
{
	char buf[16384];
	size_t total = 0;

	for (;;) {
		ssize_t n = read(from, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_FD, errno, "cannot read the content of '%s'", dst);
		if (n == 0)
			return 0;
		total += (size_t)n;
		if (total > DATA_MAX)
			return err_set(err, ERR_FILE, EFBIG, "the content of '%s' is over %d MiB",
				       dst, DATA_MAX >> 20);
		n = fd_write_all(to, buf, (size_t)n);
		if (n < 0)
			return err_set(err, ERR_FILE, (int)n, "cannot write '%s'", dst);
	}
}

static int copy_fifo(int to, int *from, const struct pin *pin, const char *src, struct err *err)
{
	autofd int patient =
		open(pin->path, O_RDONLY | O_CLOEXEC | O_NOCTTY); /* waits for a writer */
	struct stat st;

	fd_close(from);
	if (patient < 0 || fstat(patient, &st) < 0)
		return err_set(err, ERR_SOURCE, errno, "cannot read '%s'", src);
	if (st.st_dev != pin->dev || st.st_ino != pin->ino)
		return err_set(err, ERR_RACE, ESTALE, "'%s' is not the file it was a moment ago",
			       src);
	return copy_fd(to, patient, src, err);
}

/* A pinned file is read through a descriptor of the very file that was pinned. */
static int copy_pin(int to, const struct pin *pin, const char *src, struct err *err)
{
	autofd int from = -EBADF;
	struct stat st;

	from = open(pin->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (from < 0 || fstat(from, &st) < 0)
		return err_set(err, ERR_SOURCE, errno, "cannot read '%s'", src);
	if (st.st_dev != pin->dev || st.st_ino != pin->ino)
		return err_set(err, ERR_RACE, ESTALE, "'%s' is not the file it was a moment ago",
			       src);
	if (S_ISFIFO(st.st_mode)) /* its writer may be later than we are: <(command) of a shell */
		return copy_fifo(to, &from, pin, src, err);
	return copy_fd(to, from, src, err);
}

static int fill(const struct op *op, struct run *run, int file, struct err *err)
{
	int r;

	if (op->u.data.slot >= 0)
		return copy_pin(file, &run->pins[op->u.data.slot], op->u.data.text, err);
	if (op->u.data.fd >= 0)
		return copy_fd(file, op->u.data.fd, op->u.data.dst, err);
	r = fd_write_all(file, op->u.data.text, op->u.data.len);
	return r < 0 ? err_set(err, ERR_FILE, r, "cannot write '%s'", op->u.data.dst) : 0;
}

int op_data_apply(const struct op *op, struct run *run, struct err *err)
{
	unsigned attrs =
		ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | (op->u.data.secret ? ATTR_NOEXEC : 0);
	autofd int file = -EBADF, bind = -EBADF, at = -EBADF;
	char name[16];
	int r;

	(void)snprintf(name, sizeof(name), "%u", run->ndata++);
	file = openat(run->data, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, op->u.data.mode);
	if (file < 0)
		return err_set(err, ERR_FILE, errno, "cannot create '%s'", op->u.data.dst);
	r = fill(op, run, file, err);
	if (r < 0)
		return r;
	bind = mnt_clone(run->data, name, false);
	if (bind < 0)
		return err_set(err, ERR_MOUNT, bind, "cannot bind the content of '%s'",
			       op->u.data.dst);
	r = mnt_attrs(bind, attrs, false, op->u.data.dst, err);
	if (r < 0)
		return r;
	at = mnt_place(run, op->u.data.dst, PATH_FILE, 0644, op->u.data.make, err);
	if (at < 0 && op->on_fail == FAIL_SKIP_PLACE)
		return 0;
	return at < 0 ? at : mnt_attach(bind, at, op->u.data.dst, err);
}
