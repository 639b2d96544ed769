// SPDX-License-Identifier: MIT
/*
 * PID 1 of the box, in the launcher's process image: no exec, no argv of its own. It forks the
 * command, drops what capabilities it has left, reaps, passes signals on, and ends when the
 * command ends; the kernel then kills whatever else is in the PID namespace. End of file on the
 * wire means that the launcher is gone: then it ends too.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/soft.h>
#include <sandbox/sys.h>
#include <sandbox/wire.h>

#include "run.h"

enum { INIT_FAILED = 125, GRACE_MS = 2500, FINISH_MS = 500, STACK = 1 << 18 };

struct init {
	struct run *run;
	pid_t command;
	int signals;
	struct notify notify; /* a filter that kills asks us */
	struct budget budget; /* the same of CPU time */
	int64_t deadline_ms;  /* CLOCK_MONOTONIC; 0: none */
};

/* Those that make sense to pass on when somebody in the box sends them to PID 1. */
static const int passed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

static int open_signals(void)
{
	sigset_t set;

	(void)sigfillset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	for (unsigned i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		(void)sigaddset(&set, passed_on[i]);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void leave(const struct init *init, int status)
{
	if (!init->run->plan->pid_namespace) {
		if (init->command > 0)
			(void)kill(-init->command, SIGKILL);
		reap_children(NULL);
		op_private_remove(init->run);
	}
	_exit(status);
}

/* The process group, so that `sh -c` and its child both hear it; the process alone where it has
 * left its group. */
static void signal_command(const struct init *init, int sig)
{
	if (kill(-init->command, sig) < 0 && errno == ESRCH)
		(void)kill(init->command, sig);
}

static void report(const struct init *init, enum wire_kind kind, int value)
{
	if (wire_send(init->run->wire, kind, value, NULL, -1) < 0)
		leave(init, INIT_FAILED);
}

/* `blind`: it lives, but cannot see the box, by that errno. */
static _Noreturn void limits_lost(const struct init *init, int blind)
{
	struct err err = { 0 };

	if (blind) {
		(void)err_set(&err, ERR_LIMIT, blind,
			      "the limits no longer hold: the process that enforces them cannot "
			      "look at the box");
	} else {
		(void)err_set(&err, ERR_LIMIT, ESRCH, "the limits no longer hold");
		(void)err_cause(&err, "the process that enforced them was killed in the box");
	}
	(void)err_fix(&err, "use limits of the kernel: see sandbox-limits(7) and sandbox doctor");
	err.stage = STAGE_WATCH;
	(void)wire_send(init->run->wire, WIRE_FAILED, 0, &err, -1);
	leave(init, INIT_FAILED);
}

/* The box is over its memory or its time: everything else has been killed already. */
static void on_figures(const struct init *init, const struct soft_report *figures)
{
	if (figures->kind == SOFT_BLIND)
		limits_lost(init, (int)figures->error);
	(void)wire_send_figures(init->run->wire, figures);
	if (figures->kind != SOFT_FIGURES)
		leave(init, INIT_FAILED);
}

static void on_limiter(const struct init *init)
{
	struct soft_report figures;
	int r = soft_receive(init->run->limiter_fd, &figures);

	if (r == 0)
		on_figures(init, &figures);
	else if (r != -EAGAIN)
		limits_lost(init, 0);
}

/* The limiter's figures come before the end, so that the launcher has them for its report. */
static void report_figures(const struct init *init)
{
	struct soft_report figures;

	if (limiter_figures(init->run, &figures) == 0)
		on_figures(init, &figures);
}

static void reap(struct init *init)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid == init->run->limiter && WIFSTOPPED(status))
			(void)kill(pid, SIGCONT);
		else if (pid == init->run->limiter)
			on_limiter(init);
		if (pid != init->command)
			continue;
		if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && init->run->limiter > 0)
			continue; /* a pause of the limiter's */
		if (WIFSTOPPED(status)) {
			report(init, WIRE_STOPPED, WSTOPSIG(status));
			continue;
		}
		report_figures(init);
		report(init, WIRE_EXITED, status);
		leave(init, 0);
	}
}

/* All but the limiter, which goes by itself when nobody listens to it any more: it may be out of our
 * reach (Landlock), and is to have answered. The kernel lets nobody fork away from kill(-1). */
static void kill_all(struct init *init)
{
	fd_close(&init->run->limiter_fd);
	if (init->run->plan->pid_namespace)
		(void)kill(-1, SIGKILL);
	else
		signal_command(init, SIGKILL); /* the others are leave()'s */
}

