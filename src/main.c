// SPDX-License-Identifier: MIT
/*
 * The launcher's first lines and its last: a clean process to begin with, the dispatch to a
 * verb, the one place that prints errors, and the exit status.
 *
 *   0-255  the command's own         126  found, but cannot be executed
 *   124    --timeout has ended it    127  not found
 *   125    sandbox itself failed     128+N  killed by signal N
 *
 * (124 and 128+N come from watch/, 125 to 127 from the table in err-codes.h.)
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/cmd.h>
#include <sandbox/err.h>
#include <sandbox/sys.h>

/* Inherited descriptors end at the first exec unless --preserve-fds names them; a closed 0, 1 or
 * 2 would become some file of ours. Both before anything is opened. */
static int clean_descriptors(struct err *err)
{
	int r;

	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/dev/null", O_RDWR) != i)
			return err_set(err, ERR_FD, errno,
				       "cannot open '/dev/null' as descriptor %d", i);
	r = sys_close_from(3, false);
	return r < 0 ? err_set(err, ERR_FD, r, "cannot mark inherited descriptors close-on-exec")
		     : 0;
}

/* A caller may have ignored SIGCHLD, which takes the exit statuses of our children away. */
static void clean_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGCHLD, &sa, NULL);
	/* a file size limit is an error with a text, and nothing is left behind */
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGXFSZ, &sa, NULL);
}

static void print_field(const char *label, const char *text)
{
	char quoted[2 * sizeof(((struct err *)0)->what)];

	if (text[0])
		(void)fprintf(stderr, "  %s: %s\n", label, err_quote(quoted, sizeof(quoted), text));
}

static int print_error(const struct err *err)
{
	char what[2 * sizeof(err->what)];

	(void)fprintf(stderr, "sandbox: error[%s]: %s\n", err_code_name(err->code),
		      err_quote(what, sizeof(what), err->what));
	if (err->cause[0])
		print_field("cause", err->cause);
	else if (err->num)
		print_field("cause", strerror(err->num));
	print_field("fix", err->fix);
	print_field("from", err->from);
	(void)fputs("  see: sandbox-errors(7)\n", stderr);
	return err->code == ERR_NONE ? 125 : err_code_exit(err->code);
}

static int unknown_verb(const char *word, struct err *err)
{
	const struct verb *later = verb_find(cmd_verbs, word);
	const char *near = verb_nearest(cmd_verbs, word);
	char quoted[128];

	(void)err_quote(quoted, sizeof(quoted), word);
	if (later) {
		(void)err_set(err, ERR_OPTION_LATER, 0, "'sandbox %s' is not part of this version",
			      quoted);
		return err_fix(err, "%s", later->help);
	}
	(void)err_set(err, ERR_USAGE, 0, "'%s' is not a subcommand", quoted);
	if (near)
		return err_fix(err, "to run it: sandbox -- %s; or did you mean 'sandbox %s'?",
			       quoted, near);
	return err_fix(err, "to run it: sandbox -- %s", quoted);
}

static int dispatch(int argc, char **argv, struct err *err)
{
	const struct verb *verb;

	if (argc < 2) {
		help_print_short(stderr);
		return 125;
	}
	if (argv[1][0] == '-')
		return cmd_run(argc, argv, err);
	verb = verb_find(cmd_verbs, argv[1]);
	if (!verb || !verb->run)
		return unknown_verb(argv[1], err);
	return verb->run(argc - 1, argv + 1, err);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	int r;

	if (argc < 1 || !argv[0]) /* CVE-2021-4034: execve(path, {NULL}) */
		return 125;
	clean_signals();
	r = clean_descriptors(&err);
	if (r == 0)
		r = dispatch(argc, argv, &err);
	return r < 0 ? print_error(&err) : r;
}
