// SPDX-License-Identifier: MIT
/*
 * The form of a profile: that of GLib's key files, without escapes. GKeyFile itself merges doubled
 * keys and groups in silence and knows no line numbers; a second scanner beside it for those could
 * read the same file differently. So there is one scanner, here.
 */
#include <glib.h>
#include <stdarg.h>
#include <string.h>

#include "profile.h"
#include "textfile.h"

/* "unknown key 'timout' in '/home/ann/py.conf', line 5" */
int profile_fail(struct err *err, const char *file, unsigned line, const char *fmt, ...)
{
	g_autofree char *what = NULL;
	char quoted[256];
	va_list ap;

	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	return err_set(err, ERR_PROFILE, 0, "%s in '%s', line %u", what,
		       err_quote(quoted, sizeof(quoted), file), line);
}

static int scan_group(char *line, const char *file, unsigned line_no, bool *inside, struct err *err)
{
	char quoted[64];

	if (strcmp(line, "[sandbox]") != 0) {
		profile_fail(err, file, line_no, "unknown group '%s'",
			     err_quote(quoted, sizeof(quoted), line));
		err_cause(err, "a profile has one group, [sandbox]");
		return err_fix(err, "put all keys under one line [sandbox]");
	}
	if (*inside) {
		profile_fail(err, file, line_no, "a second group [sandbox]");
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
		profile_fail(err, file, line_no, "no key and value but '%s'",
			     err_quote(quoted, sizeof(quoted), line));
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
			profile_fail(err, file, line_no, "a key before the group");
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
