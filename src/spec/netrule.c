// SPDX-License-Identifier: MIT
/*
 * --allow and --deny: [tcp://|udp://]TARGET[:PORTS], for --allow also [,plain]. Read strictly here,
 * where the user can be told, and handed on in one plain form (helpers/sandbox-net/rules.h), in the
 * order given.
 */
#include <arpa/inet.h>
#include <string.h>

#include "build.h"

enum { RULES_MAX = 1024, PORTS_MAX = 32 }; /* as helpers/sandbox-net/rules.h has them */

/* The parts of one value, all of them copies. */
struct parts {
	const char *proto;
	char *target;
	char *ports; /* NULL: none are named; or the list without ",plain" */
	bool plain;
};

static void parts_clear(struct parts *p)
{
	g_free(p->target);
	g_free(p->ports);
}

static const char *take_proto(const char *value, const char **ret_proto)
{
	static const struct {
		const char *prefix, *proto;
	} protos[] = { { "tcp://", "tcp" }, { "udp://", "udp" } };

	*ret_proto = "any";
	for (unsigned i = 0; i < G_N_ELEMENTS(protos); i++)
		if (g_str_has_prefix(value, protos[i].prefix)) {
			*ret_proto = protos[i].proto;
			return value + strlen(protos[i].prefix);
		}
	return value;
}

/* Where the ports begin: after "]" for an IPv6 address in brackets; an address with several colons
 * and no brackets has none. */
static const char *ports_at(const char *text)
{
	const char *bracket = strchr(text, ']'), *colon;

	if (text[0] == '[')
		return bracket && bracket[1] == ':' ? bracket + 1 : NULL;
	colon = strchr(text, ':');
	return colon && !strchr(colon + 1, ':') ? colon : NULL;
}

static bool take_plain(char *text)
{
	char *comma = strrchr(text, ',');

	if (!comma || strcmp(comma, ",plain") != 0)
		return false;
	*comma = '\0';
	return true;
}

static void split(const char *value, struct parts *ret)
{
	const char *text = take_proto(value, &ret->proto), *ports;
	g_autofree char *copy = g_strdup(text);

	ret->plain = take_plain(copy);
	ports = ports_at(copy);
	ret->ports = ports ? g_strdup(ports + 1) : NULL;
	ret->target = g_strndup(copy, ports ? (size_t)(ports - copy) : strlen(copy));
	if (ret->target[0] == '[' && g_str_has_suffix(ret->target, "]")) {
		char *inner = g_strndup(ret->target + 1, strlen(ret->target) - 2);

		g_free(ret->target);
		ret->target = inner;
	}
}

static int read_ports(struct build *b, const struct parts *p, GString *out, struct err *err)
{
	const char *list = p->ports, *item;
	struct ports ports;
	unsigned n = 0;
	size_t len;
	int r = 0;

	if (!list) {
		g_string_assign(out, "*");
		return 0;
	}
	if (*list == '\0')
		return build_refuse(err, b, "there is no port after the ':'");
	while (r == 0 && value_list_next(&list, &item, &len)) {
		if (++n > PORTS_MAX)
			return build_refuse(err, b, "more than %d ports in one rule", PORTS_MAX);
		r = build_read_ports(b, item, len, &ports, err);
		if (r == 0)
			g_string_append_printf(out, "%s%u-%u", n > 1 ? "," : "", ports.first,
					       ports.last);
	}
	return r;
}

/* Whether bits beyond the prefix are set: the user thinks of another network than is written. */
static bool has_host_bits(const uint8_t *bytes, unsigned size, unsigned prefix)
{
	for (unsigned bit = prefix; bit < size * 8; bit++)
		if (bytes[bit / 8] & (0x80 >> (bit % 8)))
			return true;
	return false;
}

/* 1: it is an address or a network, *ret is it in full; 0: it is none; negative: refused. */
static int read_net(struct build *b, const char *target, char **ret, struct err *err)
{
	g_auto(GStrv) halves = g_strsplit(target, "/", 2);
	uint8_t bytes[16];
	bool v4 = halves[0] && inet_pton(AF_INET, halves[0], bytes) == 1;
	unsigned size = v4 ? 4 : 16;
	uint64_t prefix = size * 8;

	if (!halves[0] || (!v4 && inet_pton(AF_INET6, halves[0], bytes) != 1)) {
		if (strchr(target, '/'))
			return build_refuse(err, b, "'%s' is no network", target);
		return 0;
	}
	if (halves[1]) {
		int r = value_u64(halves[1], strlen(halves[1]), prefix, &prefix);

		if (r < 0)
			return build_refuse_number(err, b, r, halves[1], strlen(halves[1]));
	}
	if (has_host_bits(bytes, size, (unsigned)prefix))
		return build_refuse(err, b, "%s has bits set beyond its /%u", halves[0],
				    (unsigned)prefix);
	*ret = g_strdup_printf("%s/%u", halves[0], (unsigned)prefix);
	return 1;
}

static const char *label_fault(const char *label, size_t len)
{
	if (len == 0)
		return "it has an empty label";
	if (len > 63)
		return "a label of it is longer than 63 bytes";
	for (size_t i = 0; i < len; i++)
		if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
			return (label[i] & 0x80) ? "it is not ASCII (write xn--... for it)"
						 : "it is no name of a host";
	return NULL;
}

