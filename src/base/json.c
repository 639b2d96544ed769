// SPDX-License-Identifier: MIT
/* The one thing about JSON that is easy to get wrong: strings. Pure. */
#include <string.h>

#include <sandbox/json.h>

static const char *short_escape(unsigned char c)
{
	/* clang-format off */
	static const char *const rows[128] = {
		['"']  = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
		['\n'] = "\\n",  ['\r'] = "\\r",  ['\t'] = "\\t",
	};
	/* clang-format on */

	return c < 128 ? rows[c] : NULL;
}

static void append_char(GString *out, gunichar c, const char *bytes, size_t len)
{
	const char *escape = c < 128 ? short_escape((unsigned char)c) : NULL;

	if (escape != NULL)
		g_string_append(out, escape);
	else if (c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029)
		g_string_append_printf(out, "\\u%04x", c);
	else
		g_string_append_len(out, bytes, (gssize)len);
}

void json_string(GString *out, const char *text)
{
	if (text == NULL) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_c(out, '"');
	for (const char *p = text; *p != '\0';) {
		gunichar c = g_utf8_get_char_validated(p, -1);
		const char *next = p + 1;

		/* (gunichar)-1 and -2: not UTF-8, or cut off at the end */
		if (c >= (gunichar)-2) {
			g_string_append(out, "\\ufffd");
		} else {
			next = g_utf8_next_char(p);
			append_char(out, c, p, (size_t)(next - p));
		}
		p = next;
	}
	g_string_append_c(out, '"');
}

static char unescape(char c)
{
	static const char rows[128] = {
		['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
	};

	return (unsigned char)c < 128 && rows[(unsigned char)c] ? rows[(unsigned char)c] : c;
}

/* A quote inside of a string has a backslash before it, so that no value looks like a key. */
char *json_pick(const char *line, const char *key)
{
	g_autofree char *pattern = g_strdup_printf("\"%s\":\"", key);
	const char *at = strstr(line, pattern);
	GString *out;

	if (at == NULL)
		return NULL;
	out = g_string_new(NULL);
	for (at += strlen(pattern); *at != '\0' && *at != '"'; at++) {
		if (g_str_has_prefix(at, "\\u")) {
			guint64 c = g_ascii_strtoull(at + 2, NULL, 16);

			g_string_append_unichar(out, c <= G_MAXUINT16 ? (gunichar)c : 0xfffd);
			at += strnlen(at, 6) - 1;
		} else if (*at == '\\' && at[1] != '\0') {
			g_string_append_c(out, unescape(*++at));
		} else {
			g_string_append_c(out, *at);
		}
	}
	return g_string_free(out, FALSE);
}
