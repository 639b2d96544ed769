// SPDX-License-Identifier: MIT
#include "rules.h"

#include <stddef.h>

/* No rules yet: the box reaches what is neither the host nor special. */

struct rules *rules_new(char **texts, const char **ret_fault)
{
	*ret_fault = texts && texts[0] ? "rules are not part of this version" : NULL;
	return NULL;
}

void rules_free(struct rules *rules)
{
	(void)rules;
}

bool rules_allow(const struct rules *rules, uint8_t proto, const struct naddr *dst, uint16_t port)
{
	(void)rules;
	(void)proto;
	(void)dst;
	(void)port;
	return true;
}

bool rules_name_allowed(const struct rules *rules, const char *name)
{
	(void)rules;
	(void)name;
	return true;
}

bool rules_learn(struct rules *rules, const char *name, const struct naddr *a, int64_t until)
{
	(void)rules;
	(void)name;
	(void)a;
	(void)until;
	return true;
}
