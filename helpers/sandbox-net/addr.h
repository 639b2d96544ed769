/* SPDX-License-Identifier: MIT */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An IPv4 or IPv6 address in network byte order; unused bytes are zero, so that two are compared as
 * a whole. */
struct naddr {
	uint8_t family; /* 4, 6, or 0: none */
	uint8_t bytes[16];
};

static inline struct naddr naddr4(const void *bytes)
{
	struct naddr a = { .family = 4 };

	memcpy(a.bytes, bytes, 4);
	return a;
}

static inline struct naddr naddr6(const void *bytes)
{
	struct naddr a = { .family = 6 };

	memcpy(a.bytes, bytes, 16);
	return a;
}

static inline bool naddr_equal(const struct naddr *a, const struct naddr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Whether the first `prefix` bits are those of `net`. */
static inline bool naddr_in(const struct naddr *a, const struct naddr *net, unsigned prefix)
{
	unsigned bytes = prefix / 8, bits = prefix % 8;

	if (a->family != net->family || memcmp(a->bytes, net->bytes, bytes) != 0)
		return false;
	return bits == 0 || ((a->bytes[bytes] ^ net->bytes[bytes]) >> (8 - bits)) == 0;
}

/* The addresses of IPv4 that one of IPv6 may stand for, by translation on its way (NAT64: RFC 6052, 8215;
 * SIIT: RFC 2765) or by a tunnel (6to4: RFC 3056). Where the network decides which of its bytes they
 * are, all that it may be. Returns how many. */
enum { NADDR_WITHIN = 4 };
unsigned naddr_within(const struct naddr *a, struct naddr ret[NADDR_WITHIN]);

/* Reads "10.0.2.2" or "fd00::2"; false if it is neither. */
bool naddr_parse(const char *text, struct naddr *ret);

/* Writes it as text to out[size], which INET6_ADDRSTRLEN is enough for. Returns out. */
const char *naddr_text(const struct naddr *a, char *out, size_t size);

/* From a socket address: the address, *ret_port in host byte order. Mapped IPv4 becomes IPv4. False
 * for other families. */
bool naddr_from(const struct sockaddr *sa, socklen_t len, struct naddr *ret, uint16_t *ret_port);

/* To a socket address. Returns its length. */
socklen_t naddr_to(const struct naddr *a, uint16_t port, struct sockaddr_storage *ret);
