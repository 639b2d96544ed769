/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/*
 * What the kernel's messages (rtnetlink(7)) say of the host's addresses. Pure: hostaddr.c has the socket.
 *
 * An address may be there more than once, on two interfaces or with two prefixes, and only the kernel
 * knows when the last of them has gone. So a message adds at once, and never takes away: that an address
 * has gone is a reason to ask for all of them anew. The answer is gathered beside the list, which stays in
 * force meanwhile, and takes its place only if nothing went, changed or was lost while it came.
 */

struct naddrs {
	struct naddr *list; /* sorted, each once */
	size_t n, size;
};

struct hostlist {
	struct naddrs now, fresh; /* fresh: while asked */
	uint32_t seq;             /* of the question */
	bool asked;               /* an answer is under way */
	bool stale;               /* something may be wrong since it was asked, or is to be asked */
};

void hostlist_init(struct hostlist *list);
void hostlist_clear(struct hostlist *list);

/* All addresses have been asked for, with that number. */
void hostlist_asked(struct hostlist *list, uint32_t seq);

/* Whether they should be: not while an answer is under way. */
static inline bool hostlist_must_ask(const struct hostlist *list)
{
	return list->stale && !list->asked;
}

/* One datagram of the kernel's. 0, or the negative errno of an answer that failed. */
int hostlist_take(struct hostlist *list, const void *buf, size_t len);

/* The kernel had no room for its news. */
void hostlist_lost(struct hostlist *list);
