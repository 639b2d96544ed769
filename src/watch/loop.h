/* SPDX-License-Identifier: MIT */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include <sandbox/budget.h>
#include <sandbox/err.h>
#include <sandbox/soft.h>
#include <sandbox/watch.h>

#include "event.h"
#include "resolv.h"
#include "tty.h"

enum deadline { DEADLINE_NONE, DEADLINE_STOP, DEADLINE_FINISH, DEADLINE_KILL };

/* One supervision, from watch_run() to its end. */
struct watch {
	const struct watch_box *box;
	const struct plan *plan;
	struct status *status;

	struct tty tty;
	struct stdio_state stdio;
	bool wants_fg; /* the command belongs into the pty's foreground whenever we are in
	                            that of the user's terminal */
	bool has_fg;   /* it is there */

	bool stop_asked; /* SIGTSTP was passed on to the command */

	struct budget budget;       /* of CPU time, where the cgroup counts it */
	int limited;                /* SOFT_OOM or SOFT_CPU_TIME ended it; 0: neither */
	bool limiter_lost;          /* the freezer's limiter has ended, or is done with */
	struct soft_report figures; /* of the limiter, if there was one */
	bool blocked;               /* its filter has ended the command: it is in outcome.blocked */
	struct outcome outcome;     /* only what is known before the end */
	bool wire_open;
	bool started, failed; /* STARTED, FAILED were received */
	struct err failure;   /* of the latter */
	struct ending ending;
	struct rusage usage;       /* of PID 1 and all that was reaped in the box */
	struct resolv resolv;      /* the host's, for the network helper */
	bool net_lost, net_silent; /* the network helper has ended; ... says nothing more */
	bool gone, reaped;         /* PID 1 has ended; ... and was collected */

	int64_t keep_ms;        /* when to look whether the limits are still there */
	int64_t start_us;       /* CLOCK_MONOTONIC */
	enum deadline deadline; /* what happens at ... */
	int64_t deadline_ms;
};

/* CLOCK_MONOTONIC in microseconds. */
int64_t watch_now_us(void);

/* The limiter that freezes the box (freezer.c): what is waited for, and what came of it. Its end is
 * the box's. */
void freezer_poll(const struct watch *w, struct pollfd *slot);
void freezer_handle(struct watch *w, const struct pollfd *slot);
/* A signal is on its way: one that may end the box does not wait for the end of a pause. */
void freezer_release(const struct watch *w, int sig);
/* At the end: what it has measured. */
void freezer_ask(struct watch *w);

/* The end of a box whose limits are gone. */
void limits_lost(struct watch *w, const char *cause);

/* The network helper (net.c): what is waited for, and what came of it. Its end is the box's; the
 * command's end is its, and it begins with that while PID 1 ends. */
void net_leave(const struct watch *w);
void net_poll(const struct watch *w, struct pollfd *process, struct pollfd *control);
void net_handle(struct watch *w, const struct pollfd *process, const struct pollfd *control);

/* The end of the box at once: SIGKILL to PID 1 takes all with it (pid_namespaces(7)). */
void teardown_kill(const struct watch *w);
/* Collects PID 1, which has ended or is about to. */
void teardown_reap(struct watch *w);
/* What the box has written but nobody has seen yet goes to the terminal. */
void teardown_drain(struct watch *w);
/* How it all ended: watch_run()'s result. */
int teardown_result(const struct watch *w, struct outcome *ret, struct err *err);
