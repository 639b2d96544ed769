/* SPDX-License-Identifier: MIT */
#pragma once

#include "dns.h"

/* DNS over TCP, a part of dns.c. One message at a time, each asked over a connection of its own, so
 * that every query and every answer is looked at as over UDP. */

struct dnstcp;

/* `servers` stays the caller's, and may change; so does `rate`. */
struct dnstcp *dnstcp_new(const struct dns_setup *setup, const struct dns_servers *servers,
			  struct dns_rate *rate);
void dnstcp_free(struct dnstcp *tcp);

/* Our end of a stream: owned here. */
void dnstcp_open(struct dnstcp *tcp, int fd);

void dnstcp_fill(struct dnstcp *tcp, struct pollset *set);
void dnstcp_handle(struct dnstcp *tcp, const struct pollset *set);
