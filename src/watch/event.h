/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include <sandbox/err.h>
#include <sandbox/outcome.h>
#include <sandbox/plan.h>

/*
 * The text of the events of --status-fd and --report: one JSON object, one line, newline
 * included. Pure functions of their arguments; the format is stable and versioned ("v").
 */
/* `ip`: of --ip, or NULL. */
void event_started(GString *out, pid_t init, const struct plan *plan, const struct limit *limits,
		   const char *ip);
/* `refused`: a NETCTL_SUMMARY, or NULL where there is no network helper. */
void event_exit(GString *out, const struct outcome *outcome, const char *refused);
void event_error(GString *out, const struct err *err, const char *origin);

/* How the command ended, out of wait statuses (wait(2)); times and memory are left alone. */
struct ending {
	bool exited; /* PID 1 told `command`, the wait status of the command */
	int command;
	int init;       /* the wait status of PID 1 itself */
	bool timed_out; /* --timeout had passed by then */
};
void outcome_ending(struct outcome *ret, const struct ending *ending);
