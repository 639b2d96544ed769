/* SPDX-License-Identifier: MIT */
#pragma once

#include "pollset.h"

/*
 * Published ports: connections that come from the host's side. The listening sockets are bound by
 * the launcher; sockets in the box's network namespace come from the agent there; the bytes go
 * through pipes (splice), past libslirp.
 */

struct relay;

/* `publish`: the texts of [publish] ports, "tcp 80"; NULL: none. */
struct relay *relay_new(char *const *publish);
void relay_free(struct relay *relay);

/* Socket of the agent: owned here from now on. */
void relay_set_agent(struct relay *relay, int fd);

/* A listening (TCP) or bound (UDP) socket for row `number` of [publish]: owned here. Negative errno
 * if there is no such row. */
int relay_listen(struct relay *relay, int number, int fd);

void relay_fill(struct relay *relay, struct pollset *set);
void relay_handle(struct relay *relay, const struct pollset *set);
