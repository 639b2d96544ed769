// SPDX-License-Identifier: MIT
/* Help and completions name every option and verb that works, and no other as one. Whether the
 * scripts do what they should is tested with the shells themselves (tests/lint/completion). */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>

static int no_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	(void)argv;
	(void)err;
	return 0;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "run",     "COMMAND",  "Run it",              no_run, NULL },
	{ "profile", "list",     "List it's: [things]", no_run, "list show" },
	{ "exec",    "NAME",     "not yet",             NULL,   NULL },
	{ NULL,      NULL,       NULL,                  NULL,   NULL },
};
/* clang-format on */

/* What a printer prints; free() it. */
static char *printed(const char *shell)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct err err;

	if (shell)
		assert_int_equal(complete_print(out, verbs, shell, &err), 0);
	else
		help_print(out, verbs);
	(void)fclose(out);
	return text;
}

/* As a word: not as the beginning of another one. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p++) {
		bool begins = p == text || !(g_ascii_isalnum(p[-1]) || p[-1] == '-');
		bool ends = !(g_ascii_isalnum(p[len]) || p[len] == '-');

		if (begins && ends)
			return true;
	}
	return false;
}

static void each_works_in(const char *shell, const char *dashes)
{
	char *text = printed(shell);

	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);
		g_autofree char *word = g_strconcat(dashes, opt->name, NULL);
		g_autofree char *no = g_strconcat(dashes, "no-", opt->name, NULL);

		if (opt->flags & OPT_LATER) {
			assert_false(has_word(text, word));
			continue;
		}
		assert_true(has_word(text, word));
		if (option_negatable(opt))
			assert_true(has_word(text, no));
		if (opt->words) {
			g_autofree char *first = g_strndup(opt->words, strcspn(opt->words, " "));

			assert_non_null(strstr(text, first));
		}
	}
	assert_true(has_word(text, "profile"));
	assert_false(has_word(text, "exec"));
	assert_non_null(strstr(text, "net_bind_service"));
	free(text);
}

static void bash_names_everything(void **state)
{
	(void)state;
	each_works_in("bash", "--");
}

static void zsh_names_everything(void **state)
{
	(void)state;
	each_works_in("zsh", "--");
}

static void fish_names_everything(void **state)
{
	(void)state;
	each_works_in("fish", "-l ");
}

/* A quote in a text must not end the string it stands in. */
static void texts_are_quoted(void **state)
{
	char *zsh = printed("zsh"), *fish = printed("fish");

	(void)state;
	assert_non_null(strstr(zsh, "'profile:List it'\\''s\\: [things]'"));
	assert_non_null(strstr(fish, "'List it\\'s: [things]'"));
	free(zsh);
	free(fish);
}

static void unknown_shells_are_refused(void **state)
{
	struct err err;

	(void)state;
	assert_true(complete_print(stdout, verbs, "tcsh", &err) < 0);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.fix, "bash"));
}

static void help_names_everything(void **state)
{
	char *text = printed(NULL);

	(void)state;
	for (int id = 0; id < _OPT_MAX; id++) {
		g_autofree char *word = g_strconcat("--", option_row((enum opt_id)id)->name, NULL);

		assert_true(has_word(text, word));
	}
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
}

static void help_on_one_thing(void **state)
{
	/* clang-format off */
	static const struct { const char *topic; bool known; } table[] = {
		{ "volume", true },  { "--volume", true }, { "-v", true },   { "v", true },
		{ "no-tty", true },  { "chdir", true },    { "limits", true }, { "run", true },
		{ "exec", true },    { "memory", true },   { "vlume", false }, { "", false },
		{ "--", false },
	};
	/* clang-format on */
	FILE *out = fopen("/dev/null", "we");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct err err;

		assert_int_equal(help_print_topic(out, verbs, table[i].topic, &err) == 0,
				 table[i].known);
	}
	(void)fclose(out);
}

static void verbs_are_found(void **state)
{
	(void)state;
	assert_ptr_equal(verb_find(verbs, "run"), &verbs[0]);
	assert_null(verb_find(verbs, "ru"));
	assert_string_equal(verb_nearest(verbs, "profil"), "profile");
	assert_null(verb_nearest(verbs, "exex"));
	assert_null(verb_nearest(verbs, "xyzzy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bash_names_everything),
		cmocka_unit_test(zsh_names_everything),
		cmocka_unit_test(fish_names_everything),
		cmocka_unit_test(texts_are_quoted),
		cmocka_unit_test(unknown_shells_are_refused),
		cmocka_unit_test(help_names_everything),
		cmocka_unit_test(help_on_one_thing),
		cmocka_unit_test(verbs_are_found),
	};

	return cmocka_run_group_tests_name("complete", tests, NULL, NULL);
}
