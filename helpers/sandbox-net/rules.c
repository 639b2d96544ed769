// SPDX-License-Identifier: MIT
#include "rules.h"

#include <glib.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "rule.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_DNS = 53, PORT_DOT = 853 };

struct learned {
	char *name;
	struct naddr addr;
	int64_t until;
};

/* Datagrams that a name has allowed: they go on when its time is over, until they pause. */
struct flow {
	struct naddr addr;
	uint16_t port;
	int64_t until;
};

enum { FLOWS = 1024, FLOW_TRIES = 8 };

struct rules {
	GArray *rules;   /* struct rule */
	GArray *learned; /* struct learned */
	struct flow flows[FLOWS];
	bool any_allow, any_name;
	int64_t now;
};

static void clear_learned(void *learned)
{
	g_free(((struct learned *)learned)->name);
}

struct rules *rules_new(char **texts, const char **ret_fault)
{
	struct rules *rules;

	*ret_fault = NULL;
	if (!texts || !texts[0])
		return NULL;
	rules = g_new0(struct rules, 1);
	rules->rules = g_array_new(FALSE, FALSE, sizeof(struct rule));
	rules->learned = g_array_new(FALSE, FALSE, sizeof(struct learned));
	g_array_set_clear_func(rules->rules, rule_clear);
	g_array_set_clear_func(rules->learned, clear_learned);
	for (char **text = texts; *text && !*ret_fault; text++) {
		struct rule rule = { 0 };

		if (rules->rules->len == RULES_MAX || !rule_read(*text, &rule))
			*ret_fault = *text;
		rules->any_allow |= rule.allow;
		rules->any_name |= rule.name != NULL;
		g_array_append_val(rules->rules, rule);
	}
	if (*ret_fault)
		g_clear_pointer(&rules, rules_free);
	return rules;
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	g_array_free(rules->rules, TRUE);
	g_array_free(rules->learned, TRUE);
	g_free(rules);
}

/* ---- matching ---- */

static bool learned_matches(const struct rules *rules, const struct rule *rule,
			    const struct naddr *dst)
{
	for (unsigned i = 0; i < rules->learned->len; i++) {
		const struct learned *l = &g_array_index(rules->learned, struct learned, i);

		if (l->until > rules->now && naddr_equal(&l->addr, dst) &&
		    rule_takes_name(rule, l->name))
			return true;
	}
	return false;
}

/* What is denied is denied by translation too (RFC 6052); what is allowed is what is written. */
static bool net_matches(const struct rule *rule, const struct naddr *dst)
{
	struct naddr v4[NADDR_WITHIN];
	bool in = naddr_in(dst, &rule->net, rule->prefix);

	for (unsigned n = rule->allow ? 0 : naddr_within(dst, v4); n-- > 0;)
		in |= naddr_in(&v4[n], &rule->net, rule->prefix);
	return in;
}

static bool target_matches(const struct rules *rules, const struct rule *rule,
			   const struct naddr *dst)
{
	switch (rule->target) {
	case TARGET_NET: return net_matches(rule, dst);
	case TARGET_LAN: return rules_is_lan(dst);
	case TARGET_NAME:
	case TARGET_BELOW: return learned_matches(rules, rule, dst);
	}
	return false;
}

static bool is_resolver(uint16_t port)
{
	return port == PORT_DNS || port == PORT_DOT;
}

/* QUIC shows no name that could be checked: a name allows it only if its rule has the port in so many
 * words. Other resolvers, DNS over TLS too, would get round our own: as long as any rule has a name,
 * the same goes for every rule, since who allows a network does not think of the resolvers in it. */
static bool covers(const struct rules *rules, const struct rule *rule, uint8_t proto, uint16_t port)
{
	if (!rule->allow)
		return true;
	if (rule->name && proto == IPPROTO_UDP && port == PORT_HTTPS)
		return rule->proto == proto && rule_says_port(rule, port);
	return !rules->any_name || !is_resolver(port) || rule_says_port(rule, port);
}

/* The first rule that matches; NULL: none. For a `peer` "lan" does not count. */
static const struct rule *find(const struct rules *rules, uint8_t proto, const struct naddr *dst,
			       uint16_t port, bool peer)
{
	for (unsigned i = 0; i < rules->rules->len; i++) {
		const struct rule *rule = &g_array_index(rules->rules, struct rule, i);

		if (peer && rule->target == TARGET_LAN)
			continue;
		if (rule_takes_proto(rule, proto) && rule_takes_port(rule, port) &&
		    target_matches(rules, rule, dst) && covers(rules, rule, proto, port))
			return rule;
	}
	return NULL;
}

/* The place of a flow: its own, or else the one that ends first of those it may take. */
static struct flow *flow_at(struct rules *rules, const struct naddr *a, uint16_t port)
{
	struct flow *oldest = NULL;
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (unsigned i = 0; i < sizeof(a->bytes); i++)
		hash = (hash ^ a->bytes[i]) * 16777619U;
	hash = (hash ^ port) * 16777619U;
	for (unsigned i = 0; i < FLOW_TRIES; i++) {
		struct flow *flow = &rules->flows[(hash + i) % FLOWS];

		if (flow->port == port && naddr_equal(&flow->addr, a))
			return flow;
		if (!oldest || flow->until < oldest->until)
			oldest = flow;
	}
	return oldest;
}

