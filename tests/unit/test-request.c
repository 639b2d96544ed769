// SPDX-License-Identifier: MIT
/* Words of a command line become occurrences, or one clear error. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <sandbox/request.h>

#define WORDS 12

/* No profile may come from the machine the test runs on: HOME is empty, and /etc is asked for
 * nothing because --no-profile is put in front. */
static int parse_into(struct request *ret, char **argv, const char *const *words, struct err *err)
{
	char *env[] = { "HOME=/nonexistent", NULL };

	argv[0] = "--no-profile";
	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = (char *)words[i];
	memset(err, 0, sizeof(*err));
	return request_parse(ret, argv, env, err);
}

/* The same where the command, which points into argv, is not looked at. */
static int parse(struct request *ret, const char *const *words, struct err *err)
{
	char *argv[WORDS + 2] = { NULL };
	int r = parse_into(ret, argv, words, err);

	ret->command = NULL;
	return r;
}

/* "volume=/a no-tty quiet": the occurrences as text, without the first --no-profile. */
static char *items_text(const struct request *request)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 1; i < request->items->len; i++) {
		const struct occurrence *item =
			&g_array_index(request->items, struct occurrence, i);

		g_string_append_printf(text, "%s%s%s%s%s", text->len ? " " : "",
				       item->negated ? "no-" : "", item->opt->name,
				       item->value ? "=" : "", item->value ? item->value : "");
	}
	return g_string_free(text, FALSE);
}

