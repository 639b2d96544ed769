/* SPDX-License-Identifier: MIT */
#pragma once

#include "port.h"
#include "rules.h"

/* One rule as it is written: "allow|deny any|tcp|udp NAME|*.NAME|NET/PREFIX|lan PORTS|* [plain]". What it
 * says of destinations whose names have been looked up is rules.c's. */

enum target { TARGET_NAME, TARGET_BELOW, TARGET_NET, TARGET_LAN };

struct rule {
	bool allow, plain;
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP, 0: any */
	enum target target;
	char *name; /* lower case, without the last dot; of TARGET_BELOW what follows "*." */
	struct naddr net;
	unsigned prefix;
	struct port_range ports[RULES_PORTS_MAX];
	unsigned nports; /* 0: all */
};

/* False: it is none. What it holds is the caller's to clear in either case. */
bool rule_read(const char *text, struct rule *rule);
void rule_clear(void *rule);

bool rule_takes_proto(const struct rule *rule, uint8_t proto);
bool rule_takes_port(const struct rule *rule, uint16_t port);
bool rule_takes_name(const struct rule *rule, const char *name);
/* It has this port alone in one of its ranges. */
bool rule_says_port(const struct rule *rule, uint16_t port);

/* A --deny as the user has written it, or nearly so, into out[RULES_WHY]; returns out. */
const char *rule_denial(const struct rule *rule, char *out);
