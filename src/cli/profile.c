// SPDX-License-Identifier: MIT
/*
 * Profiles (sandbox-profile(5)): options in a file, expanded into occurrences in front of those of
 * the command line. They are read in the launcher, with the caller's rights, before anything is
 * created. A profile can do nothing that the command line cannot, so it needs no trust of its own;
 * but what it says must not be misread either: an unknown key, a key given twice, a second group
 * are errors, since a protection that was skipped looks like one that holds.
 *
 * The form is that of GLib's key files, without escapes. GKeyFile itself merges doubled keys and
 * groups in silence and knows no line numbers; a second scanner beside it for those could read the
 * same file differently. So there is one scanner, below.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>
#include <sandbox/request.h>
#include <sandbox/value.h>

#include "config.h"
#include "profile.h"
#include "textfile.h"

#define DEPTH_MAX 8 /* profiles that inherit each other */

static const struct text_kind profile_kind = { ERR_PROFILE, "the profile", false };
static const struct text_kind profile_kind_searched = { ERR_PROFILE, "the profile", true };

/* One profile being read, and the one that inherits it. */
struct reading {
	const char *name; /* as asked for */
	const char *file;
	int place; /* index of its directory; -1: a file that was named */
	struct stat st;
	unsigned depth;
	const struct reading *heir;
};

static int fail_at(struct err *err, const struct reading *at, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "unknown key 'timout' in '/home/ann/py.conf', line 5" */
static int fail_line(struct err *err, const char *file, unsigned line, const char *what)
{
	char quoted[256];

	return err_set(err, ERR_PROFILE, 0, "%s in '%s', line %u", what,
		       err_quote(quoted, sizeof(quoted), file), line);
}

static int fail_at(struct err *err, const struct reading *at, unsigned line, const char *fmt, ...)
{
	g_autofree char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	return fail_line(err, at->file, line, what);
}

/* ---- where profiles are ---- */

/* The home of the password file, for a caller without HOME. */
static char *home_from_passwd(void)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd row = { 0 }, *pw;
	char *home = NULL;
	char text[4096];

	if (!file)
		return NULL;
	while (!home && fgetpwent_r(file, &row, text, sizeof(text), &pw) == 0) {
		if (pw->pw_uid == getuid())
			home = g_strdup(pw->pw_dir);
	}
	(void)fclose(file);
	return home;
}

static char *home_find(char **env)
{
	const char *home = g_environ_getenv(env, "HOME");

	return home && *home == '/' ? g_strdup(home) : home_from_passwd();
}

static char *place_user(char **env)
{
	const char *config = g_environ_getenv(env, "XDG_CONFIG_HOME");
	g_autofree char *home = NULL;

	if (config && *config == '/')
		return g_strconcat(config, "/sandbox/profiles", NULL);
	home = home_find(env);
	return home ? g_strconcat(home, "/.config/sandbox/profiles", NULL) : NULL;
}

static char *place_system(char **env)
{
	(void)env;
	return g_strdup(SANDBOX_SYSCONFDIR "/sandbox/profiles");
}

/* The directory the program lies in; never taken from the environment or argv[0]. */
static char *program_dir(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return g_path_get_dirname(path);
}

/* <prefix>/bin/sandbox has <prefix>/share. */
static char *place_beside(char **env)
{
	g_autofree char *bin = program_dir();
	g_autofree char *prefix = bin ? g_path_get_dirname(bin) : NULL;

	(void)env;
	return prefix ? g_build_filename(prefix, "share/sandbox/profiles", NULL) : NULL;
}

/* A build folder has the program in src/ and the profiles in data/. */
static char *place_build(char **env)
{
	g_autofree char *src = program_dir();
	g_autofree char *top =
		src && g_str_has_suffix(src, "/src") ? g_path_get_dirname(src) : NULL;

	(void)env;
	return top ? g_build_filename(top, "data/profiles", NULL) : NULL;
}

static char *place_shipped(char **env)
{
	(void)env;
	return g_strdup(SANDBOX_PKGDATADIR "/profiles");
}

/* In the order of the search. The first ones are the user's and the administrator's; the shipped
 * `default` only writes down what is built in, so it is not looked for by itself. */
