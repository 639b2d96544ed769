// SPDX-License-Identifier: MIT
/*
 * The start of a limiter (watch/soft). PID 1's is a process forked before LOCKDOWN, so that it keeps
 * the right to signal every id of the box, and beside the command, so that its end is noticed. The
 * command can kill it; then the box ends, since a limit that was asked for no longer holds. The one
 * that pauses the box by its cgroup is the launcher's child, out of the box's reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/soft.h>
#include <sandbox/sys.h>

#include "run.h"

enum { ANSWER_MS = 200 };

/* All that is soft; the freezer's limiter does not need CAP_KILL, and is nothing that the box could
 * see. */
static bool wanted(const struct run *run, int freezer, struct soft_limits *ret)
{
	const struct limit *l = run->limits;
	enum limit_by cpu = freezer >= 0 ? LIMIT_BY_FREEZER : LIMIT_BY_SOFT;

	*ret = (struct soft_limits){
		.cpu_permille = l[LIMIT_CPU].by == cpu ? (uint32_t)l[LIMIT_CPU].value : 0,
		.memory = l[LIMIT_MEMORY].by == LIMIT_BY_SOFT ? l[LIMIT_MEMORY].value : 0,
		.cpu_time_ms = l[LIMIT_CPU_TIME].by == LIMIT_BY_SOFT ? l[LIMIT_CPU_TIME].value : 0,
		.cpus = run->ncpus,
		.freezer = freezer,
	};
	return ret->cpu_permille || ret->memory || ret->cpu_time_ms;
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

static int limiter_fork(const struct run *run, const struct soft_limits *limits, int proc,
			pid_t *ret_pid, int *ret_fd, struct err *err)
{
	autofd int pidfd = -EBADF;
	int pair[2];
	pid_t pid;

	if (proc < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_LIMIT, errno, "cannot prepare the limiter");
	pid = sys_clone(0, -1, &pidfd);
	if (pid == 0) {
		(void)close(pair[0]);
		if (confine(run) < 0)
			_exit(1);
		_exit(soft_main(limits, proc, pair[1]));
	}
	(void)close(pair[1]);
	*ret_pid = pid;
	*ret_fd = pair[0];
	return pid < 0 ? err_set(err, ERR_LIMIT, pid, "cannot start the limiter") : 0;
}

/* The command must not meet it with the rights and descriptors that it gives up first. */
static int wait_ready(int fd, struct err *err)
{
	int r = fd < 0 ? 0 : soft_wait(fd);

	return r < 0 ? err_set(err, ERR_LIMIT, r, "the limiter did not start") : 0;
}

int limiter_wait(const struct run *run, struct err *err)
{
	return wait_ready(run->limiter_fd, err);
}

int limiter_start(struct run *run, struct err *err)
{
	struct soft_limits limits;
	autofd int proc = -EBADF;

	if (run->limits[LIMIT_CPU].by == LIMIT_BY_FREEZER || !wanted(run, -1, &limits))
		return 0;
	if (!run->plan->pid_namespace || run->proc < 0) /* its signals go to all it can see */
		return err_set(err, ERR_INTERNAL, EINVAL,
			       "no limiter without namespaces of the box's own");
	proc = fcntl(run->proc, F_DUPFD_CLOEXEC, 3); /* the mount itself, not a name */
	return limiter_fork(run, &limits, proc, &run->limiter, &run->limiter_fd, err);
}

int freezer_start(struct run *run, struct err *err)
{
	struct soft_limits limits;
	autofd int proc = -EBADF;
	int r;

	if (run->limits[LIMIT_CPU].by != LIMIT_BY_FREEZER || !wanted(run, run->tree.box, &limits))
		return 0;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = limiter_fork(run, &limits, proc, &run->freezer, &run->freezer_fd, err);
	return r < 0 ? r : wait_ready(run->freezer_fd, err);
}

void freezer_stop(struct run *run)
{
	fd_close(&run->freezer_fd);
	if (run->freezer <= 0)
		return;
	(void)kill(run->freezer, SIGKILL); /* our child, unreaped: the number is its own */
	while (waitpid(run->freezer, NULL, 0) < 0 && errno == EINTR)
		;
	run->freezer = -1;
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
