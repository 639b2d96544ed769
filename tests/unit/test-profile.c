// SPDX-License-Identifier: MIT
/* Profiles: the form, keys, expansion, inheritance and the order of the places. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/profile.h"
#include <sandbox/cli.h>
#include <sandbox/request.h>

/* A home of its own for each test: "<dir>/h:x", so that its path has a colon. */
struct place {
	char *dir, *home, *profiles;
	char *env[2];
};

static int setup(void **state)
{
	struct place *place = g_new0(struct place, 1);

	place->dir = g_dir_make_tmp("test-profile-XXXXXX", NULL);
	place->home = g_strconcat(place->dir, "/h:x", NULL);
	place->profiles = g_strconcat(place->home, "/.config/sandbox/profiles", NULL);
	place->env[0] = g_strconcat("HOME=", place->home, NULL);
	*state = place;
	return g_mkdir_with_parents(place->profiles, 0700);
}

static void remove_tree(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);

	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *below = g_strconcat(path, "/", name, NULL);

		if (g_unlink(below) < 0)
			remove_tree(below);
	}
	if (dir)
		g_dir_close(dir);
	(void)g_rmdir(path);
}

static int teardown(void **state)
{
	struct place *place = *state;

	remove_tree(place->dir);
	g_free(place->dir);
	g_free(place->home);
	g_free(place->profiles);
	g_free(place->env[0]);
	g_free(place);
	return 0;
}

/* Writes a profile of the user and returns its path. */
static char *put_len(const struct place *place, const char *name, const char *text, size_t len)
{
	char *path = g_strdup_printf("%s/%s.conf", place->profiles, name);

	assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
	return path;
}

static void put(const struct place *place, const char *name, const char *text)
{
	g_free(put_len(place, name, text, strlen(text)));
}

/* "volume=/a no-tty@3": the occurrences as text. */
static char *items_text(const struct request *request)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 0; i < request->items->len; i++) {
		const struct occurrence *item =
			&g_array_index(request->items, struct occurrence, i);

		if (item->opt->id == OPT_PROFILE)
			continue;
		g_string_append_printf(text, "%s%s%s%s%s", text->len ? " " : "",
				       item->negated ? "no-" : "", item->opt->name,
				       item->value ? "=" : "", item->value ? item->value : "");
	}
	return g_string_free(text, FALSE);
}

static int parse(struct request *ret, const struct place *place, const char *profile,
		 const char *word, struct err *err)
{
	char *argv[] = { "--profile", (char *)profile, (char *)word, NULL };
	int r;

	memset(err, 0, sizeof(*err));
	r = request_parse(ret, profile ? argv : argv + 2, (char **)place->env, err);
	ret->command = NULL;
	return r;
}

static void assert_items(const struct place *place, const char *profile, const char *items)
{
	g_autofree char *text = NULL;
	struct request request;
	struct err err;

	assert_int_equal(parse(&request, place, profile, "--quiet", &err), 0);
	text = items_text(&request);
	assert_string_equal(text, items);
	request_clear(&request);
}

static void the_form(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *items; } table[] = {
		{ "[sandbox]\n",                                   "quiet" },
		{ "",                                              "quiet" },
		{ "# nothing\n\n",                                 "quiet" },
		{ "[sandbox]\nhostname=a",                         "hostname=a quiet" },
		{ "\xef\xbb\xbf[sandbox]\r\nhostname = a b \r\n",  "hostname=a b quiet" },
		{ "  # x\n [sandbox] \n\t hostname\t=a=b\n",       "hostname=a=b quiet" },
		{ "[sandbox]\nroot=true\ntty=false\n",             "root no-tty quiet" },
		{ "[sandbox]\nenv=A=1;B;C=x\\;y;\n",               "env=A=1 env=B env=C=x;y quiet" },
		{ "[sandbox]\nenv=A=${HOME};B=~\\x\n",             "env=A=${HOME} env=B=~\\x quiet" },
		{ "[sandbox]\nhostname=a;b\n",                     "hostname=a;b quiet" },
		{ "[sandbox]\nenv= A=1 ; B=2 \n",                  "env=A=1 env=B=2 quiet" },
	};
	/* clang-format on */
	const struct place *place = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		put(place, "p", table[i].text);
		assert_items(place, "p", table[i].items);
	}
}

