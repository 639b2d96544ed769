// SPDX-License-Identifier: MIT
/*
 * PID 1's side of the soft limiter (watch/soft): a process forked before LOCKDOWN, so that it keeps
 * the right to signal every id of the box, and beside the command, so that its end is noticed. The
 * command can kill it; then the box ends, since a limit that was asked for no longer holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/soft.h>
#include <sandbox/sys.h>

#include "run.h"

enum { ANSWER_MS = 200 };

static uint64_t soft_value(const struct run *run, enum limit_kind kind)
{
	const struct limit *l = &run->limits[kind];

	return l->asked && l->by == LIMIT_BY_SOFT ? l->value : 0;
}

/* It needs less than any command: the narrowest filter, unless there is to be none. */
static int confine(const struct run *run)
{
	if (!stage_find(run->plan, OP_SECCOMP))
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return sys_seccomp_load(&seccomp_builtins[SECCOMP_USER][false].program);
}

int limiter_start(struct run *run, struct err *err)
{
	const struct soft_limits limits = {
		.cpu_permille = (uint32_t)soft_value(run, LIMIT_CPU),
		.memory = soft_value(run, LIMIT_MEMORY),
		.cpu_time_ms = soft_value(run, LIMIT_CPU_TIME),
		.freezer = -1,
	};
	autofd int proc = -EBADF, pidfd = -EBADF;
	int pair[2];
	pid_t pid;

	if (!limits.cpu_permille && !limits.memory && !limits.cpu_time_ms)
		return 0;
	if (!run->plan->pid_namespace || run->proc < 0) /* its signals go to all it can see */
		return err_set(err, ERR_INTERNAL, EINVAL,
			       "no limiter without namespaces of the box's own");
	proc = fcntl(run->proc, F_DUPFD_CLOEXEC, 3); /* the mount itself, not a name */
	if (proc < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_LIMIT, errno, "cannot prepare the limiter");
	pid = sys_clone(0, -1, &pidfd);
	if (pid == 0) {
		(void)close(pair[0]);
		if (confine(run) < 0)
			_exit(1);
		_exit(soft_main(&limits, proc, pair[1]));
	}
	(void)close(pair[1]);
	run->limiter = pid;
	run->limiter_fd = pair[0];
	return pid < 0 ? err_set(err, ERR_LIMIT, pid, "cannot start the limiter") : 0;
}

int limiter_figures(const struct run *run, struct soft_report *ret)
{
	struct pollfd p = { .fd = run->limiter_fd, .events = POLLIN };
	int r;

	if (run->limiter_fd < 0)
		return -ENOENT;
	r = soft_request(run->limiter_fd);
	while (r == 0 && poll(&p, 1, ANSWER_MS) > 0) {
		r = soft_receive(run->limiter_fd, ret);
		if (r == 0)
			return 0;
		r = r == -EAGAIN ? 0 : r;
	}
	return r < 0 ? r : -ETIMEDOUT;
}
