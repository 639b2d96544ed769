// SPDX-License-Identifier: MIT
/*
 * The two ways of pausing a box.
 *
 * Signals, from inside its PID namespace. kill(-1) is one call that reaches every process but
 * PID 1 and the caller, also one that is just being forked: the kernel holds tasklist_lock, and a
 * signal for many is also queued to a child in the making (copy_process: signal->multiprocess,
 * Linux 4.19). To go on, the processes get SIGCONT one by one, because
 *   - those that the user had stopped must stay so. SIGSTOP to a stopped process stays pending: by
 *     that they are known (the foreground, PID 1's children, and what was measured as stopped);
 *   - SIGCONT discards a pending SIGTSTP: a Ctrl-Z typed during the pause is sent again. Of large
 *     groups only some members are looked at for this: such a signal is for all of them;
 *   - a shell with job control must not see its job stopped by us. wait(2) looks at the children
 *     once more when a signal wakes it, before the signal is handled: so shells are stopped first,
 *     for good, and resumed last.
 * A process that exits in the moment of the stop and leaves a group without a parent makes the
 * kernel send SIGHUP to that group, as it has stopped members then: rare, and not to be helped.
 *
 * The freezer, from outside: nothing is seen inside, and the kernel counts the time itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/cgroup.h>
#include <sandbox/fd.h>

#include "soft.h"

enum { DIRENTS = 16384, KILL_ROUNDS = 100, JOB_LOOKS = 8, SHELL_WAITS = 60 };

static void add_pid(struct soft *s, pid_t pid)
{
	struct soft_pids *pids = &s->pids;
	size_t at = pids->n;

	if (pid <= 1 || pid == s->self)
		return;
	if (pids->n == SOFT_MAX) {
		pids->full = true;
		return;
	}
	/* procfs is in order already, cgroup.procs nearly */
	for (; at > 0 && pids->pid[at - 1] > pid; at--)
		pids->pid[at] = pids->pid[at - 1];
	pids->pid[at] = pid;
	pids->n++;
}

static void list_proc(struct soft *s)
{
	char buf[DIRENTS] __attribute__((aligned(8)));
	ssize_t n;

	s->pids.n = 0;
	s->pids.full = false;
	if (lseek(s->proc, 0, SEEK_SET) < 0)
		soft_fail(s, errno);
	while ((n = getdents64(s->proc, buf, sizeof(buf))) > 0) { /* glibc 2.30 */
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(buf + at);
			const char *name = entry->d_name;

			if (*name >= '1' && *name <= '9')
				add_pid(s, (pid_t)soft_number(&name));
			at += entry->d_reclen;
		}
	}
	if (n < 0)
		soft_fail(s, errno);
}

static uint64_t charge_proc(struct soft *s, uint64_t ran)
{
	s->backend->list(s);
	account_read(s);
	return account_merge(&s->account, s->before, s->now, ran);
}

static char state_now(struct soft *s, pid_t pid)
{
	char text[SOFT_FILE];
	struct soft_process row;

	return soft_read(s, pid, "stat", text, sizeof(text)) && account_parse(text, s->tick, &row)
		       ? row.state
		       : 'X';
}

/* A shell with job control has children in groups of their own in its session. */
static void find_shells(struct soft *s)
{
	s->nshells = 0;
	for (size_t i = 0; i < s->now->n && s->nshells < SOFT_SHELLS; i++) {
		const struct soft_process *row = &s->now->row[i];
		const struct soft_process *parent = NULL;
		bool known = false;

		if (row->group == row->pid && row->parent > 1)
			parent = table_find(s->now, row->parent);
		if (!parent || parent->group == row->group || parent->session != row->session)
			continue;
		for (size_t k = 0; k < s->nshells; k++)
			known |= s->shells[k].pid == parent->pid;
		if (!known)
			s->shells[s->nshells++].pid = parent->pid;
	}
}

/* It stops when it gets a CPU, on a busy machine late; the box runs on meanwhile, and pays. */
static void wait_stopped(struct soft *s, pid_t pid)
{
	struct timespec moment = { .tv_nsec = 50000 };

	for (int i = 0; i < SHELL_WAITS; i++) {
		char state = state_now(s, pid);

		if (state == 'T' || state == 'Z' || state == 'X')
			return;
		(void)nanosleep(&moment, NULL);
		if (moment.tv_nsec < 5000000)
			moment.tv_nsec *= 2;
	}
}

static void stop_shells(struct soft *s)
{
	for (size_t i = 0; i < s->nshells; i++) {
		struct soft_shell *shell = &s->shells[i];

		shell->stopped = state_now(s, shell->pid) != 'T' && kill(shell->pid, SIGSTOP) == 0;
		if (shell->stopped)
			wait_stopped(s, shell->pid);
	}
}

static void pause_signals(struct soft *s)
{
	find_shells(s);
	stop_shells(s);
	(void)kill(-1, SIGSTOP);
}

static uint64_t bit(int sig)
{
	return 1ull << (sig - 1);
}

/* How it came to be stopped, from what is pending. */
struct stop {
	bool foreign;   /* it was stopped already when our SIGSTOP came, which is pending then */
	uint64_t again; /* job control's signals that our SIGCONT will discard */
};

static struct stop look_at(struct soft *s, pid_t pid)
{
	char text[SOFT_FILE];
	const char *state, *p;
	uint64_t mask = 0;

