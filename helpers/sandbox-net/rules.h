/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/*
 * Egress rules: what --allow and --deny say about destinations that are neither the host nor
 * special (filter.c has refused those already). Pure but for the clock that is handed in.
 *
 * The order of the rules is the order on the command line. With any `allow` the rest is refused;
 * with only `deny` rules the rest is allowed. Names are matched against what dns.c has learned.
 */

struct rules;

/* From the [egress] group of the configuration, one text a rule ("allow tcp example.org 443"); NULL
 * when there are none: everything is allowed. On a fault returns NULL too, with *ret_fault: a text
 * that names the rule. */
struct rules *rules_new(char **texts, const char **ret_fault);
void rules_free(struct rules *rules);

/* Whether a new flow may begin; *port in host byte order, 0 for ICMP. Never called for frames of
 * TCP connections that exist. */
bool rules_allow(const struct rules *rules, uint8_t proto, const struct naddr *dst, uint16_t port);

/* Whether this name may be asked for at all; refused names get REFUSED. */
bool rules_name_allowed(const struct rules *rules, const char *name);

/* A name was resolved to an address, good until `until` (milliseconds, CLOCK_MONOTONIC). Returns
 * false when the address may not be handed out (rebinding). */
bool rules_learn(struct rules *rules, const char *name, const struct naddr *a, int64_t until);
