// SPDX-License-Identifier: MIT
/*
 * The CPU time of a box over /proc. A process's own time comes from its clock (exact, one system
 * call, no right needed: clock_getcpuclockid(3)); /proc/PID/stat is read only for those whose
 * clock has moved, for its state and for the time of the children it has waited for (cutime and
 * cstime). Without the latter a storm of short processes would be free.
 *
 * A process that ends moves its time to its parent, if that waits for it. What had been charged
 * while it lived is kept in a pool then and taken off what the parents gain. Where nobody waits
 * (SIGCHLD ignored) the time is lost, and that of children never seen as well. Page faults tell,
 * since they go the same way and are not rounded: as long as some do not arrive, the box is charged
 * for as many CPUs as it has runnable processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "soft.h"

enum {
	SUSPECT = 20,      /* passes */
	SPARE_PARENTS = 2, /* whose children's time is still below a tick */
};
/* cutime and cstime are cut to ticks of 10 ms each; a running process's clock is brought up to
 * date by the timer interrupt. */
#define ROUNDING (20 * SOFT_MS)
#define LAG      (10 * SOFT_MS)

uint64_t soft_clock(int clock)
{
	struct timespec ts;

	(void)clock_gettime((clockid_t)clock, &ts);
	return (uint64_t)ts.tv_sec * SOFT_S + (uint64_t)ts.tv_nsec;
}

bool soft_process_clock(pid_t pid, uint64_t *ret)
{
	/* clock_getcpuclockid(3) without its extra system call: CPUCLOCK_SCHED of a process */
	clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | 2);
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return false;
	*ret = (uint64_t)ts.tv_sec * SOFT_S + (uint64_t)ts.tv_nsec;
	return true;
}

uint64_t soft_number(const char **text)
{
	uint64_t value = 0;

	while (**text == ' ' || **text == '\t')
		(*text)++;
	if (**text == '-')
		(*text)++;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		value = value * 10 + (uint64_t)(**text - '0');
	return value;
}

/* Without snprintf, which may allocate and takes longer than the open. */
static const char *path_of(pid_t pid, const char *name, char *buf, size_t size)
{
	size_t len = strlen(name) + 1;
	char *p = buf + size - len;

	memcpy(p, name, len);
	*--p = '/';
	for (unsigned n = (unsigned)pid; n > 0; n /= 10)
		*--p = (char)('0' + n % 10);
	return p;
}

void soft_fail(struct soft *s, int num)
{
	if (s->error == 0)
		s->error = num;
}

/* 0 or the errno; nothing in it is as good as gone. */
static int read_text(const struct soft *s, pid_t pid, const char *name, char *buf, size_t size)
{
	char path[48];
	autofd int fd = pid > 0 ? openat(s->proc, path_of(pid, name, path, sizeof(path)),
					 O_RDONLY | O_CLOEXEC)
				: openat(s->limits.freezer, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n <= 0)
		return n < 0 ? errno : ESRCH;
	buf[n] = '\0';
	return 0;
}

/* The box's processes can lower our limits (prlimit(2) asks for the same user alone), so that no file
 * can be opened: that must not look as if there were nobody. */
static bool is_gone(int num)
{
	return num == ENOENT || num == ESRCH || num == ENODEV;
}

bool soft_read(struct soft *s, pid_t pid, const char *name, char *buf, size_t size)
{
	int num = read_text(s, pid, name, buf, size);

	if (num != 0 && !is_gone(num))
		soft_fail(s, num);
	return num == 0;
}

bool soft_read_if_allowed(struct soft *s, pid_t pid, const char *name, char *buf, size_t size)
{
	int num = read_text(s, pid, name, buf, size);

	if (num != 0 && num != EACCES && num != EPERM && !is_gone(num))
		soft_fail(s, num);
	return num == 0;
}

bool account_parse(const char *text, uint64_t tick, struct soft_process *ret)
{
	enum {
		PARENT = 4,
		GROUP,
		SESSION,
		TTY,
		FOREGROUND,
		FAULTS = 10,
		CHILDREN_FAULTS,
		CHILDREN_USER = 16,
		CHILDREN_SYSTEM,
		START = 22,
	};
	const char *p = strrchr(text, ')'); /* the name before may hold anything */
	uint64_t field[START + 1] = { 0 };

	if (!p || p[1] != ' ' || p[2] == '\0')
		return false;
	ret->state = p[2];
	p += 3;
	for (int i = PARENT; i <= START && *p == ' '; i++)
		field[i] = soft_number(&p);
	ret->parent = (pid_t)field[PARENT];
	ret->group = (pid_t)field[GROUP];
	ret->session = (pid_t)field[SESSION];
	ret->foreground = field[TTY] != 0 && field[FOREGROUND] == field[GROUP];
	ret->children = (field[CHILDREN_USER] + field[CHILDREN_SYSTEM]) * tick;
	ret->children_faults = field[CHILDREN_FAULTS];
	ret->faults = field[FAULTS] + field[CHILDREN_FAULTS];
	ret->start = field[START];
	return ret->start != 0;
}