static void faults(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		enum err_code code;
		const char *what, *fix; /* parts */
	} table[] = {
		{ "[sandbox]\ntimout=1\n",           ERR_PROFILE, "'timout'",      "'timeout'" },
		{ "[sandbox]\n\nno-tty=true\n",      ERR_PROFILE, "line 3",        "tty=false" },
		{ "[sandbox]\nchdir=/\n",            ERR_PROFILE, "'chdir'",       "'workdir'" },
		{ "[sandbox]\nInherit=a\n",          ERR_PROFILE, "'Inherit'",     "'inherit'" },
		{ "[sandbox]\nxyzzy=a\n",            ERR_PROFILE, "line 2",        "--help" },
		{ "[sandbox]\na\x1b[31m=a\n",        ERR_PROFILE, "a\\x1b[31m",    "" },
		{ "[sandbox]\nname=a\n",             ERR_OPTION_LATER, "line 2",   "" },
		{ "[sandbox]\nstatus-fd=3\n",        ERR_PROFILE, "'status-fd'",   "--status-fd" },
		{ "[sandbox]\nexplain=true\n",       ERR_PROFILE, "'explain'",     "--explain" },
		{ "[sandbox]\nprofile=a\n",          ERR_PROFILE, "'profile'",     "--profile" },
		{ "[sandbox]\nroot=yes\n",           ERR_PROFILE, "'yes'",         "root=true" },
		{ "[sandbox]\nroot=\n",              ERR_PROFILE, "line 2",        "root=true" },
		{ "[sandbox]\nhostname=\n",          ERR_PROFILE, "line 2",        "hostname=NAME" },
		{ "[sandbox]\nenv=\n",               ERR_PROFILE, "line 2",        "" },
		{ "[sandbox]\nenv=A;;B\n",           ERR_PROFILE, "line 2",        "" },
		{ "[sandbox]\nnice=1\nnice=2\n",     ERR_PROFILE, "line 3",        "" },
		{ "[sandbox]\nenv=A\n#\nenv=B\n",    ERR_PROFILE, "line 4",        "';'" },
		{ "[sandbox]\n[sandbox]\n",          ERR_PROFILE, "line 2",        "" },
		{ "[Sandbox]\n",                     ERR_PROFILE, "'[Sandbox]'",   "[sandbox]" },
		{ "[sandbox]\n[x]\nnice=1\n",        ERR_PROFILE, "line 2",        "" },
		{ "nice=1\n[sandbox]\n",             ERR_PROFILE, "line 1",        "[sandbox]" },
		{ "[sandbox]\nhostname\n",           ERR_PROFILE, "'hostname'",    "KEY=VALUE" },
		{ "[sandbox]\n=x\n",                 ERR_PROFILE, "'=x'",          "KEY=VALUE" },
		{ "[sandbox]\nshow=${FOO}/x\n",      ERR_PROFILE, "line 2",        "${HOME}" },
		{ "[sandbox]\nshow=${HOME\n",        ERR_PROFILE, "line 2",        "${HOME}" },
		{ "[sandbox]\ninherit=nosuch\n",     ERR_PROFILE, "'nosuch'",      "profile list" },
		{ "[sandbox]\ninherit=\n",           ERR_PROFILE, "''",            "" },
		{ "[sandbox]\nenv-file=/nonexistent\n", ERR_FILE, "'/nonexistent'", "" },
	};
	/* clang-format on */
	const struct place *place = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct request request;
		struct err err;

		put(place, "p", table[i].text);
		assert_true(parse(&request, place, "p", NULL, &err) < 0);
		assert_string_equal(err_code_name(err.code), err_code_name(table[i].code));
		assert_non_null(strstr(err.what, table[i].what));
		assert_non_null(strstr(err.fix, table[i].fix));
		request_clear(&request);
	}
}

