/* SPDX-License-Identifier: MIT */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The host's resolv.conf while the box runs: when it changes, the network helper is told its new
 * text. Watched are the file, which may be written in place, and every directory in which a name of
 * its chain of links may be exchanged (NetworkManager renames, systemd-resolved's lies in /run).
 */

enum { RESOLV_LINKS = 8, RESOLV_WATCHES = RESOLV_LINKS + 2 };

struct resolv {
	bool on;
	int fd; /* inotify(7), -1: not yet */
	int wds[RESOLV_WATCHES];
	char *names[RESOLV_WATCHES]; /* what is waited for in a directory; NULL: the file itself */
	unsigned n;
	char *told;     /* the text that the helper has */
	int64_t due_ms; /* the next look; 0: none is due */
};

/* Begins with a look after a moment, so that a short run pays nothing. */
void resolv_begin(struct resolv *resolv);
void resolv_end(struct resolv *resolv);

void resolv_poll(const struct resolv *resolv, struct pollfd *slot);
/* Milliseconds until the next look, at most `most` (negative: for ever). */
int resolv_wait(const struct resolv *resolv, int most);
/* Takes what has come, and looks if that is due. `control` is the helper's (netctl.h). */
void resolv_handle(struct resolv *resolv, const struct pollfd *slot, int control);
