/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include <sandbox/err.h>
#include <sandbox/request.h>

/* Small text files the user wrote: profiles and environment files. */

#define TEXT_MAX 1048576 /* bytes */

/* The longest value: what execve(2) takes as one string (MAX_ARG_STRLEN, with its NUL). */
#define VALUE_MAX 131071

/* What the file is to its reader: the first words of an error, and its code. */
struct text_kind {
	enum err_code code;
	const char *what; /* "the profile" */
	bool regular;     /* only a regular file will do; pipes are read otherwise */
};

/* Reads the whole file, NUL-terminated; refuses directories, NUL bytes and more than TEXT_MAX.
 * ret_st identifies it and may be NULL. */
int text_read(char **ret, struct stat *ret_st, const char *file, const struct text_kind *kind,
	      struct err *err);

/* Cuts the next line out of *pos, without its line end (LF or CRLF) and without a byte order mark
 * in front of the first. *line_no starts at 0. NULL at the end. */
char *text_line(char **pos, unsigned *line_no);

/* Refuses a value that no exec could carry; `where` is the option or FILE:LINE. */
int value_check_length(const char *value, const char *where, struct err *err);

/* Appends one OPT_ENV occurrence for each line of an --env-file. */
int env_file_expand(GArray *items, const char *file, struct err *err);