const struct soft_process *table_find(const struct soft_table *table, pid_t pid)
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->row[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < table->n && table->row[low].pid == pid ? &table->row[low] : NULL;
}

/* What one pass sees. */
struct change {
	uint64_t own;   /* gained by those alive */
	uint64_t grown; /* gained by them from their children */
	uint64_t gone;  /* of those that are not there any more */
	uint64_t faults_grown;
	uint64_t faults_gone;
	uint64_t parents;
	unsigned running;
};

static void compare(const struct soft_process *was, const struct soft_process *is,
		    struct change *change)
{
	/* a pid used again */
	if (was && is && (was->start != is->start || is->own < was->own)) {
		compare(was, NULL, change);
		was = NULL;
	}
	if (!is) {
		change->gone += was->own + was->children;
		change->faults_gone += was->faults;
		return;
	}
	if (is->pid != 1)
		change->own += is->own - (was ? was->own : 0);
	if (!was || is->children > was->children)
		change->grown += is->children - (was ? was->children : 0);
	if (!was || is->children_faults > was->children_faults)
		change->faults_grown += is->children_faults - (was ? was->children_faults : 0);
	change->parents += is->children > 0;
	change->running += is->state == 'R';
}

static void compare_all(const struct soft_table *before, const struct soft_table *now,
			struct change *change)
{
	size_t i = 0, j = 0;

	while (i < before->n || j < now->n) {
		const struct soft_process *was = i < before->n ? &before->row[i] : NULL;
		const struct soft_process *is = j < now->n ? &now->row[j] : NULL;

		if (was && is && was->pid != is->pid)
			*(was->pid < is->pid ? &is : &was) = NULL;
		compare(was, is, change);
		i += was != NULL;
		j += is != NULL;
	}
}

/* Takes from a pool what parents have gained. What is left may be `rounding`, or of this pass and
 * the last: a parent is read before its child is gone. True: more than that is left. */
static bool settle(uint64_t *pool, uint64_t gone, uint64_t *before, uint64_t rounding,
		   uint64_t grown, uint64_t *ret_beyond)
{
	uint64_t kept = gone + *before + rounding, taken;
	bool lost;

	*pool += gone;
	taken = *pool < grown ? *pool : grown;
	*pool -= taken;
	*before = gone;
	*ret_beyond = grown - taken;
	lost = *pool > kept;
	if (lost)
		*pool = kept;
	return lost;
}

uint64_t account_merge(struct soft_account *account, const struct soft_table *before,
		       const struct soft_table *now, uint64_t ran)
{
	struct change change = { 0 };
	uint64_t used, most, floor, beyond, rounding;

	compare_all(before, now, &change);
	rounding = ROUNDING * (change.parents + SPARE_PARENTS);
	(void)settle(&account->pool, change.gone, &account->gone_before, rounding, change.grown,
		     &beyond);
	used = change.own + beyond;
	if (account->suspect > 0)
		account->suspect--;
	if (settle(&account->faults, change.faults_gone, &account->faults_before, 0,
		   change.faults_grown, &beyond) ||
	    now->full)
		account->suspect = SUSPECT;
	floor = (change.running < account->cpus ? change.running : account->cpus) * ran;
	if (account->suspect > 0 && used < floor)
		used = floor;
	/* what cannot be is an error of ours, of which the box must not be stopped for long */
	most = account->cpus * (ran + LAG) + rounding;
	if (used > most)
		used = most;
	account->total += used;
	return used;
}

/* One row: from its file if the clock has moved, else as it was. */
static bool read_row(struct soft *s, pid_t pid, const struct soft_process *was,
		     struct soft_process *ret)
{
	char text[SOFT_FILE];

	*ret = (struct soft_process){ .pid = pid };
	if (!soft_process_clock(pid, &ret->own))
		return false;
	/* one that was resumed has not had to run yet */
	if (was && was->own == ret->own && was->state != 'T') {
		*ret = *was;
		return true;
	}
	if (!soft_read(s, pid, "stat", text, sizeof(text)))
		return false;
	if (!account_parse(text, s->tick, ret)) {
		soft_fail(s, EBADMSG);
		return false;
	}
	return true;
}

void account_read(struct soft *s)
{
	struct soft_table *now = s->before;
	size_t i = 0;

	s->before = s->now;
	s->now = now;
	now->n = 0;
	now->full = s->pids.full;
	for (size_t k = 0; k <= s->pids.n && now->n < SOFT_MAX; k++) {
		pid_t pid = k == 0 ? 1 : s->pids.pid[k - 1];
		const struct soft_process *was = NULL;

		while (i < s->before->n && s->before->row[i].pid < pid)
			i++;
		if (i < s->before->n && s->before->row[i].pid == pid)
			was = &s->before->row[i];
		now->n += read_row(s, pid, was, &now->row[now->n]);
	}
}
