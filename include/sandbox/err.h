/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Errors are values. A fallible function returns 0 or a negative errno and fills `err`, its last
 * argument. `struct err` has a fixed size and owns nothing, so the same value is built in the
 * child after clone, sent over the wire, and printed once, by main.
 */

enum err_code {
	ERR_NONE,
#define ERR(id, name, exit_status, summary) ERR_##id,
#include <sandbox/err-codes.h>
#undef ERR
	_ERR_MAX,
};

struct err {
	int32_t num;       /* positive errno, 0 if none applies */
	uint16_t code;     /* enum err_code */
	uint16_t stage;    /* enum stage, filled by the stage walkers; 0 outside of a run */
	uint32_t origin;   /* index into the request plus one; 0: nothing the user wrote */
	char from[128];    /* that row as text ("--volume no. 3"), filled where the request is known */
	char what[512];    /* what could not be done, the object in single quotes */
	char cause[512];   /* why; empty: strerror(num) */
	char fix[512];     /* the command or option that mends it; may be empty */
};

/* Starts an error: code, errno (positive or negative, 0 for none) and what could not be done.
 * Returns the negative errno, or -EINVAL when num is 0, so that `return err_set(...)` works. */
int err_set(struct err *err, enum err_code code, int num, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Add or replace the cause or the mend; both return the negative errno of `err`. */
int err_cause(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_fix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Names the request row that asked for it, if none is named yet; returns err's negative errno. */
int err_origin(struct err *err, uint32_t origin);

/* "E-SUBUID-NONE", the exit status (125, 126 or 127), one sentence for the manual's check. */
const char *err_code_name(enum err_code code);
int err_code_exit(enum err_code code);
const char *err_code_summary(enum err_code code);

/* Copies `text` into out[size] with control characters shown as \xNN, cut with "..." if needed:
 * nothing a user or a file named may forge a second line of output. Returns out. */
const char *err_quote(char *out, unsigned size, const char *text);
