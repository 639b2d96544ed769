// SPDX-License-Identifier: MIT
/* sandbox help [VERB|OPTION|GROUP...] */
#include <stdio.h>

#include <sandbox/cli.h>
#include <sandbox/cmd.h>

int cmd_help(int argc, char **argv, struct err *err)
{
	if (argc < 2)
		help_print(stdout, cmd_verbs);
	for (int i = 1; i < argc; i++) {
		int r = help_print_topic(stdout, cmd_verbs, argv[i], err);

		if (r < 0)
			return r;
	}
	return cmd_flush(err);
}