static char *(*const places[])(char **env) = {
	place_user, place_system, place_beside, place_build, place_shipped,
};
#define PLACES            ((int)G_N_ELEMENTS(places))
#define PLACES_OF_DEFAULT 2

/* A name, not a path and not an option: what may stand in front of ".conf". */
static bool name_is_valid(const char *name)
{
	return *name && *name != '.' && *name != '-' && strlen(name) <= 64 &&
	       name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._+-")] == '\0';
}

/* Looks for NAME.conf from the place `first` on; false if no place has it. A directory that may
 * not be searched is none of ours (HOME left over from another user); a file that is there counts,
 * readable or not, so that reading it fails aloud. */
static bool profile_find(const char *name, int first, int last, char **env, char **ret_file,
			 int *ret_place)
{
	for (int i = first; i < last; i++) {
		g_autofree char *dir = places[i](env);
		g_autofree char *file = dir ? g_strconcat(dir, "/", name, ".conf", NULL) : NULL;
		struct stat st;

		if (!file || stat(file, &st) < 0)
			continue;
		*ret_file = g_steal_pointer(&file);
		*ret_place = i;
		return true;
	}
	return false;
}

/* ---- the form ---- */

static int scan_group(char *line, const char *file, unsigned line_no, bool *inside, struct err *err)
{
	char quoted[64];

	if (strcmp(line, "[sandbox]") != 0) {
		g_autofree char *what = g_strdup_printf("unknown group '%s'",
							err_quote(quoted, sizeof(quoted), line));

		fail_line(err, file, line_no, what);
		err_cause(err, "a profile has one group, [sandbox]");
		return err_fix(err, "put all keys under one line [sandbox]");
	}
	if (*inside) {
		fail_line(err, file, line_no, "a second group [sandbox]");
		return err_fix(err, "delete this line");
	}
	*inside = true;
	return 0;
}

static int scan_row(struct profile_row *ret, char *line, const char *file, unsigned line_no,
		    struct err *err)
{
	char *equals = strchr(line, '=');
	char quoted[128];

	if (!equals || equals == line) {
		g_autofree char *what = g_strdup_printf("no key and value but '%s'",
							err_quote(quoted, sizeof(quoted), line));

		fail_line(err, file, line_no, what);
		return err_fix(err, "write KEY=VALUE, or # in front of a comment");
	}
	*equals = '\0';
	ret->key = g_strchomp(line);
	ret->value = g_strchug(equals + 1);
	ret->line = line_no;
	return 0;
}

int profile_scan(GArray *rows, char *text, const char *file, struct err *err)
{
	bool inside = false;
	unsigned line_no = 0;
	char *line;

	while ((line = text_line(&text, &line_no))) {
		struct profile_row row;
		int r;

		line = g_strstrip(line);
		if (*line == '\0' || *line == '#')
			continue;
		if (*line == '[') {
			r = scan_group(line, file, line_no, &inside, err);
			if (r < 0)
				return r;
			continue;
		}
		if (!inside) {
			fail_line(err, file, line_no, "a key before the group");
			return err_fix(err, "put a line [sandbox] in front of the keys");
		}
		r = scan_row(&row, line, file, line_no, err);
		if (r < 0)
			return r;
		g_array_append_val(rows, row);
	}
	return 0;
}

char **profile_split(const char *value)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
	const char *p = value;

	while (*p) {
		g_autoptr(GString) item = g_string_new(NULL);

		for (; *p && *p != ';'; p++) {
			if (*p == '\\' && p[1] == ';')
				p++;
			g_string_append_c(item, *p);
		}
		g_strstrip(item->str);
		if (*item->str == '\0')
			return NULL;
		g_ptr_array_add(items, g_strdup(item->str));
		p += *p == ';';
	}
	if (items->len == 0)
		return NULL;
	g_ptr_array_add(items, NULL);
	return (char **)g_ptr_array_steal(items, NULL);
}

/* ---- expansion of paths ---- */

