/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* What the supervisor does with a signal it received. */
enum signal_use {
	SIGNAL_FORWARD,  /* to the command */
	SIGNAL_CONTINUE, /* we were resumed: so is the command */
	SIGNAL_WINDOW,   /* the terminal's size changed */
};

enum signal_use signals_use(int sig);

/* Reads up to `size` pending signals. Returns how many, 0 if there are none. */
int signals_read(int fd, int *out, int size);

/* Stops this process, or its whole group, by `sig` (SIGTSTP, SIGTTIN, SIGTTOU) and returns true
 * when it was resumed; SIGCONT then waits in the signalfd. False: the kernel discarded the signal
 * since the group is orphaned, that is nobody is there who would resume it (setpgid(2)). */
bool signals_stop(int sig, bool group);
