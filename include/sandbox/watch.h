/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <sandbox/budget.h>
#include <sandbox/err.h>
#include <sandbox/netctl.h>
#include <sandbox/outcome.h>
#include <sandbox/plan.h>

/*
 * The supervisor: runs in the launcher, after the child has completed HANDOFF, until PID 1 has
 * been reaped. One poll loop over signals, the wire, the pidfd, the pty and the timer.
 */

/* Blocks the signals the supervisor handles and opens a signalfd for them: called before clone,
 * so that none is lost (whoever waits for something else before watch_run() polls it too).
 * Signals the caller ignores stay ignored (nohup(1)). SIGPIPE is ignored from here on, SIGCHLD has
 * its default again. watch_signals_child() undoes the mask in the child (async-signal-safe);
 * all dispositions are reset to default too. */
int watch_signals_open(int *ret_fd, struct err *err);
void watch_signals_child(void);
/* For waits outside of watch_run(): takes what is pending and returns the first signal among it
 * that ends a program (TERM, INT, HUP, QUIT), or 0: a resized terminal is no reason to give up. */
int watch_signals_end(int fd);

struct watch_box {
	pid_t init;       /* PID 1 of the box, as seen from here */
	int init_pidfd;   /* all descriptors are borrowed */
	int wire;
	int signals;      /* from watch_signals_open() */
	int cgroup;       /* the box's directory, or -EBADF */
	int (*keep)(void *arg); /* called twice a second: writes limits again that somebody has
	                           taken away; negative: they no longer hold. NULL: not needed */
	void *keep_arg;
	const struct budget *budget; /* of CPU time, where the cgroup counts it */
	int limiter;      /* the limiter beside the box (soft.h, freezer), or -EBADF */
	int net;          /* pidfd of the network helper, -1: none; its control socket */
	int net_control;
	const struct limit *limits; /* _LIMIT_MAX of them, with who enforces each */
	const char *ip;   /* the host's address that is the box's (--ip), or NULL */
	bool filter_kills; /* its system call filter ends who makes some calls */
	int pty;          /* master, or -1; made O_NONBLOCK, and /dev/null is put in its place when
	                     the user's terminal hangs up */
};

/* Whether our process group may use the terminal `source` now: it is in its foreground, or no job
 * control applies (not our controlling terminal). With plan->tty_raw but in the background
 * (`sandbox -- CMD &`) PID 1 starts the command in the background of its pty as well, so that it
 * stops by SIGTTIN and the shell hears of it: asked once, before clone. */
bool tty_foreground(int source);

/* The status fd, the ready fd, the pidfile, the report and the network log. Opened before anything is created, so
 * that a bad descriptor or path is refused early. Of the plan only status_fd, ready_fd, report,
 * pidfile, net_log and pids_* are used, and it must outlive the status. All but open take NULL. */
struct status;
int status_open(struct status **ret, const struct plan *plan, struct err *err);
/* Fills the pidfile, once: called when PID 1 exists, so before --block-fd is waited for. */
int status_pid(struct status *status, pid_t init, struct err *err);
/* The command was executed: the `started` event, then the ready fd. */
void status_started(struct status *status, const struct watch_box *box);
/* What the network helper tells: NETCTL_REFUSED, _NOTICE or _SUMMARY. */
void status_network(struct status *status, enum netctl_kind kind, const char *text);
/* At the end: a notice of what was refused, where --net-log does not have it. */
void status_say_refused(const struct status *status);
/* The final event, one of these two; the report is put in place. The terminal is ours again.
 * `origin` is the text of request_origin(), or NULL. */
void status_error(struct status *status, const struct err *err, const char *origin);
int status_exit(struct status *status, const struct outcome *outcome, struct err *err);
/* Removes the pidfile and a report never written; frees. */
void status_close(struct status *status);

/* Supervises until the box has ended and PID 1 is reaped. Returns 0 with *ret filled, or a
 * negative errno with err when the command could not be executed (FAILED after HANDOFF) or PID 1
 * was lost; the box is gone in every case. */
int watch_run(const struct watch_box *box, const struct plan *plan, struct status *status,
	      struct outcome *ret, struct err *err);
