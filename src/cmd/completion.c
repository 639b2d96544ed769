// SPDX-License-Identifier: MIT
/* sandbox completion bash|zsh|fish */
#include <stdio.h>

#include <sandbox/cli.h>
#include <sandbox/cmd.h>

int cmd_completion(int argc, char **argv, struct err *err)
{
	int r;

	if (argc < 2) {
		err_set(err, ERR_USAGE, 0, "'sandbox completion' needs the name of a shell");
		return err_fix(err, "sandbox completion bash|zsh|fish");
	}
	r = cmd_no_more(argv, 2, err);
	if (r == 0)
		r = complete_print(stdout, cmd_verbs, argv[1], err);
	return r < 0 ? r : cmd_flush(err);
}
