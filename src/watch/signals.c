// SPDX-License-Identifier: MIT
/*
 * The signals of the supervisor. They are blocked and read from a signalfd(2), so that nothing
 * runs asynchronously and none is lost between clone and the poll loop.
 *
 * SIGTTIN and SIGTTOU are blocked without being read: a read of the terminal from the background
 * is then EIO instead of a stop, and our own output and tcsetattr(3) go through.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sandbox/watch.h>

#include "signals.h"

/* clang-format off */
static const struct {
	int sig;
	enum signal_use use;
	bool keep_ignored;   /* an ignored one is the caller's word that it must not arrive */
} rows[] = {
	{ SIGTERM,  SIGNAL_FORWARD,  true },
	{ SIGINT,   SIGNAL_FORWARD,  true },
	{ SIGHUP,   SIGNAL_FORWARD,  true },   /* nohup(1) */
	{ SIGQUIT,  SIGNAL_FORWARD,  true },
	{ SIGUSR1,  SIGNAL_FORWARD,  true },
	{ SIGUSR2,  SIGNAL_FORWARD,  true },
	{ SIGTSTP,  SIGNAL_FORWARD,  true },
	{ SIGCONT,  SIGNAL_CONTINUE, false },
	{ SIGWINCH, SIGNAL_WINDOW,   false },
};
/* clang-format on */

enum { NROWS = sizeof(rows) / sizeof(rows[0]) };

enum signal_use signals_use(int sig)
{
	for (size_t i = 0; i < NROWS; i++)
		if (rows[i].sig == sig)
			return rows[i].use;
	return SIGNAL_FORWARD;
}

static bool is_ignored(int sig)
{
	struct sigaction now;

	return sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* SIGPIPE: a reader of ours that went away is an error of a write, not our end. SIGCHLD ignored
 * by the caller would reap PID 1 before we can ask for its status (wait(2)). */
static int set_dispositions(void)
{
	/* clang-format off */
	static const struct { int sig; void (*handler)(int); } fixed[] = {
		{ SIGPIPE, SIG_IGN },
		{ SIGCHLD, SIG_DFL },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		struct sigaction action = { .sa_handler = fixed[i].handler };

		if (sigaction(fixed[i].sig, &action, NULL) < 0)
			return -errno;
	}
	return 0;
}

int watch_signals_open(int *ret_fd, struct err *err)
{
	sigset_t handled, blocked;
	int fd, r;

	(void)sigemptyset(&handled);
	for (size_t i = 0; i < NROWS; i++)
		if (!rows[i].keep_ignored || !is_ignored(rows[i].sig))
			(void)sigaddset(&handled, rows[i].sig);
	blocked = handled;
	(void)sigaddset(&blocked, SIGTTIN);
	(void)sigaddset(&blocked, SIGTTOU);
	r = set_dispositions();
	if (r == 0 && sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_INTERNAL, r, "cannot take over the signals");
	fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set(err, ERR_NOMEM, errno, "cannot open a descriptor for signals");
	*ret_fd = fd;
	return 0;
}

void watch_signals_child(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* all signals; KILL and STOP answer EINVAL. Handlers do not survive exec, ignored
	 * signals would, and a command that cannot be told to end is not what anyone asked for. */
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		(void)sigaction(sig, &standard, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int signals_read(int fd, int *out, int size)
{
	struct signalfd_siginfo info[8];
	size_t want = (size_t)size < 8 ? (size_t)size : 8;
	ssize_t n = read(fd, info, want * sizeof(info[0]));
	int count;

	if (n < 0)
		return 0;
	count = (int)((size_t)n / sizeof(info[0]));
	for (int i = 0; i < count; i++)
		out[i] = (int)info[i].ssi_signo;
	return count;
}

int watch_signals_end(int fd)
{
	int got[8], n = signals_read(fd, got, 8);

	for (int i = 0; i < n; i++)
		if (got[i] == SIGTERM || got[i] == SIGINT || got[i] == SIGHUP || got[i] == SIGQUIT)
			return got[i];
	return 0;
}

bool signals_stop(int sig, bool group)
{
	struct sigaction standard = { .sa_handler = SIG_DFL }, before;
	sigset_t one, mask, pending;

	if (sigaction(sig, &standard, &before) < 0)
		return false;
	(void)sigemptyset(&one);
	(void)sigaddset(&one, sig);
	(void)kill(group ? 0 : getpid(), sig);
	(void)sigprocmask(SIG_UNBLOCK, &one, &mask); /* stops here */
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(sig, &before, NULL);
	/* a stop signal discards a pending SIGCONT when it is sent, so one that is there now is
	 * what resumed us (signal(7)) */
	(void)sigemptyset(&pending);
	(void)sigpending(&pending);
	return sigismember(&pending, SIGCONT) == 1;
}
