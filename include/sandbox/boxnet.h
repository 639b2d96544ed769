/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sandbox/err.h>
#include <sandbox/netctl.h>

/*
 * --network box:NAME, the launcher's part: RUNTIME/network/NAME, a directory in which the members of
 * a network meet. There is no daemon, and nothing that has to be told of a member's end:
 *
 *   (itself)   locked (flock(2)) by who joins or leaves, for some milliseconds
 *   subnet     "10.0.2.0": what the first member has picked
 *   101        a lease: locked as long as a process of that member's launcher lives; its NETCTL_HELLO
 *   101.sock   where those that come later connect to that member's helper
 *
 * A lease whose lock can be had is a dead member's, and removed by whoever comes or goes next. The
 * last one removes the directory.
 */

enum { BOXNET_FIRST = 100, BOXNET_LAST = 250 };

struct boxnet_peer {
	int fd;                       /* connected to it; our hello is sent */
	char hello[NETCTL_HELLO_MAX]; /* its own */
};

struct boxnet {
	int dir;                      /* -EBADF: not joined */
	int lease, listener;
	char *path;                   /* of dir */
	uint32_t network;             /* host byte order */
	unsigned number;              /* of this member, the last byte of its address */
	struct boxnet_peer *peers;    /* members that were there before */
	unsigned npeers;
};

struct boxnet_want {
	const char *runtime, *name;
	const char *hostname;         /* which the others reach it by, or NULL */
	uint32_t network;             /* for the first member */
	bool ipv6;
};

void boxnet_init(struct boxnet *net);

/* Joins; waits for others that do the same. E-NET-BOX. */
int boxnet_join(struct boxnet *net, const struct boxnet_want *want, struct err *err);

/* Leaves, and clears `net`; also where it was not joined. */
void boxnet_leave(struct boxnet *net);
