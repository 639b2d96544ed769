// SPDX-License-Identifier: MIT
/*
 * Capabilities, by the rules of capabilities(7). The order is the plan's: bounding set and
 * securebits need CAP_SETPCAP, so they come before the last capset.
 *
 * Whatever is set is read back: a filter around us may claim success for a call it has skipped, as
 * those that feign root for package managers do.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops.h"

static int not_taken(const char *what, struct err *err)
{
	(void)err_set(err, ERR_CAPS, EPERM, "%s not what they were set to", what);
	return err_cause(err, "a system call was skipped and success claimed for it, by a seccomp "
			      "filter around this process");
}

int op_bounding_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)run;
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (op->u.bounding.keep >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) {
			if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
				continue;
			return not_taken("the bounding set's capabilities are", err);
		}
		/* past the last one this kernel has, which reading it must confirm */
		if (errno == EINVAL && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0 && errno == EINVAL)
			return 0;
		return err_set(err, ERR_CAPS, errno,
			       "cannot drop capability %lu from the bounding set", cap);
	}
	return 0;
}

int op_securebits_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)run;
	if (prctl(PR_SET_SECUREBITS, (unsigned long)op->u.securebits.bits, 0, 0, 0) < 0)
		return err_set(err, ERR_CAPS, errno, "cannot set the securebits 0x%x",
			       op->u.securebits.bits);
	if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != (int)op->u.securebits.bits)
		return not_taken("the securebits are", err);
	return 0;
}

static int ambient(uint64_t set, struct err *err)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_set(err, ERR_CAPS, errno, "cannot clear the ambient capabilities");
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((set >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_set(err, ERR_CAPS, errno, "cannot raise ambient capability %lu",
				       cap);
	return 0;
}

static int set(uint64_t effective, uint64_t inheritable)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(effective >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &hdr, data) < 0 ? -errno : 0;
}

/* Reads back what capset and the ambient set made of it: the run stops if anything is left. */
static int verify(uint64_t effective, uint64_t inheritable, struct err *err)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];
	uint64_t p, e, i;

	if (syscall(SYS_capget, &hdr, d) < 0)
		return err_set(err, ERR_CAPS, errno, "cannot read the capabilities back");
	p = d[0].permitted | (uint64_t)d[1].permitted << 32;
	e = d[0].effective | (uint64_t)d[1].effective << 32;
	i = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	if (p != effective || e != effective || i != inheritable)
		return not_taken("the capabilities are", err);
	return 0;
}

/* Only what is both permitted and inheritable can be ambient: capset(2) itself takes the rest away
 * (capabilities(7)), and those two sets have been read back. In most boxes nothing is left to ask.
 * Past the last capability of the kernel: EINVAL. */
static int verify_ambient(uint64_t possible, uint64_t wanted, struct err *err)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int r;

		if (!((possible | wanted) >> cap & 1))
			continue;
		r = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
		if (r < 0 && errno == EINVAL)
			return 0;
		if (r != (int)(wanted >> cap & 1))
			return not_taken("the ambient capabilities are", err);
	}
	return 0;
}

int op_capset_apply(const struct op *op, struct run *run, struct err *err)
{
	int r;

	(void)run;
	r = set(op->u.capset.permitted, op->u.capset.inheritable);
	if (r < 0)
		return err_set(err, ERR_CAPS, r, "cannot set the capabilities");
	r = ambient(op->u.capset.ambient, err);
	if (r == 0)
		r = verify(op->u.capset.permitted, op->u.capset.inheritable, err);
	return r < 0 ? r
		     : verify_ambient(op->u.capset.permitted & op->u.capset.inheritable,
				      op->u.capset.ambient, err);
}

int op_no_new_privs_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)op;
	(void)run;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_LOCKDOWN, errno, "cannot set no_new_privs");
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
		       ? 0
		       : not_taken("the privileges given up by no_new_privs are", err);
}
