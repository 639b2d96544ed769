// SPDX-License-Identifier: MIT
/* Readers of texts from /proc: see procfs.h. */
#include <glib.h>
#include <linux/capability.h>
#include <string.h>

#include <sandbox/err.h>

#include "file.h"
#include "procfs.h"

enum { LISTED = 4, MOUNT_POINT = 4 };

char *procfs_own_cgroup(const char *text)
{
	const char *at = g_str_has_prefix(text, "0::") ? text : strstr(text, "\n0::");
	size_t len;

	if (at == NULL)
		return NULL;
	at += strspn(at, "\n") + strlen("0::");
	len = strcspn(at, "\n");
	if (len == 0 || *at != '/' || g_str_has_prefix(at, "/.."))
		return NULL;
	return g_strndup(at, len);
}

bool procfs_id_mapped(const char *text, uint32_t id, bool *ret_whole)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool mapped = false;

	*ret_whole = true;
	for (char **line = lines; *line != NULL && **line != '\0'; line++) {
		uint32_t row[3]; /* inside, outside, count */

		if (!file_scan(*line, row, 3))
			continue;
		mapped = mapped || (id >= row[0] && id - row[0] < row[2]);
		if (row[0] != 0 || row[1] != 0 || row[2] != UINT32_MAX)
			*ret_whole = false;
	}
	return mapped;
}

/* Calls `row` with each mount point as it is written, until that says no. */
static void each_mount(const char *mountinfo, bool (*row)(const char *point, void *arg), void *arg)
{
	g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", MOUNT_POINT + 2);

		if (g_strv_length(words) > MOUNT_POINT && !row(words[MOUNT_POINT], arg))
			return;
	}
}

static bool find_root(const char *point, void *arg)
{
	bool *found = arg;

	*found = strcmp(point, "/") == 0;
	return !*found;
}

bool procfs_has_root(const char *mountinfo)
{
	bool found = false;

	each_mount(mountinfo, find_root, &found);
	return found;
}

struct list {
	const char *prefix;
	char *out;
	size_t size;
	unsigned n;
};

static bool list_one(const char *point, void *arg)
{
	struct list *list = arg;
	char quoted[64];

	if (!g_str_has_prefix(point, list->prefix))
		return true;
	if (list->n++ == LISTED) {
		(void)g_strlcat(list->out, ", and more", list->size);
		return false;
	}
	(void)g_strlcat(list->out, list->n == 1 ? ": " : ", ", list->size);
	(void)g_strlcat(list->out, err_quote(quoted, sizeof(quoted), point), list->size);
	return true;
}

void procfs_list_below(const char *mountinfo, const char *top, char *out, size_t size)
{
	g_autofree char *prefix = g_strdup_printf("%s/", top);
	struct list list = { prefix, out, size, 0 };

	out[0] = '\0';
	each_mount(mountinfo, list_one, &list);
}

static const char *status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at == NULL ? NULL : at + strlen(name);
}

struct procfs_status procfs_status(const char *text)
{
	struct procfs_status ret = { .seccomp = -1 };
	const char *field;

	if ((field = status_field(text, "\nSeccomp:")) != NULL)
		ret.seccomp = (int)g_ascii_strtoll(field, NULL, 10);
	if ((field = status_field(text, "\nNoNewPrivs:")) != NULL)
		ret.no_new_privs = (int)g_ascii_strtoll(field, NULL, 10) == 1;
	if ((field = status_field(text, "\nCapEff:")) != NULL)
		ret.sys_admin = ((g_ascii_strtoull(field, NULL, 16) >> CAP_SYS_ADMIN) & 1) != 0;
	return ret;
}
