// SPDX-License-Identifier: MIT
/* The table of verbs, and what all of them need. */
#include <errno.h>
#include <stdio.h>

#include <sandbox/cmd.h>

#define LATER NULL

/* clang-format off */
const struct verb cmd_verbs[] = {
	{ "run",        "[OPTION...] [--] COMMAND [ARGUMENT...]", "Run COMMAND confined; the same as without the word run",
	  cmd_run, NULL },
	{ "doctor",     "[--json]",                     "Check this host, and print what mends it",
	  cmd_doctor, "--json" },
	{ "profile",    "list|show NAME|check FILE",    "List profiles, print what one amounts to, or find its first error",
	  cmd_profile, "list show check" },
	{ "seccomp",    "list|resolve|check ...",       "Print groups and numbers of system calls, or what a filter means",
	  cmd_seccomp, "list resolve check" },
	{ "completion", "bash|zsh|fish",                "Print the completion for a shell",
	  cmd_completion, "bash zsh fish" },
	{ "version",    NULL,                           "Print the version", cmd_version, NULL },
	{ "help",       "[VERB|OPTION|GROUP...]",       "Print all help, or on one thing",
	  cmd_help, NULL },

	{ "shell",      "[OPTION...]",  "sandbox -- \"$SHELL\"",                              LATER, NULL },
	{ "ps",         NULL,           "find boxes by --pidfile, or look for them with ps",  LATER, NULL },
	{ "inspect",    "NAME",         "print the plan before: --explain",                   LATER, NULL },
	{ "stats",      "NAME",         "see --report for what a run has used",               LATER, NULL },
	{ "logs",       "NAME",         "redirect the output: sandbox -- COMMAND >log 2>&1",  LATER, NULL },
	{ "wait",       "NAME",         "wait for sandbox itself; it ends with the box",      LATER, NULL },
	{ "attach",     "NAME",         "run the box inside of screen or tmux",               LATER, NULL },
	{ "exec",       "NAME CMD",     "nsenter --all --preserve-credentials -t PID, with the PID of --pidfile", LATER, NULL },
	{ "stop",       "NAME",         "send TERM to sandbox itself; it is forwarded",       LATER, NULL },
	{ "kill",       "NAME",         "send KILL to sandbox itself; the box dies with it",  LATER, NULL },
	{ "pause",      "NAME",         "send TSTP to sandbox itself; it is forwarded",       LATER, NULL },
	{ "unpause",    "NAME",         "send CONT to sandbox itself; it is forwarded",       LATER, NULL },
	{ "update",     "NAME",         "start it again with other limits",                   LATER, NULL },
	{ "rm",         "NAME",         "nothing to do: a box leaves nothing behind",         LATER, NULL },
	{ "diff",       "NAME",         "compare with a copy: diff -r",                       LATER, NULL },
	{ "commit",     "NAME",         "write to a volume: -v DIR:DST",                      LATER, NULL },
	{ "discard",    "NAME",         "use --tmpfs for what need not stay",                 LATER, NULL },
	{ "image",      "...",          "unpack the image into a directory and use --rootfs", LATER, NULL },
	{ "boot",       "DIR",          "run a program of it: sandbox --rootfs DIR -- COMMAND", LATER, NULL },
	{ "oci",        "...",          "unpack the bundle and use --rootfs",                 LATER, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
/* clang-format on */

int cmd_flush(struct err *err)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_set(err, ERR_FILE, errno ? errno : EIO, "cannot write to standard output");
}

int cmd_no_more(char **argv, int first, struct err *err)
{
	char quoted[128];

	if (!argv[0] || !argv[first])
		return 0;
	err_set(err, ERR_USAGE, 0, "'sandbox %s' takes no argument '%s'", argv[0],
		err_quote(quoted, sizeof(quoted), argv[first]));
	return err_fix(err, "'sandbox help %s' says what it takes", argv[0]);
}
