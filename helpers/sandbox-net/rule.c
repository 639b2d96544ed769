// SPDX-License-Identifier: MIT
#include "rule.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

/* ---- reading ---- */

static bool read_proto(const char *text, uint8_t *ret)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = { { "any", 0 }, { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP } };

	for (unsigned i = 0; i < G_N_ELEMENTS(protos); i++)
		if (strcmp(protos[i].name, text) == 0) {
			*ret = protos[i].proto;
			return true;
		}
	return false;
}

static bool read_net(const char *text, struct rule *rule)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", 2);
	guint64 prefix;

	if (!parts[0] || !parts[1] || !naddr_parse(parts[0], &rule->net) ||
	    !g_ascii_string_to_unsigned(parts[1], 10, 0, rule->net.family == 4 ? 32 : 128, &prefix,
					NULL))
		return false;
	rule->prefix = (unsigned)prefix;
	rule->target = TARGET_NET;
	return true;
}

static bool read_target(const char *text, struct rule *rule)
{
	bool below = g_str_has_prefix(text, "*.");

	if (strcmp(text, "lan") == 0) {
		rule->target = TARGET_LAN;
		return true;
	}
	if (strchr(text, '/'))
		return read_net(text, rule);
	rule->target = below ? TARGET_BELOW : TARGET_NAME;
	rule->name = g_ascii_strdown(below ? text + 2 : text, -1);
	return rule->name[0] != '\0' && strlen(rule->name) < 256;
}

static bool read_ports(const char *text, struct rule *rule)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", RULES_PORTS_MAX + 1);

	if (strcmp(text, "*") == 0)
		return true;
	for (char **part = parts; *part; part++)
		if (rule->nports == RULES_PORTS_MAX ||
		    !port_read_range(*part, &rule->ports[rule->nports++]))
			return false;
	return rule->nports > 0;
}

bool rule_read(const char *text, struct rule *rule)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 6);
	unsigned n = g_strv_length(words);

	if (n < 4 || n > 5)
		return false;
	rule->allow = strcmp(words[0], "allow") == 0;
	rule->plain = n == 5;
	return (rule->allow || strcmp(words[0], "deny") == 0) &&
	       (n == 4 || strcmp(words[4], "plain") == 0) && read_proto(words[1], &rule->proto) &&
	       read_target(words[2], rule) && read_ports(words[3], rule);
}

void rule_clear(void *rule)
{
	g_free(((struct rule *)rule)->name);
}

/* ---- matching ---- */

bool rule_takes_proto(const struct rule *rule, uint8_t proto)
{
	return rule->proto == 0 || rule->proto == proto;
}

bool rule_takes_port(const struct rule *rule, uint16_t port)
{
	for (unsigned i = 0; i < rule->nports; i++)
		if (port >= rule->ports[i].first && port <= rule->ports[i].last)
			return true;
	return rule->nports == 0;
}

bool rule_takes_name(const struct rule *rule, const char *name)
{
	size_t len = strlen(name), tail;

	if (!rule->name)
		return false;
	if (rule->target == TARGET_NAME)
		return g_ascii_strcasecmp(rule->name, name) == 0;
	tail = strlen(rule->name);
	return len > tail + 1 && name[len - tail - 1] == '.' &&
	       g_ascii_strcasecmp(name + len - tail, rule->name) == 0;
}

bool rule_says_port(const struct rule *rule, uint16_t port)
{
	for (unsigned i = 0; i < rule->nports; i++)
		if (rule->ports[i].first == port && rule->ports[i].last == port)
			return true;
	return false;
}

/* ---- text ---- */

static void put_ports(GString *out, const struct rule *rule)
{
	for (unsigned i = 0; i < rule->nports; i++) {
		const struct port_range *r = &rule->ports[i];

		g_string_append_printf(out, "%c%u", i ? ',' : ':', r->first);
		if (r->last != r->first)
			g_string_append_printf(out, "-%u", r->last);
	}
}

/* As the user has written it, or nearly so. */
const char *rule_denial(const struct rule *rule, char *out)
{
	static const char *const protos[] = { [IPPROTO_TCP] = "tcp://", [IPPROTO_UDP] = "udp://" };
	g_autoptr(GString) text = g_string_new("--deny ");
	char addr[INET6_ADDRSTRLEN];
	bool bracket = rule->target == TARGET_NET && rule->net.family == 6 && rule->nports;

	g_string_append(text, rule->proto ? protos[rule->proto] : "");
	if (rule->target == TARGET_LAN)
		g_string_append(text, "lan");
	else if (rule->target == TARGET_NET)
		g_string_append_printf(text, "%s%s/%u%s", bracket ? "[" : "",
				       naddr_text(&rule->net, addr, sizeof(addr)), rule->prefix,
				       bracket ? "]" : "");
	else
		g_string_append_printf(text, "%s%s", rule->target == TARGET_BELOW ? "*." : "",
				       rule->name);
	put_ports(text, rule);
	(void)g_strlcpy(out, text->str, RULES_WHY);
	return out;
}
