// SPDX-License-Identifier: MIT
/*
 * Profiles (sandbox-profile(5)): options in a file, expanded into occurrences in front of those of
 * the command line. They are read in the launcher, with the caller's rights, before anything is
 * created. A profile can do nothing that the command line cannot, so it needs no trust of its own;
 * but what it says must not be misread either: an unknown key, a key given twice, a second group
 * are errors, since a protection that was skipped looks like one that holds.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>
#include <sandbox/request.h>
#include <sandbox/value.h>

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

	profile_fail(err, to->at->file, row->line, "unknown key '%s'",
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
		profile_fail(err, to->at->file, row->line, "'%s' cannot be used", opt->name);
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
		profile_fail(err, to->at->file, row->line, "the key '%s' a second time", row->key);
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
		profile_fail(err, to->at->file, row->line, "wrong value '%s' of the flag '%s'",
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
	int r = profile_value(expanded, opt, value, to->env, to->at->file, row, err);

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
		profile_fail(err, to->at->file, row->line, "an empty item of the list '%s'",
			     row->key);
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
		profile_fail(err, to->at->file, row->line, "no value for '%s'", row->key);
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
	g_autofree char *home = g_str_has_prefix(name, "~/") ? profile_home(env) : NULL;
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
	else if (!profile_name_is_valid(name) ||
		 !profile_find(name, first, false, env, &file, &at.place))
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

	if (!profile_find(at.name, 0, true, env, &file, &at.place))
		return 0;
	at.file = file;
	return profile_read(items, &at, env, err);
}