/* No name of a host ends in a number: 10.0.0 is a mistake in an address. */
static bool ends_in_number(const char *name)
{
	const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;

	return *last && last[strspn(last, "0123456789")] == '\0';
}

static const char *name_fault(const char *name)
{
	const char *fault = strlen(name) > 253     ? "it is longer than 253 bytes"
			    : ends_in_number(name) ? "it is neither an address nor a name"
						   : NULL;

	while (!fault && name) {
		const char *dot = strchr(name, '.');

		fault = label_fault(name, dot ? (size_t)(dot - name) : strlen(name));
		name = dot ? dot + 1 : NULL;
	}
	return fault;
}

static int read_name(struct build *b, const char *target, char **ret, struct err *err)
{
	bool below = g_str_has_prefix(target, "*.");
	g_autofree char *name = g_ascii_strdown(below ? target + 2 : target, -1);
	const char *fault;

	if (g_str_has_suffix(name, ".") && name[1])
		name[strlen(name) - 1] = '\0';
	if (below && strchr(name, '*'))
		return build_refuse(err, b, "'*' stands for whole labels at the begin, once");
	if (strcmp(name, "localhost") == 0 || g_str_has_suffix(name, ".localhost")) {
		(void)build_refuse(err, b, "localhost is the box itself there");
		return err_fix(err, "to reach a port of this host: --host-port PORT");
	}
	fault = name_fault(name);
	if (fault)
		return build_refuse(err, b, "'%s': %s", target, fault);
	*ret = g_strconcat(below ? "*." : "", name, NULL);
	return 0;
}

static void add_rule(struct build *b, const char *verb, const struct parts *p, const char *target,
		     const char *ports)
{
	struct spec *s = b->spec;

	g_ptr_array_add(s->net_rules, g_strdup_printf("%s %s %s %s%s", verb, p->proto, target,
						      ports, p->plain ? " plain" : ""));
	s->net_allow |= verb[0] == 'a';
}

static int read_target(struct build *b, const char *verb, const struct parts *p, const char *ports,
		       struct err *err)
{
	g_autofree char *target = NULL;
	int r;

	if (strcmp(p->target, "*") == 0) {
		add_rule(b, verb, p, "0.0.0.0/0", ports);
		add_rule(b, verb, p, "::/0", ports);
		return 0;
	}
	if (strcmp(p->target, "lan") == 0) {
		add_rule(b, verb, p, "lan", ports);
		return 0;
	}
	r = read_net(b, p->target, &target, err);
	if (r == 0)
		r = read_name(b, p->target, &target, err);
	if (r < 0)
		return r;
	add_rule(b, verb, p, target, ports);
	return 0;
}

static int set_rule(struct build *b, const char *verb, struct err *err)
{
	g_autoptr(GString) ports = g_string_new(NULL);
	__attribute__((cleanup(parts_clear))) struct parts p = { 0 };
	int r;

	if (b->spec->net_rules->len >= RULES_MAX)
		return build_refuse(err, b, "more than %d rules", RULES_MAX);
	split(b->occ->value, &p);
	if (*p.target == '\0')
		return build_refuse(err, b, "it names no destination");
	if (p.plain && strcmp(verb, "allow") != 0)
		return build_refuse(
			err, b, "',plain' is for --allow alone: what is denied is not looked at");
	r = read_ports(b, &p, ports, err);
	return r < 0 ? r : read_target(b, verb, &p, ports->str, err);
}

int set_allow(struct build *b, struct err *err)
{
	return set_rule(b, "allow", err);
}

int set_deny(struct build *b, struct err *err)
{
	return set_rule(b, "deny", err);
}

/* --dns ADDRESS: a server in place of the host's. */
int set_dns(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	uint8_t bytes[16];

	if (inet_pton(AF_INET, value, bytes) != 1 && inet_pton(AF_INET6, value, bytes) != 1)
		return build_refuse(err, b, "it is no address of IPv4 or IPv6");
	if (b->spec->dns->len == SPEC_DNS_MAX)
		return build_refuse(err, b, "more than %d servers", SPEC_DNS_MAX);
	g_ptr_array_add(b->spec->dns, g_strdup(value));
	return 0;
}

/* --add-host NAME:ADDRESS. */
int set_add_host(struct build *b, struct err *err)
{
	const char *value = b->occ->value, *colon = strchr(value, ':');
	g_autofree char *name = colon ? g_ascii_strdown(value, colon - value) : NULL;
	g_autofree char *address = colon ? g_strdup(colon + 1) : NULL;
	const char *fault = name ? name_fault(name) : "there is no ':' in it";
	uint8_t bytes[16];

	if (fault)
		return build_refuse(err, b, "%s", fault);
	if (address[0] == '[' && g_str_has_suffix(address, "]")) {
		memmove(address, address + 1, strlen(address));
		address[strlen(address) - 1] = '\0';
	}
	if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
		return build_refuse(err, b, "'%s' is no address of IPv4 or IPv6", address);
	if (b->spec->hosts->len == RULES_MAX)
		return build_refuse(err, b, "more than %d names", RULES_MAX);
	g_ptr_array_add(b->spec->hosts, g_strdup_printf("%s %s", name, address));
	return 0;
}
