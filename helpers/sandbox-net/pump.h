/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One direction of a connection that is passed on: bytes go from socket to socket through a pipe
 * (splice(2)), never through this process. A pipe belongs to a direction only while something is in
 * it; those that are empty are shared.
 */

enum { PIPE_SIZE = 256 * 1024, PIPES_KEPT = 16 };

struct pipes {
	struct {
		int out, in;
	} kept[PIPES_KEPT];
	unsigned n;
};

void pipes_clear(struct pipes *pipes);

struct pump {
	int from, to; /* sockets, not owned */
	int out, in;  /* the pipe's ends, while `held`; -1: none */
	size_t held;  /* bytes that `to` has not taken yet */
	bool ended;   /* `from` has sent its end */
	bool done;    /* and `to` has been told */
};

void pump_init(struct pump *pump, int from, int to);
void pump_clear(struct pump *pump); /* the pipe with what is in it */

/* Passes on what can be without waiting, up to some megabytes. 0, or a negative errno when one of
 * the two is broken. *ret_from: it was the one that sends. */
int pump_run(struct pump *pump, struct pipes *pipes, bool *ret_from);