static void good_words(void **state)
{
	/* clang-format off */
	static const struct {
		const char *words[WORDS];
		const char *items, *command;
		bool dashes;
	} table[] = {
		{ { NULL },                                    "",                   NULL,   false },
		{ { "--", "ls", "-l", NULL },                  "",                   "ls",   true },
		{ { "ls", "--quiet", NULL },                   "",                   "ls",   false },
		{ { "--", NULL },                              "",                   NULL,   true },
		{ { "--", "--", NULL },                        "",                   "--",   true },
		{ { "-", NULL },                               "",                   "-",    false },
		{ { "--", "", NULL },                          "",                   "",     true },
		{ { "--hostname=a", "--hostname", "b", NULL }, "hostname=a hostname=b", NULL, false },
		{ { "--hostname=", NULL },                     "hostname=",          NULL,   false },
		{ { "--hostname", "", NULL },                  "hostname=",          NULL,   false },
		{ { "--env=A=1", "-eB=2", "-e", "C=3", NULL }, "env=A=1 env=B=2 env=C=3", NULL, false },
		{ { "-e", "=x", NULL },                        "env==x",             NULL,   false },
		{ { "-w/src", NULL },                          "workdir=/src",       NULL,   false },
		{ { "--chdir", "/src", NULL },                 "workdir=/src",       NULL,   false },
		{ { "-qt", "--", "x", NULL },                  "quiet tty",          "x",    true },
		{ { "-qtw", "/", "x", NULL },                  "quiet tty workdir=/", "x",   false },
		{ { "-qe", "A", NULL },                        "quiet env=A",        NULL,   false },
		{ { "--root", "--no-root", NULL },             "root no-root",       NULL,   false },
		{ { "--no-tty", "--no-quiet", NULL },          "no-tty no-quiet",    NULL,   false },
		{ { "--nice", "-5", NULL },                    "nice=-5",            NULL,   false },
		{ { "--report", "-", NULL },                   "report=-",           NULL,   false },
		{ { "--argv0=--", NULL },                      "argv0=--",           NULL,   false },
		{ { "--argv0", "--x", NULL },                  "argv0=--x",          NULL,   false },
		{ { "--explain", "--", "x", NULL },            "explain",            "x",    true },
		{ { "--help", "--nosuch", NULL },              "help",               NULL,   false },
		{ { "-qh", "--nosuch", NULL },                 "quiet help",         NULL,   false },
		{ { "-hZ", NULL },                             "help",               NULL,   false },
		{ { "-V", "--", "x", NULL },                   "version",            NULL,   false },
		{ { "--", "x", "--help", NULL },               "",                   "x",    true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *text = NULL;
		char *argv[WORDS + 2] = { NULL };
		struct request request;
		struct err err;

		assert_int_equal(parse_into(&request, argv, table[i].words, &err), 0);
		text = items_text(&request);
		assert_string_equal(text, table[i].items);
		assert_int_equal(request.dashes, table[i].dashes);
		assert_int_equal(request_check_dashes(&request, &err) == 0,
				 table[i].dashes || !table[i].command);
		if (table[i].command)
			assert_string_equal(request.command[0], table[i].command);
		else
			assert_null(request.command);
		request_clear(&request);
	}
}

static void bad_words(void **state)
{
	/* clang-format off */
	static const struct {
		const char *words[WORDS];
		enum err_code code;
		const char *what, *fix; /* parts of the text */
	} table[] = {
		{ { "--nosuch", NULL },         ERR_OPTION_UNKNOWN, "'--nosuch'",    "--help" },
		{ { "--rootf=/x", NULL },       ERR_OPTION_UNKNOWN, "'--rootf'",     "--rootfs?" },
		{ { "--no-quit", NULL },        ERR_OPTION_UNKNOWN, "'--no-quit'",   "--no-quiet?" },
		{ { "--=x", NULL },             ERR_OPTION_UNKNOWN, "'--'",          "--help" },
		{ { "--a\x1b[31m\nb", NULL },   ERR_OPTION_UNKNOWN, "--a\\x1b[31m\\x0ab", "" },
		{ { "-Z", NULL },               ERR_OPTION_UNKNOWN, "'-Z'",          "--help" },
		{ { "-qZ", NULL },              ERR_OPTION_UNKNOWN, "'-Z'",          "" },
		{ { "-it", NULL },              ERR_OPTION_UNKNOWN, "'-i'",          "leave it out" },
		{ { "-rootfs", NULL },          ERR_OPTION_UNKNOWN, "'-r'",          "--rootfs" },
		{ { "--rm", NULL },             ERR_OPTION_UNKNOWN, "'--rm'",        "leave it out" },
		{ { "--ro-bind", "/", NULL },   ERR_OPTION_UNKNOWN, "'--ro-bind'",   ":ro" },
		{ { "--net=host", NULL },       ERR_OPTION_UNKNOWN, "'--net'",       "--network" },
		{ { "--quiet=yes", NULL },      ERR_USAGE,          "--quiet",       "--no-quiet" },
		{ { "--no-quiet=1", NULL },     ERR_USAGE,          "--quiet",       "--no-quiet" },
		{ { "-q=1", NULL },             ERR_USAGE,          "--quiet",       "--no-quiet" },
		{ { "--help=x", NULL },         ERR_USAGE,          "--help",        "--help" },
		{ { "--no-help", NULL },        ERR_USAGE,          "--help",        "" },
		{ { "--no-hostname", NULL },    ERR_USAGE,          "--no-hostname", "" },
		{ { "--rootfs", NULL },         ERR_USAGE,          "--rootfs",      "--rootfs=DIR" },
		{ { "-v", NULL },               ERR_USAGE,          "--volume",      "SRC" },
		{ { "-qv", NULL },              ERR_USAGE,          "--volume",      "SRC" },
		{ { "--rootfs", "--", NULL },   ERR_USAGE,          "--rootfs",      "DIR" },
		{ { "-e", "--clear-env", NULL }, ERR_USAGE,         "--env",         "NAME" },
		{ { "-w=/x", NULL },            ERR_USAGE,          "-w",            "--workdir=VALUE" },
		{ { "--name", "a", NULL },      ERR_OPTION_LATER,   "--name is",     "" },
		{ { "--name=a", NULL },         ERR_OPTION_LATER,   "--name is",     "" },
		{ { "-qd", NULL },              ERR_OPTION_LATER,   "-d (--detach)", "" },
		{ { "--overlay", NULL },        ERR_OPTION_LATER,   "--overlay is",  "" },
		{ { "--env-file", "/nonexistent/x", NULL }, ERR_FILE, "'/nonexistent/x'", "" },
		{ { "--env-file=/", NULL },     ERR_FILE,           "'/'",           "" },
		{ { "--env-file=/dev/zero", NULL }, ERR_FILE,       "'/dev/zero'",   "" },
		{ { "--profile=nosuch", NULL }, ERR_PROFILE,        "'nosuch'",      "profile list" },
		{ { "--profile=./nosuch", NULL }, ERR_PROFILE,      "'./nosuch'",    "" },
		{ { "--profile=/", NULL },      ERR_PROFILE,        "'/'",           "" },
		{ { "--profile=", NULL },       ERR_PROFILE,        "''",            "" },
		{ { "--profile=x\ny", NULL },   ERR_PROFILE,        "'x\\x0ay'",     "" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct request request;
		struct err err;

		assert_true(parse(&request, table[i].words, &err) < 0);
		assert_string_equal(err_code_name(err.code), err_code_name(table[i].code));
		assert_non_null(strstr(err.what, table[i].what));
		assert_non_null(strstr(err.fix, table[i].fix));
		request_clear(&request);
	}
}

/* Every row that works can be given in every spelling; every other is refused by name. */
static void every_row_can_be_given(void **state)
{
	(void)state;
	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);
		g_autofree char *word = g_strdup_printf("--%s", opt->name);
		const char *words[] = { word, opt->kind == OPT_KIND_FLAG ? NULL : "/dev/null",
					NULL };
		struct request request;
		struct err err;
		int r = parse(&request, words, &err);

		if (opt->flags & OPT_LATER)
			assert_int_equal(err.code, ERR_OPTION_LATER);
		else
			assert_int_equal(r, 0);
		request_clear(&request);
	}
}

