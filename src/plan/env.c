// SPDX-License-Identifier: MIT
/* The command's environment. Tokens live in the caller's, so it is an allow list. */
#include <string.h>

#include "build.h"

static const char *const kept[] = { "PATH", "HOME",      "USER", "LOGNAME", "SHELL",
				    "TERM", "COLORTERM", "LANG", "TZ",      "NO_COLOR" };

static const char rootfs_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

static bool is_kept(const char *row)
{
	if (strncmp(row, "LC_", 3) == 0)
		return true;
	for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++) {
		size_t n = strlen(kept[i]);

		if (strncmp(row, kept[i], n) == 0 && row[n] == '=')
			return true;
	}
	return false;
}

/* Rows "NAME=VALUE", later ones in the place of earlier ones. */
struct env {
	GPtrArray *rows;
	GHashTable *at; /* name -> its place plus one */
};

static void env_put(struct env *env, const char *row, size_t name_len)
{
	g_autofree char *name = g_strndup(row, name_len);
	unsigned at = GPOINTER_TO_UINT(g_hash_table_lookup(env->at, name));

	if (at > 0) {
		env->rows->pdata[at - 1] = (gpointer)row;
		return;
	}
	g_ptr_array_add(env->rows, (gpointer)row);
	g_hash_table_insert(env->at, g_steal_pointer(&name), GUINT_TO_POINTER(env->rows->len));
}

static void env_set(struct build *b, struct env *env, const char *name, const char *value)
{
	env_put(env, plan_printf(b, "%s=%s", name, value), strlen(name));
}

static const char *env_find(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env;
	return NULL;
}

/* The caller's name means nobody in a root directory. */
static bool is_outside(const struct build *b, const char *row)
{
	return b->spec->view == VIEW_ROOTFS &&
	       (strncmp(row, "USER=", 5) == 0 || strncmp(row, "LOGNAME=", 8) == 0);
}

static void env_inherit(struct build *b, struct env *env)
{
	if (b->spec->clear_env)
		return;
	for (char **e = b->host->env; e && *e; e++) {
		const char *eq = strchr(*e, '=');

		if (eq && eq != *e && (b->spec->env_all || is_kept(*e)) && !is_outside(b, *e))
			env_put(env, plan_str(b, *e), (size_t)(eq - *e));
	}
}

/* What is true inside whatever it was outside. */
static void env_defaults(struct build *b, struct env *env)
{
	bool rootfs = b->spec->view == VIEW_ROOTFS;

	env_set(b, env, "container", "sandbox");
	if (b->spec->clear_env)
		return;
	if (b->home)
		env_set(b, env, "HOME", b->home);
	if (b->tmpdir)
		env_set(b, env, "TMPDIR", b->tmpdir);
	if (rootfs) {
		env_set(b, env, "PATH", rootfs_path);
		env_set(b, env, "SHELL", "/bin/sh");
	}
	if (rootfs && b->uid == 0) {
		env_set(b, env, "USER", "root");
		env_set(b, env, "LOGNAME", "root");
	}
	if (!rootfs && !env_find(b->host->env, "PATH"))
		env_set(b, env, "PATH", default_path);
}

static void env_asked(struct build *b, struct env *env)
{
	for (unsigned i = 0; i < b->spec->env->len; i++) {
		const struct env_row *row = &g_array_index(b->spec->env, struct env_row, i);
		const char *own = row->value ? NULL : env_find(b->host->env, row->name);

		if (row->value)
			env_set(b, env, row->name, row->value);
		else if (own)
			env_put(env, plan_str(b, own), strlen(row->name));
	}
}

int plan_env(struct build *b, struct err *err)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new();
	g_autoptr(GHashTable) at = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct env env = { rows, at };
	const char *path;

	(void)err;
	env_inherit(b, &env);
	env_defaults(b, &env);
	env_asked(b, &env);
	g_ptr_array_add(rows, NULL);
	path = env_find((char *const *)rows->pdata, "PATH");
	b->plan->path_env = path ? path + strlen("PATH=") : default_path;
	b->plan->env = (char **)g_ptr_array_free(g_steal_pointer(&rows), FALSE);
	return 0;
}
