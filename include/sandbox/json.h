/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Appends `text` to `out` as a JSON string (RFC 8259), quotes included. Control characters, DEL
 * and the line separators U+2028 and U+2029 are escaped, so that the output stays on one line
 * for every reader; bytes that are not UTF-8 (paths may hold any) become U+FFFD. NULL is null. */
void json_string(GString *out, const char *text);

/* The string that `key` has in a line that json_string() made the strings of: g_malloc'd, NULL
 * when there is none. No parser: it takes the first such key, however deep. */
char *json_pick(const char *line, const char *key);
