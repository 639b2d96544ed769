// SPDX-License-Identifier: MIT
/* No namespace covers the session keyring: without a new one the command reads the caller's keys
 * (keyrings(7)). */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ops.h"

enum { JOIN_SESSION_KEYRING = 1 /* KEYCTL_JOIN_SESSION_KEYRING */, TRIES = 200 };

int op_keyring_apply(const struct op *op, struct run *run, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	long r = 0;

	(void)op;
	/* EDQUOT: keyrings of boxes that have just ended are collected a little later */
	for (int i = 0; i < TRIES; i++) {
		r = syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL);
		if (r > 0 || errno != EDQUOT) /* serial numbers are positive */
			break;
		(void)nanosleep(&pause, NULL);
	}
	/* ENOSYS: a kernel without keyrings has none to leak */
	if (r > 0 || (r < 0 && errno == ENOSYS))
		return 0;
	/* inside of another box, whose filter keeps us and the command from all keys */
	if (r < 0 && errno == EPERM && run->plan->landlock_only)
		return 0;
	if (r == 0)
		errno = EPERM;
	(void)err_set(err, ERR_LOCKDOWN, errno, "cannot make a new session keyring");
	if (err->num == EDQUOT)
		(void)err_fix(err, "the user's quota of keys is used up (/proc/key-users): "
				   "sysctl kernel.keys.maxkeys=2000");
	return -err->num;
}
