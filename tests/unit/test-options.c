// SPDX-License-Identifier: MIT
/* The option table is sound, and looking things up in it works. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sandbox/options.h>

static const struct option *row(int id)
{
	return option_row((enum opt_id)id);
}

static void every_row_is_filled(void **state)
{
	(void)state;
	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = row(id);

		assert_non_null(opt);
		assert_int_equal(opt->id, id);
		assert_non_null(opt->name);
		assert_non_null(opt->group);
		assert_true(strlen(opt->help) > 5);
		assert_true((opt->kind == OPT_KIND_FLAG) == (opt->arg == NULL));
		if (opt->complete == OPT_COMPLETE_WORDS)
			assert_non_null(opt->words);
		else
			assert_null(opt->words);
	}
	assert_null(option_row(_OPT_MAX));
}

/* One line, nothing a terminal or a completion script would trip over. */
static void help_is_plain_text(void **state)
{
	(void)state;
	for (int id = 0; id < _OPT_MAX; id++) {
		for (const char *p = row(id)->help; *p; p++) {
			assert_true(g_ascii_isprint(*p));
			assert_true(*p != '`' && *p != '\\');
		}
		assert_false(g_str_has_suffix(row(id)->help, "."));
	}
}

static void names_and_letters_are_unique(void **state)
{
	(void)state;
	for (int a = 0; a < _OPT_MAX; a++) {
		assert_ptr_equal(option_by_name(row(a)->name, strlen(row(a)->name)), row(a));
		if (row(a)->alias)
			assert_ptr_equal(option_by_name(row(a)->alias, strlen(row(a)->alias)),
					 row(a));
		if (row(a)->letter)
			assert_ptr_equal(option_by_letter(row(a)->letter), row(a));
	}
}

/* "--no-x" must not be the name of another option too. */
static void negation_is_unambiguous(void **state)
{
	(void)state;
	for (int id = 0; id < _OPT_MAX; id++) {
		g_autofree char *no = g_strconcat("no-", row(id)->name, NULL);

		if (option_negatable(row(id)))
			assert_null(option_by_name(no, strlen(no)));
	}
	assert_true(option_negatable(row(OPT_TTY)));
	assert_false(option_negatable(row(OPT_HELP)));
	assert_false(option_negatable(row(OPT_VOLUME)));
	assert_false(option_negatable(row(OPT_NO_PROFILE)));
}

static void groups_are_contiguous(void **state)
{
	(void)state;
	for (int id = 1; id < _OPT_MAX; id++) {
		if (strcmp(row(id)->group, row(id - 1)->group) == 0)
			continue;
		for (int before = 0; before < id; before++)
			assert_string_not_equal(row(before)->group, row(id)->group);
	}
}

static void lookup_respects_the_length(void **state)
{
	(void)state;
	assert_ptr_equal(option_by_name("rootfs=/x", 6), row(OPT_ROOTFS));
	assert_ptr_equal(option_by_name("root", 4), row(OPT_ROOT));
	assert_ptr_equal(option_by_name("cpu", 3), row(OPT_CPUS));
	assert_ptr_equal(option_by_name("chdir", 5), row(OPT_WORKDIR));
	assert_null(option_by_name("roo", 3));
	assert_null(option_by_name("", 0));
	assert_null(option_by_letter('\0'));
	assert_null(option_by_letter('Z'));
}

static void docker_words_have_their_letters(void **state)
{
	/* clang-format off */
	static const struct { char letter; enum opt_id id; } table[] = {
		{ 'v', OPT_VOLUME }, { 'e', OPT_ENV },     { 'w', OPT_WORKDIR }, { 'u', OPT_USER },
		{ 'm', OPT_MEMORY }, { 't', OPT_TTY },     { 'd', OPT_DETACH },  { 'p', OPT_PUBLISH },
		{ 'q', OPT_QUIET },  { 'h', OPT_HELP },    { 'V', OPT_VERSION },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		assert_int_equal(option_by_letter(table[i].letter)->id, table[i].id);
}

static void the_nearest_name(void **state)
{
	/* clang-format off */
	static const struct { const char *word, *name; } table[] = {
		{ "volum",     "volume" },    { "rootf",     "rootfs" },   { "hostnam",  "hostname" },
		{ "timout",    "timeout" },   { "memroy",    "memory" },   { "work",     "workdir" },
		{ "netwrok",   "network" },   { "cap_drop",  "cap-drop" }, { "Volume",   "volume" },
		{ "readonly",  "read-only" }, { "xyzzy",     NULL },       { "",         NULL },
		{ "a\x1b[31mb", NULL },       { "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *got = option_nearest(table[i].word);

		if (table[i].name)
			assert_string_equal(got, table[i].name);
		else
			assert_null(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_filled),
		cmocka_unit_test(help_is_plain_text),
		cmocka_unit_test(names_and_letters_are_unique),
		cmocka_unit_test(negation_is_unambiguous),
		cmocka_unit_test(groups_are_contiguous),
		cmocka_unit_test(lookup_respects_the_length),
		cmocka_unit_test(docker_words_have_their_letters),
		cmocka_unit_test(the_nearest_name),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
