/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One static program with every attack of the suite, so that it runs in any root directory. A row
 * prints what came of each thing it tried, one line each, `what: ok` or `what: ERRNO`; whether it
 * has got anywhere is judged outside of the box by whoever started it.
 */

struct probe {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the first argument */
	const char *arguments;
};

extern const struct probe file_probes[], process_probes[], kernel_probes[], mount_probes[];

/* Prints `what: ok` for r >= 0, else `what: ` and the name of errno. Returns r. */
long say(const char *what, long r);

/* A number as strtoull(3) reads it; ends the program on anything else. */
unsigned long number(const char *text);
