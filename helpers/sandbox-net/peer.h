/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "frame.h"

/*
 * The other boxes of a network (--network box:NAME): who they are, and which frames go to them or
 * may come from them. Pure; the sockets are in peers.c.
 *
 * It is a switch by IP address: hardware addresses are made up for the box and mean nothing to the
 * other side, there is no broadcast, and ARP and neighbour discovery are answered here. Both sides
 * check every frame: the sender's helper that it has the box's own source (filter.c), the receiver's
 * that the source is that peer's and the destination its own. Nothing is routed through a peer.
 */

struct filter;
struct filter_box;

enum {
	PEERS_MAX = 160,
	PEER_NAME = 65,
	PEER_NEIGHBOUR_MAX = 96,
	PEER_FLOWS = 4096, /* of one peer, and of one kind */
	PEER_FLOW_WAYS = 4,
	PEER_UDP_MS = 180 * 1000,
};

struct peer_hello {
	struct naddr ipv4, ipv6; /* ipv6.family 0: it has none */
	char name[PEER_NAME];    /* lower case; "": it has none */
};

/* A line of NETCTL_HELLO, `len` bytes. False: it is none. */
bool peer_hello_parse(const char *text, size_t len, struct peer_hello *ret);

/* Whether somebody in the box's network can be that: an address of the network, and of nobody else. */
bool peer_hello_fits(const struct filter *f, const struct filter_box *box,
		     const struct peer_hello *hello);

/* A connection that rules need not be asked about again: the peer has begun it, or it was allowed. */
struct peer_flow {
	uint64_t key; /* 0: free */
	int64_t used;
};

/* Each peer has a table of its own, and streams have theirs: who begins too much loses flows of the
 * same kind with the same peer, and no others. */
struct peer_flows {
	struct peer_flow tcp[PEER_FLOWS], other[PEER_FLOWS];
};

struct peer_table {
	unsigned n; /* slots beyond are free */
	struct {
		bool used;
		struct naddr ipv4, ipv6;
		struct peer_flows *flows; /* NULL: there was none yet, as without rules */
	} list[PEERS_MAX];
	int64_t now; /* set at every turn */
};

/* Whose address it is; -1: nobody's. */
int peer_find(const struct peer_table *table, const struct naddr *a);

void peer_set(struct peer_table *table, unsigned slot, const struct peer_hello *hello);
void peer_unset(struct peer_table *table, unsigned slot);

/* TCP, UDP, echo: what goes from box to box at all. */
bool peer_kind(const struct frame *frame);

/* The connection a frame belongs to, which goes to (`out`) or comes from the peer: whether it is
 * known, and making it so. */
bool peer_flow_has(struct peer_table *table, unsigned slot, const uint8_t *p,
		   const struct frame *frame, bool out);
void peer_flow_add(struct peer_table *table, unsigned slot, const uint8_t *p,
		   const struct frame *frame, bool out);

/* A frame that has come from this peer for the box. If it may pass, its hardware addresses are set.
 * `p` may be changed. */
bool peer_accept(struct peer_table *table, const struct filter *f, const struct filter_box *box,
		 unsigned slot, uint8_t *p, size_t len, struct frame *ret);

/* The answer to the box's ARP request or neighbour solicitation for an address of the network. */
size_t peer_neighbour(const struct filter_box *box, const uint8_t *p, const struct frame *frame,
		      uint8_t *out);
