/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "frame.h"

/*
 * The frame filter: in front of slirp_input() and behind send_packet(). Pure: frames and facts in, a
 * verdict out; it never allocates, waits or calls the kernel.
 *
 * libslirp has no notion of what a box may reach: a frame to 127.0.0.1 becomes a connect() to the
 * host's loopback, whatever its disable_host_loopback says, since that looks at the gateway's
 * address alone. A box with CAP_NET_ADMIN or CAP_NET_RAW makes such frames. So what a box may reach
 * is decided here, twice: by the frame, and once more by the address libslirp wants to connect to
 * (outlet.c), should the two ever read a frame differently.
 */

struct rules;
struct peer_table;
struct talks;

/* One box on the link, and whose frames these are. */
struct filter_box {
	uint8_t mac[6];
	struct naddr ipv4, ipv6; /* ipv6.family 0: none */
};

/* Ports by number, a bit each. */
struct portset {
	uint64_t bits[65536 / 64];
};

static inline bool portset_has(const struct portset *set, unsigned port)
{
	return set->bits[port / 64] >> (port % 64) & 1;
}

static inline void portset_add(struct portset *set, unsigned port)
{
	set->bits[port / 64] |= UINT64_C(1) << (port % 64);
}

struct filter {
	struct naddr gateway4, gateway6, dns4, dns6; /* family 0: IPv6 is off */
	struct naddr net4, net6;
	unsigned prefix4, prefix6;
	unsigned mtu;
	/* of the host's loopback, reached at the gateway */
	struct portset host_tcp, host_udp;
	bool any_host_port;
	bool ping; /* the host lets its users ping */
	/* the host's own addresses, sorted; kept up to date by hostaddr.c */
	const struct naddr *host;
	size_t nhost;
	struct rules *rules;      /* NULL: everything else is allowed */
	struct peer_table *peers; /* NULL: --network user */
	struct talks *talks;      /* who may answer by UDP; NULL: everybody */
};

enum filter_verdict {
	FILTER_PASS,
	FILTER_DROP,      /* no answer: it is malformed, or not meant for an answer */
	FILTER_REFUSE,    /* answered at once: RST, or ICMP (reject.c) */
	FILTER_DNS,       /* UDP to our name server: dns.c answers */
	FILTER_PEER,      /* to another box of the network: peers.c */
	FILTER_NEIGHBOUR, /* asks for the hardware address of one: peer.c answers */
};

enum filter_reason {
	FILTER_BY_NOTHING,
	FILTER_BY_FAULT,   /* frame_parse() says which */
	FILTER_BY_SOURCE,  /* not the box's own address */
	FILTER_BY_KIND,    /* an ICMP message that nobody sends in good faith; BOOTP, TFTP */
	FILTER_BY_SPECIAL, /* loopback, link-local, multicast and the like */
	FILTER_BY_HOST,    /* an address of the host */
	FILTER_BY_GATEWAY, /* a port of the gateway that --host-port did not open */
	FILTER_BY_NETWORK, /* the box's own network, where nobody else is */
	FILTER_BY_RULE,    /* --allow, --deny */
	FILTER_BY_IPV6,    /* IPv6 is off */
	FILTER_BY_PING,    /* the host lets its users not ping */
	FILTER_BY_PING6,   /* an echo over IPv6 */
	FILTER_BY_TALK,    /* a datagram of somebody whom the box has sent none */
	FILTER_BY_LIMIT,   /* too many flows at once; never by the filter itself */
	FILTER_BY_SERVER,  /* it asks for a server that no rule allows at this address */
	_FILTER_REASON_MAX,
};

/* A frame from `box`. It may be changed (the urgent pointer goes). *ret is valid when the verdict
 * is not DROP. */
enum filter_verdict filter_out(const struct filter *f, const struct filter_box *box, uint8_t *p,
			       size_t len, struct frame *ret, enum filter_reason *why);

/* A frame from libslirp, or made by us, for `box`: PASS or DROP. */
enum filter_verdict filter_in(const struct filter *f, const struct filter_box *box,
			      const uint8_t *p, size_t len, enum filter_reason *why);

/* Whether something of `proto` may be sent to this address, by the box's reckoning: the gateway
 * stands for the host. */
enum filter_verdict filter_destination(const struct filter *f, uint8_t proto,
				       const struct naddr *dst, uint16_t port,
				       enum filter_reason *why);

/* The same by the host's reckoning, for what libslirp is about to connect or send to: loopback only
 * where --host-port opened it. */
bool filter_socket(const struct filter *f, uint8_t proto, const struct naddr *dst, uint16_t port);

/* Loopback, link-local, multicast, unspecified, reserved, also as naddr_within(): never reached through
 * us. */
bool filter_is_special(const struct naddr *a);

/* An address of the host, also as naddr_within(). */
bool filter_is_host(const struct filter *f, const struct naddr *a);

/* "an address of the host" */
const char *filter_reason_text(enum filter_reason why);
