// SPDX-License-Identifier: MIT
/* Where profiles are looked for, and the list of those that are there. */
#include <glib.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/cli.h>

#include "config.h"
#include "profile.h"

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

char *profile_home(char **env)
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
	home = profile_home(env);
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
#define PLACES        ((int)G_N_ELEMENTS(places))
#define PLACES_OF_OWN 2

/* A name, not a path and not an option: what may stand in front of ".conf". */
bool profile_name_is_valid(const char *name)
{
	return *name && *name != '.' && *name != '-' && strlen(name) <= 64 &&
	       name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._+-")] == '\0';
}

bool profile_find(const char *name, int first, bool own, char **env, char **ret_file,
		  int *ret_place)
{
	int last = own ? PLACES_OF_OWN : PLACES;

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
		if (profile_name_is_valid(name) && !list_has(list, name)) {
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