/* Where ~ may stand besides the beginning, and where expansion ends. */
/* clang-format off */
static const struct path_key {
	enum opt_id id;
	bool colons;    /* ':' separates, so one that is inserted gets a backslash */
	char end;       /* nothing behind the first of these is expanded */
	const char *tilde_after;
} path_keys[] = {
	{ OPT_ROOTFS,   false,  0,   "" },
	{ OPT_HOME,     false,  0,   "" },
	{ OPT_WORKDIR,  false,  0,   "" },
	{ OPT_SHOW,     false,  0,   "" },
	{ OPT_HIDE,     false,  0,   "" },
	{ OPT_PROTECT,  false,  0,   "" },
	{ OPT_VOLUME,   true,   0,   ":" },
	{ OPT_TMPFS,    true,   0,   "" },
	{ OPT_FILE,     false,  '=', "" },
	{ OPT_SECRET,   false,  0,   "=" },
	{ OPT_ENV_FILE, false,  0,   "" },
	{ OPT_NETWORK,  false,  0,   ":" },
};
/* clang-format on */

static const struct path_key *path_key_find(enum opt_id id)
{
	for (size_t i = 0; i < G_N_ELEMENTS(path_keys); i++) {
		if (path_keys[i].id == id)
			return &path_keys[i];
	}
	return NULL;
}

static char *insert_home(char **env)
{
	return home_find(env);
}

static char *insert_cwd(char **env)
{
	char cwd[4096];

	(void)env;
	return getcwd(cwd, sizeof(cwd)) && *cwd == '/' ? g_strdup(cwd) : NULL;
}

static char *insert_uid(char **env)
{
	(void)env;
	return g_strdup_printf("%u", (unsigned)getuid());
}

/* clang-format off */
static const struct insert {
	const char *name;
	char *(*get)(char **env);
	const char *missing;
} inserts[] = {
	{ "~",       insert_home, "HOME is not set and /etc/passwd does not know you" },
	{ "${HOME}", insert_home, "HOME is not set and /etc/passwd does not know you" },
	{ "${CWD}",  insert_cwd,  "the current directory has no path" },
	{ "${UID}",  insert_uid,  "" },
};
/* clang-format on */

static const struct insert *insert_at(const char *p, const char *value, const struct path_key *key)
{
	if (*p == '~') {
		bool begins = p == value || strchr(key->tilde_after, p[-1]);
		bool ends = p[1] == '/' || p[1] == '\0' || (key->colons && p[1] == ':');

		return begins && ends ? &inserts[0] : NULL;
	}
	for (size_t i = 1; i < G_N_ELEMENTS(inserts); i++) {
		if (g_str_has_prefix(p, inserts[i].name))
			return &inserts[i];
	}
	return NULL;
}

/* A backslash in front of a colon would change its meaning, and a volume has no other escape. */
static int insert_text(GString *out, const char *text, const struct path_key *key,
		       const struct reading *at, const struct profile_row *row, struct err *err)
{
	if (key->colons && strchr(text, '\\')) {
		fail_at(err, at, row->line, "cannot use a path with a backslash for '%s'",
			row->key);
		return err_fix(err, "write the path without ~ and ${...}");
	}
	for (; *text; text++) {
		if (key->colons && *text == ':')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *text);
	}
	return 0;
}

static int value_expand(GString *out, const struct option *opt, const char *value, char **env,
			const struct reading *at, const struct profile_row *row, struct err *err)
{
	const struct path_key *key = path_key_find(opt->id);
	const char *p = value;

	for (; key && *p && !(key->end && *p == key->end);) {
		const struct insert *insert = insert_at(p, value, key);
		g_autofree char *text = NULL;
		int r;

		if (!insert && g_str_has_prefix(p, "${")) {
			fail_at(err, at, row->line, "unknown ${...} for '%s'", row->key);
			return err_fix(err, "${HOME}, ${CWD}, ${UID} and a leading ~ are replaced");
		}
		if (!insert) {
			g_string_append_c(out, *p++);
			continue;
		}
		text = insert->get(env);
		if (!text) {
			fail_at(err, at, row->line, "cannot replace '%s'", insert->name);
			return err_cause(err, "%s", insert->missing);
		}
		r = insert_text(out, text, key, at, row, err);
		if (r < 0)
			return r;
		p += strlen(insert->name);
	}
	g_string_append(out, p);
	return 0;
}

/* ---- keys ---- */

struct profile {
	GArray *items; /* struct occurrence: where it all goes */
	char **env;
	const struct reading *at;
};

