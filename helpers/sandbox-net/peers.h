/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "link.h"
#include "peer.h"
#include "pollset.h"

/*
 * The sockets to the helpers of the other boxes (peer.h). Each pair of boxes has one, made by the
 * launcher of the one that came later; its end is the end of that box. What a peer does not take is
 * queued, up to PEERS_QUEUE_MAX; then frames for it are dropped, so that a slow one holds up nobody
 * else.
 */

enum { PEERS_QUEUE_MAX = 4 << 20 };

struct names;
struct rules;
struct peers;

struct peers_setup {
	struct filter *filter;
	const struct filter_box *box;
	struct link *link;
	struct names *names; /* learns their names */
	struct rules *rules; /* the same; may be NULL */
};

/* From now on the box has peers: `listener` is where later ones connect, owned here. */
struct peers *peers_new(const struct peers_setup *setup, int listener);

/* One that was there before: its socket, owned here, and its hello. */
void peers_add(struct peers *peers, int fd, const char *hello);

/* A frame from the box that the filter has found to be for a peer. */
void peers_send(struct peers *peers, const uint8_t *p, const struct frame *frame);

/* Of these, `peers` may be NULL. */
void peers_fill(struct peers *peers, struct pollset *set);
void peers_handle(struct peers *peers, const struct pollset *set);
/* Whether a peer has not got all that the box had for it. */
bool peers_is_busy(const struct peers *peers);
