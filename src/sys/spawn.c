// SPDX-License-Identifier: MIT
/*
 * Other programs, and forked copies of ourselves for trials: the only file besides run/ that
 * makes processes.
 *
 * A program is started with CLONE_VM|CLONE_VFORK: nothing is copied, and the parent learns of a
 * failed execve before it goes on. Between clone and execve the child shares our memory and so
 * touches nothing but its own stack and struct start; signal handlers of ours must not run in it,
 * so every signal is blocked before clone and put back to default in the child (dispositions and
 * mask are its own, as neither CLONE_SIGHAND nor CLONE_THREAD is given).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/spawn.h>
#include <sandbox/sys.h>

#define CHILD_STACK 32768u
#define HOLD_MS     60000
#define PASS_MAX    8u
#define DRAIN_MAX   262144u /* more than a pipe holds */

struct start {
	char *const *argv, *const *env;
	int in, out, err;
	const int *pass; /* npass of them, each above 2 + npass */
	unsigned npass;
	pid_t parent;
	int failed; /* errno of the child, read after vfork's return */
};

static const char *const child_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C",
	NULL,
};

static void child_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Dies with its parent; the check closes the gap between clone and prctl. */
static int child_guard(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

/* dup2 clears close-on-exec, but not where both numbers are the same. */
static int child_stdio(const struct start *start)
{
	return dup2(start->in, STDIN_FILENO) < 0 || dup2(start->out, STDOUT_FILENO) < 0 ||
			       dup2(start->err, STDERR_FILENO) < 0
		       ? -errno
		       : 0;
}

static int child_main(void *arg)
{
	struct start *start = arg;
	int r;

	child_signals();
	r = child_guard(start->parent);
	if (r == 0)
		r = child_stdio(start);
	for (unsigned i = 0; r == 0 && i < start->npass; i++)
		r = dup2(start->pass[i], STDERR_FILENO + 1 + (int)i) < 0 ? -errno : 0;
	if (r == 0) {
		(void)sys_close_from(3 + start->npass, true);
		(void)execve(start->argv[0], start->argv, start->env);
		r = -errno;
	}
	start->failed = -r;
	_exit(127);
}

/* The descriptors of the pipe and of /dev/null have to be above 2, or child_stdio() would
 * overwrite one with the other when our own caller closed some of 0 to 2. */
static int above_stdio(int *fd)
{
	int high;

	if (*fd > STDERR_FILENO)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		return -errno;
	fd_close(fd);
	*fd = high;
	return 0;
}

static int open_null(int *ret)
{
	autofd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int r = null < 0 ? -errno : above_stdio(&null);

	if (r < 0)
		return r;
	*ret = fd_steal(&null);
	return 0;
}

static int open_pipe(int *ret_read, int *ret_write)
{
	autofd int in = -EBADF, out = -EBADF;
	int pair[2], r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	in = pair[0];
	out = pair[1];
	if ((r = above_stdio(&in)) < 0 || (r = above_stdio(&out)) < 0)
		return r;
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*ret_read = fd_steal(&in);
	*ret_write = fd_steal(&out);
	return 0;
}

/* What a program is given besides its words; -EBADF: our own. */
struct given {
	const int *pass;
	unsigned npass;
	int input, output;
};

static int start_program(struct spawn *ret, char *const argv[], char *const env[],
			 struct given given)
{
	_Alignas(64) unsigned char stack[CHILD_STACK];
	struct start start = { .argv = argv,
			       .env = env,
			       .pass = given.pass,
			       .npass = given.npass,
			       .parent = getpid() };
	autofd int null = -EBADF, in = -EBADF, out = -EBADF;
	sigset_t all, old;
	int pidfd = -EBADF, r;
	pid_t pid;

	if (argv[0] == NULL || argv[0][0] != '/')
		return -EINVAL;
	r = open_null(&null);
	if (r == 0)
		r = open_pipe(&in, &out);
	if (r < 0)
		return r;
	start.in = given.input >= 0 ? given.input : null;
	start.out = given.output >= 0 ? given.output : out;
	start.err = out;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone(child_main, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
	r = pid < 0 ? -errno : 0;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		return r;
	if (start.failed != 0) {
		fd_close(&pidfd);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return -start.failed;
	}
	*ret = (struct spawn){ .pid = pid, .pidfd = pidfd, .out = fd_steal(&in) };
	return 0;
}

/* Copies of what is to be passed on, out of the way of the numbers they will get. */
static int lift(const int *fds, unsigned n, int *ret)
{
	for (unsigned i = 0; i < n; i++) {
		ret[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1 + (int)PASS_MAX);
		if (ret[i] < 0) {
			int r = -errno;

			while (i-- > 0)
				(void)close(ret[i]);
			return r;
		}
	}
	return 0;
}

int spawn_start_with(struct spawn *ret, char *const argv[], const int *fds, unsigned nfds)
{
	int pass[PASS_MAX] = { 0 }, r;

	if (nfds > PASS_MAX)
		return -EINVAL;
	r = lift(fds, nfds, pass);
	if (r < 0)
		return r;
	r = start_program(ret, argv, (char *const *)(uintptr_t)child_env,
			  (struct given){ pass, nfds, -EBADF, -EBADF });
	for (unsigned i = 0; i < nfds; i++)
		(void)close(pass[i]);
	return r;
}

int spawn_start(struct spawn *ret, char *const argv[])
{
	return spawn_start_io(ret, argv, -EBADF, -EBADF);
}

int spawn_start_io(struct spawn *ret, char *const argv[], int input, int output)
{
	return start_program(ret, argv, (char *const *)(uintptr_t)child_env,
			     (struct given){ NULL, 0, input, output });
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct collect {
	char *out;
	size_t size, have;
};

static void collect_add(struct collect *to, const char *buf, size_t n)
{
	size_t room = to->size > to->have + 1 ? to->size - to->have - 1 : 0;
	size_t take = n < room ? n : room;

	if (to->out != NULL)
		memcpy(to->out + to->have, buf, take);
	to->have += take;
}

/* Reads what is there; closes the descriptor at its end of file. Bounded, since a flood may come
 * faster than it is read. */
static void drain(struct spawn *spawn, struct collect *to)
{
	char buf[4096];

	for (size_t total = 0; spawn->out >= 0 && total < DRAIN_MAX;) {
		ssize_t n = read(spawn->out, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			fd_close(&spawn->out);
			return;
		}
		collect_add(to, buf, (size_t)n);
		total += (size_t)n;
	}
}

/* 1: it has ended and *ret is its status; 0: not yet; negative errno. */
static int reap(pid_t pid, int flags, int *ret)
{
	int status;
	pid_t r;

	do
		r = waitpid(pid, &status, flags);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (r == 0)
		return 0;
	*ret = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}

/* Not reaped yet, so the pid is still its own. The status is lost on purpose. */
static int kill_late(pid_t pid)
{
	int ignored;

	(void)kill(pid, SIGKILL);
	(void)reap(pid, 0, &ignored);
	return -ETIMEDOUT;
}

/* Waits for output or for the end. Without a pidfd (Linux before 5.2, which doctor still has to
 * name) the end is looked for 50 times a second. */
static void wait_event(const struct spawn *spawn, int64_t left)
{
	struct pollfd fds[] = {
		{ .fd = spawn->out, .events = POLLIN },
		{ .fd = spawn->pidfd, .events = POLLIN },
	};

	if (spawn->pidfd < 0 && left > 20)
		left = 20;
	(void)poll(fds, 2, (int)left);
}

int spawn_finish(struct spawn *spawn, char *out, size_t size, int timeout_ms)
{
	struct collect to = { .out = out, .size = size };
	int64_t deadline = now_ms() + timeout_ms;
	int status = 0, r;

	for (;;) {
		int64_t left = deadline - now_ms();

		r = reap(spawn->pid, WNOHANG, &status);
		drain(spawn, &to);
		if (r != 0)
			break;
		if (left <= 0) {
			r = kill_late(spawn->pid);
			drain(spawn, &to);
			break;
		}
		wait_event(spawn, left);
	}
	if (size > 0)
		out[to.have] = '\0';
	fd_close(&spawn->out);
	fd_close(&spawn->pidfd);
	spawn->pid = -1;
	return r < 0 ? r : status;
}

int spawn_run(char *const argv[], char *out, size_t size, int timeout_ms)
{
	struct spawn spawn;
	int r = spawn_start(&spawn, argv);

	return r < 0 ? r : spawn_finish(&spawn, out, size, timeout_ms);
}

int spawn_run_env(char *const argv[], char *const env[], char *out, size_t size, int timeout_ms)
{
	struct spawn spawn;
	int r = start_program(&spawn, argv, env, (struct given){ NULL, 0, -EBADF, -EBADF });

	return r < 0 ? r : spawn_finish(&spawn, out, size, timeout_ms);
}

/* --- trials ---------------------------------------------------------------------------------- */

struct trial {
	int (*call)(const void *arg);
	const void *arg;
	int in, out;
};

/* PDEATHSIG comes without a look at getppid(), which is 0 in a new PID namespace: a trial that
 * outlives us ends by itself. Its /proc/PID/uid_map is root's unless it is dumpable. */
static void copy_prepare(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	child_signals();
}

static void trial_child(const struct trial *trial)
{
	int value;

	copy_prepare();
	(void)close(trial->in);
	value = trial->call(trial->arg);
	_exit(fd_write_all(trial->out, &value, sizeof(value)) < 0 ? 1 : 0);
}

int spawn_trial(uint64_t clone_flags, int (*call)(const void *arg), const void *arg, int *ret,
		int timeout_ms)
{
	struct trial trial = { .call = call, .arg = arg };
	autofd int in = -EBADF, out = -EBADF;
	struct spawn spawn = { .pidfd = -EBADF, .out = -EBADF };
	int value = 0, r;

	r = open_pipe(&in, &out);
	if (r < 0)
		return r;
	trial.in = in;
	trial.out = out;
	spawn.pid = sys_clone(clone_flags, -1, &spawn.pidfd);
	if (spawn.pid == 0)
		trial_child(&trial);
	if (spawn.pid < 0)
		return (int)spawn.pid;
	fd_close(&out);
	r = spawn_finish(&spawn, NULL, 0, timeout_ms);
	if (r < 0)
		return r;
	if (r != 0 || read(in, &value, sizeof(value)) != (ssize_t)sizeof(value))
		return -ECHILD;
	*ret = value;
	return 0;
}

/* Waits on a pipe whose write end only the parent has, so that it goes with the parent even where
 * PDEATHSIG came too late. */
static void hold_child(int in, int out)
{
	struct pollfd end = { .fd = in, .events = POLLIN };

	copy_prepare();
	(void)close(out);
	(void)poll(&end, 1, HOLD_MS);
	_exit(0);
}

int spawn_hold(struct spawn *ret, uint64_t clone_flags)
{
	autofd int in = -EBADF, out = -EBADF;
	struct spawn spawn = { .pidfd = -EBADF };
	int r = open_pipe(&in, &out);

	if (r < 0)
		return r;
	spawn.pid = sys_clone(clone_flags, -1, &spawn.pidfd);
	if (spawn.pid == 0)
		hold_child(in, out);
	if (spawn.pid < 0)
		return (int)spawn.pid;
	spawn.out = fd_steal(&out);
	*ret = spawn;
	return 0;
}
