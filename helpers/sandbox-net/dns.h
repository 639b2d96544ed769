/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "pollset.h"

/*
 * The name server of the box. Queries come from frames (UDP) or from an inner stream (TCP, see
 * outlet.h); they are asked of the host's servers with a port and an identifier of our own, in
 * order, with fail-over; an answer goes back to whoever asked.
 */

struct dns;
struct names;

struct dns_client {
	struct naddr addr; /* the box's address that asked, and the one of ours it asked */
	struct naddr server;
	uint16_t port;
	void *box; /* of the caller's: which box */
};

enum { DNS_SERVERS_MAX = 8, DNS_PORT = 53 };

struct dns_server {
	struct naddr addr;
	uint32_t scope; /* number of the interface whose link it is on, 0: on none */
};

/* Those that are asked, in order. */
struct dns_servers {
	struct dns_server list[DNS_SERVERS_MAX];
	unsigned n;
};

/* Its port 53. Returns the length. */
socklen_t dns_server_to(const struct dns_server *server, struct sockaddr_storage *ret);

/*
 * How many queries are passed on: DNS_RATE a second, DNS_BURST at once. A box that asks for more gets
 * no answer over UDP and SERVFAIL over TCP, so that it can neither bury the host's resolver nor tell
 * much to the owner of a name by asking. Those that wait for an answer are bounded too (dns.c: 256 over
 * UDP, dnstcp.c: 32 over TCP).
 */
enum { DNS_RATE = 100, DNS_BURST = 500 };

struct dns_rate {
	int64_t at; /* the time up to which queries have been passed on, in 1/DNS_RATE s */
};

/* Whether one more may go. */
bool dns_rate_take(struct dns_rate *rate, int64_t now);

/* Answers that say more of a server than of a name: the next one is asked. */
bool dns_is_failure(unsigned rcode);

/* Hands out the answer to a UDP query. */
typedef void (*dns_reply)(void *opaque, const struct dns_client *client, const uint8_t *data,
			  size_t len);

struct dns_setup {
	const char *resolv;   /* text of the host's resolv.conf, or NULL */
	char *const *servers; /* --dns; may be NULL */
	struct names *names;  /* says what becomes of each query and answer */
	dns_reply reply;
	void (*flooded)(void *opaque); /* a query was not passed on for DNS_RATE; may be NULL */
	void *opaque;
};

struct dns *dns_new(const struct dns_setup *setup);
void dns_free(struct dns *dns);

/* The host's resolv.conf has changed. Queries under way go on. */
void dns_set_resolv(struct dns *dns, const char *text);

/* A query of `len` bytes; what is no query is dropped. */
void dns_query(struct dns *dns, const struct dns_client *client, const uint8_t *data, size_t len,
	       int64_t now);

/* The box has connected to our port 53: `fd` is our end of a stream, now owned here. */
void dns_stream(struct dns *dns, int fd);

void dns_fill(struct dns *dns, struct pollset *set);
void dns_handle(struct dns *dns, const struct pollset *set);
