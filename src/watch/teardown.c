// SPDX-License-Identifier: MIT
/*
 * The end of a box. PID 1 is reaped before anything is told, so that no process of the box is
 * alive when the caller hears of the end and the usage of all of them has been counted: the kernel
 * kills and reaps what is left in the PID namespace before it lets PID 1 go (pid_namespaces(7)).
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <sandbox/sys.h>

#include "loop.h"

enum { DRAIN_TIMEOUT_MS = 1000 };

void teardown_kill(const struct watch *w)
{
	/* refused by an old seccomp filter, say: it is our child and not reaped, so that the number is
	 * still its own */
	if (sys_pidfd_send_signal(w->box->init_pidfd, SIGKILL) < 0)
		(void)kill(w->box->init, SIGKILL);
}

void teardown_reap(struct watch *w)
{
	pid_t pid;

	do
		pid = wait4(w->box->init, &w->ending.init, __WALL, &w->usage);
	while (pid < 0 && errno == EINTR);
	w->reaped = true;
}

void teardown_drain(struct watch *w)
{
	int64_t end = watch_now_us() / 1000 + DRAIN_TIMEOUT_MS;

	while (!tty_drain(&w->tty)) {
		/* clang-format off */
		struct pollfd slots[] = {
			{ .fd = w->tty.out, .events = POLLOUT },
			{ .fd = w->box->signals, .events = POLLIN },
		};
		/* clang-format on */
		int64_t left = end - watch_now_us() / 1000;
		/* a program's output is not lost to a slow reader, unless a signal or --timeout says
		 * that its time is over */
		int n = poll(slots, 2, w->ending.timed_out ? (int)(left > 0 ? left : 0) : -1);

		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		if (n > 0 && slots[1].revents != 0 && watch_signals_end(w->box->signals) != 0)
			return;
	}
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int lost(const struct watch *w, struct err *err)
{
	int status = w->ending.init;

	if (w->started)
		err_set(err, ERR_INTERNAL, 0, "the box ended without telling how the command did");
	else
		err_set(err, ERR_DIED, 0, "the box ended before the command was started");
	err->stage = w->started ? STAGE_WATCH : STAGE_HANDOFF;
	if (WIFSIGNALED(status))
		return err_cause(err, "its first process was killed by signal %d (%s)",
				 WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_cause(err, "its first process exited with status %d", WEXITSTATUS(status));
}

/* What the limiter has seen and done. */
static void add_figures(const struct watch *w, struct outcome *ret)
{
	enum { EXIT_OOM = 137, EXIT_CPU_TIME = 124 };

	ret->memory_peak = w->figures.memory_peak;
	ret->pids_peak = w->figures.processes_peak;
	ret->throttled_s = (double)w->figures.throttled_us / 1e6;
	/* processes that the kernel ends with the namespace are in nobody's usage */
	if ((double)w->figures.cpu_us / 1e6 > ret->cpu_s)
		ret->cpu_s = (double)w->figures.cpu_us / 1e6;
	if (w->limited == SOFT_OOM) {
		ret->reason = REASON_OOM;
		ret->code = EXIT_OOM;
		ret->signal = SIGKILL;
	} else if (w->limited == SOFT_CPU_TIME) {
		ret->reason = REASON_CPU_TIME;
		ret->code = EXIT_CPU_TIME;
		ret->signal = SIGKILL;
	}
}

/* The command died of a call that its filter answers by killing. Without its number (the kernel did
 * it, as in a box inside a box of the same kind) SIGSYS tells as much. */
static void add_blocked(const struct watch *w, struct outcome *ret)
{
	enum { EXIT_SIGSYS = 159 };
	bool unnamed = !w->blocked && w->box->filter_kills && ret->signal == SIGSYS;

	memcpy(ret->others, w->outcome.others, sizeof(ret->others));
	ret->nothers = w->outcome.nothers;
	ret->blocked = w->outcome.blocked;
	if (unnamed)
		ret->blocked = (struct outcome_blocked){ .nr = -1 };
	if ((!w->blocked && !unnamed) || ret->signal == 0 || ret->reason != REASON_SIGNALED)
		return;
	ret->reason = REASON_SECCOMP;
	ret->code = EXIT_SIGSYS;
	ret->signal = SIGSYS;
}

int teardown_result(const struct watch *w, struct outcome *ret, struct err *err)
{
	bool killed = w->started && WIFSIGNALED(w->ending.init);

	if (w->failed) {
		*err = w->failure;
		return err->num > 0 ? -err->num : -EINVAL;
	}
	if (!w->ending.exited && !w->ending.timed_out && !killed && !w->limited)
		return lost(w, err);
	outcome_ending(ret, &w->ending);
	ret->cpu_s = seconds(w->usage.ru_utime) + seconds(w->usage.ru_stime);
	ret->wall_s = (double)(watch_now_us() - w->start_us) / 1e6;
	ret->peak_rss = (uint64_t)w->usage.ru_maxrss * 1024;
	add_blocked(w, ret);
	add_figures(w, ret);
	return 0;
}