/* Whether this is one of a flow that has not paused; it goes on then. */
static bool flow_continues(struct rules *rules, const struct naddr *a, uint16_t port)
{
	struct flow *flow = flow_at(rules, a, port);

	if (flow->port != port || !naddr_equal(&flow->addr, a) || flow->until <= rules->now)
		return false;
	flow->until = rules->now + RULES_UDP_IDLE_MS;
	return true;
}

static void flow_begin(struct rules *rules, const struct naddr *a, uint16_t port)
{
	*flow_at(rules, a, port) = (struct flow){ *a, port, rules->now + RULES_UDP_IDLE_MS };
}

bool rules_allow(struct rules *rules, uint8_t proto, const struct naddr *dst, uint16_t port)
{
	bool datagrams = rules && rules->any_name && proto == IPPROTO_UDP;
	const struct rule *rule;

	if (!rules || (datagrams && flow_continues(rules, dst, port)))
		return true;
	rule = find(rules, proto, dst, port, false);
	if (!rule)
		return !rules->any_allow && !(rules->any_name && is_resolver(port));
	if (datagrams && rule->allow && rule->name)
		flow_begin(rules, dst, port);
	return rule->allow;
}

bool rules_allow_peer(const struct rules *rules, uint8_t proto, const struct naddr *dst,
		      uint16_t port)
{
	const struct rule *rule = rules ? find(rules, proto, dst, port, true) : NULL;

	if (!rules)
		return true;
	if (!rule)
		return !rules->any_allow && !(rules->any_name && is_resolver(port));
	return rule->allow;
}

enum rules_inspect rules_inspect(const struct rules *rules, uint8_t proto, const struct naddr *dst,
				 uint16_t port)
{
	const struct rule *rule;

	if (!rules || proto != IPPROTO_TCP || (port != PORT_HTTP && port != PORT_HTTPS))
		return RULES_PLAIN;
	rule = find(rules, proto, dst, port, false);
	return rule && rule->allow && rule->name && !rule->plain ? RULES_NAME : RULES_PLAIN;
}

static bool was_learned(const struct rules *rules, const char *name, const struct naddr *a)
{
	for (unsigned i = 0; i < rules->learned->len; i++) {
		const struct learned *l = &g_array_index(rules->learned, struct learned, i);

		if (l->until > rules->now && naddr_equal(&l->addr, a) &&
		    g_ascii_strcasecmp(l->name, name) == 0)
			return true;
	}
	return false;
}

bool rules_names_match(const struct rules *rules, uint8_t proto, const struct naddr *dst,
		       uint16_t port, const char *name)
{
	if (!was_learned(rules, name, dst))
		return false;
	for (unsigned i = 0; i < rules->rules->len; i++) {
		const struct rule *rule = &g_array_index(rules->rules, struct rule, i);

		if (rule_takes_proto(rule, proto) && rule_takes_port(rule, port) &&
		    covers(rules, rule, proto, port) &&
		    (rule->name ? rule_takes_name(rule, name) : target_matches(rules, rule, dst)))
			return rule->allow;
	}
	return !rules->any_allow;
}

/* ---- why not ---- */

/* A name was resolved to it, now or before. */
static bool ever_learned(const struct rules *rules, const struct naddr *a, bool *ret_over)
{
	bool found = false;

	*ret_over = true;
	for (unsigned i = 0; i < rules->learned->len; i++) {
		const struct learned *l = &g_array_index(rules->learned, struct learned, i);

		if (!naddr_equal(&l->addr, a))
			continue;
		found = true;
		*ret_over &= l->until <= rules->now;
	}
	return found;
}

const char *rules_why(const struct rules *rules, uint8_t proto, const struct naddr *dst,
		      uint16_t port, bool peer, char *out)
{
	const struct rule *rule = find(rules, proto, dst, port, peer);
	const char *text = "no --allow for it";
	bool over;

	if (rule && !rule->allow)
		return rule_denial(rule, out);
	if (is_resolver(port) && rules->any_name)
		text = "another name server than the box's, under rules with names";
	else if (ever_learned(rules, dst, &over) && over)
		text = "its name was looked up too long ago";
	else if (ever_learned(rules, dst, &over) && proto == IPPROTO_UDP && port == PORT_HTTPS)
		text = "QUIC, under a rule with a name";
	(void)g_strlcpy(out, text, RULES_WHY);
	return out;
}

const char *rules_why_name(const struct rules *rules, const char *name, char *out)
{
	for (unsigned i = 0; i < rules->rules->len; i++) {
		const struct rule *rule = &g_array_index(rules->rules, struct rule, i);

		if (!rule->allow && rule->nports == 0 && rule->proto == 0 &&
		    rule_takes_name(rule, name))
			return rule_denial(rule, out);
	}
	(void)g_strlcpy(out, "no --allow for this name", RULES_WHY);
	return out;
}

