/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One direction of a connection that is passed on: bytes go from socket to socket through a pipe
 * (splice(2)), never through this process. A pipe belongs to a direction only while something is in
 * it; those that are empty are shared.
 */

/* A large pipe takes a fifth less time a byte than one of a quarter of its size. All pipes of a user count
 * towards fs.pipe-user-pages-soft, 64 MiB, past which his others are made small (pipe(7)): so only
 * half of that is taken, and further pipes are as they come, 64 KiB. */
enum { PIPE_SIZE = 1 << 20, PIPES_LARGE = 32, PIPES_KEPT = 16 };

struct pipe {
	int out, in; /* -1: none */
	bool large;
};

struct pipes {
	struct pipe kept[PIPES_KEPT];
	unsigned n;
	unsigned large; /* of all that there are */
};

void pipes_clear(struct pipes *pipes);

struct pump {
	struct pipes *pipes;
	int from, to;     /* sockets, not owned */
	struct pipe pipe; /* while `held` */
	size_t held;      /* bytes that `to` has not taken yet */
	bool ended;       /* `from` has sent its end */
	bool done;        /* and `to` has been told */
};

void pump_init(struct pump *pump, struct pipes *pipes, int from, int to);
void pump_clear(struct pump *pump); /* the pipe with what is in it */

/* Passes on what can be without waiting, up to some megabytes. 0, or a negative errno when one of
 * the two is broken. */
int pump_run(struct pump *pump);
