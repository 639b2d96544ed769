// SPDX-License-Identifier: MIT
/*
 * The least box around the soft limiter:
 *
 *     box CPU_PERMILLE MEMORY_BYTES CPU_TIME_MS PERIOD_US CMD [ARG...]
 *
 * runs CMD in a user and a PID namespace as PID 1 of sandbox would, and writes one line at the
 * end to descriptor 3, a JSON object; exits with 137 where a limit ended the box.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/soft.h>

enum { OUT = 3, FAILED = 125, KILLED = 137 };

static _Noreturn void fail(const char *what)
{
	perror(what);
	_exit(FAILED);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	(void)close(fd);
}

static double seconds(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void enter(void)
{
	char map[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) < 0)
		fail("unshare");
	put("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	put("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	put("/proc/self/gid_map", map);
}

struct box {
	pid_t command, limiter;
	int report;
	int signals;
	double begun;
	double limiter_cpu;
};

static double cpu_of(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? seconds(clock) : 0;
}

static _Noreturn void leave(struct box *box, const struct soft_report *last)
{
	static const char *const ends[] = { "?", "oom", "cpu-time", "exited", "?", "blind" };
	struct rusage ru;
	double wall = seconds(CLOCK_MONOTONIC) - box->begun, cpu;
	double cost = cpu_of(box->limiter);

	(void)kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	(void)getrusage(RUSAGE_CHILDREN, &ru);
	cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	      (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6 - cost;
	(void)dprintf(OUT,
		      "{\"end\":\"%s\",\"wall_s\":%.4f,\"cpu_s\":%.4f,\"counted_s\":%.4f,"
		      "\"limiter_s\":%.4f,\"throttled_s\":%.4f,\"memory_peak\":%llu,"
		      "\"processes_peak\":%llu}\n",
		      ends[last->kind], wall, cpu, (double)last->cpu_us / 1e6, cost,
		      (double)last->throttled_us / 1e6, (unsigned long long)last->memory_peak,
		      (unsigned long long)last->processes_peak);
	_exit(last->kind == SOFT_FIGURES ? 0 : KILLED);
}

static void on_child(struct box *box)
{
	struct signalfd_siginfo si;
	int status;
	pid_t pid;

	while (read(box->signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
		;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid == box->limiter && WIFSTOPPED(status))
			(void)kill(pid, SIGCONT);
		else if (pid == box->limiter)
			fail("the limiter ended");
		else if (pid == box->command && !WIFSTOPPED(status))
			(void)soft_request(box->report);
	}
}

static _Noreturn void init_main(const struct soft_limits *limits, char **argv)
{
	struct box box = { .begun = seconds(CLOCK_MONOTONIC) };
	struct soft_report report;
	int pair[2], proc, r;
	sigset_t set;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		fail("mount /proc");
	proc = open("/proc", O_PATH | O_CLOEXEC);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail("socketpair");
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	box.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	box.report = pair[0];
	box.limiter = fork();
	if (box.limiter == 0)
		_exit(soft_main(limits, proc, pair[1]));
	(void)close(pair[1]);
	if (soft_wait(box.report) < 0)
		fail("the limiter did not start");
	box.command = fork();
	if (box.command == 0) {
		(void)setpgid(0, 0);
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
		(void)execvp(argv[0], argv);
		fail(argv[0]);
	}
	for (;;) {
		struct pollfd p[] = { { box.report, POLLIN, 0 }, { box.signals, POLLIN, 0 } };

		(void)poll(p, 2, -1);
		/* the report before the deaths that follow it */
		r = soft_receive(box.report, &report);
		if (r == 0)
			leave(&box, &report);
		if (r == -EPIPE)
			fail("the limiter is gone");
		if (p[1].revents)
			on_child(&box);
	}
}

int main(int argc, char **argv)
{
	struct soft_limits limits = { .freezer = -1, .cpus = (unsigned)get_nprocs() };
	int status;
	pid_t pid;

	if (argc < 6)
		return FAILED;
	limits.cpu_permille = (uint32_t)strtoul(argv[1], NULL, 10);
	limits.memory = strtoull(argv[2], NULL, 10);
	limits.cpu_time_ms = strtoull(argv[3], NULL, 10);
	limits.period_us = strtoull(argv[4], NULL, 10);
	enter();
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		init_main(&limits, argv + 5);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		fail("PID 1");
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}
