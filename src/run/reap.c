// SPDX-License-Identifier: MIT
/* Without a PID namespace nobody ends the rest of a box for us. Whatever detaches becomes a child of
 * the box's first process, its subreaper; and when that is gone, of the launcher. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "run.h"

enum { KILL_MS = 1500, CHILDREN_MAX = 512 };

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What does not fit comes in the next pass, the last number perhaps cut in two. */
static unsigned list_children(pid_t *pids, unsigned max)
{
	char buf[4096];
	autofd int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	char *next = buf;
	unsigned n = 0;

	while (len > 0 && buf[len - 1] != ' ')
		len--;
	if (len <= 0)
		return 0;
	buf[len] = '\0';
	for (long pid = strtol(next, &next, 10); pid > 0 && n < max; pid = strtol(next, &next, 10))
		pids[n++] = (pid_t)pid;
	return n;
}

void reap_helpers(struct helpers *ret)
{
	ret->n = list_children(ret->pids, sizeof(ret->pids) / sizeof(ret->pids[0]));
}

static bool is_helper(const struct helpers *helpers, pid_t pid)
{
	for (unsigned i = 0; helpers && i < helpers->n; i++)
		if (helpers->pids[i] == pid)
			return true;
	return false;
}

/* A killed child's children come to us, to be killed in the next pass, until there is none left.
 * Nobody else reaps, so that a number is the child's own. */
void reap_children(const struct helpers *helpers)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	int64_t end = now_ms() + KILL_MS;

	for (;;) {
		pid_t pids[CHILDREN_MAX];
		unsigned n = list_children(pids, CHILDREN_MAX), left = 0;

		for (unsigned i = 0; i < n; i++) {
			if (is_helper(helpers, pids[i]))
				continue;
			(void)kill(pids[i], SIGKILL);
			left += waitpid(pids[i], NULL, WNOHANG) == 0;
		}
		if ((left == 0 && n <= (helpers ? helpers->n : 0)) || now_ms() > end)
			return;
		if (left)
			(void)nanosleep(&pause, NULL);
	}
}