/* Until nobody is left. True: the command was among them, and how it ended is in *ret. */
static bool reap_all(const struct init *init, int *ret)
{
	int64_t end = now_ms() + FINISH_MS, left = FINISH_MS;
	struct pollfd p = { .fd = init->signals, .events = POLLIN };
	struct signalfd_siginfo si;
	bool seen = false;
	int status;
	pid_t pid;

	while (left > 0 && (init->run->plan->pid_namespace || !seen)) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == init->command) {
				seen = true;
				*ret = status;
			}
		if (pid < 0)
			break;
		/* whom we may not kill the kernel will, with us */
		if (poll(&p, 1, (int)left) > 0 && read(init->signals, &si, sizeof(si)) < 0)
			break;
		left = end - now_ms();
	}
	return seen;
}

/* --timeout is over. What the kernel ends with the namespace would be in nobody's usage, and the
 * limiter could not be asked any more: so it is done here, step by step. */
static _Noreturn void finish(struct init *init)
{
	int status = 0;

	report_figures(init);
	kill_all(init);
	if (reap_all(init, &status))
		report(init, WIRE_EXITED, status);
	leave(init, WIRE_TIMED_OUT);
}

static void on_notify(struct init *init, short revents)
{
	struct err err = { .stage = STAGE_WATCH };
	int r;

	if (!(revents & POLLIN)) { /* nobody is left who has the filter */
		fd_close(&init->notify.fd);
		return;
	}
	r = notify_handle(&init->notify, init->run->wire, init->command);
	if (r == 0)
		return;
	(void)err_set(&err, ERR_SECCOMP, r,
		      "cannot end a process that its system call filter kills");
	err.stage = STAGE_WATCH;
	(void)wire_send(init->run->wire, WIRE_FAILED, 0, &err, -1);
	leave(init, INIT_FAILED);
}

static void on_signal(struct init *init)
{
	struct signalfd_siginfo si;

	while (read(init->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(init);
		else
			signal_command(init, (int)si.ssi_signo);
	}
}

static void on_wire(struct init *init)
{
	struct wire_msg msg;

	if (wire_recv(init->run->wire, &msg, NULL, 0) < 0)
		leave(init, INIT_FAILED);
	if (msg.kind == WIRE_SIGNAL && init->run->limiter_fd >= 0)
		soft_release(init->run->limiter_fd, msg.value, init->run->plan->stop_signal);
	if (msg.kind == WIRE_SIGNAL && msg.value > 0 && msg.value < NSIG)
		signal_command(init, msg.value);
	else if (msg.kind == WIRE_RESUME)
		signal_command(init, SIGCONT);
	else if (msg.kind == WIRE_FINISH)
		finish(init);
	else if (msg.kind == WIRE_FOREGROUND && init->run->pty >= 0)
		(void)tcsetpgrp(init->run->pty, msg.value ? init->command : getpid());
}

/* --cpu-time is the launcher's, too, where the cgroup counts it. */
static void check_budget(struct init *init)
{
	struct soft_report figures = { 0 };

	if (!budget_spent(&init->budget))
		return;
	(void)limiter_figures(init->run, &figures); /* of the other limits */
	figures.kind = SOFT_CPU_TIME;
	(void)wire_send_figures(init->run->wire, &figures);
	leave(init, INIT_FAILED);
}

static int time_left(const struct init *init)
{
	int64_t left = init->deadline_ms ? init->deadline_ms - now_ms() : -1;

	/* over since it was looked at: -1 would be no end at all */
	if (init->deadline_ms && left < 0)
		left = 0;
	return budget_wait(&init->budget, left > INT_MAX ? INT_MAX : (int)left);
}

static _Noreturn void loop(struct init *init)
{
	struct pollfd p[] = {
		{ .fd = init->run->wire, .events = POLLIN },
		{ .fd = init->signals, .events = POLLIN },
		{ .fd = init->run->limiter_fd, .events = POLLIN },
		{ .fd = init->notify.fd, .events = POLLIN },
	};

	for (;;) {
		/* --timeout is the launcher's, but it may be stopped together with its caller */
		if (init->deadline_ms && now_ms() >= init->deadline_ms)
			finish(init);
		check_budget(init);
		p[3].fd = init->notify.fd;
		if (poll(p, 4, time_left(init)) < 0 && errno != EINTR)
			leave(init, INIT_FAILED);
		/* the order matters: the command's end is reported before the launcher's is noticed */
		if (p[2].revents)
			on_limiter(init);
		if (p[3].revents)
			on_notify(init, p[3].revents);
		if (p[1].revents)
			on_signal(init);
		if (p[0].revents)
			on_wire(init);
	}
}

/* Nothing of the caller's stays open in PID 1: a reader of the command's output sees its end
 * when the command and its children have closed it. */
static void drop_descriptors(struct init *init)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int *mine[] = { &init->run->wire,       &init->signals,      &init->run->pty,
			&init->run->limiter_fd, &init->run->private, &init->run->private_base,
			&init->notify.fd,       &init->notify.proc,  &init->budget.stat };
	enum { MINE = sizeof(mine) / sizeof(mine[0]), ABOVE = 3 + MINE };
	int next = 3;

	for (int i = 0; i < 3 && null >= 0; i++)
		(void)dup2(null, i);
	/* ours are moved up first, so that no target is one still needed */
	for (unsigned i = 0; i < MINE; i++)
		if (*mine[i] >= 0 && *mine[i] < ABOVE) {
			*mine[i] = fcntl(*mine[i], F_DUPFD_CLOEXEC, ABOVE);
			if (*mine[i] < 0)
				leave(init,
				      INIT_FAILED); /* deaf to the launcher: rather not at all */
		}
	for (unsigned i = 0; i < MINE; i++)
		if (*mine[i] >= 0) {
			*mine[i] = dup3(*mine[i], next++, O_CLOEXEC);
			if (*mine[i] < 0)
				leave(init, INIT_FAILED);
		}
	(void)sys_close_from((unsigned)next, true);
}

