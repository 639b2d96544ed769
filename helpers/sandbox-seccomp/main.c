// SPDX-License-Identifier: MIT
/*
 * sandbox-seccomp: system call policies to programs for seccomp(2). While building it makes the
 * table the launcher is linked with; at run time it compiles what is not in that table. It is the
 * only program of ours that knows the names of system calls. protocol.h says how it is asked.
 */
#include <limits.h>
#include <string.h>

#include "verbs.h"

enum { EXIT_USAGE = 2 };

static int builtin(int argc, char **argv)
{
	unsigned arch = argc > 0 ? policy_arch_by_name(argv[0]) : policy_arch_native();

	if (arch == 0) {
		(void)fprintf(stderr, "sandbox-seccomp: there is no policy for %s\n",
			      argc > 0 ? argv[0] : "this architecture");
		return 1;
	}
	return verb_builtin(arch, stdout);
}

/* clang-format off */
static const struct verb {
	const char *name;
	int min, max; /* words after the name */
	int (*run)(int argc, char **argv);
	const char *usage;
} verbs[] = {
	{ "builtin", 0, 1,       builtin,      "builtin [ARCH]" },
	{ "compile", 0, INT_MAX, verb_compile, "compile [OPTION...] < PROFILE > ANSWER" },
	{ "list",    0, INT_MAX, verb_list,    "list [@GROUP...]" },
	{ "resolve", 1, INT_MAX, verb_resolve, "resolve [--arch ARCH] NAME|NUMBER..." },
	{ "check",   0, INT_MAX, verb_check,   "check [OPTION...] < PROFILE" },
};
/* clang-format on */

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0 && argc - 2 >= verbs[i].min &&
		    argc - 2 <= verbs[i].max)
			return verbs[i].run(argc - 2, argv + 2);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		(void)fprintf(stderr, "usage: sandbox-seccomp %s\n", verbs[i].usage);
	return EXIT_USAGE;
}
