/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/*
 * Limits without cgroup controllers: one process that measures the box and pauses or kills it.
 *
 * CPU: a duty cycle. What all processes of the box have used, the reaped children's time included,
 * is charged against quota x elapsed time; a box in debt is paused until it is paid. Memory: the
 * sum over the processes, looked at 20 times a second and faster near the limit. Both are fairness
 * limiters, not boundaries: code in the box that means to can resume itself (kill -CONT) or hide
 * some of its time (below), so reports say "exact": false.
 *
 * Two back ends of pausing:
 *   signals   a process in the box's PID namespace, forked by PID 1: kill(-1, SIGSTOP) reaches
 *             every process there but PID 1 and the caller, also those just being forked
 *   freezer   a process outside, with a cgroup v2 directory that needs no controllers
 *             (cgroup.freeze, cpu.stat and cgroup.kill are core files); exact, no side effects
 *
 * What the signals show to the payload: a parent that waits with WCONTINUED sees its children
 * continue; a SIGCONT handler runs once a cycle; a debugger sees SIGSTOP. Processes that the user
 * stopped stay stopped, and a Ctrl-Z during a pause is not lost. Children that their parent never
 * waits for (SIGCHLD ignored) are charged as measured while alive, by the number of runnable
 * processes where time is seen to vanish.
 */

struct soft_limits {
	uint32_t cpu_permille; /* of one CPU: 500 is 50 %, 1500 one and a half; 0: none */
	uint64_t memory;       /* bytes; 0: none */
	uint64_t cpu_time_ms;  /* CPU time of the whole box; 0: none */
	unsigned cpus;         /* online: the affinity of the start can be changed; 0: one */
	uint64_t period_us;    /* of the duty cycle; 0: 100 ms. Longer with many processes. */
	int freezer;           /* the payload's cgroup v2 directory; negative: signals */
};

enum soft_kind {
	SOFT_OOM = 1,   /* the memory limit was reached; everything has been sent SIGKILL next */
	SOFT_CPU_TIME,  /* the CPU time was used up; the same */
	SOFT_FIGURES,   /* the answer to a request */
	SOFT_READY,     /* the first of all: it is confined, and watches */
	SOFT_BLIND,     /* it cannot see the box any more: see `error`; the same as SOFT_OOM */
};

#define SOFT_MAGIC 0x53424c4du /* "SBLM" */

struct soft_report {
	uint32_t magic;
	uint32_t kind;            /* enum soft_kind */
	uint64_t cpu_us;          /* used by the box so far */
	uint64_t memory_peak;     /* bytes; 0 without a memory limit */
	uint64_t processes_peak;  /* as seen: shorter lives than a cycle may be missing */
	uint64_t throttled_us;    /* time spent in pauses */
	uint64_t error;           /* SOFT_BLIND: the errno */
};

/*
 * The limiter, in a process of its own. Returns its exit status: 0 after `report` has hung up,
 * 1 if it could not start or go on; never earlier, so whoever sees it end otherwise (the payload may
 * `kill -9 -1`) must end the box. Whoever sees it stopped must send it SIGCONT.
 *
 *   proc     the root of a procfs of the PID namespace it runs in (O_PATH is enough)
 *   report   a SOCK_SEQPACKET end; the other end is the reader of struct soft_report
 *
 * It starts its own session, blocks all signals, keeps CAP_KILL (to pause other ids of a range map)
 * and, unused, CAP_SYS_NICE (soft.c says why; neither with a freezer), is killed with its parent,
 * and closes every other descriptor. The caller is single-threaded and non-dumpable, so that the payload cannot trace
 * what was inherited. It allocates once, at its start.
 */
int soft_main(const struct soft_limits *limits, int proc, int report);

/* Waits for SOFT_READY, for ten seconds: until then the limiter has what its caller had. */
int soft_wait(int report);
/* The reader's side; neither blocks. Asks for SOFT_FIGURES: 0 or negative errno. */
int soft_request(int report);
/* A signal is on its way to the box. If it is one that ends programs, or `stop`, which the box is asked
 * by to end, the box goes on at once, and is not paused again for two seconds, so that handlers run;
 * what it uses then is paid for afterwards. */
void soft_release(int report, int sig, int stop);
/* 0; -EAGAIN: nothing there; -EPIPE: the limiter is gone; -EBADMSG: not one of ours. */
int soft_receive(int report, struct soft_report *ret);
