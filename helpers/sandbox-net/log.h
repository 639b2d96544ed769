/* SPDX-License-Identifier: MIT */
#pragma once

#include "filter.h"

/*
 * What was refused: counted by destination and reason for the summary at the end, and sent to the
 * launcher as it happens, at most LOG_BURST lines a second, so that a box cannot flood anybody. For
 * the form of both see netctl.h.
 */

struct log;

enum { LOG_BURST = 20, LOG_DESTINATIONS = 256 };

struct log *log_new(int control);
void log_free(struct log *log);

/* Port 0: there is none; `name` may be NULL. */
void log_refused(struct log *log, uint8_t proto, const struct naddr *dst, uint16_t port,
		 const char *name, const char *why, int64_t now);

/* The same of a name that was asked for. */
void log_refused_name(struct log *log, const char *name, const char *why, int64_t now);

/* One line for the user. */
void log_notice(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The summary goes to the launcher. */
void log_end(struct log *log);
