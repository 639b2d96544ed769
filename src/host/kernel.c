// SPDX-License-Identifier: MIT
/*
 * What the kernel offers, found by calls that cannot have an effect: each is made so wrong that a
 * kernel that has it answers something else than ENOSYS.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sandbox/host.h>
#include <sandbox/sys.h>

#include "file.h"

unsigned host_kernel_version(const char *release)
{
	uint32_t parts[2];

	if (!file_scan(release, parts, 2) || parts[0] > 1000 || parts[1] > 999)
		return 0;
	return parts[0] * 1000 + parts[1];
}

static bool has(long answer)
{
	return answer != -ENOSYS;
}

static long answer_of(long r)
{
	return r < 0 ? -errno : r;
}

/* 0 as the size of its struct is EINVAL from a kernel that has clone3. */
static bool has_clone3(void)
{
	return has(answer_of(syscall(SYS_clone3, NULL, 0)));
}

static bool has_seccomp_filter(void)
{
	unsigned action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int host_landlock_abi(void)
{
	int abi = sys_landlock_abi();

	return abi > 0 ? abi : 0;
}

void host_kernel_probe(struct host_kernel *ret)
{
	struct utsname uts;

	memset(ret, 0, sizeof(*ret));
	if (uname(&uts) == 0)
		(void)snprintf(ret->release, sizeof(ret->release), "%s", uts.release);
	ret->version = host_kernel_version(ret->release);
	ret->clone3 = has_clone3();
	ret->openat2 = has(sys_openat2(-1, "x", ~0ull, 0));
	ret->close_range = has(sys_close_range(2, 1, 0));
	ret->pidfd = has(sys_pidfd_open(-1));
	ret->mount_setattr = has(sys_mount_setattr(-1, 0, 0, 0));
	ret->seccomp = has_seccomp_filter();
	ret->landlock_abi = host_landlock_abi();
}
