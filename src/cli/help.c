// SPDX-License-Identifier: MIT
/* Help, printed from the tables of options and verbs. */
#include <ctype.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>
#include <sandbox/value.h>

#define WIDTH  80 /* of the whole */
#define COLUMN 30 /* where explanations begin */

const struct verb *verb_find(const struct verb *verbs, const char *name)
{
	for (; verbs->name; verbs++) {
		if (strcmp(verbs->name, name) == 0)
			return verbs;
	}
	return NULL;
}

const char *verb_nearest(const struct verb *verbs, const char *name)
{
	unsigned least = (unsigned)(strlen(name) / 3 + 1);
	const char *best = NULL;

	for (; verbs->name; verbs++) {
		unsigned d = value_distance(name, strlen(name), verbs->name, strlen(verbs->name));

		if (verbs->run && d < least) {
			least = d;
			best = verbs->name;
		}
	}
	return best;
}

/* Words of `text` from column `at` on, the lines after the first indented by `indent`. */
static void print_wrapped(FILE *out, const char *text, size_t at, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (!first && at + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, len, out);
		at += len;
		text += len;
		text += strspn(text, " ");
		first = false;
	}
	fputc('\n', out);
}

/* The left side and its explanation in the column, or below where the left side is too long. */
static void print_row(FILE *out, const char *left, const char *right)
{
	size_t len = strlen(left);

	if (len + 2 > COLUMN)
		fprintf(out, "%s\n%*s", left, COLUMN, "");
	else
		fprintf(out, "%s%*s", left, (int)(COLUMN - len), "");
	print_wrapped(out, right, COLUMN, COLUMN);
}

/* "  -v, --volume SRC[:DST]" */
static char *option_left(const struct option *opt)
{
	g_autofree char *letter =
		opt->letter ? g_strdup_printf("-%c, ", opt->letter) : g_strdup("    ");

	return g_strdup_printf("  %s--%s%s%s", letter, opt->name, opt->arg ? " " : "",
			       opt->arg ? opt->arg : "");
}

static void print_option(FILE *out, const struct option *opt)
{
	g_autofree char *left = option_left(opt);

	print_row(out, left, opt->help);
}

static void print_verb(FILE *out, const struct verb *verb)
{
	g_autofree char *left = g_strdup_printf("  %s%s%s", verb->name, verb->args ? " " : "",
						verb->args ? verb->args : "");

	print_row(out, left, verb->help);
}

static void print_usage(FILE *out)
{
	fputs("Usage: sandbox [OPTION...] -- COMMAND [ARGUMENT...]\n"
	      "       sandbox run [OPTION...] [--] COMMAND [ARGUMENT...]\n"
	      "       sandbox VERB [ARGUMENT...]\n"
	      "Run a program confined, as an ordinary user.\n",
	      out);
}

/* The rows of one group (its heading has a capital, so both will do) that work; false if there are none. */
static bool print_group(FILE *out, const char *group)
{
	bool any = false;

	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);

		if (g_ascii_strcasecmp(opt->group, group) != 0 || (opt->flags & OPT_LATER))
			continue;
		if (!any)
			fprintf(out, "\n%c%s:\n", toupper((unsigned char)*opt->group),
				opt->group + 1);
		print_option(out, opt);
		any = true;
	}
	return any;
}

static void print_later(FILE *out, const struct verb *verbs)
{
	g_autoptr(GString) names = g_string_new("Known, but not part of this version:");

	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);

		if (opt->flags & OPT_LATER)
			g_string_append_printf(names, " --%s", opt->name);
	}
	for (; verbs->name; verbs++) {
		if (!verbs->run)
			g_string_append_printf(names, " %s", verbs->name);
	}
	fputc('\n', out);
	print_wrapped(out, names->str, 0, 2);
}

void help_print(FILE *out, const struct verb *verbs)
{
	const char *group = "";

	print_usage(out);
	fputs("\nVerbs:\n", out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run)
			print_verb(out, verb);
	}
	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);

		if (strcmp(opt->group, group) != 0)
			print_group(out, opt->group);
		group = opt->group;
	}
	fputs("\nValues: --NAME=VALUE or --NAME VALUE. Every flag has an opposite: --no-NAME.\n",
	      out);
	print_later(out, verbs);
	fputs("\nExamples:\n"
	      "  sandbox -- /bin/sh                   a shell with this directory only\n"
	      "  sandbox --cwd ro -- sh ./script.sh   a script that may only look\n"
	      "  sandbox --rootfs ./debian -- bash    root in a directory of its own\n"
	      "  sandbox help volume                  one option; also a verb or a group\n"
	      "\nManual: sandbox(1), sandbox-profile(5), sandbox-errors(7), sandbox-security(7)\n",
	      out);
}

void help_print_short(FILE *out)
{
	print_usage(out);
	fputs("\nTry: sandbox -- /bin/sh    a shell with this directory, an empty home, no network\n"
	      "     sandbox doctor        what this host lacks, and how to mend it\n"
	      "     sandbox --help        all options\n",
	      out);
}

static void print_option_topic(FILE *out, const struct option *opt)
{
	print_option(out, opt);
	if (opt->alias)
		fprintf(out, "%*sAlso: --%s\n", COLUMN, "", opt->alias);
	if (option_negatable(opt) && !(opt->flags & OPT_LATER))
		fprintf(out, "%*sOpposite: --no-%s\n", COLUMN, "", opt->name);
	if (opt->flags & OPT_LATER)
		fprintf(out, "%*sNot part of this version; meanwhile see above.\n", COLUMN, "");
	else if (opt->flags & OPT_CLI_ONLY)
		fprintf(out, "%*sNo profile key.\n", COLUMN, "");
	else
		fprintf(out, "%*sProfile key: %s=%s\n", COLUMN, "", opt->name,
			opt->arg ? opt->arg : "true|false");
}

static const struct option *find_option(const char *topic)
{
	const char *name = topic + strspn(topic, "-");
	const struct option *opt = option_by_name(name, strlen(name));

	if (!opt && name[0] && !name[1])
		opt = option_by_letter(name[0]);
	if (!opt && g_str_has_prefix(name, "no-"))
		opt = option_by_name(name + 3, strlen(name + 3));
	return opt;
}

static void print_verb_topic(FILE *out, const struct verb *verb)
{
	print_verb(out, verb);
	if (!verb->run)
		fprintf(out, "%*sNot part of this version.\n", COLUMN, "");
}

int help_print_topic(FILE *out, const struct verb *verbs, const char *topic, struct err *err)
{
	const struct verb *verb = verb_find(verbs, topic);
	const struct option *opt = find_option(topic);
	const char *nearest;
	char quoted[64];
	bool group;

	if (verb)
		print_verb_topic(out, verb);
	if (opt)
		print_option_topic(out, opt);
	group = print_group(out, topic); /* one word may be several of them: limits */
	if (verb || opt || group)
		return 0;
	err_set(err, ERR_USAGE, 0, "there is no help on '%s'",
		err_quote(quoted, sizeof(quoted), topic));
	nearest = verb_nearest(verbs, topic);
	if (!nearest)
		nearest = option_nearest(topic + strspn(topic, "-"));
	if (nearest)
		return err_fix(err, "did you mean: sandbox help %s", nearest);
	return err_fix(err, "'sandbox --help' lists all verbs and options");
}