static int key_unknown(const struct profile *to, const struct profile_row *row, struct err *err)
{
	const char *bare = g_str_has_prefix(row->key, "no-") ? row->key + 3 : NULL;
	const struct option *flag = bare ? option_by_name(bare, strlen(bare)) : NULL;
	const char *nearest = option_nearest(row->key);
	char quoted[64];

	fail_at(err, to->at, row->line, "unknown key '%s'",
		err_quote(quoted, sizeof(quoted), row->key));
	if (flag && option_negatable(flag))
		return err_fix(err, "write %s=false", flag->name);
	if (g_ascii_strncasecmp(row->key, "inherit", 4) == 0)
		return err_fix(err, "did you mean 'inherit'?");
	if (nearest)
		return err_fix(err, "did you mean '%s'?", nearest);
	return err_fix(err, "keys are the long names of options: sandbox --help");
}

/* Whether this version takes the key from a file at all. */
static int key_check(const struct profile *to, const struct option *opt,
		     const struct profile_row *row, struct err *err)
{
	if (opt->flags & OPT_LATER) {
		char quoted[256];

		err_set(err, ERR_OPTION_LATER, 0,
			"'%s' in '%s', line %u, is not part of this version", opt->name,
			err_quote(quoted, sizeof(quoted), to->at->file), row->line);
		return err_fix(err, "%s", opt->help);
	}
	if (opt->flags & OPT_CLI_ONLY) {
		fail_at(err, to->at, row->line, "'%s' cannot be used", opt->name);
		err_cause(err, "it describes one run, and a profile many");
		return err_fix(err, "give it on the command line: --%s", opt->name);
	}
	return 0;
}

static int key_check_twice(const struct profile *to, const GArray *rows, unsigned nth,
			   struct err *err)
{
	const struct profile_row *all = (const void *)rows->data, *row = &all[nth];

	for (unsigned i = 0; i < nth; i++) {
		if (strcmp(all[i].key, row->key) != 0)
			continue;
		fail_at(err, to->at, row->line, "the key '%s' a second time", row->key);
		err_cause(err, "it stands in line %u already", all[i].line);
		return err_fix(err, "keep one of them; the items of a list are separated by ';'");
	}
	return 0;
}

static void item_add(const struct profile *to, const struct option *opt,
		     const struct profile_row *row, const char *value, bool negated)
{
	/* clang-format off */
	struct occurrence item = {
		.opt = opt, .value = g_strdup(value), .negated = negated,
		.origin = ORIGIN_PROFILE, .file = g_strdup(to->at->file), .nth = row->line,
	};
	/* clang-format on */

	g_array_append_val(to->items, item);
}

static int flag_add(const struct profile *to, const struct option *opt,
		    const struct profile_row *row, struct err *err)
{
	bool yes = strcmp(row->value, "true") == 0;
	char quoted[64];

	if (!yes && strcmp(row->value, "false") != 0) {
		fail_at(err, to->at, row->line, "wrong value '%s' of the flag '%s'",
			err_quote(quoted, sizeof(quoted), row->value), row->key);
		return err_fix(err, "write %s=true or %s=false", row->key, row->key);
	}
	item_add(to, opt, row, NULL, !yes);
	return 0;
}

static int value_add(const struct profile *to, const struct option *opt,
		     const struct profile_row *row, const char *value, struct err *err)
{
	g_autoptr(GString) expanded = g_string_new(NULL);
	g_autofree char *where =
		g_strdup_printf("'%s' in %s, line %u", row->key, to->at->file, row->line);
	int r = value_expand(expanded, opt, value, to->env, to->at, row, err);

	if (r < 0)
		return r;
	r = value_check_length(expanded->str, where, err);
	if (r < 0)
		return r;
	if (opt->id == OPT_ENV_FILE) {
		r = env_file_expand(to->items, expanded->str, err);
		if (r < 0) {
			item_add(to, opt, row, expanded->str, false);
			return err_origin(err, to->items->len);
		}
		return 0;
	}
	item_add(to, opt, row, expanded->str, false);
	return 0;
}

