/* SPDX-License-Identifier: MIT */
#pragma once

#include <poll.h>
#include <stdint.h>

/*
 * One turn of the loop: every room adds the descriptors it waits for and shortens the time to its
 * next deadline; after poll(2) every room looks at its own.
 */
struct pollset {
	struct pollfd *fds;
	unsigned n, size;
	int64_t now;      /* CLOCK_MONOTONIC, milliseconds, at the begin of the turn */
	int64_t deadline; /* of the turn */
};

/* Returns the index, to ask for revents later. */
int pollset_add(struct pollset *set, int fd, short events);

static inline short pollset_got(const struct pollset *set, int index)
{
	return index >= 0 && (unsigned)index < set->n ? set->fds[index].revents : 0;
}

static inline void pollset_until(struct pollset *set, int64_t deadline)
{
	if (deadline < set->deadline)
		set->deadline = deadline;
}
