/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "filter.h"
#include "pollset.h"

/*
 * The frames of one box. Reading drains up to LINK_BATCH frames a wake-up: with one a wake-up 500
 * streams reach half the throughput. Writing never drops a frame that is wanted: libslirp repeats a
 * lost one only after a second. What the kernel does not take is queued, and while there is a queue
 * nothing is read that would make it longer.
 */

enum { LINK_BATCH = 16, LINK_QUEUE_MAX = 1 << 20 };

struct link_frame;

struct link {
	int fd; /* -1: none */
	int index;
	struct filter_box box;
	struct link_frame *head, **tail; /* not yet written */
	size_t queued;                   /* bytes of them */
};

void link_open(struct link *link, int fd, const struct filter_box *box);
void link_close(struct link *link);

/* One frame into buf[size]: its length, 0: none is there, negative errno: the link is gone. A
 * frame that was longer is skipped. */
ssize_t link_read(struct link *link, uint8_t *buf, size_t size);

/* Sends or queues. */
void link_write(struct link *link, const uint8_t *buf, size_t len);

/* Whether frames wait to be written. */
static inline bool link_is_full(const struct link *link)
{
	return link->head != NULL;
}

void link_fill(struct link *link, struct pollset *set);
/* Writes what waits; true if there is something to read. */
bool link_handle(struct link *link, const struct pollset *set);
