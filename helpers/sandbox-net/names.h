/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"

/*
 * What becomes of a query and of its answer, whichever way they came (dns.c: UDP, dnstcp.c: TCP).
 * Pure: messages in, messages out.
 *
 *   - one question that can be read is passed on, and nothing else: other operations than QUERY are answered
 *     NOTIMP, what cannot be read FORMERR;
 *   - names of --add-host and the box's own are answered here, and asked of nobody;
 *   - names that no rule allows are answered REFUSED;
 *   - what an allowed name resolved to is learned (rules.h): addresses of the asked name and of the
 *     end of its chain of aliases, in one answer;
 *   - under rules by name an answer with an address that a public name has no business to have is
 *     answered REFUSED: the host's, special ones, private ones unless an address rule allows them
 *     (DNS rebinding). So are the records that carry addresses, keys for hidden server names and
 *     offers of QUIC in another form (HTTPS, SVCB): they are answered with nothing;
 *   - without IPv6 in the box there are no IPv6 addresses.
 */

struct names;
struct rules;

enum names_why { NAMES_BY_RULE, NAMES_BY_REBINDING };

struct names_setup {
	char *const *hosts;  /* "NAME ADDRESS"; may be NULL */
	struct rules *rules; /* may be NULL */
	const struct filter *filter;
	/* A name was refused; with REBINDING what it led to. May be NULL. */
	void (*refused)(void *opaque, const char *name, const struct naddr *a, enum names_why why);
	void *opaque;
};

struct names *names_new(const struct names_setup *setup);
void names_free(struct names *names);

/* Another box of the network has come, or gone. Names of the user's own giving stand before: then
 * false, and nothing is added. ipv6->family 0: it has none. */
bool names_add_peer(struct names *names, const char *name, const struct naddr *ipv4,
		    const struct naddr *ipv6);
void names_remove_peer(struct names *names, const char *name);

enum names_verdict { NAMES_FORWARD, NAMES_ANSWER, NAMES_DROP };

enum { NAMES_ANSWER_MAX = 4096 };

/* A query. ANSWER: the answer is in out[NAMES_ANSWER_MAX], *ret_len bytes. */
enum names_verdict names_query(struct names *names, const uint8_t *query, size_t len, uint8_t *out,
			       size_t *ret_len);

/* An answer from a server to that query, which is changed where it has to be. Returns its length, 0
 * if it is no answer to it. */
size_t names_answer(struct names *names, const uint8_t *query, size_t query_len, uint8_t *answer,
		    size_t len);

/* SERVFAIL in out[NAMES_ANSWER_MAX]; returns its length. */
size_t names_failure(const uint8_t *query, size_t len, uint8_t *out);