static void files_that_cannot_be(void **state)
{
	const struct place *place = *state;
	g_autofree char *big = g_strnfill(1024 * 1024 + 1, '#');
	g_autofree char *nul = put_len(place, "nul", "[sandbox]\n\0\n", 12);
	g_autofree char *dir = g_strconcat(place->profiles, "/dir.conf", NULL);
	g_autofree char *fifo = g_strconcat(place->profiles, "/fifo.conf", NULL);
	static const char *const names[] = { "big",  "nul", "dir", "fifo", "none",
					     "../x", ".",   "-x",  "a b" };

	put(place, "big", big);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct request request;
		struct err err;

		assert_true(parse(&request, place, names[i], NULL, &err) < 0);
		assert_int_equal(err.code, ERR_PROFILE);
		request_clear(&request);
	}
}

static void paths_are_expanded(void **state)
{
	const struct place *place = *state;
	g_autofree char *cwd = g_get_current_dir();
	g_autofree char *want = NULL;

	put(place, "p",
	    "[sandbox]\n"
	    "volume=~/a:~/b:ro;/x~:/~;~ann/y:/y;${CWD}/o:${CWD}/o\n"
	    "show=~;${HOME}/s;~/t\n"
	    "rootfs=${CWD}/r\n"
	    "file=~/f=~ ${HOME}\n"
	    "secret=s=~/s;t=env:T\n"
	    "tmpfs=/run/user/${UID}:size=1M\n"
	    "network=ns:~/n\n");
	/* The home has a colon: in a volume it is escaped, elsewhere it is not. */
	want = g_strdup_printf(
		"volume=%1$s/h\\:x/a:%1$s/h\\:x/b:ro volume=/x~:/~ volume=~ann/y:/y "
		"volume=%2$s/o:%2$s/o show=%1$s/h:x show=%1$s/h:x/s show=%1$s/h:x/t "
		"rootfs=%2$s/r file=%1$s/h:x/f=~ ${HOME} secret=s=%1$s/h:x/s secret=t=env:T "
		"tmpfs=/run/user/%3$u:size=1M network=ns:%1$s/h:x/n quiet",
		place->dir, cwd, (unsigned)getuid());
	assert_items(place, "p", want);
}

static void inheritance(void **state)
{
	const struct place *place = *state;
	g_autofree char *file = g_strconcat(place->profiles, "/top.conf", NULL);

	put(place, "base", "[sandbox]\nhostname=base\nenv=A\n");
	put(place, "mid", "[sandbox]\nhostname=mid\ninherit=./base.conf\n");
	put(place, "top", "[sandbox]\nenv=B\ninherit=mid\n");
	assert_items(place, "top", "hostname=base env=A hostname=mid env=B quiet");
	assert_items(place, file, "hostname=base env=A hostname=mid env=B quiet");
}

static void circles_are_refused(void **state)
{
	const struct place *place = *state;
	static const char *const names[] = { "a", "self", "d0" };

	put(place, "a", "[sandbox]\ninherit=b\n");
	put(place, "b", "[sandbox]\ninherit=./a.conf\n");
	put(place, "self", "[sandbox]\ninherit=./self.conf\n");
	for (int i = 0; i < 12; i++) {
		g_autofree char *name = g_strdup_printf("d%d", i);
		g_autofree char *text = g_strdup_printf("[sandbox]\ninherit=d%d\n", i + 1);

		put(place, name, text);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct request request;
		struct err err;

		assert_true(parse(&request, place, names[i], NULL, &err) < 0);
		assert_int_equal(err.code, ERR_PROFILE);
		assert_int_equal(err.num, ELOOP);
		request_clear(&request);
	}
}

/* Eight of them are fine. */
static void a_long_chain(void **state)
{
	const struct place *place = *state;

	for (int i = 1; i < 8; i++) {
		g_autofree char *name = g_strdup_printf("d%d", i);
		g_autofree char *text = g_strdup_printf("[sandbox]\ninherit=d%d\n", i + 1);

		put(place, name, text);
	}
	put(place, "d8", "[sandbox]\nnice=8\n");
	assert_items(place, "d1", "nice=8 quiet");
}

