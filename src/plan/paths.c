// SPDX-License-Identifier: MIT
#include <string.h>

#include <sandbox/value.h>

#include "build.h"

bool path_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1 && dir[0] == '/')
		return path[0] == '/' && path[1] != '\0';
	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

bool path_at_or_below(const char *path, const char *dir)
{
	return strcmp(path, dir) == 0 || path_below(path, dir);
}

unsigned path_depth(const char *path)
{
	unsigned depth = 0;

	for (const char *p = path; *p; p++)
		if (p[0] == '/' && p[1] != '\0')
			depth++;
	return depth;
}

/* Leading ".." and "." of a relative path climb the caller's directory, which getcwd(3) gives
 * without links, so that cutting its last name is exact. */
static char *join_cwd(const char *cwd, const char *path)
{
	g_autofree char *base = g_strdup(cwd);

	for (;;) {
		while (path[0] == '.' && (path[1] == '/' || path[1] == '\0'))
			path += path[1] ? 2 : 1;
		if (path[0] != '.' || path[1] != '.' || (path[2] != '/' && path[2] != '\0'))
			break;
		char *slash = strrchr(base, '/');

		if (slash)
			slash[slash == base ? 1 : 0] = '\0';
		path += path[2] ? 3 : 2;
	}
	return g_strconcat(base, "/", path, NULL);
}

int path_absolute(struct build *b, const char *path, uint32_t origin, const char **ret,
		  struct err *err)
{
	g_autofree char *full = NULL;

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0')) {
		if (!b->host->home) {
			(void)err_set(err, ERR_VALUE, 0, "cannot expand '%s'", path);
			(void)err_cause(err, "the caller has no home directory");
			return err_origin(err, origin);
		}
		full = g_strconcat(b->host->home, path + 1, NULL);
	} else if (path[0] == '/') {
		full = g_strdup(path);
	} else if (b->host->cwd) {
		full = join_cwd(b->host->cwd, path);
	} else {
		(void)err_set(err, ERR_VALUE, 0, "cannot use the relative path '%s'", path);
		(void)err_cause(err, "the current directory has no path (was it removed?)");
		return err_origin(err, origin);
	}
	value_path_clean(full);
	if (value_path_fault(full)) {
		(void)err_set(err, ERR_VALUE, 0, "cannot use the path '%s'", path);
		(void)err_cause(err, "%s", value_path_fault(full));
		return err_origin(err, origin);
	}
	*ret = plan_str(b, full);
	return 0;
}
