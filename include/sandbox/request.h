/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <sandbox/err.h>
#include <sandbox/options.h>

/*
 * What the user wrote: option occurrences in order, each with its origin. No meaning yet: values
 * are strings. Profiles and environment files are read here, so that nothing after it reads a
 * file in the caller's name.
 */

enum origin_kind { ORIGIN_ARGV, ORIGIN_PROFILE, ORIGIN_FILE, ORIGIN_ENVIRON };

struct occurrence {
	const struct option *opt;
	char *value;            /* NULL for flags; owned */
	bool negated;           /* --no-NAME, or NAME=false in a profile */
	enum origin_kind origin;
	char *file;             /* profile or environment file, owned; NULL for argv */
	unsigned nth;           /* argv: the how manieth occurrence of this option (1 is the first);
	                           files: the line number */
};

struct request {
	GArray *items;          /* struct occurrence, profiles first, then argv, in order */
	char **command;         /* points into the caller's argv; NULL-terminated; may be NULL */
	bool explain;
	bool dashes;            /* the command was introduced by `--` */
};

/* Reads the options of a run: argv[0] is the first word after the verb. Profiles named by
 * --profile, else `default` (the user's or that of /etc), are expanded in front of it. On failure
 * *ret holds what was read so far, for request_origin(); request_clear() it in every case. */
int request_parse(struct request *ret, char **argv, char **environ_in, struct err *err);
void request_clear(struct request *request);

/* Without the word `run` a command is introduced by `--` only, so that no later verb can change
 * what a script does: E-USAGE if it was not. */
int request_check_dashes(const struct request *request, struct err *err);

/* Whether the option occurs, the last occurrence deciding for flags. --help and --version end the
 * parsing where they stand: what comes after them is not read, and no profile is. */
bool request_has(const struct request *request, enum opt_id id);

/* "--volume no. 3" or "agent.conf:12"; `origin` is an index plus one, as in struct err.
 * Writes into out[size]; "" for 0. Returns out. */
const char *request_origin(const struct request *request, uint32_t origin, char *out, size_t size);
