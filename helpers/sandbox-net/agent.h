/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "pollset.h"

/*
 * Sockets in the box's network namespace, which an agent there hands out (netctl.h). Some are kept
 * ready, so that a connection does not wait for the way there and back.
 */

enum { AGENT_POOL = 16 };

struct agent_pool {
	char kind;           /* enum netctl_socket */
	int fds[AGENT_POOL]; /* ready */
	unsigned n, asked;
	bool failed; /* the last one could not be had */
};

struct agent {
	int fd; /* of the agent, or -1 */
	int index;
	bool gone;                  /* it was there */
	struct agent_pool pools[2]; /* IPv4, IPv6 */
};

void agent_init(struct agent *agent);
void agent_set(struct agent *agent, int fd); /* owned here from now on */
void agent_clear(struct agent *agent);

/* A socket for TCP, now the caller's. -EAGAIN: one has been asked for; -EAFNOSUPPORT: there are none
 * of this kind; -EPIPE: there is no agent. */
int agent_take(struct agent *agent, bool ipv6);

void agent_fill(struct agent *agent, struct pollset *set);
/* Whether something has come. */
bool agent_handle(struct agent *agent, const struct pollset *set);
