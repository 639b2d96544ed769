/* SPDX-License-Identifier: MIT */
#pragma once

#include "netconfig.h"
#include "log.h"
#include "pollset.h"

/*
 * Published ports: connections that come from the host's side. The sockets there are bound by the
 * launcher; sockets in the box's network namespace come from the agent there; the bytes go
 * through pipes (splice), past libslirp.
 */

struct relay;

/* config->publish are the texts of [publish] ports, "tcp 80", "udp 53"; NULL: none. NULL with *ret_fault, a
 * text that is none of them, if there is one. Both arguments outlive the relay. */
struct relay *relay_new(const struct config *config, struct log *log, const char **ret_fault);
void relay_free(struct relay *relay);

/* Socket of the agent: owned here from now on. */
void relay_set_agent(struct relay *relay, int fd);

/* A listening socket for row `number` of [publish]: owned here. Negative errno if there is no such
 * row. */
int relay_listen(struct relay *relay, int number, int fd);

/* Whether sockets in the box are bound to addresses of clients. */
bool relay_keeps_source(const struct relay *relay);

void relay_fill(struct relay *relay, struct pollset *set);
void relay_handle(struct relay *relay, const struct pollset *set);

/* Whether a client has not got all that the box had for it. */
bool relay_is_busy(const struct relay *relay);

/* Whether the box has sent datagrams to clients that have not been looked at. */
bool relay_has_input(const struct relay *relay, const struct pollset *set);
