/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "pollset.h"

/*
 * Sockets in the box's network namespace, which an agent there hands out (netctl.h). Some are kept
 * ready, so that a connection does not wait for the way there and back.
 */

enum { AGENT_POOL = 32 };

enum agent_kind { AGENT_TCP4, AGENT_TCP6, AGENT_KEEP4, AGENT_KEEP6, AGENT_UDP, _AGENT_KINDS };

struct agent_pool {
	int fds[AGENT_POOL]; /* ready */
	unsigned n;
	bool asked;
	bool failed; /* the last one could not be had */
};

struct agent {
	int fd; /* of the agent, or -1 */
	int index;
	bool gone; /* it was there */
	struct agent_pool pools[_AGENT_KINDS];
};

void agent_init(struct agent *agent);
void agent_set(struct agent *agent, int fd); /* owned here from now on */
void agent_clear(struct agent *agent);

/* A socket, now the caller's. -EAGAIN: one has been asked for; -EAFNOSUPPORT: there are none of this
 * kind; -EPIPE: there is no agent. */
int agent_take(struct agent *agent, enum agent_kind kind);

/* How many agent_take() would give at once, or fail for at once. 0: they are asked for. */
unsigned agent_ready(struct agent *agent, enum agent_kind kind);

void agent_fill(struct agent *agent, struct pollset *set);
/* Whether something has come. */
bool agent_handle(struct agent *agent, const struct pollset *set);
