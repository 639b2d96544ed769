/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* The only other door to stderr besides main's printing of errors. Notices are what the user has
 * to know about this run; -q silences them (errors are never silenced). */
void log_quiet(bool quiet);
void log_always(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
