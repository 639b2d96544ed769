// SPDX-License-Identifier: MIT
/*
 * sandbox-scope: the arguments, the one line of the answer, and the bound on its time. What it
 * promises stands in protocol.h.
 *
 * It runs with the rights of the user who started it, as a child of the launcher, beside it and
 * before the box exists; it ends with its answer. It dies with the launcher until it has asked for
 * the scope; from then on it sees to it that none stays without a process. It is a program of
 * its own because GDBus starts threads, which the launcher must not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "unit.h"

static const struct {
	const char *name;
	bus_act act;
	bool needs_name, needs_pid;
} verbs[] = {
	{ "scope", unit_scope, true, true },
	{ "probe", unit_probe, false, false },
	{ "stop", unit_stop, true, false },
};

enum word { OPT_NAME = 1, OPT_SLICE, OPT_PID, OPT_PIDFD, OPT_BUS, OPT_RUNTIME, OPT_SYSTEM };

static const struct option options[] = {
	{ "name", required_argument, NULL, OPT_NAME },
	{ "slice", required_argument, NULL, OPT_SLICE },
	{ "pid", required_argument, NULL, OPT_PID },
	{ "pidfd", required_argument, NULL, OPT_PIDFD },
	{ "bus", required_argument, NULL, OPT_BUS },
	{ "runtime", required_argument, NULL, OPT_RUNTIME },
	{ "system", no_argument, NULL, OPT_SYSTEM },
	{ NULL, 0, NULL, 0 },
};

static const char *const code_names[_CODE_MAX] = {
	[CODE_NOBUS] = "nobus",         [CODE_REFUSED] = "refused", [CODE_TIMEOUT] = "timeout",
	[CODE_JOBFAILED] = "jobfailed", [CODE_USAGE] = "usage",
};

/* ---- the answer ---- */

/* One write, so that a line is whole or missing. From here on the alarm cannot add a second. */
static bool answer_line(const char *line)
{
	size_t len = strlen(line);

	(void)alarm(0);
	return write(STDOUT_FILENO, line, len) == (ssize_t)len;
}

int answer_ok(const char *first, const char *second, struct problem *problem)
{
	g_autofree char *line =
		g_strdup_printf("ok %s%s%s\n", first, second ? " " : "", second ? second : "");

	if (answer_line(line))
		return 0;
	return problem_set(problem, CODE_USAGE, NULL, "standard output cannot be written");
}

static int answer_problem(const struct problem *problem)
{
	g_autofree char *line =
		g_strdup_printf("err %s %s %s\n", code_names[problem->code],
				*problem->name ? problem->name : "-", problem->text);

	(void)answer_line(line);
	return EXIT_FAILURE;
}

/* Async-signal-safe, in whichever thread. */
static void on_alarm(int signal)
{
	static const char line[] = "err timeout - systemd did not answer in time\n";

	(void)signal;
	if (write(STDOUT_FILENO, line, sizeof(line) - 1) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

/* ---- the arguments ---- */

static int usage(struct problem *problem, const char *what, const char *value)
{
	return problem_set(problem, CODE_USAGE, NULL, "%s%s%s", what, value ? ": " : "",
			   value ? value : "");
}

/* A decimal number of min..INT_MAX and nothing else. */
static bool number(const char *text, int min, int *out)
{
	char *end = NULL;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < min || value > INT32_MAX)
		return false;
	*out = (int)value;
	return true;
}

static int take(struct request *request, int option, const char *value, struct problem *problem)
{
	switch (option) {
	case OPT_NAME:
		request->name = value;
		return name_is_unit(value, ".scope") ? 0 : usage(problem, "no scope's name", value);
	case OPT_SLICE:
		request->slice = value;
		return name_is_unit(value, ".slice") ? 0 : usage(problem, "no slice's name", value);
	case OPT_PID:
		return number(value, 1, &request->pid) ? 0 : usage(problem, "no process", value);
	case OPT_PIDFD:
		return number(value, 0, &request->pidfd) ? 0
							 : usage(problem, "no descriptor", value);
	case OPT_BUS: request->address = value; return 0;
	case OPT_RUNTIME:
		request->runtime = value;
		return value[0] == '/' ? 0 : usage(problem, "no absolute path", value);
	case OPT_SYSTEM: request->system = true; return 0;
	default: return usage(problem, "an unknown option, or one without its value", NULL);
	}
}

/* Reads argv[1..]; the verb's row in `verb`. */
static int parse(int argc, char **argv, struct request *request, size_t *verb,
		 struct problem *problem)
{
	int option;

	opterr = 0;
	for (*verb = 0; argc < 2 || strcmp(argv[1], verbs[*verb].name) != 0;) {
		if (argc < 2 || ++*verb == G_N_ELEMENTS(verbs))
			return usage(problem, "the first word is scope, probe or stop", NULL);
	}
	optind = 2;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (take(request, option, optarg, problem) < 0)
			return -1;
	}
	if (optind < argc)
		return usage(problem, "unexpected", argv[optind]);
	if (verbs[*verb].needs_name && !request->name)
		return usage(problem, "--name is missing", NULL);
	if (verbs[*verb].needs_pid && !request->pid)
		return usage(problem, "--pid is missing", NULL);
	return 0;
}

/* ---- one after the other ---- */

static void on_turn(int signal)
{
	(void)signal;
}

/*
 * Many boxes that start at once would keep one systemd so busy that none has its answer in time,
 * although all of it is a matter of some milliseconds each. So those of a user take turns, by a
 * lock on the user's runtime directory, which no file needs to be made for, and which goes with
 * the process. Without such a directory, and when the turn does not come, it goes on all the same.
 */
static void wait_for_turn(const struct request *request)
{
	struct sigaction action = { .sa_handler = on_turn }, old; /* no SA_RESTART: ends flock */
	g_autofree char *dir = g_strdup_printf("/run/user/%u", (unsigned)getuid());
	int fd = request->system ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)sigaction(SIGALRM, &action, &old);
	(void)alarm(TURN_SECONDS);
	(void)flock(fd, LOCK_EX); /* kept open, and so held, until the end */
	(void)alarm(ANSWER_SECONDS);
	(void)sigaction(SIGALRM, &old, NULL);
}

int main(int argc, char **argv)
{
	struct request request = { .slice = "sandbox.slice", .pidfd = -1 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct problem problem = { 0 };
	size_t verb;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)alarm(ANSWER_SECONDS);
	if (parse(argc, argv, &request, &verb, &problem) < 0)
		return answer_problem(&problem);
	if (verbs[verb].needs_pid)
		wait_for_turn(&request);
	if (bus_do(&request, verbs[verb].act, &problem) < 0)
		return answer_problem(&problem);
	return EXIT_SUCCESS;
}