static int list_add(const struct profile *to, const struct option *opt,
		    const struct profile_row *row, struct err *err)
{
	g_auto(GStrv) values = profile_split(row->value);

	if (!values) {
		fail_at(err, to->at, row->line, "an empty item of the list '%s'", row->key);
		return err_fix(err, "separate items by one ';', and a ';' inside of one by '\\;'");
	}
	for (char **value = values; *value; value++) {
		int r = value_add(to, opt, row, *value, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int key_add(const struct profile *to, const struct profile_row *row, struct err *err)
{
	const struct option *opt = option_by_name(row->key, strlen(row->key));
	int r;

	if (!opt || strcmp(opt->name, row->key) != 0)
		return key_unknown(to, row, err);
	r = key_check(to, opt, row, err);
	if (r < 0)
		return r;
	switch (opt->kind) {
	case OPT_KIND_FLAG: return flag_add(to, opt, row, err);
	case OPT_KIND_LIST: return list_add(to, opt, row, err);
	case OPT_KIND_SCALAR: break;
	}
	if (*row->value == '\0') {
		fail_at(err, to->at, row->line, "no value for '%s'", row->key);
		return err_fix(err, "%s=%s", row->key, opt->arg);
	}
	return value_add(to, opt, row, row->value, err);
}

/* ---- reading ---- */

static int profile_read(GArray *items, struct reading *at, char **env, struct err *err);

static int check_cycle(const struct reading *at, struct err *err)
{
	char quoted[256];

	for (const struct reading *up = at->heir; up; up = up->heir) {
		if (up->st.st_dev != at->st.st_dev || up->st.st_ino != at->st.st_ino)
			continue;
		err_set(err, ERR_PROFILE, ELOOP, "the profile '%s' inherits itself",
			err_quote(quoted, sizeof(quoted), at->file));
		if (at->heir != up)
			err_cause(err, "by way of '%s'",
				  err_quote(quoted, sizeof(quoted), at->heir->file));
		return err_fix(err, "take one inherit= out of the circle");
	}
	if (at->depth <= DEPTH_MAX)
		return 0;
	err_set(err, ERR_PROFILE, ELOOP, "too many profiles inherit each other");
	return err_cause(err, "'%s' would be the %uth", err_quote(quoted, sizeof(quoted), at->file),
			 at->depth);
}

/* Only in an error: it reads all the directories. */
static char *name_nearest(const char *name, char **env)
{
	unsigned least = (unsigned)(MIN(strlen(name), 9) / 3 + 1);
	g_autoptr(GArray) list = profile_list(env);
	const char *best = NULL;

	for (unsigned i = 0; i < list->len; i++) {
		const char *other = g_array_index(list, struct profile_entry, i).name;
		unsigned d = value_distance(name, strlen(name), other, strlen(other));

		if (d > 0 && d < least) {
			least = d;
			best = other;
		}
	}
	return g_strdup(best);
}

static int fail_not_found(const char *name, char **env, struct err *err)
{
	g_autofree char *nearest = name_nearest(name, env);
	char quoted[128];

	err_set(err, ERR_PROFILE, ENOENT, "there is no profile '%s'",
		err_quote(quoted, sizeof(quoted), name));
	if (g_str_has_suffix(name, ".conf"))
		return err_fix(err, "for a file write ./%s; 'sandbox profile list' shows the names",
			       err_quote(quoted, sizeof(quoted), name));
	if (nearest)
		return err_fix(err, "did you mean '%s'? 'sandbox profile list' shows all", nearest);
	return err_fix(err,
		       "'sandbox profile list' shows the names; for a file use a slash: ./FILE");
}

/* With a slash it is a file: from the profile's own directory if one inherits it. */
static char *file_path(const char *name, const struct reading *heir, char **env)
{
	g_autofree char *home = g_str_has_prefix(name, "~/") ? home_find(env) : NULL;
	g_autofree char *dir = NULL;

	if (home)
		return g_strconcat(home, name + 1, NULL);
	if (*name == '/' || !heir)
		return g_strdup(name);
	dir = g_path_get_dirname(heir->file);
	return g_strconcat(dir, "/", name, NULL);
}

static int profile_open(GArray *items, const char *name, const struct reading *heir, char **env,
			struct err *err)
{
	/* A profile that inherits its own name means the next one: mine adds to the system's. */
	int first = heir && strcmp(heir->name, name) == 0 ? heir->place + 1 : 0;
	g_autofree char *file = NULL;
	struct reading at = {
		.name = name, .place = -1, .heir = heir, .depth = heir ? heir->depth + 1 : 1
	};

	if (strchr(name, '/'))
		file = file_path(name, heir, env);
	else if (!name_is_valid(name) || !profile_find(name, first, PLACES, env, &file, &at.place))
		return fail_not_found(name, env, err);
	at.file = file;
	return profile_read(items, &at, env, err);
}

/* What is inherited comes first, wherever in the file the key stands. */
static int inherit(const struct profile *to, const GArray *rows, struct err *err)
{
	for (unsigned i = 0; i < rows->len; i++) {
		const struct profile_row *row = &g_array_index(rows, struct profile_row, i);
		int r;

		if (strcmp(row->key, "inherit") != 0)
			continue;
		r = key_check_twice(to, rows, i, err);
		if (r == 0)
			r = profile_open(to->items, row->value, to->at, to->env, err);
		if (r < 0 && err->code == ERR_PROFILE && !*err->cause) {
			char quoted[256];

			err_cause(err, "%s%sinherited by '%s', line %u",
				  err->num ? g_strerror(err->num) : "", err->num ? "; " : "",
				  err_quote(quoted, sizeof(quoted), to->at->file), row->line);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int profile_read(GArray *items, struct reading *at, char **env, struct err *err)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct profile_row));
	const struct profile to = { items, env, at };
	g_autofree char *text = NULL;
	int r;

	r = text_read(&text, &at->st, at->file,
		      at->place < 0 ? &profile_kind : &profile_kind_searched, err);
	if (r == 0)
		r = check_cycle(at, err);
	if (r == 0)
		r = profile_scan(rows, text, at->file, err);
	if (r == 0)
		r = inherit(&to, rows, err);
	for (unsigned i = 0; r == 0 && i < rows->len; i++) {
		const struct profile_row *row = &g_array_index(rows, struct profile_row, i);

		r = key_check_twice(&to, rows, i, err);
		if (r == 0 && strcmp(row->key, "inherit") != 0)
			r = key_add(&to, row, err);
	}
	return r;
}

int profile_expand(GArray *items, const char *name, char **env, struct err *err)
{
	return profile_open(items, name, NULL, env, err);
}

int profile_expand_default(GArray *items, char **env, struct err *err)
{
	g_autofree char *file = NULL;
	struct reading at = { .name = "default", .depth = 1 };

	if (!profile_find(at.name, 0, PLACES_OF_DEFAULT, env, &file, &at.place))
		return 0;
	at.file = file;
	return profile_read(items, &at, env, err);
}

/* ---- the list ---- */

static bool list_has(const GArray *list, const char *name)
{
	for (unsigned i = 0; i < list->len; i++) {
		if (strcmp(g_array_index(list, struct profile_entry, i).name, name) == 0)
			return true;
	}
	return false;
}

static void list_place(GArray *list, const char *dir)
{
	g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);

	for (const char *base; handle && (base = g_dir_read_name(handle));) {
		g_autofree char *name = NULL;

		if (!g_str_has_suffix(base, ".conf"))
			continue;
		name = g_strndup(base, strlen(base) - strlen(".conf"));
		if (name_is_valid(name) && !list_has(list, name)) {
			struct profile_entry entry = { g_steal_pointer(&name),
						       g_strconcat(dir, "/", base, NULL) };

			g_array_append_val(list, entry);
		}
	}
}

static int list_compare(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct profile_entry *)a)->name,
		      ((const struct profile_entry *)b)->name);
}

static void entry_clear(void *data)
{
	struct profile_entry *entry = data;

	g_free(entry->name);
	g_free(entry->file);
}

GArray *profile_list(char **env)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct profile_entry));

	g_array_set_clear_func(list, entry_clear);
	for (int i = 0; i < PLACES; i++) {
		g_autofree char *dir = places[i](env);
		g_autofree char *clean = dir ? g_canonicalize_filename(dir, "/") : NULL;

		if (clean)
			list_place(list, clean);
	}
	g_array_sort(list, list_compare);
	return list;
}
