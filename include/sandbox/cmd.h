/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/cli.h>
#include <sandbox/err.h>

/*
 * The verbs. argv[0] is the verb itself, argv[argc] is NULL. They print to stdout through stdio
 * and return 0, or a negative errno with err; main prints the error.
 */
int cmd_run(int argc, char **argv, struct err *err);
int cmd_doctor(int argc, char **argv, struct err *err);
int cmd_profile(int argc, char **argv, struct err *err);
int cmd_completion(int argc, char **argv, struct err *err);
int cmd_seccomp(int argc, char **argv, struct err *err);
int cmd_version(int argc, char **argv, struct err *err);
int cmd_help(int argc, char **argv, struct err *err);

/* The one table of verbs, those of later versions included (run is NULL); main dispatches by it,
 * help and completions print it. */
extern const struct verb cmd_verbs[];

/* Ends a verb's output: 0, or E-FILE if it could not all be written (a full disk is no success). */
int cmd_flush(struct err *err);

/* Refuses arguments from argv[first] on: "'version' takes no argument 'x'". */
int cmd_no_more(char **argv, int first, struct err *err);
