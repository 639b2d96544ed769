// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/fd.h>

int fd_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *buf, size_t size)
{
	char *p = buf;
	size_t have = 0;

	for (;;) {
		char extra;
		ssize_t n = have < size ? read(fd, p + have, size - have) : read(fd, &extra, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)have;
		if (have == size)
			return -EFBIG;
		have += (size_t)n;
	}
}

/* A buffer made for one has, by its alignment, room for two, and the kernel fills it (cmsg(3)). */
int fd_take(struct msghdr *hdr, int *ret)
{
	int taken = -EBADF, n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0);
		     at += sizeof(int)) {
			fd_close(&taken);
			memcpy(&taken, CMSG_DATA(c) + at, sizeof(int));
			n++;
		}
	}
	if (n > 1)
		fd_close(&taken);
	*ret = taken;
	return n > 1 ? -EBADMSG : 0;
}
