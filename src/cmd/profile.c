// SPDX-License-Identifier: MIT
/* sandbox profile list | show NAME | check FILE */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/cli.h>
#include <sandbox/cmd.h>
#include <sandbox/request.h>
#include <sandbox/spec.h>

/* ---- list ---- */

static int profile_print_list(const char *name, struct err *err)
{
	g_autoptr(GArray) list = profile_list(environ);

	(void)name;
	(void)err;
	for (unsigned i = 0; i < list->len; i++) {
		const struct profile_entry *entry = &g_array_index(list, struct profile_entry, i);
		char quoted[4096];

		printf("%-15s %s\n", entry->name, err_quote(quoted, sizeof(quoted), entry->file));
	}
	return 0;
}

/* ---- show ---- */

static const struct occurrence *item_at(const struct request *request, unsigned i)
{
	return &g_array_index(request->items, struct occurrence, i);
}

static void print_origin(const struct request *request, unsigned i, char *last, size_t size)
{
	char origin[512];

	request_origin(request, i + 1, origin, sizeof(origin));
	if (strcmp(origin, last) != 0)
		printf("# %s\n", origin);
	g_strlcpy(last, origin, size);
}

static void print_value(const char *value, bool list)
{
	for (; *value; value++) {
		if (list && *value == ';')
			putchar('\\');
		putchar(*value);
	}
}

/* Of flags and single values the last one holds. */
static void print_last(const struct request *request, const struct option *opt)
{
	char last[512] = "";

	for (unsigned i = request->items->len; i > 0; i--) {
		const struct occurrence *item = item_at(request, i - 1);

		if (item->opt != opt)
			continue;
		print_origin(request, i - 1, last, sizeof(last));
		printf("%s=", opt->name);
		print_value(item->value ? item->value : item->negated ? "false" : "true", false);
		putchar('\n');
		return;
	}
}

static void print_list(const struct request *request, const struct option *opt)
{
	char last[512] = "";
	bool any = false;

	for (unsigned i = 0; i < request->items->len; i++) {
		if (item_at(request, i)->opt == opt)
			print_origin(request, i, last, sizeof(last));
	}
	for (unsigned i = 0; i < request->items->len; i++) {
		const struct occurrence *item = item_at(request, i);

		if (item->opt != opt)
			continue;
		if (any)
			putchar(';');
		else
			printf("%s=", opt->name);
		print_value(item->value, true);
		any = true;
	}
	if (any)
		putchar('\n');
}

/* Prints a profile again: what is inherited is in it, and where each key came from. */
static void request_print(const struct request *request)
{
	puts("[sandbox]");
	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);

		if (opt->flags & OPT_CLI_ONLY)
			continue;
		if (opt->kind == OPT_KIND_LIST)
			print_list(request, opt);
		else
			print_last(request, opt);
	}
}

static int profile_show(const char *name, struct err *err)
{
	char *argv[] = { "--profile", (char *)name, NULL };
	struct request request;
	int r = request_parse(&request, argv, environ, err);

	if (r == 0)
		request_print(&request);
	else
		request_origin(&request, err->origin, err->from, sizeof(err->from));
	request_clear(&request);
	return r;
}

/* ---- check ---- */

/* Reads it, and judges the values as a run with it would. */
static int profile_check(const char *file, struct err *err)
{
	/* "web.conf" can only be a file: a name has no ending. */
	bool here = !strchr(file, '/') && g_str_has_suffix(file, ".conf");
	g_autofree char *path = g_strconcat(here ? "./" : "", file, NULL);
	char *argv[] = { "--profile", path, "--", "true", NULL };
	struct request request;
	struct spec spec;
	int r = request_parse(&request, argv, environ, err);

	if (r == 0) {
		r = spec_build(&spec, &request, err);
		if (r == 0)
			spec_clear(&spec);
	}
	if (r < 0)
		request_origin(&request, err->origin, err->from, sizeof(err->from));
	request_clear(&request);
	return r;
}

/* clang-format off */
static const struct what {
	const char *name, *arg;
	int (*run)(const char *arg, struct err *err);
} whats[] = {
	{ "list",  NULL,   profile_print_list },
	{ "show",  "NAME", profile_show       },
	{ "check", "FILE", profile_check      },
};
/* clang-format on */

int cmd_profile(int argc, char **argv, struct err *err)
{
	char quoted[64];

	for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(whats); i++) {
		const struct what *what = &whats[i];
		int r;

		if (strcmp(argv[1], what->name) != 0)
			continue;
		if (what->arg && argc < 3) {
			err_set(err, ERR_USAGE, 0, "'sandbox profile %s' needs a %s", what->name,
				what->arg);
			return err_fix(err, "sandbox profile %s %s", what->name, what->arg);
		}
		r = cmd_no_more(argv, what->arg ? 3 : 2, err);
		if (r == 0)
			r = what->run(argv[2], err);
		return r < 0 ? r : cmd_flush(err);
	}
	if (argc > 1)
		err_set(err, ERR_USAGE, 0, "'sandbox profile' does not know '%s'",
			err_quote(quoted, sizeof(quoted), argv[1]));
	else
		err_set(err, ERR_USAGE, 0, "'sandbox profile' needs to know what to do");
	return err_fix(err, "sandbox profile list|show NAME|check FILE");
}
