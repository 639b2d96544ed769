/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/*
 * Egress rules: what --allow and --deny say about destinations that are neither the host nor
 * special (filter.c has refused those already). Pure: the clock is handed in by rules_tick().
 *
 * The first rule that matches decides, in the order of the command line. Where none does: with any
 * `allow` the rest is refused, with only `deny` rules the rest is allowed. Names are matched against
 * what dns.c has learned for them, for as long as the answer was good. A name allows QUIC only where its
 * rule says "udp ... 443-443" in so many words. With any rule about names, DNS and DNS over TLS are
 * refused but by "... 53-53" and "... 853-853", of a name or of addresses.
 *
 * A rule's text is "allow|deny any|tcp|udp TARGET PORTS[ plain]": TARGET a name, "*.NAME" (what is
 * below it, not NAME itself), ADDRESS/PREFIX, or "lan" (private, carrier-grade and unique local
 * addresses); PORTS "*" or "443,8000-8010"; `plain`: no look at the name in TLS or HTTP.
 */

enum {
	RULES_MAX = 1024,
	RULES_PORTS_MAX = 32,         /* ranges in one rule */
	RULES_LEARNED_MAX = 8192,     /* addresses; the one that ends first goes */
	RULES_TTL_MIN_MS = 30 * 1000, /* programs resolve first and connect a little later */
	RULES_TTL_MAX_MS = 3600 * 1000,
	RULES_UDP_IDLE_MS = 240 * 1000, /* as long as libslirp keeps a socket for them */
};

struct rules;

enum rules_inspect {
	RULES_PLAIN, /* the flow is passed on as it is */
	RULES_NAME,  /* allowed by a name: what it names itself (TLS, HTTP) must be allowed too */
};

/* From the [egress] group of the configuration, one text a rule; NULL when there are none:
 * everything is allowed. On a fault returns NULL too, with *ret_fault: a text that names it. */
struct rules *rules_new(char **texts, const char **ret_fault);
void rules_free(struct rules *rules);

/* The time in milliseconds (CLOCK_MONOTONIC) by which the others reckon from now on. */
void rules_tick(struct rules *rules, int64_t now);

/* Whether a new flow may begin; port in host byte order, 0 for ICMP. Never called for frames of
 * TCP connections that exist; datagrams to where a name has allowed them go on when its time is over,
 * until they pause for RULES_UDP_IDLE_MS. */
bool rules_allow(struct rules *rules, uint8_t proto, const struct naddr *dst, uint16_t port);

/* The same for another box of the box's own network: "lan" says nothing about those. */
bool rules_allow_peer(const struct rules *rules, uint8_t proto, const struct naddr *dst,
		      uint16_t port);

/* Why rules_allow(), or rules_allow_peer() for a `peer`, has refused this, in the words of the command
 * line; into out[RULES_WHY], which is returned. */
enum { RULES_WHY = 160 };
const char *rules_why(const struct rules *rules, uint8_t proto, const struct naddr *dst,
		      uint16_t port, bool peer, char *out);

/* The same of rules_name_allowed(). */
const char *rules_why_name(const struct rules *rules, const char *name, char *out);

/* For a flow that rules_allow() let begin: whether its first bytes are to be looked at. */
enum rules_inspect rules_inspect(const struct rules *rules, uint8_t proto, const struct naddr *dst,
				 uint16_t port);

/* Whether a flow to dst may name `name` as its server: a rule allows the name, and it was resolved
 * to this address. */
bool rules_names_match(const struct rules *rules, uint8_t proto, const struct naddr *dst,
		       uint16_t port, const char *name);

/* Whether this name may be asked for at all; refused names get REFUSED. */
bool rules_name_allowed(const struct rules *rules, const char *name);

/* Whether any rule is about names: then QUIC is refused, and other resolvers. */
bool rules_by_name(const struct rules *rules);

/* A name was resolved to an address, good for `ttl` seconds (bounded, see above). Returns false when
 * the address may not be handed out: a name leads into a private network only where an address rule
 * allows that (DNS rebinding). Without rules nothing is learned, and everything is good. */
bool rules_learn(struct rules *rules, const char *name, const struct naddr *a, uint32_t ttl);

/* Whether an answer for a name may not have this address, see rules_learn(). */
bool rules_rebinds(const struct rules *rules, const struct naddr *a);

/* A name that the user has given an address: good for ever, wherever it leads. */
void rules_learn_host(struct rules *rules, const char *name, const struct naddr *a);

/* Nobody has this address any more, and who gets it next has another name. */
void rules_forget(struct rules *rules, const struct naddr *a);

/* Which name an address was last handed out for, or NULL; for messages. */
const char *rules_name_of(const struct rules *rules, const struct naddr *a);

/* Addresses of no public network: private, carrier-grade, unique local, also as naddr_within(). */
bool rules_is_lan(const struct naddr *a);
