/* SPDX-License-Identifier: MIT */
#pragma once

#include "addr.h"
#include "agent.h"
#include "log.h"
#include "pollset.h"

/*
 * Published ports of UDP. Each client has a socket of its own in the box, so that answers find their
 * way back; it goes when nothing has come either way for DATAGRAMS_IDLE_MS, or when the table is full
 * and it is the one that has been idle for longest.
 */

enum { DATAGRAMS_IDLE_MS = 60000, DATAGRAMS_TARGETS = 4 };

struct datagrams;

struct datagrams_setup {
	struct agent *agent;
	struct log *log;
	const struct naddr *targets; /* DATAGRAMS_TARGETS addresses of the box; family 0: none */
	unsigned max;                /* clients */
};

struct datagrams *datagrams_new(const struct datagrams_setup *setup);
void datagrams_free(struct datagrams *d);

/* A bound socket of the host, owned here from now on, and the port in the box it leads to. */
void datagrams_listen(struct datagrams *d, uint16_t port, int fd);

void datagrams_fill(struct datagrams *d, struct pollset *set);
void datagrams_handle(struct datagrams *d, const struct pollset *set);

/* Whether the box has sent something that has not been looked at. */
bool datagrams_has_input(const struct datagrams *d, const struct pollset *set);