	if (!soft_read(s, pid, "status", text, sizeof(text)))
		return (struct stop){ 0 };
	state = strstr(text, "\nState:\t");
	p = strstr(text, "\nShdPnd:\t");
	if (!state || !p)
		return (struct stop){ 0 };
	for (p += strlen("\nShdPnd:\t"); *p > ' '; p++)
		mask = mask << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
	return (struct stop){
		.foreign = state[strlen("\nState:\t")] == 'T' && (mask & bit(SIGSTOP)),
		.again = mask & (bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU)),
	};
}

static void go_on(pid_t pid, uint64_t again)
{
	(void)kill(pid, SIGCONT);
	for (int sig = SIGTSTP; again && sig <= SIGTTOU; sig++)
		if (again & bit(sig))
			(void)kill(pid, sig);
}

/* Whether a job signal may wait for it: the foreground, and PID 1's children with their group. */
static bool has_job_control(const struct soft *s, const struct soft_process *row)
{
	const struct soft_process *leader;

	if (row->foreground || row->parent == 1)
		return true;
	leader = table_find(s->now, row->group);
	return leader && leader->parent == 1;
}

struct looks {
	unsigned n;
	pid_t group; /* one with a signal: all of it are looked at */
};

static void resume_one(struct soft *s, pid_t pid, struct looks *looks)
{
	const struct soft_process *row = table_find(s->now, pid);
	struct stop stop = { 0 };

	if (row && (row->state == 'T' || ((looks->n < JOB_LOOKS || looks->group == row->group) &&
					  has_job_control(s, row)))) {
		stop = look_at(s, pid);
		looks->n++;
		if (stop.foreign || stop.again)
			looks->group = row->group;
	}
	if (!stop.foreign)
		go_on(pid, stop.again);
}

static void resume_shells(struct soft *s)
{
	for (size_t i = s->nshells; i-- > 0;) {
		struct stop stop = look_at(s, s->shells[i].pid);

		/* ours came twice there */
		if (s->shells[i].stopped || !stop.foreign)
			go_on(s->shells[i].pid, stop.again);
	}
}

static bool is_shell(const struct soft *s, pid_t pid)
{
	for (size_t i = 0; i < s->nshells; i++)
		if (s->shells[i].pid == pid)
			return true;
	return false;
}

static void resume_signals(struct soft *s)
{
	struct looks looks = { 0 };

	/* there may be more than at the measurement, so list them again */
	list_proc(s);
	for (size_t i = s->pids.n; i-- > 0;)
		if (!is_shell(s, s->pids.pid[i]))
			resume_one(s, s->pids.pid[i], &looks);
	resume_shells(s);
	if (s->pids.full)
		(void)kill(-1, SIGCONT);
}

static void kill_signals(struct soft *s)
{
	(void)s;
	(void)kill(-1, SIGKILL);
}

const struct soft_backend soft_signals = {
	.list = list_proc,
	.charge = charge_proc,
	.pause = pause_signals,
	.resume = resume_signals,
	.kill = kill_signals,
};

static int write_file(int dir, const char *name, const char *text)
{
	autofd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static void list_cgroup(struct soft *s)
{
	autofd int fd =
		openat(s->limits.freezer, CGTREE_LEAF "/cgroup.procs", O_RDONLY | O_CLOEXEC);
	char buf[DIRENTS];
	pid_t pid = 0;
	ssize_t n = fd;

	s->pids.n = 0;
	s->pids.full = false;
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			add_pid(s, pid);
			pid = 0;
		}
	}
	if (n < 0 && errno != ENODEV && errno != ENOENT) /* it is removed when nobody is left */
		soft_fail(s, errno);
}

static uint64_t charge_cgroup(struct soft *s, uint64_t ran)
{
	char text[SOFT_FILE];
	const char *p;
	uint64_t usage, used;

	(void)ran;
	if (!soft_read(s, 0, "cpu.stat", text, sizeof(text)))
		return 0;
	p = strstr(text, "usage_usec ");
	if (!p)
		return 0;
	p += strlen("usage_usec");
	usage = soft_number(&p) * 1000;
	used = usage > s->usage ? usage - s->usage : 0;
	s->usage = usage;
	s->account.total += used;
	return used;
}

static void pause_cgroup(struct soft *s)
{
	(void)write_file(s->limits.freezer, "cgroup.freeze", "1");
}

static void resume_cgroup(struct soft *s)
{
	(void)write_file(s->limits.freezer, "cgroup.freeze", "0");
}

static void kill_cgroup(struct soft *s)
{
	if (write_file(s->limits.freezer, "cgroup.kill", "1") == 0) /* 5.14 */
		return;
	/* a frozen process does not fork, and SIGKILL reaches it */
	pause_cgroup(s);
	for (int round = 0; round < KILL_ROUNDS; round++) {
		list_cgroup(s);
		for (size_t i = 0; i < s->pids.n; i++)
			(void)kill(s->pids.pid[i], SIGKILL);
		if (s->pids.n == 0)
			break;
	}
	resume_cgroup(s);
}

const struct soft_backend soft_freezer = {
	.list = list_cgroup,
	.charge = charge_cgroup,
	.pause = pause_cgroup,
	.resume = resume_cgroup,
	.kill = kill_cgroup,
};
