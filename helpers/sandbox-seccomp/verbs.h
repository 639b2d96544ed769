/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "fault.h"
#include "policy.h"

/* What the program can be asked for; each returns the exit status. */
int verb_builtin(unsigned arch, FILE *out);
int verb_compile(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_resolve(int argc, char **argv);
int verb_check(int argc, char **argv);

/* Tells why it could not be done, on standard error; `what` unless the fault has its own. Returns the
 * exit status. */
int answer_fault(const struct fault *fault, const char *what);
