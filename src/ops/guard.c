// SPDX-License-Identifier: MIT
/*
 * What ties PID 1 to the launcher and hides it from the box, as soon as its identity is final.
 * setsid: without it kill(0) reaches the caller's process group, across PID namespaces. PDEATHSIG
 * has a race (the launcher may have died before it was set): the wire's end tells.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ops.h"

static int launcher_lives(int wire)
{
	struct pollfd p = { .fd = wire };

	/* a poll that is refused tells nothing; the wire itself will */
	return poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR)) == 0;
}

/* Read back: success may be claimed by a filter around us, see caps.c. */
static int die_with_launcher(void)
{
	int sig = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0) < 0)
		return -errno;
	return sig == SIGKILL ? 0 : -EPERM;
}

/* PID 1 is a copy of the launcher: its argv and environment hold host paths and secrets.
 * (PR_SET_MM_ARG_START would need CAP_SYS_RESOURCE on the host.) */
static void scrub(char **strings)
{
	for (char **s = strings; s && *s; s++)
		memset(*s, 0, strlen(*s));
}

int op_guard_apply(const struct op *op, struct run *run, struct err *err)
{
	int r;

	if (setsid() < 0)
		return err_set(err, ERR_LOCKDOWN, errno, "cannot start a new session");
	if (getsid(0) != getpid()) /* success claimed by a filter around us, see caps.c */
		return err_set(err, ERR_LOCKDOWN, EPERM, "cannot start a new session");
	/* with a shared PID namespace the end of PID 1 ends nobody else: it must live to notice the
	 * wire's end and to kill what it has started */
	r = op->u.guard.pid_namespace ? die_with_launcher() : 0;
	if (r < 0)
		return err_set(err, ERR_LOCKDOWN, r, "cannot tie the box to its launcher");
	if (!launcher_lives(run->wire))
		return err_set(err, ERR_DIED, EPIPE, "the launcher ended during the start");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, ERR_LOCKDOWN, errno, "cannot make PID 1 non-dumpable");
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_set(err, ERR_LOCKDOWN, EPERM, "cannot make PID 1 non-dumpable");
	if (!op->u.guard.pid_namespace && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_LOCKDOWN, errno, "cannot become the reaper of the command");
	scrub(run->launcher_argv);
	scrub(run->launcher_env);
	return 0;
}