/* ---- names ---- */

/* A rule for addresses says nothing about names: where one allows, any name may be asked for, since
 * it may lead there. */
bool rules_name_allowed(const struct rules *rules, const char *name)
{
	bool addresses = false;

	if (!rules)
		return true;
	for (unsigned i = 0; i < rules->rules->len; i++) {
		const struct rule *rule = &g_array_index(rules->rules, struct rule, i);

		if (rule_takes_name(rule, name) &&
		    (rule->allow || (rule->nports == 0 && rule->proto == 0)))
			return rule->allow;
		addresses |= rule->allow && !rule->name;
	}
	return addresses || !rules->any_allow;
}

bool rules_by_name(const struct rules *rules)
{
	return rules && rules->any_name;
}

/* Whether an address rule lets something reach it, on whatever port. */
static bool opened_by_address(const struct rules *rules, const struct naddr *a)
{
	for (unsigned i = 0; i < rules->rules->len; i++) {
		const struct rule *rule = &g_array_index(rules->rules, struct rule, i);

		if (!rule->name && target_matches(rules, rule, a) &&
		    (rule->allow || rule->nports == 0))
			return rule->allow;
	}
	return false;
}

/* The place for a new one: what has ended, or the one that ends first. */
static struct learned *place(struct rules *rules)
{
	struct learned empty = { 0 }, *oldest = NULL;

	for (unsigned i = 0; i < rules->learned->len; i++) {
		struct learned *l = &g_array_index(rules->learned, struct learned, i);

		if (!oldest || l->until < oldest->until)
			oldest = l;
	}
	if (oldest && (oldest->until <= rules->now || rules->learned->len == RULES_LEARNED_MAX)) {
		clear_learned(oldest);
		return oldest;
	}
	g_array_append_val(rules->learned, empty);
	return &g_array_index(rules->learned, struct learned, rules->learned->len - 1);
}

static void remember(struct rules *rules, const char *name, const struct naddr *a, int64_t until)
{
	struct learned *l = NULL;

	for (unsigned i = 0; i < rules->learned->len && !l; i++) {
		l = &g_array_index(rules->learned, struct learned, i);
		if (!naddr_equal(&l->addr, a) || g_ascii_strcasecmp(l->name, name) != 0)
			l = NULL;
	}
	if (!l) {
		l = place(rules);
		*l = (struct learned){ .name = g_ascii_strdown(name, -1), .addr = *a };
	}
	l->until = MAX(l->until, until);
}

bool rules_rebinds(const struct rules *rules, const struct naddr *a)
{
	return rules && rules->any_name && rules_is_lan(a) && !opened_by_address(rules, a);
}

bool rules_learn(struct rules *rules, const char *name, const struct naddr *a, uint32_t ttl)
{
	int64_t good = CLAMP((int64_t)ttl * 1000, RULES_TTL_MIN_MS, RULES_TTL_MAX_MS);

	if (!rules)
		return true;
	if (rules_rebinds(rules, a))
		return false;
	remember(rules, name, a, rules->now + good);
	return true;
}

void rules_learn_host(struct rules *rules, const char *name, const struct naddr *a)
{
	if (rules)
		remember(rules, name, a, INT64_MAX);
}

void rules_forget(struct rules *rules, const struct naddr *a)
{
	for (unsigned i = rules ? rules->learned->len : 0; i-- > 0;) {
		struct learned *l = &g_array_index(rules->learned, struct learned, i);

		if (naddr_equal(&l->addr, a))
			g_array_remove_index_fast(rules->learned, i);
	}
}

const char *rules_name_of(const struct rules *rules, const struct naddr *a)
{
	for (unsigned i = rules ? rules->learned->len : 0; i-- > 0;) {
		const struct learned *l = &g_array_index(rules->learned, struct learned, i);

		if (naddr_equal(&l->addr, a))
			return l->name;
	}
	return NULL;
}

void rules_tick(struct rules *rules, int64_t now)
{
	if (rules)
		rules->now = now;
}

static bool is_lan_itself(const struct naddr *a)
{
	/* RFC 1918, RFC 6598, RFC 4193 */
	/* clang-format off */
	static const struct { struct naddr net; unsigned prefix; } lan[] = {
		{ { 4, { 10 } }, 8 },        { { 4, { 172, 16 } }, 12 }, { { 4, { 192, 168 } }, 16 },
		{ { 4, { 100, 64 } }, 10 },  { { 6, { 0xfc } }, 7 },
	};
	/* clang-format on */

	for (unsigned i = 0; i < G_N_ELEMENTS(lan); i++)
		if (naddr_in(a, &lan[i].net, lan[i].prefix))
			return true;
	return false;
}

bool rules_is_lan(const struct naddr *a)
{
	struct naddr v4[NADDR_WITHIN];
	bool lan = is_lan_itself(a);

	for (unsigned n = naddr_within(a, v4); n-- > 0;)
		lan |= is_lan_itself(&v4[n]);
	return lan;
}
