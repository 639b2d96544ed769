// SPDX-License-Identifier: MIT
/* The limiter's life: confine itself, measure, pause, report, until the other end hangs up. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

#include "soft.h"

enum {
	FD_REPORT = 3,
	FD_PROC,
	FD_FREEZER,
	FD_FREE,
	READY_MS = 10000, /* a busy machine; it is some hundred microseconds */
	SLACK = 1000,     /* of our timers, ns */
	RELEASE_MS = 2000,
	ASK = '?',
	RELEASE = '!',
};

static uint64_t now_ns(void)
{
	return soft_clock(CLOCK_MONOTONIC);
}

/* The descriptors take fixed numbers, all others are closed: no end of the command's pipes must
 * live on in here. */
static int keep_descriptors(struct soft *s, int proc, int report)
{
	int from[] = { report, proc, s->limits.freezer };

	for (int i = 0; i < 3; i++) {
		if (from[i] < 0)
			continue;
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_FREE + 3);
		if (from[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (from[i] >= 0 && dup3(from[i], FD_REPORT + i, O_CLOEXEC) < 0)
			return -errno;
	if (s->limits.freezer < 0)
		(void)close(FD_FREEZER);
	else
		s->limits.freezer = FD_FREEZER;
	s->report = FD_REPORT;
	/* one that can be listed: the O_PATH one in its place */
	s->proc = openat(from[1], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->proc < 0 || (s->proc = dup3(s->proc, FD_PROC, O_CLOEXEC)) < 0)
		return -errno;
	for (int fd = 0; fd < FD_REPORT; fd++)
		(void)close(fd);
	return sys_close_from(FD_FREE, true);
}

/* CAP_KILL to pause other ids of the box, and CAP_SYS_NICE not to be used: a process that holds none can
 * give no other CPUs, class or priority to one that does (cap_safe_nice() in security/commoncap.c),
 * so the box cannot starve us of the CPU, also where it holds CAP_KILL itself. */
static int keep_capabilities(bool needed)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint32_t keep = needed ? 1u << CAP_KILL | 1u << CAP_SYS_NICE : 0;

	if (syscall(SYS_capget, &hdr, data) < 0)
		return -errno;
	keep &= data[0].permitted;
	memset(data, 0, sizeof(data));
	data[0].permitted = keep;
	data[0].effective = keep & 1u << CAP_KILL;
	if (syscall(SYS_capset, &hdr, data) < 0)
		return -errno;
	/* none is left where ambient capabilities are not inheritable */
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

static int confine(const struct soft *s)
{
	sigset_t all;

	/* PID 1's group may be the foreground of the terminal: Ctrl-C is not for us */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	/* a session of our own also means an autogroup of our own: the scheduler does not weigh us
	 * together with the box's busy processes (sched(7)) */
	(void)setsid();
	(void)prctl(PR_SET_NAME, "sandbox-soft", 0, 0, 0);
	(void)prctl(PR_SET_TIMERSLACK, (unsigned long)SLACK, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (keep_capabilities(s->limits.freezer < 0) < 0)
		return -errno;
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;
}

static void tell(struct soft *s, enum soft_kind kind)
{
	const struct soft_report report = {
		.magic = SOFT_MAGIC,
		.kind = kind,
		.cpu_us = s->account.total / 1000,
		.memory_peak = s->memory.peak,
		.processes_peak = s->processes_peak,
		.throttled_us = (s->throttled + (s->paused ? now_ns() - s->paused_at : 0)) / 1000,
		.error = (uint64_t)s->error,
	};

	(void)send(s->report, &report, sizeof(report), MSG_NOSIGNAL);
}

static void resume(struct soft *s)
{
	uint64_t now;

	s->backend->resume(s);
	now = now_ns();
	s->throttled += now - s->paused_at;
	s->paused = false;
	/* with what ran after the measurement, until the stop */
	s->ran_from = now - (s->paused_at - s->ran_from);
	duty_accrue(&s->duty, now - s->accrued);
	s->accrued = now;
	s->cpu_due = now + duty_window(&s->duty);
}

/* Charges what was used up to now. */
static void measure(struct soft *s, uint64_t now)
{
	uint64_t ran = s->paused ? 0 : now - s->ran_from;
	uint64_t used = s->backend->charge(s, ran), own;

	if (s->pids.n > s->processes_peak)
		s->processes_peak = s->pids.n;
	duty_accrue(&s->duty, now - s->accrued);
	duty_charge(&s->duty, used, ran);
	s->accrued = s->ran_from = now;
	own = soft_clock(CLOCK_PROCESS_CPUTIME_ID);
	duty_cost(&s->duty, own - s->own_cpu);
	s->own_cpu = own;
}

/* The reader ends the box on this; the kill is for the case that it is slow. */
static void end_box(struct soft *s, enum soft_kind kind)
{
	s->over = true;
	s->cpu_due = s->memory_due = UINT64_MAX;
	if (kind == SOFT_OOM && !s->paused)
		measure(s, now_ns()); /* its CPU time, too, before all of it is gone */
	tell(s, kind);
	s->backend->kill(s);
}

static uint64_t time_left(const struct soft *s)
{
	uint64_t limit = s->limits.cpu_time_ms * SOFT_MS;

	return limit > s->account.total ? limit - s->account.total : 0;
}

static void on_cpu(struct soft *s, uint64_t now)
{
	uint64_t pause = 0, window = UINT64_MAX;

	if (s->paused) {
		resume(s);
		return;
	}
	measure(s, now);
	if (s->limits.cpu_time_ms && time_left(s) == 0) {
		end_box(s, SOFT_CPU_TIME);
		return;
	}
	if (s->limits.cpu_time_ms)
		window = duty_total_window(&s->duty, time_left(s));
	if (s->limits.cpu_permille) {
		uint64_t run = duty_window(&s->duty);

		window = run < window ? run : window;
		pause = now < s->released ? 0 : duty_pause(&s->duty);
	}
	if (pause > 0) {
		s->backend->pause(s);
		s->paused = true;
		s->paused_at = now_ns();
		window = pause;
	}
	s->cpu_due = now_ns() + window;
}

/* False: the other end is gone. */
static bool on_report(struct soft *s)
{
	char byte;
	ssize_t n = recv(s->report, &byte, 1, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (n < 0)
		return true;
	if (byte == RELEASE) {
		if (s->paused && !s->over)
			resume(s);
		s->released = now_ns() + RELEASE_MS * SOFT_MS;
		return true;
	}
	if (!s->over) {
		/* never measured in a pause: all are in state T then, by us. The debt stays. */
		if (s->paused)
			resume(s);
		measure(s, now_ns());
		if (s->cpu_due != UINT64_MAX)
			s->cpu_due = now_ns();
	}
	if (!s->error || s->over)
		tell(s, SOFT_FIGURES);
	return true;
}

/* Until `due`, or something comes in. False: the other end is gone. */
static bool wait_until(struct soft *s, uint64_t due)
{
	struct pollfd p = { .fd = s->report, .events = POLLIN };
	uint64_t now = now_ns();
	uint64_t left = due > now ? due - now : 0;
	struct timespec ts = {
		.tv_sec = (time_t)(left / SOFT_S),
		.tv_nsec = (long)(left % SOFT_S),
	};

	int r = ppoll(&p, 1, due == UINT64_MAX ? NULL : &ts, NULL);

	if (r < 0 && errno != EINTR)
		soft_fail(s, errno); /* RLIMIT_NOFILE again: it bounds the length of the list */
	return r <= 0 || on_report(s);
}

static void loop(struct soft *s)
{
	for (;;) {
		uint64_t due = s->cpu_due < s->memory_due ? s->cpu_due : s->memory_due;
		uint64_t now;

		if (!wait_until(s, due))
			break;
		now = now_ns();
		if (now >= s->memory_due && memory_look(s, now))
			end_box(s, SOFT_OOM);
		if (now >= s->cpu_due)
			on_cpu(s, now);
		if (s->error && !s->over) {
			end_box(s, SOFT_BLIND);
			return;
		}
	}
	if (s->paused)
		s->backend->resume(s);
}

/* What is on the account already is not the command's: the cgroup's, or PID 1's children's. */
static void take_baseline(struct soft *s)
{
	if (s->limits.freezer >= 0) {
		(void)s->backend->charge(s, 0);
		s->account.total = 0;
		return;
	}
	account_read(s); /* nothing is listed yet: PID 1 alone */
}

static void start(struct soft *s)
{
	uint64_t now = now_ns();

	s->account.cpus = s->limits.cpus ? s->limits.cpus : 1;
	s->page = (uint64_t)sysconf(_SC_PAGESIZE);
	s->tick = SOFT_S / (uint64_t)sysconf(_SC_CLK_TCK);
	s->self = getpid();
	s->before = &s->tables[0];
	s->now = &s->tables[1];
	s->memory.before = &s->memory.tables[0];
	s->memory.now = &s->memory.tables[1];
	s->accrued = s->ran_from = now;
	duty_init(&s->duty, s->limits.cpu_permille, s->limits.period_us * 1000, s->account.cpus);
	take_baseline(s);
	s->own_cpu = soft_clock(CLOCK_PROCESS_CPUTIME_ID);
	/* a quota of all CPUs holds by itself */
	if (s->limits.cpu_permille >= s->account.cpus * 1000)
		s->limits.cpu_permille = 0;
	s->cpu_due =
		s->limits.cpu_permille || s->limits.cpu_time_ms ? now + 5 * SOFT_MS : UINT64_MAX;
	s->memory_due = s->limits.memory ? now + 5 * SOFT_MS : UINT64_MAX;
}

int soft_main(const struct soft_limits *limits, int proc, int report)
{
	struct soft *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (s == MAP_FAILED)
		return 1;
	s->limits = *limits;
	if (keep_descriptors(s, proc, report) < 0 || confine(s) < 0)
		return 1;
	s->backend = s->limits.freezer < 0 ? &soft_signals : &soft_freezer;
	start(s);
	tell(s, SOFT_READY);
	loop(s);
	return s->error ? 1 : 0;
}

int soft_wait(int report)
{
	struct pollfd p = { .fd = report, .events = POLLIN };
	struct soft_report said;
	int r;

	do
		r = poll(&p, 1, READY_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	r = soft_receive(report, &said);
	return r < 0 || said.kind == SOFT_READY ? r : -EBADMSG;
}

static int say(int report, char byte)
{
	return send(report, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int soft_request(int report)
{
	return say(report, ASK);
}

void soft_release(int report, int sig, int stop)
{
	if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == stop)
		(void)say(report, RELEASE);
}

int soft_receive(int report, struct soft_report *ret)
{
	ssize_t n = recv(report, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return n == (ssize_t)sizeof(*ret) && ret->magic == SOFT_MAGIC ? 0 : -EBADMSG;
}
