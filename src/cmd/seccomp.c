// SPDX-License-Identifier: MIT
/* sandbox seccomp list | resolve | check: what is known about system calls is known to the helper. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/cmd.h>
#include <sandbox/filter.h>
#include <sandbox/host.h>
#include <sandbox/plan.h>

/* Puts the helper's text out. argv[0] is the helper's place, argv[1] its verb. */
static int pass_on(char **argv, const char *source, size_t len, struct err *err)
{
	g_autofree char *text = NULL;
	int r = filter_ask(argv, source, len, &text, err);

	if (r == 0)
		(void)fputs(text, stdout);
	return r;
}

/* argv[0] is the word after `seccomp`. */
static int seccomp_words(int argc, char **argv, struct err *err)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	g_ptr_array_add(words, NULL);
	for (int i = 0; i < argc; i++)
		g_ptr_array_add(words, argv[i]);
	g_ptr_array_add(words, NULL);
	return pass_on((char **)words->pdata, NULL, 0, err);
}

/* ---- check ---- */

static bool is_list(const char *word)
{
	return !strchr(word, '/') && !g_str_has_suffix(word, ".json") &&
	       strcmp(word, "default") != 0 && strcmp(word, "strict") != 0 &&
	       strcmp(word, "off") != 0;
}

/* FILE and LIST as the options they are for a run, then options as they are. */
static char **run_words(char **argv)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (; *argv && (*argv)[0] != '-'; argv++) {
		g_ptr_array_add(words, (char *)(is_list(*argv) ? "--seccomp-deny" : "--seccomp"));
		g_ptr_array_add(words, *argv);
	}
	for (; *argv; argv++)
		g_ptr_array_add(words, *argv);
	g_ptr_array_add(words, (char *)"--");
	g_ptr_array_add(words, (char *)"true");
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_steal(words, NULL);
}

static const struct op *filter_row(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->ops->len; i++) {
		const struct op *op = &g_array_index(plan->ops, struct op, i);

		if (op->kind == OP_FILTER)
			return op;
	}
	return NULL;
}

/* A run with these options would ask for this filter; without such a row it has a built-in one. */
static int check_plan(const struct plan *plan, struct err *err)
{
	char *builtin[] = { NULL, (char *)"check", (char *)"--base", (char *)"default", NULL };
	const struct op *op = filter_row(plan);
	g_autofree char *source = NULL;
	size_t len = 0;
	int r;

	if (!op)
		return pass_on(builtin, NULL, 0, err);
	r = op->u.filter.file ? filter_source(op->u.filter.file, &source, &len, err) : 0;
	if (r < 0)
		return r;
	op->u.filter.argv[1] = (char *)"check";
	return pass_on(op->u.filter.argv, source, len, err);
}

static int check_request(const struct request *request, struct err *err)
{
	struct spec spec;
	struct host host;
	struct plan plan;
	int r = spec_build(&spec, request, err);

	if (r < 0)
		return r;
	r = host_probe(&host, 0, environ, err);
	if (r == 0) {
		r = plan_compile(&plan, &spec, &host, err);
		if (r == 0) {
			r = check_plan(&plan, err);
			plan_clear(&plan);
		}
		host_clear(&host);
	}
	spec_clear(&spec);
	return r;
}

static int seccomp_check(int argc, char **argv, struct err *err)
{
	g_autofree char **words = run_words(argv + 1);
	struct request request;
	int r = request_parse(&request, words, environ, err);

	(void)argc;
	if (r == 0)
		r = check_request(&request, err);
	if (r < 0)
		request_origin(&request, err->origin, err->from, sizeof(err->from));
	request_clear(&request);
	return r;
}

/* clang-format off */
static const struct what {
	const char *name, *arg;
	int (*run)(int argc, char **argv, struct err *err);
} whats[] = {
	{ "list",    NULL,            seccomp_words },
	{ "resolve", "NAME|NUMBER",   seccomp_words },
	{ "check",   "FILE|LIST",     seccomp_check },
};
/* clang-format on */

int cmd_seccomp(int argc, char **argv, struct err *err)
{
	char quoted[64];

	for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(whats); i++) {
		const struct what *what = &whats[i];
		int r;

		if (strcmp(argv[1], what->name) != 0)
			continue;
		if (what->arg && argc < 3) {
			err_set(err, ERR_USAGE, 0, "'sandbox seccomp %s' needs a %s", what->name,
				what->arg);
			return err_fix(err, "sandbox seccomp %s %s", what->name, what->arg);
		}
		r = what->run(argc - 1, argv + 1, err);
		return r < 0 ? r : cmd_flush(err);
	}
	if (argc > 1)
		err_set(err, ERR_USAGE, 0, "'sandbox seccomp' does not know '%s'",
			err_quote(quoted, sizeof(quoted), argv[1]));
	else
		err_set(err, ERR_USAGE, 0, "'sandbox seccomp' needs to know what to do");
	return err_fix(
		err, "sandbox seccomp list [@GROUP...]|resolve NAME|NUMBER...|check FILE|LIST...");
}
