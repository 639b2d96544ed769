/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

#include <sandbox/err.h>

/* Appends the occurrences of one profile, what it inherits first. `name` with a slash is a file. */
int profile_expand(GArray *items, const char *name, char **env, struct err *err);

/* The same for `default`, if the user or /etc has one; costs two failed opens if not. */
int profile_expand_default(GArray *items, char **env, struct err *err);

/* One `key = value` line; the strings point into the text that was scanned. */
struct profile_row {
	const char *key, *value;
	unsigned line;
};

/* Splits a profile into rows (struct profile_row). Cuts `text` up; `file` is for errors. */
int profile_scan(GArray *rows, char *text, const char *file, struct err *err);

/* Splits a list value at ';', where `\;` is a literal one and a last ';' is allowed.
 * NULL if an item is empty. */
char **profile_split(const char *value);
