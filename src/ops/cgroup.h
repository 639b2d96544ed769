/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/ops.h>

/* How a cgroup is had and what is written into it; private to ops/. */

/* scope.c: starts the helper; waits for its answer: the scope's directory, or NULL with the reason
 * in *ret_why. */
void scope_start(struct run *run, const char *socket, bool system);
char *scope_dir(struct run *run, char **ret_why);

/* The directory of the helper's answer "ok /PATH"; NULL: it is no such line, or climbs. Pure. */
char *scope_answer(const char *said);

/* io.c: writes the rows of --io-read or --io-write into io.max of the box's directory. -ENOENT: the
 * controller is not there; otherwise the error is set. */
int io_limits(struct run *run, bool write, struct err *err);
