/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum outcome_reason { REASON_EXITED, REASON_SIGNALED, REASON_TIMEOUT, REASON_KILLED,
		      REASON_OOM, REASON_CPU_TIME, REASON_SECCOMP, REASON_PIDS };

/* A process that its system call filter has ended. */
struct outcome_blocked {
	int nr;               /* of the call; -1: not known */
	uint32_t arch;        /* AUDIT_ARCH_* */
	int pid;              /* inside the box */
};
enum { OUTCOME_BLOCKED_MAX = 4 };

/* How the command ended. */
struct outcome {
	enum outcome_reason reason;
	int code;             /* exit status for our caller: 0-255, 128+N, 124 for a timeout */
	int signal;           /* the signal that ended it; 0: none */
	double cpu_s, wall_s; /* seconds; CPU of the whole box */
	uint64_t peak_rss;    /* bytes, of its largest process (getrusage(2)) */
	/* with a cgroup or the soft limiter; else 0 */
	uint64_t memory_peak; /* bytes, of the whole box */
	uint64_t pids_peak;   /* processes and threads at once */
	uint64_t pids_denied; /* how often a process could not be made for its limit; by cgroup */
	bool host_oom;        /* the kernel has killed in it, though its own limit was not reached */
	double throttled_s;   /* seconds in which the box was kept from running */
	struct outcome_blocked blocked;                      /* REASON_SECCOMP: the command */
	const char *syscall;  /* its name, where somebody knows it; set by cmd/ */
	struct outcome_blocked others[OUTCOME_BLOCKED_MAX];  /* the first other processes */
	unsigned nothers;     /* all of them */
};
