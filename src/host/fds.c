// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>

#include <sandbox/host.h>

int host_fd_check(int fd, const char *option, uint32_t origin, struct err *err)
{
	if (fd < 0 || fcntl(fd, F_GETFD) >= 0)
		return 0;
	(void)err_set(err, ERR_FD, errno, "cannot use descriptor %d of %s", fd, option);
	(void)err_fix(err, "open it in the calling shell, %d<FILE say", fd);
	return err_origin(err, origin);
}