static void the_default(void **state)
{
	const struct place *place = *state;
	char *none[] = { "--no-profile", "--quiet", NULL };
	struct request request;
	struct err err;

	assert_items(place, NULL, "quiet");
	put(place, "default", "[sandbox]\nhostname=mine\n");
	put(place, "other", "[sandbox]\nnice=3\n");
	assert_items(place, NULL, "hostname=mine quiet");
	assert_items(place, "other", "nice=3 quiet");
	assert_int_equal(request_parse(&request, none, (char **)place->env, &err), 0);
	assert_int_equal(request.items->len, 2);
	request_clear(&request);
	put(place, "default", "[sandbox]\nhostnam=mine\n");
	assert_true(parse(&request, place, NULL, "--quiet", &err) < 0);
	assert_int_equal(err.code, ERR_PROFILE);
	request_clear(&request);
}

static void xdg_config_home(void **state)
{
	const struct place *place = *state;
	g_autofree char *config = g_strconcat("XDG_CONFIG_HOME=", place->home, "/.config", NULL);
	char *argv[] = { "--profile=p", NULL };
	/* clang-format off */
	struct { char *env[3]; bool found; } table[] = {
		{ { config, NULL },                                 true },
		{ { config, "HOME=/nonexistent", NULL },            true },
		{ { "XDG_CONFIG_HOME=.config", "HOME=/nonexistent", NULL }, false },
		{ { "XDG_CONFIG_HOME=", place->env[0], NULL },      true },
	};
	/* clang-format on */

	put(place, "p", "[sandbox]\n");
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct request request;
		struct err err;

		assert_int_equal(request_parse(&request, argv, table[i].env, &err) == 0,
				 table[i].found);
		request_clear(&request);
	}
}

static void origins_name_file_and_line(void **state)
{
	const struct place *place = *state;
	g_autofree char *want = g_strconcat(place->profiles, "/p.conf:3", NULL);
	struct request request;
	struct err err;
	char out[512];

	put(place, "p", "[sandbox]\n\nnice=1\n");
	assert_int_equal(parse(&request, place, "p", NULL, &err), 0);
	assert_string_equal(request_origin(&request, 1, out, sizeof(out)), want);
	assert_string_equal(request_origin(&request, 2, out, sizeof(out)), "--profile no. 1");
	request_clear(&request);
}

static void splitting(void **state)
{
	/* clang-format off */
	static const struct { const char *text; const char *items[4]; } table[] = {
		{ "a",          { "a" } },
		{ "a;b",        { "a", "b" } },
		{ "a;b;",       { "a", "b" } },
		{ " a ; b ",    { "a", "b" } },
		{ "a\\;b;c",    { "a;b", "c" } },
		{ "a\\:b\\c",   { "a\\:b\\c" } },
		{ "",           { NULL } },
		{ ";",          { NULL } },
		{ "a;;b",       { NULL } },
		{ "a; ;b",      { NULL } },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		g_auto(GStrv) got = profile_split(table[i].text);

		if (!table[i].items[0]) {
			assert_null(got);
			continue;
		}
		for (size_t n = 0; table[i].items[n]; n++)
			assert_string_equal(got[n], table[i].items[n]);
		assert_int_equal(g_strv_length(got), g_strv_length((char **)table[i].items));
	}
}

static void the_list(void **state)
{
	const struct place *place = *state;
	g_autoptr(GArray) list = NULL;
	bool found = false;

	put(place, "zz-mine", "[sandbox]\n");
	list = profile_list((char **)place->env);
	for (unsigned i = 0; i < list->len; i++)
		found |= strcmp(g_array_index(list, struct profile_entry, i).name, "zz-mine") == 0;
	assert_true(found);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		TEST(the_form), TEST(faults), TEST(files_that_cannot_be), TEST(paths_are_expanded),
		TEST(inheritance), TEST(circles_are_refused), TEST(a_long_chain), TEST(the_default),
		TEST(xdg_config_home), TEST(origins_name_file_and_line), TEST(splitting),
		TEST(the_list),
	};
	/* clang-format on */

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