static void origins_have_names(void **state)
{
	static const char *const words[] = {
		"-v/a", "--timeout=1", "--volume", "/b", "--timeout=2", "--no-tty", NULL,
	};
	/* clang-format off */
	static const char *const names[] = {
		"", "--no-profile", "--volume no. 1", "--timeout", "--volume no. 2",
		"--timeout no. 2", "--no-tty", "",
	};
	/* clang-format on */
	struct request request;
	struct err err;
	char out[64], tiny[4];

	(void)state;
	assert_int_equal(parse(&request, words, &err), 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		assert_string_equal(request_origin(&request, i, out, sizeof(out)), names[i]);
	assert_string_equal(request_origin(&request, UINT32_MAX, out, sizeof(out)), "");
	assert_string_equal(request_origin(&request, 2, tiny, sizeof(tiny)), "--v");
	request_clear(&request);
}

static void the_last_flag_decides(void **state)
{
	static const char *const words[] = { "--explain", "--tty", "--no-explain", NULL };
	struct request request;
	struct err err;

	(void)state;
	assert_int_equal(parse(&request, words, &err), 0);
	assert_false(request.explain);
	assert_false(request_has(&request, OPT_EXPLAIN));
	assert_true(request_has(&request, OPT_TTY));
	assert_false(request_has(&request, OPT_QUIET));
	request_clear(&request);
}

/* ---- environment files ---- */

static char *file_with(const char *text, size_t len)
{
	char *path = NULL;
	int fd = g_file_open_tmp("test-request-XXXXXX", &path, NULL);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	(void)close(fd);
	return path;
}

static void env_file_lines(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "A=1\r\n\r\n# note\n  B\t\n C= x # y \nD=a=b\nE=";
	g_autofree char *path = file_with(text, sizeof(text) - 1);
	const char *words[] = { "-e", "X=0", "--env-file", path, "-e", "Y=1", NULL };
	g_autofree char *items = NULL, *origin = g_strdup_printf("%s:4", path);
	struct request request;
	struct err err;
	char out[256];

	(void)state;
	assert_int_equal(parse(&request, words, &err), 0);
	items = items_text(&request);
	assert_string_equal(items, "env=X=0 env=A=1 env=B env=C= x # y  env=D=a=b env=E= env=Y=1");
	assert_string_equal(request_origin(&request, 4, out, sizeof(out)), origin);
	/* What is cut off is the beginning: the line matters most. */
	assert_string_equal(request_origin(&request, 4, out, strlen(origin)) + 3, origin + 4);
	request_clear(&request);
	(void)g_unlink(path);
}

static void env_file_faults(void **state)
{
	/* clang-format off */
	static const struct { const char *text; size_t len; const char *what; } table[] = {
		{ "A=1\n\n=x\n",        8,  ":3" },
		{ "A=1\nexport B=2\n",  15, ":2" },
		{ "A B=1\n",            6,  ":1" },
		{ "A\0B\n",             4,  "cannot read" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *path = file_with(table[i].text, table[i].len);
		const char *words[] = { "--env-file", path, NULL };
		struct request request;
		struct err err;
		char out[256];

		assert_true(parse(&request, words, &err) < 0);
		assert_int_equal(err.code, ERR_FILE);
		assert_non_null(strstr(err.what, path));
		assert_non_null(strstr(err.what, table[i].what));
		assert_string_equal(request_origin(&request, err.origin, out, sizeof(out)),
				    "--env-file no. 1");
		request_clear(&request);
		(void)g_unlink(path);
	}
}

static void values_of_128_kib_are_refused(void **state)
{
	g_autofree char *text = g_strnfill(128 * 1024, 'x');
	g_autofree char *value = g_strconcat("--hostname=", text, NULL);
	const char *words[] = { value, NULL };
	g_autofree char *path = NULL;
	struct request request;
	struct err err;

	(void)state;
	assert_true(parse(&request, words, &err) < 0);
	assert_int_equal(err.code, ERR_VALUE);
	request_clear(&request);

	text[1] = '=';
	path = file_with(text, strlen(text));
	words[0] = value;
	g_free(value);
	value = g_strconcat("--env-file=", path, NULL);
	words[0] = value;
	assert_true(parse(&request, words, &err) < 0);
	assert_int_equal(err.code, ERR_VALUE);
	request_clear(&request);
	(void)g_unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_words),
		cmocka_unit_test(bad_words),
		cmocka_unit_test(every_row_can_be_given),
		cmocka_unit_test(origins_have_names),
		cmocka_unit_test(the_last_flag_decides),
		cmocka_unit_test(env_file_lines),
		cmocka_unit_test(env_file_faults),
		cmocka_unit_test(values_of_128_kib_are_refused),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
