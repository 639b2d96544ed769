/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/* DNS messages on the wire (RFC 1035). Pure; every read is bounded by the length that was given, and
 * a pointer of a compressed name leads backwards only. */

enum { DNSMSG_HEADER = 12, DNSMSG_NAME = 256 };

/* Sizes of answers over UDP: without EDNS (RFC 1035), and the most that is asked for or handed out: what
 * crosses every network in one piece (RFC 9715). */
enum { DNSMSG_PLAIN = 512, DNSMSG_EDNS = 1232 };

enum {
	DNSMSG_A = 1,
	DNSMSG_CNAME = 5,
	DNSMSG_AAAA = 28,
	DNSMSG_OPT = 41,
	DNSMSG_SVCB = 64,
	DNSMSG_HTTPS = 65,
	DNSMSG_IN = 1,
};

enum { DNSMSG_OK, DNSMSG_FORMERR, DNSMSG_SERVFAIL, DNSMSG_NXDOMAIN, DNSMSG_NOTIMP, DNSMSG_REFUSED };

struct dnsmsg_question {
	char name[DNSMSG_NAME]; /* lower case, without the last dot; odd bytes are '?' */
	uint16_t type, class;
	size_t end; /* offset behind it */
};

struct dnsmsg_record {
	char owner[DNSMSG_NAME];
	uint16_t type, class, size;
	size_t ttl, data, end; /* offsets */
};

static inline bool dnsmsg_is_response(const uint8_t *p)
{
	return p[2] & 0x80;
}

/* RFC 1035, 4.1.1: 0 is QUERY; others change what the server knows (UPDATE, NOTIFY). */
static inline unsigned dnsmsg_opcode(const uint8_t *p)
{
	return p[2] >> 3 & 0x0f;
}

static inline bool dnsmsg_is_truncated(const uint8_t *p)
{
	return p[2] & 0x02;
}

static inline unsigned dnsmsg_rcode(const uint8_t *p)
{
	return p[3] & 0x0f;
}

/* The name at `at` into name[DNSMSG_NAME]. Returns the offset behind it, 0: malformed. */
size_t dnsmsg_name(const uint8_t *p, size_t len, size_t at, char *name);

/* A message with one question and the operation QUERY: its question. */
bool dnsmsg_question(const uint8_t *p, size_t len, struct dnsmsg_question *ret);

/* The record at `at`. */
bool dnsmsg_record(const uint8_t *p, size_t len, size_t at, struct dnsmsg_record *ret);

/* The address in an A or AAAA record; false: it is none. */
bool dnsmsg_address(const uint8_t *p, const struct dnsmsg_record *record, struct naddr *ret);

unsigned dnsmsg_answers(const uint8_t *p); /* number of records in the answer section */

/* Turns a query, or a response, into a response without records. `end`: behind the question, or
 * DNSMSG_HEADER where there is none. Returns its length. */
size_t dnsmsg_empty(uint8_t *p, size_t end, unsigned rcode);

/* How large an answer over UDP the asker takes, by its EDNS record (RFC 6891), from DNSMSG_PLAIN to
 * DNSMSG_EDNS. */
size_t dnsmsg_room(const uint8_t *query, size_t len);

/* Lowers what an EDNS record asks for to DNSMSG_EDNS. */
void dnsmsg_lower(uint8_t *query, size_t len);

/* Turns a response that is too long into one that says so, for the asker to come over TCP. Returns its
 * length. */
size_t dnsmsg_cut(uint8_t *p, size_t len);

/* Appends an address of the name in the question to a response in p[size]; returns the new length,
 * the same when it does not fit. */
size_t dnsmsg_add(uint8_t *p, size_t len, size_t size, const struct naddr *a, uint32_t ttl);
