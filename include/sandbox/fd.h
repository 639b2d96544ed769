/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* A descriptor that is closed at the end of its scope: `autofd int fd = -EBADF;`. */
static inline void fd_cleanup(int *fd)
{
	if (*fd >= 0) {
		int keep = errno;

		(void)close(*fd);
		errno = keep;
	}
}
#define autofd __attribute__((cleanup(fd_cleanup)))

/* Hands the descriptor over: the scope no longer closes it. */
static inline int fd_steal(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

/* Closes now and forgets; harmless on a descriptor that is not open. */
static inline void fd_close(int *fd)
{
	fd_cleanup(fd);
	*fd = -EBADF;
}

/* Writes all of buf, across short writes and EINTR. 0 or negative errno. */
int fd_write_all(int fd, const void *buf, size_t len);

/* Reads up to size bytes until end of file. Returns the count, -EFBIG if more was there, or a
 * negative errno. */
ssize_t fd_read_all(int fd, void *buf, size_t size);

/* The descriptor attached to a message that was received (SCM_RIGHTS): *ret is -EBADF if there is
 * none. More than one are closed, all of them: -EBADMSG. */
struct msghdr;
int fd_take(struct msghdr *hdr, int *ret);
