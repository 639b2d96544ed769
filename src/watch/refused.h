/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

#include <sandbox/err.h>

/*
 * What the network helper has refused (NETCTL_REFUSED, NETCTL_SUMMARY): the lines of --net-log, the
 * part "network" of the report, a notice. Names in it are the box's choice: every text is quoted.
 */

struct refused {
	int fd;        /* of --net-log, -1: none */
	bool ours;     /* opened here, and not the caller's: it does not block */
	bool cut;      /* the last line is not whole */
	unsigned lost; /* lines that could not be written, since the last that could */
	char *summary; /* at the end; NULL: none has come */
};

/* FILE or "-". Appended to; nothing that is there is lost. */
int refused_open(struct refused *refused, const char *path, struct err *err);
void refused_close(struct refused *refused);

/* One line of the helper's goes to the log; it is lost where that would have to be waited for. */
void refused_log(struct refused *refused, const char *text);

/* Tells what was refused in one notice, where there is no log. */
void refused_notice(const struct refused *refused);

/* The lines of a summary as the value of "network". Pure. */
void refused_json(GString *out, const char *summary);
