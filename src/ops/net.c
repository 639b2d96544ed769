// SPDX-License-Identifier: MIT
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <sandbox/fd.h>

#include "ops.h"

/* "lo" is there in every new network namespace, but down. */
int op_loopback_apply(const struct op *op, struct run *run, struct err *err)
{
	autofd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_flags = IFF_UP | IFF_RUNNING };

	(void)op;
	(void)run;
	strcpy(ifr.ifr_name, "lo");
	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &ifr) < 0)
		return err_set(err, ERR_NETNS, errno, "cannot bring the loopback interface up");
	return 0;
}
