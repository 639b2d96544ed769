// SPDX-License-Identifier: MIT
/*
 * The janitor: a process that sleeps until the launcher's end and then removes the cgroup of its
 * box, as the launcher itself does unless it was killed. It exists only while there are directories
 * outside of systemd's care, is started before the first is made, and has nothing to do in a run
 * that ends well: the launcher then ends it.
 *
 * It has its own session and blocks every signal, so that what goes to the launcher's group or
 * terminal does not reach it, and holds no descriptor of the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "cgroup.h"

/* A process that frees much memory, or waits for a disk, takes its time to end, and we have nothing else
 * to do. */
enum { FD_BASE = 0, FD_LAUNCHER, FD_FREE, ROUNDS = 60, PAUSE_MS = 500 };

static _Noreturn void janitor_main(struct cgtree *tree, int launcher)
{
	struct pollfd p = { .fd = FD_LAUNCHER, .events = POLLIN };
	int base = fcntl(tree->base, F_DUPFD_CLOEXEC, FD_FREE);
	int end = fcntl(launcher, F_DUPFD_CLOEXEC, FD_FREE);
	sigset_t all;
	int lock;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "sandbox-tidy", 0, 0, 0);
	if (base < 0 || end < 0 || dup2(base, FD_BASE) < 0 || dup2(end, FD_LAUNCHER) < 0 ||
	    sys_close_from(FD_FREE, true) < 0 || chdir("/") < 0)
		_exit(1);
	tree->base = FD_BASE;
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	for (int i = 0; i < ROUNDS && !cgtree_remove_box(tree); i++)
		(void)poll(NULL, 0, PAUSE_MS);
	lock = cgtree_lock(tree);
	if (lock >= 0)
		cgtree_restore(tree);
	_exit(0);
}

int janitor_start(struct cgtree *tree)
{
	autofd int launcher = sys_pidfd_open(getpid()), pidfd = -EBADF;
	pid_t pid = launcher < 0 ? launcher : sys_clone(0, -1, &pidfd);

	if (pid == 0)
		janitor_main(tree, launcher);
	if (pid < 0)
		return (int)pid;
	tree->janitor = pid;
	return 0;
}

void janitor_stop(struct cgtree *tree)
{
	if (tree->janitor <= 0)
		return;
	(void)kill(tree->janitor, SIGKILL); /* our child, unreaped: the number is its own */
	while (waitpid(tree->janitor, NULL, 0) < 0 && errno == EINTR)
		;
	tree->janitor = -1;
}
