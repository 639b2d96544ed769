/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * What the launcher and helpers/sandbox-net say to each other, over descriptors that only the two
 * of them hold. The helper is started as
 *
 *   sandbox-net --config-fd=N --ready-fd=N --exit-fd=N --control-fd=N
 *
 * config    a sealed memfd with the text of a key file (helpers/sandbox-net/netconfig.c)
 * ready     a pipe; the helper writes one line, "ready VERSION\n" or "error CODE TEXT\n". The end
 *           of the pipe without a line: it died
 * exit      the read end of a pipe; its end of file tells the helper to leave: it passes on what the
 *           box has sent, for NETCTL_FLUSH_MS at most
 * control   a SOCK_SEQPACKET pair; one struct netctl_msg and its text a packet, one descriptor at
 *           most attached
 *
 * The process that was started is not the one that stays: it makes the helper proper in namespaces
 * of its own, as a child of the launcher, sends NETCTL_PROCESS with its pidfd, and ends.
 */

enum { NETCTL_VERSION = 1, NETCTL_TEXT_MAX = 16384, NETCTL_FLUSH_MS = 200 };

#define NETCTL_MAGIC 0x534e4554u /* "SNET" */

enum netctl_kind {
	/* from the helper */
	NETCTL_PROCESS = 1, /* pidfd of the helper proper; before the ready line */
	NETCTL_REFUSED,     /* text: what was refused just now, "PROTO\tADDRESS\tPORT\tNAME\tWHY", of
	                       which what is not known is empty; rate-bounded */
	NETCTL_NOTICE,      /* text: one line for the user */
	NETCTL_SUMMARY,     /* text: all that was refused, a line each, "COUNT\t" and as above; at the
	                       end, also when it is nothing. The last may be a COUNT with nothing else:
	                       what there was no room for */
	/* from the launcher */
	NETCTL_LINK,        /* a box's frames: the descriptor; value: enum netctl_channel */
	NETCTL_RESOLV,      /* text: the host's resolv.conf has changed to this; its interfaces are
	                       numbers, see resolv.h */
	NETCTL_AGENT,       /* socket of the agent in the box's network namespace */
	NETCTL_LISTEN,      /* a socket bound to a published port, listening if of TCP; value: number of
	                       its entry in [publish] ports */
	NETCTL_PEERS_LISTEN, /* a listening socket for the other boxes of the network */
	NETCTL_PEER,        /* a socket connected to one of them; text: its NETCTL_HELLO line */
	NETCTL_LEAVE,       /* the command has ended: as the end of the exit pipe, but sooner */
	_NETCTL_MAX,
};

/*
 * --network box:NAME. The helpers of one network are joined each to each by SOCK_SEQPACKET sockets,
 * one frame a packet. Who connects says first who it is; the other one knows that of it already,
 * from its lease (ops/boxnet.c). One line, in both cases:
 *
 *   box1 IPV4 IPV6|- NAME|-
 */
#define NETCTL_HELLO "box1"
enum { NETCTL_HELLO_MAX = 192 };

/* How frames come out of a box: reads and writes are the same, errors are not. */
enum netctl_channel {
	NETCTL_TAP = 1, /* /dev/net/tun, without packet information */
	NETCTL_PACKET,  /* AF_PACKET on the far end of a veth pair */
};

/* What the agent is asked for, two bytes a packet: which kind, and how many. Its answer is the first of
 * them with the sockets attached, as many as are to be had. */
enum netctl_socket {
	NETCTL_SOCKET_TCP4 = '4',
	NETCTL_SOCKET_TCP6 = '6',
	NETCTL_SOCKET_KEEP4 = 'k', /* of TCP, for any source address (ops/keep.c) */
	NETCTL_SOCKET_KEEP6 = 'K',
	NETCTL_SOCKET_UDP = 'u', /* of IPv6 for both, or of IPv4 where the kernel has no IPv6 */
};

enum { NETCTL_SOCKETS_MAX = 16 };

/* On connections that carry their client's address: the box routes what has it back to itself. */
#define NETCTL_KEEP_MARK 0x53425831u

struct netctl_msg {
	uint32_t magic;
	uint16_t kind;
	uint16_t len; /* of the text that follows */
	int32_t value;
	uint32_t pad;
};

/* Sends one packet; fd is attached unless negative. Does not wait: -EAGAIN when the other side does
 * not read. 0 or negative errno. */
int netctl_send(int sock, enum netctl_kind kind, int value, const char *text, size_t len, int fd);

/* Receives one, without waiting. text[size] gets the text, NUL-terminated. *ret_fd: the attached
 * descriptor, close-on-exec, or -EBADF; the caller closes it. 0; -EAGAIN: none is there; -EPIPE: the
 * other side is gone; -EBADMSG: not one of ours. */
int netctl_recv(int sock, struct netctl_msg *ret, char *text, size_t size, int *ret_fd);
