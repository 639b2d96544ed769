/* SPDX-License-Identifier: MIT */
#pragma once

#include "hostlist.h"
#include "pollset.h"

/* The host's own addresses, as the kernel names them: all of them at the start, then every change.
 * The socket is opened before the confinement, and refuses nothing afterwards. */

struct hostaddr {
	int sock;
	int index;
	struct hostlist known;
	int64_t again_ms;         /* not asked again before: it has failed */
	const struct naddr *list; /* of known: sorted */
	size_t n;
};

/* 0 or negative errno. */
int hostaddr_open(struct hostaddr *h);
void hostaddr_close(struct hostaddr *h);

void hostaddr_fill(struct hostaddr *h, struct pollset *set);
/* Returns true when the list may have changed. */
bool hostaddr_handle(struct hostaddr *h, const struct pollset *set);
