// SPDX-License-Identifier: MIT
#include "wide.h"

enum { LEAST = 19 /* digits of INT64_MAX */ };

static const char mark[] = "\\u0001";

/* Past the end of a string that begins at `at`, with its quotes. */
static size_t string_end(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		at += text[at] == '\\';
	return MIN(at + 1, len);
}

static size_t digits_end(const char *text, size_t len, size_t at)
{
	while (at < len && g_ascii_isdigit(text[at]))
		at++;
	return at;
}

/* Without a sign, a fraction or an exponent, which no field of a profile has. */
static gboolean is_wide(const char *text, size_t len, size_t from, size_t end)
{
	g_autofree char *digits = NULL;
	guint64 value = 0;

	if (end - from < LEAST || (from > 0 && strchr("+-.eE", text[from - 1])) ||
	    (end < len && strchr(".eE", text[end])))
		return FALSE;
	digits = g_strndup(text + from, end - from);
	return g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, &value, NULL) &&
	       value > G_MAXINT64;
}

GString *wide_quote(const char *text, size_t len)
{
	GString *ret = g_string_sized_new(len + 64);

	for (size_t at = 0, end; at < len; at = end) {
		end = text[at] == '"' ? string_end(text, len, at) : digits_end(text, len, at);
		if (end == at)
			end++;
		else if (text[at] != '"' && is_wide(text, len, at, end)) {
			g_string_append_printf(ret, "\"%s", mark);
			g_string_append_len(ret, text + at, (gssize)(end - at));
			g_string_append_c(ret, '"');
			continue;
		}
		g_string_append_len(ret, text + at, (gssize)(end - at));
	}
	return ret;
}

gboolean wide_value(const char *string, uint64_t *ret)
{
	guint64 value = 0;

	if (string[0] != '\1' ||
	    !g_ascii_string_to_unsigned(string + 1, 10, 0, G_MAXUINT64, &value, NULL))
		return FALSE;
	*ret = value;
	return TRUE;
}
