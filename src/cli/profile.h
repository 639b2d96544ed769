/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>

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

/* Fails at a line of a profile: "WHAT in 'FILE', line N". Always negative. */
int profile_fail(struct err *err, const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

struct option;

/* Appends one value of the option, with ~ and ${...} replaced if it holds a path. */
int profile_value(GString *out, const struct option *opt, const char *value, char **env,
		  const char *file, const struct profile_row *row, struct err *err);

/* The caller's home; NULL if neither HOME nor /etc/passwd has it. Free it. */
char *profile_home(char **env);

/* A name, not a path and not an option: what may stand in front of ".conf". */
bool profile_name_is_valid(const char *name);

/* Looks for NAME.conf from the place `first` on, `own`: only in the user's and the administrator's;
 * false if no place has it. A directory that may not be searched is none of ours (HOME left over
 * from another user); a file that is there counts, readable or not, so that reading it fails
 * aloud. */
bool profile_find(const char *name, int first, bool own, char **env, char **ret_file,
		  int *ret_place);
