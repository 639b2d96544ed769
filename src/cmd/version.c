// SPDX-License-Identifier: MIT
/* sandbox version */
#include <stdio.h>

#include <sandbox/cmd.h>

#include "config.h"

int cmd_version(int argc, char **argv, struct err *err)
{
	int r = argc > 1 ? cmd_no_more(argv, 1, err) : 0;

	if (r < 0)
		return r;
	puts("sandbox " SANDBOX_VERSION);
	return cmd_flush(err);
}
