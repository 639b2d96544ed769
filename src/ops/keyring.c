// SPDX-License-Identifier: MIT
/* No namespace covers the session keyring: without a new one the command reads the caller's keys
 * (keyrings(7)). */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ops.h"

enum {
	GET_KEYRING_ID = 0,       /* KEYCTL_GET_KEYRING_ID */
	JOIN_SESSION_KEYRING = 1, /* KEYCTL_JOIN_SESSION_KEYRING */
	SESSION_KEYRING = -3,     /* KEY_SPEC_SESSION_KEYRING */
	TRIES = 200,
};

/* A kernel without keyrings has none to leak. Where only the call for a new one is missing, a filter
 * around us refuses that, and the command would have the caller's. */
static bool no_keyrings(void)
{
	return syscall(SYS_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0) < 0 && errno == ENOSYS;
}

int op_keyring_apply(const struct op *op, struct run *run, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	long r = 0;
	int num;

	(void)op;
	/* EDQUOT: keyrings of boxes that have just ended are collected a little later */
	for (int i = 0; i < TRIES; i++) {
		r = syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL);
		if (r > 0 || errno != EDQUOT) /* serial numbers are positive */
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (r > 0)
		return 0;
	num = r < 0 ? errno : EPERM; /* 0: success is claimed, and nothing done */
	if (num == ENOSYS && no_keyrings())
		return 0;
	/* inside of another box, whose filter keeps us and the command from all keys */
	if (r < 0 && num == EPERM && run->plan->landlock_only)
		return 0;
	(void)err_set(err, ERR_LOCKDOWN, num, "cannot make a new session keyring");
	if (err->num == EDQUOT)
		(void)err_fix(err, "the user's quota of keys is used up (/proc/key-users): "
				   "sysctl kernel.keys.maxkeys=2000");
	return -err->num;
}
