// SPDX-License-Identifier: MIT
/*
 * Completions for bash, zsh and fish, printed from the tables of options and verbs. Each script is
 * a fixed frame with the rows in between; the frame finds out where the cursor is (a verb, an
 * option, its value, the command), the rows say what may stand there. What stands behind `--` is
 * left to the shell's own completion of that command.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>

#include "complete.h"

/* ---- what the rows say ---- */

static bool is_offered(const struct option *opt)
{
	return !(opt->flags & OPT_LATER);
}

/* Comma lists go on behind a comma. */
bool complete_is_comma_list(const struct option *opt)
{
	return opt->arg && strcmp(opt->arg, "LIST") == 0;
}

/* The words of a capability list, of the library this was built with. */
static void add_caps(GString *words)
{
	g_string_append(words, "all");
	for (int value = 0; value < 64; value++) {
		char *name = cap_to_name((cap_value_t)value);

		if (name && g_str_has_prefix(name, "cap_"))
			g_string_append_printf(words, " %s", name + strlen("cap_"));
		(void)cap_free(name);
	}
}

char *complete_words(const struct option *opt)
{
	GString *words = g_string_new(opt->words);

	if (opt->complete == OPT_COMPLETE_CAP)
		add_caps(words);
	return g_string_free(words, FALSE);
}

/* Every spelling of an option: "-v", "--volume", ... */
char *complete_spellings(const struct option *opt, const char *separator)
{
	GString *all = g_string_new(NULL);

	if (opt->letter)
		g_string_append_printf(all, "-%c%s", opt->letter, separator);
	g_string_append_printf(all, "--%s", opt->name);
	if (opt->alias)
		g_string_append_printf(all, "%s--%s", separator, opt->alias);
	return g_string_free(all, FALSE);
}

void complete_put_spellings(FILE *out, const struct option *opt)
{
	g_autofree char *all = complete_spellings(opt, " ");

	fprintf(out, " %s", all);
}

/* Calls `put` for every option that works, or only for those with a value. */
void complete_each(FILE *out, void (*put)(FILE *out, const struct option *opt), bool valued)
{
	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);

		if (is_offered(opt) && (!valued || opt->kind != OPT_KIND_FLAG))
			put(out, opt);
	}
}

/* ---- the door ---- */

/* clang-format off */
static const struct shell {
	const char *name;
	void (*print)(FILE *out, const struct verb *verbs);
} shells[] = {
	{ "bash", complete_bash },
	{ "zsh",  complete_zsh  },
	{ "fish", complete_fish },
};
/* clang-format on */

int complete_print(FILE *out, const struct verb *verbs, const char *shell, struct err *err)
{
	char quoted[64];

	for (size_t i = 0; i < G_N_ELEMENTS(shells); i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(out, verbs);
			return 0;
		}
	}
	err_set(err, ERR_USAGE, 0, "there is no completion for the shell '%s'",
		err_quote(quoted, sizeof(quoted), shell));
	return err_fix(err, "sandbox completion bash|zsh|fish");
}