/* It keeps CAP_KILL if the box has that: the command and its processes may have other users of the
 * box's, and are signalled all the same, and killed where a filter says so. */
static void drop_capabilities(struct init *init)
{
	const struct op *had = stage_find(init->run->plan, OP_CAPSET);
	struct op none = { .kind = OP_CAPSET };
	struct err err = { 0 };

	if (had)
		none.u.capset.permitted = had->u.capset.permitted & (UINT64_C(1) << CAP_KILL);
	if (op_classes[OP_CAPSET].apply(&none, init->run, &err) < 0) {
		(void)wire_send(init->run->wire, WIRE_FAILED, 0, &err, -1);
		leave(init, INIT_FAILED);
	}
}

/* What PID 1 gives up that the command kept: its own filter, where that is another one. */
static void settle(struct init *init)
{
	struct err err = { 0 };

	if (stage_walk(init->run, STAGE_INIT, &err) < 0) {
		(void)wire_send(init->run->wire, WIRE_FAILED, 0, &err, -1);
		leave(init, INIT_FAILED);
	}
}

struct start {
	struct run *run;
	struct err *err;
};

static int command_main(void *arg)
{
	struct start *start = arg;

	(void)command_exec(start->run, start->err);
	/* not _exit(): AddressSanitizer would look for the end of a stack it does not know */
	return (int)syscall(SYS_exit_group, INIT_FAILED);
}

/* As vfork: no page tables to copy, and exec has succeeded or failed when it returns. With a filter
 * that asks before it kills, the descriptors are shared too: the listener, which comes into being when
 * nothing may be sent any more, is then ours; exec gives the command a table of its own, without it. */
static pid_t start_command(struct run *run, struct err *err)
{
	struct start start = { run, err };
	int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (run->named ? CLONE_FILES : 0);
	unsigned char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t pid;
	int num;

	if (stack == MAP_FAILED)
		return err_set(err, ERR_NOMEM, errno, "cannot fork the command");
	pid = clone(command_main, stack + STACK, flags, &start);
	num = errno;
	(void)munmap(stack, STACK);
	if (pid < 0)
		return err_set(err, ERR_NOMEM, num, "cannot fork the command");
	return err->code != ERR_NONE ? -1 : pid;
}

void init_main(struct run *run)
{
	struct init init = { .run = run,
			     .notify = { .fd = -EBADF, .proc = -EBADF },
			     .budget = run->budget };
	struct err err = { 0 };

	budget_begin(&init.budget);
	init.signals = open_signals();
	if (init.signals < 0)
		(void)err_set(&err, ERR_NOMEM, errno, "cannot open a signalfd");
	else if (run->pty >= 0 && ioctl(run->pty, TIOCSCTTY, 0) < 0)
		(void)err_set(&err, ERR_TTY, errno, "cannot take the box's terminal");
	else
		init.command = start_command(run, &err);
	if (err.code != ERR_NONE) {
		err.stage = STAGE_HANDOFF;
		(void)wire_send(run->wire, WIRE_FAILED, 0, &err, -1);
		leave(&init, INIT_FAILED);
	}
	if (run->plan->timeout_ms > 0 && run->plan->timeout_ms < INT64_MAX / 2)
		init.deadline_ms = now_ms() + (int64_t)run->plan->timeout_ms + GRACE_MS;
	init.notify.fd = run->listener;
	init.notify.proc = run->listener >= 0 ? run->proc : -EBADF;
	report(&init, WIRE_STARTED, (int)init.command);
	drop_capabilities(&init);
	drop_descriptors(&init);
	settle(&init);
	loop(&init);
}
