// SPDX-License-Identifier: MIT
/*
 * Users without NSS: the binary is static, where getpwuid(3) would load libraries of the host
 * into it. What /etc/passwd does not know, getent(1) does, as a program of its own.
 */
#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/spawn.h>

#include "file.h"
#include "user.h"

#define PASSWD_MAX (16u << 20)
#define GETENT_MAX 4096
#define GETENT_MS  2000

void user_clear(struct user *user)
{
	g_clear_pointer(&user->name, g_free);
	g_clear_pointer(&user->home, g_free);
}

int user_name_ok(const char *name)
{
	if (name == NULL || *name == '\0' || strlen(name) > 255)
		return 0;
	for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f || *p == ':')
			return 0;
	return 1;
}

char *user_home_clean(const char *path)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_auto(GStrv) parts = NULL;

	if (path == NULL || path[0] != '/' || strlen(path) >= PATH_MAX)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return NULL;
	parts = g_strsplit(path, "/", -1);
	for (char **part = parts; *part != NULL; part++) {
		if (strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return NULL;
		if (**part != '\0')
			g_string_append_printf(out, "/%s", *part);
	}
	return out->len == 0 ? NULL : g_string_free(g_steal_pointer(&out), FALSE);
}

/* name:password:uid:gid:gecos:home:shell */
static int parse_line(const char *line, size_t len, uid_t uid, struct user *ret)
{
	g_autofree char *copy = g_strndup(line, len);
	g_auto(GStrv) fields = g_strsplit(copy, ":", 8);
	guint64 number;

	if (g_strv_length(fields) != 7 || !user_name_ok(fields[0]))
		return -EINVAL;
	if (!g_ascii_string_to_unsigned(fields[2], 10, 0, UINT32_MAX - 1, &number, NULL))
		return -EINVAL;
	if (number != uid)
		return -ENOENT;
	ret->name = g_strdup(fields[0]);
	ret->home = user_home_clean(fields[5]);
	return 0;
}

int user_parse(const char *text, uid_t uid, struct user *ret)
{
	char needle[16];

	(void)snprintf(needle, sizeof(needle), ":%u:", uid);
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (g_strstr_len(line, (gssize)len, needle) != NULL &&
		    parse_line(line, len, uid, ret) == 0)
			return 0;
		line += len + (line[len] == '\n');
	}
	return -ENOENT;
}

static int ask_getent(uid_t uid, struct user *ret)
{
	static const char *const programs[] = { "/usr/bin/getent", "/bin/getent" };
	char number[16], out[GETENT_MAX];
	int r = -ENOENT;

	(void)snprintf(number, sizeof(number), "%u", uid);
	for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *program = g_strdup(programs[i]);
		char passwd[] = "passwd", *argv[] = { program, passwd, number, NULL };

		r = spawn_run(argv, out, sizeof(out), GETENT_MS);
		if (r == -ENOENT)
			continue;
		return r == 0 ? user_parse(out, uid, ret) : -ENOENT;
	}
	return r;
}

int user_find(uid_t uid, struct user *ret)
{
	g_autofree char *text = NULL;

	if (file_read("/etc/passwd", PASSWD_MAX, &text) == 0 && user_parse(text, uid, ret) == 0)
		return 0;
	return ask_getent(uid, ret);
}
