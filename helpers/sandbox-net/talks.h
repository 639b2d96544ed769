/* SPDX-License-Identifier: MIT */
#pragma once

#include "frame.h"

/*
 * What the box has said by UDP, to whom and from which port: only they may answer. libslirp's sockets
 * take datagrams from everybody (a full-cone NAT, RFC 4787, 5), which would let anybody in past the
 * rules; with this table they filter by address and port. Pure, and bounded: where it is full, the
 * talk of a group that has been silent for longest is forgotten.
 */

enum {
	TALKS = 8192,
	TALKS_WAYS = 8,
	TALKS_MS = 240 * 1000, /* libslirp's own SO_EXPIRE: its socket goes then, too */
};

struct talk {
	struct naddr remote;
	uint16_t remote_port, port;
	int64_t used; /* 0: free */
};

struct talks {
	int64_t now; /* milliseconds; set at every turn, never 0 */
	struct talk list[TALKS];
};

/* The box sends this datagram. */
void talks_add(struct talks *talks, const struct frame *frame);

/* Whether it belongs to a talk of the box's, sent by it (`out`) or to it; the talk is the younger for
 * it. */
bool talks_has(struct talks *talks, const struct frame *frame, bool out);
