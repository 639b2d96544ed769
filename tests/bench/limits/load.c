// SPDX-License-Identifier: MIT
/*
 * What the limits are measured with; each ends by itself after SECONDS, so that no mistake of the
 * limiter leaves it running, and prints the CPU seconds it has used with all its children and the
 * seconds that have passed.
 *
 *     load threads SECONDS N        N busy threads
 *     load storm SECONDS N [MS]     N forkers, each child busy for MS (1) and then waited for
 *     load orphans SECONDS N [MS]   the same with SIGCHLD ignored: nobody waits
 *     load idle SECONDS N [BUSY]    N sleeping processes, and BUSY busy ones
 *     load eat SECONDS MIB MIB_S    touches memory at that speed, up to MIB; every MiB is one line
 *                                   of the monotonic clock on the standard output
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct job {
	double end;  /* CLOCK_MONOTONIC */
	double busy; /* seconds of a child's CPU time */
	bool abandon;
	unsigned long *abandoned; /* shared: the children's microseconds */
};

static void *burn(void *arg)
{
	const struct job *job = arg;

	while (now(CLOCK_MONOTONIC) < job->end)
		for (volatile int i = 0; i < 20000; i++)
			;
	return NULL;
}

static void child_burn(double busy, double end)
{
	double until = now(CLOCK_PROCESS_CPUTIME_ID) + busy;

	while (now(CLOCK_PROCESS_CPUTIME_ID) < until && now(CLOCK_MONOTONIC) < end)
		for (volatile int i = 0; i < 1000; i++)
			;
}

static pid_t spawn(void (*run)(const struct job *), const struct job *job)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		run(job);
		_exit(0);
	}
	return pid;
}

static void storm(const struct job *job)
{
	if (job->abandon)
		(void)signal(SIGCHLD, SIG_IGN);
	while (now(CLOCK_MONOTONIC) < job->end) {
		pid_t pid = fork();

		if (pid == 0) {
			child_burn(job->busy, job->end);
			if (job->abandon)
				(void)__atomic_add_fetch(
					job->abandoned,
					(unsigned long)(now(CLOCK_PROCESS_CPUTIME_ID) * 1e6),
					__ATOMIC_RELAXED);
			_exit(0);
		}
		/* without SIGCHLD this waits for the end, but gets no times */
		(void)waitpid(pid, NULL, 0);
	}
}

static void sleeper(const struct job *job)
{
	double left = job->end - now(CLOCK_MONOTONIC);

	if (left > 0)
		(void)usleep((useconds_t)(left * 1e6));
}

static void burner(const struct job *job)
{
	(void)burn((void *)(size_t)job);
}

static void eat(const struct job *job, long mib, double speed)
{
	double begun = now(CLOCK_MONOTONIC);

	for (long i = 0; i < mib && now(CLOCK_MONOTONIC) < job->end; i++) {
		double wait = begun + (double)i / speed - now(CLOCK_MONOTONIC);
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (wait > 0)
			(void)usleep((useconds_t)(wait * 1e6));
		if (p == MAP_FAILED)
			return;
		memset(p, 1, 1 << 20);
		(void)dprintf(STDOUT_FILENO, "%ld %.4f\n", i + 1, now(CLOCK_MONOTONIC));
	}
}

static void run_threads(struct job *job, long n)
{
	pthread_t thread[64];

	for (long i = 0; i < n && i < 64; i++)
		(void)pthread_create(&thread[i], NULL, burn, job);
	for (long i = 0; i < n && i < 64; i++)
		(void)pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
	double begun = now(CLOCK_MONOTONIC);
	struct job job = { 0 };
	struct rusage ru[2];
	long n, more;

	if (argc < 4)
		return 2;
	job.end = begun + strtod(argv[2], NULL);
	n = strtol(argv[3], NULL, 10);
	more = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
	job.busy = (double)(more ? more : 1) / 1e3;
	job.abandon = strcmp(argv[1], "orphans") == 0;
	job.abandoned = mmap(NULL, sizeof(*job.abandoned), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.abandoned == MAP_FAILED)
		return 2;
	if (strcmp(argv[1], "threads") == 0)
		run_threads(&job, n);
	else if (strcmp(argv[1], "eat") == 0)
		eat(&job, n, (double)more);
	else if (strcmp(argv[1], "idle") == 0) {
		for (long i = 0; i < n + more; i++)
			(void)spawn(i < n ? sleeper : burner, &job);
	} else {
		for (long i = 0; i < n; i++)
			(void)spawn(storm, &job);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	(void)getrusage(RUSAGE_SELF, &ru[0]);
	(void)getrusage(RUSAGE_CHILDREN, &ru[1]);
	begun = now(CLOCK_MONOTONIC) - begun;
	job.busy = (double)*job.abandoned / 1e6;
	for (int i = 0; i < 2; i++)
		job.busy += (double)(ru[i].ru_utime.tv_sec + ru[i].ru_stime.tv_sec) +
			    (double)(ru[i].ru_utime.tv_usec + ru[i].ru_stime.tv_usec) / 1e6;
	(void)printf("load %.4f %.4f\n", job.busy, begun);
	return 0;
}
