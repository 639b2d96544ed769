/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sandbox/err.h>

/*
 * The one place that starts other programs (newuidmap, newgidmap, getsubids, getent, our
 * helpers). Absolute path, fixed argument vector, empty environment but PATH and LC_ALL=C,
 * default signals, stdin from /dev/null, no descriptor but those named here.
 */

struct spawn {
	pid_t pid;      /* -1: none */
	int pidfd;      /* -EBADF: none */
	int out;        /* read end of stdout and stderr together, or -EBADF */
};

/* Starts argv[0] (absolute). 0 or negative errno (no err text: the caller knows what for). */
int spawn_start(struct spawn *ret, char *const argv[]);

/* The same with descriptors: fds[i] is 3+i in the program. At most 8. */
int spawn_start_with(struct spawn *ret, char *const argv[], const int *fds, unsigned nfds);

/* Where a helper of ours is: "sandbox-net". NULL: not installed. Freed by the caller. */
char *helper_find(const char *name);

/* The same with `input` as its standard input and `output` as its standard output; what it says on
 * stderr alone is collected then. Both are above 2 and stay the caller's. */
int spawn_start_io(struct spawn *ret, char *const argv[], int input, int output);

/* Waits up to timeout_ms for it to end and collects at most size-1 bytes of its output (the rest
 * is read and dropped), NUL-terminated. It is killed at the deadline (-ETIMEDOUT). Returns the
 * exit status (0-255), 128+signal, or a negative errno. Releases everything. */
int spawn_finish(struct spawn *spawn, char *out, size_t size, int timeout_ms);

/* Both in one. */
int spawn_run(char *const argv[], char *out, size_t size, int timeout_ms);

/* The same with an environment of the caller's, for a copy of our own program. */
int spawn_run_env(char *const argv[], char *const env[], char *out, size_t size, int timeout_ms);

/* Runs `trial` in a forked copy of this process with the namespaces of `clone_flags`, to find out
 * by doing whether something works here (host/trial.c). The copy holds no stdio of ours, gets
 * SIGKILL when we die, and ends with the function. 0: it ran and *ret is what it returned;
 * otherwise the negative errno of clone, -ETIMEDOUT, or -ECHILD when it died on the way. */
int spawn_trial(uint64_t clone_flags, int (*trial)(const void *arg), const void *arg, int *ret,
		int timeout_ms);

/* Starts a forked copy in namespaces of its own that does nothing, for others to work on (write
 * its id maps). End it by spawn_finish(spawn, NULL, 0, 0), which answers -ETIMEDOUT. */
int spawn_hold(struct spawn *ret, uint64_t clone_flags);
