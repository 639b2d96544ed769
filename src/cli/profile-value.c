// SPDX-License-Identifier: MIT
/* What ~ and ${...} in a profile's values stand for; only in those that are paths. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/options.h>

#include "profile.h"

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
	return profile_home(env);
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
static int insert_text(GString *out, const char *text, const struct path_key *key, const char *file,
		       const struct profile_row *row, struct err *err)
{
	if (key->colons && strchr(text, '\\')) {
		profile_fail(err, file, row->line, "cannot use a path with a backslash for '%s'",
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

int profile_value(GString *out, const struct option *opt, const char *value, char **env,
		  const char *file, const struct profile_row *row, struct err *err)
{
	const struct path_key *key = path_key_find(opt->id);
	const char *p = value;

	for (; key && *p && !(key->end && *p == key->end);) {
		const struct insert *insert = insert_at(p, value, key);
		g_autofree char *text = NULL;
		int r;

		if (!insert && g_str_has_prefix(p, "${")) {
			profile_fail(err, file, row->line, "unknown ${...} for '%s'", row->key);
			return err_fix(err, "${HOME}, ${CWD}, ${UID} and a leading ~ are replaced");
		}
		if (!insert) {
			g_string_append_c(out, *p++);
			continue;
		}
		text = insert->get(env);
		if (!text) {
			profile_fail(err, file, row->line, "cannot replace '%s'", insert->name);
			return err_cause(err, "%s", insert->missing);
		}
		r = insert_text(out, text, key, file, row, err);
		if (r < 0)
			return r;
		p += strlen(insert->name);
	}
	g_string_append(out, p);
	return 0;
}
