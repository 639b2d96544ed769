/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdio.h>

#include <sandbox/err.h>

/*
 * What the tables of options and verbs are good for besides parsing: help, completion, profiles.
 * The verbs come in as an argument, since the commands behind them are no business of this room.
 */

/* One row of the verbs' table, which ends with a row without a name. */
struct verb {
	const char *name;
	const char *args;  /* "[--json]"; NULL: none */
	const char *help;  /* one line; for verbs of later versions: what serves meanwhile */
	int (*run)(int argc, char **argv, struct err *err); /* NULL: not part of this version */
	const char *words; /* what a completion offers behind it: "bash zsh fish"; NULL: nothing */
};

/* NULL if there is none of that name. */
const struct verb *verb_find(const struct verb *verbs, const char *name);

/* The nearest name by edit distance, or NULL when nothing is near. */
const char *verb_nearest(const struct verb *verbs, const char *name);

/* Everything, by groups; or only how to begin, for a call without arguments. */
void help_print(FILE *out, const struct verb *verbs);
void help_print_short(FILE *out);

/* One verb, option ("volume", "--volume", "-v") or group of options ("limits"). */
int help_print_topic(FILE *out, const struct verb *verbs, const char *topic, struct err *err);

/* The completion for bash, zsh or fish. */
int complete_print(FILE *out, const struct verb *verbs, const char *shell, struct err *err);

/* A profile that --profile NAME would read. */
struct profile_entry {
	char *name, *file; /* owned */
};

/* Fills an array of struct profile_entry, sorted by name, the first found of each name; unref it. */
GArray *profile_list(char **env);
