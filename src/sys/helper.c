// SPDX-License-Identifier: MIT
#include <glib.h>
#include <unistd.h>

#include <sandbox/spawn.h>

#include "config.h"

/* Beside the launcher in a build folder and in an installed tree, then where it was compiled to be
 * installed; never by the environment. */
char *helper_find(const char *name)
{
	g_autofree char *exe = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = exe ? g_path_get_dirname(exe) : NULL;
	g_autofree char *built = g_strdup_printf("../helpers/%s/%s", name, name);
	g_autofree char *installed = g_strdup_printf("../libexec/sandbox/%s", name);
	const char *const places[] = { built, installed };
	g_autofree char *compiled = g_build_filename(SANDBOX_LIBEXECDIR, name, NULL);

	for (unsigned i = 0; dir && i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(dir, places[i], NULL);

		if (access(path, X_OK) == 0)
			return g_canonicalize_filename(path, NULL);
	}
	return access(compiled, X_OK) == 0 ? g_steal_pointer(&compiled) : NULL;
}
