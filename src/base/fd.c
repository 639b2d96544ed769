// SPDX-License-Identifier: MIT
#include <errno.h>
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
