// SPDX-License-Identifier: MIT
/*
 * --network user: the box's addresses, its interface, what the helper is told, and the files that
 * programs look names up in. The helper's word is law (helpers/sandbox-net): what stands here for
 * the box is only how the box reaches it.
 *
 *   10.0.N.0/24, fd73:6e64:6278:N::/64    .2 gateway, .3 DNS, .100 the box
 *
 * --network box:NAME is the same network for several boxes, .100 to .250: which of them this box is
 * has been settled before (ops/boxnet.c), since it is a matter of who else is there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "view.h"

enum { GATEWAY = 2, DNS = 3, BOX = 100, PREFIX = 24, PREFIX6 = 64, MTU = 65520, WIDE = 16 };

static const char interface[] = "eth0";

/* --ip auto: 127.83.0.0/16, without what ends in 0 or 255. */
enum { OWN_NET = 0x7f530000, OWN_IPS_ROW = 254, OWN_IPS = 256 * OWN_IPS_ROW };

/* Where a free /24 is looked for: the first is what users of other tools expect, the others are
 * for hosts that route all of 10.0.0.0/8 into a tunnel. */
/* clang-format off */
static const struct { uint32_t first; unsigned count; } candidates[] = {
	{ 0x0a000200, 30 }, /* 10.0.2.0 to 10.0.31.0 */
	{ 0xac1ee000, 30 }, /* 172.30.224.0 and on */
	{ 0xc0a8c800, 30 }, /* 192.168.200.0 and on */
};
/* clang-format on */

static const char *ipv4(struct build *b, unsigned host)
{
	struct in_addr a = { htonl(b->net.network + host) };
	char text[INET_ADDRSTRLEN];

	return plan_str(b, inet_ntop(AF_INET, &a, text, sizeof(text)));
}

static const char *address_text(struct build *b, const uint8_t *address, bool ipv6)
{
	char text[INET6_ADDRSTRLEN];

	return plan_str(b, inet_ntop(ipv6 ? AF_INET6 : AF_INET, address, text, sizeof(text)));
}

static uint32_t mask_of(unsigned prefix)
{
	return prefix ? UINT32_MAX << (32 - prefix) : 0;
}

/* A route for a whole private range (a tunnel's 10.0.0.0/8) is no reason to have no network: a part
 * of it is hidden from the box, where nothing better is left. */
static bool overlaps(const struct host_net *net, uint32_t network, unsigned widest)
{
	for (size_t i = 0; i < net->nnets; i++) {
		unsigned prefix = MIN(net->nets[i].prefix, PREFIX);

		if (prefix >= widest && ((net->nets[i].address ^ network) & mask_of(prefix)) == 0)
			return true;
	}
	return false;
}

static bool find_network(const struct host *host, unsigned widest, uint32_t *ret)
{
	for (unsigned c = 0; c < G_N_ELEMENTS(candidates); c++)
		for (unsigned i = 0; i < candidates[c].count; i++) {
			*ret = candidates[c].first + (i << 8);
			if (!overlaps(&host->net, *ret, widest))
				return true;
		}
	return false;
}

int plan_net_pick(const struct host *host, uint32_t *ret_network)
{
	if (find_network(host, 0, ret_network))
		return 0;
	return find_network(host, WIDE + 1, ret_network) ? 1 : -EADDRINUSE;
}

/* The number of a network: part of its IPv6 prefix. 0: it is none of ours. */
static unsigned subnet_of(uint32_t network)
{
	unsigned nth = 2;

	for (unsigned c = 0; c < G_N_ELEMENTS(candidates); c++) {
		if (network >= candidates[c].first &&
		    network < candidates[c].first + (candidates[c].count << 8))
			return nth + ((network - candidates[c].first) >> 8);
		nth += candidates[c].count;
	}
	return 0;
}

bool plan_net_known(uint32_t network)
{
	return (network & 0xff) == 0 && subnet_of(network) != 0;
}

/* The network of boxes is there already, whatever this host looks like now. */
static int keep_network(struct build *b, struct err *err)
{
	b->net.network = b->host->net.box.network;
	b->net.number = b->host->net.box.number;
	if (!overlaps(&b->host->net, b->net.network, 0))
		return 0;
	if (!overlaps(&b->host->net, b->net.network, WIDE + 1)) {
		plan_notice(b, "the boxes' network hides %s/%d of the host's routes from the box",
			    ipv4(b, 0), PREFIX);
		return 0;
	}
	(void)err_set(err, ERR_NET_ADDRESS, EADDRINUSE,
		      "the addresses of the network '%s' are in use", b->spec->net_box);
	(void)err_cause(err, "it is %s/%d, and the host has an address or a route there",
			ipv4(b, 0), PREFIX);
	(void)err_fix(err,
		      "end the boxes of that network and start them again, or use another name");
	return err_origin(err, b->spec->origin[OPT_NETWORK]);
}

static int choose_network(struct build *b, struct err *err)
{
	int r;

	b->net.number = BOX;
	if (b->host->net.box.network)
		return keep_network(b, err);
	r = plan_net_pick(b->host, &b->net.network);
	if (r == 1)
		plan_notice(b, "the box's own network hides %s/%d of the host's routes from it",
			    ipv4(b, 0), PREFIX);
	if (r >= 0)
		return 0;
	(void)err_set(err, ERR_NET_ADDRESS, EADDRINUSE, "no addresses are free for the box");
	(void)err_cause(err, "the host has addresses or routes in each of 10.0.2.0 to 10.0.31.255, "
			     "172.30.224.0 to 172.30.253.255 and 192.168.200.0 to 192.168.229.255");
	(void)err_fix(err, "use --network host, or take a route of the host's away");
	return err_origin(err, b->spec->origin[OPT_NETWORK]);
}

bool plan_net_ipv6(const struct spec *spec, const struct host *host)
{
	return spec->ipv6 == TRI_ON || (spec->ipv6 == TRI_AUTO && host->net.ipv6);
}

static int choose_ipv6(struct build *b, struct err *err)
{
	b->net.ipv6 = plan_net_ipv6(b->spec, b->host);
	if (!b->net.ipv6 || b->host->net.ipv6_built_in)
		return 0;
	(void)err_set(err, ERR_NET_ADDRESS, EAFNOSUPPORT, "cannot give the box IPv6");
	(void)err_cause(err, "it is switched off in this kernel");
	(void)err_fix(err, "leave --ipv6 on out");
	return err_origin(err, b->spec->origin[OPT_IPV6]);
}

/* The last number looks like that of IPv4: ...::100. */
void plan_net_address6(uint32_t network, unsigned number, uint8_t *ret)
{
	const uint8_t prefix[6] = { 0xfd, 0x73, 0x6e, 0x64, 0x62, 0x78 };

	memset(ret, 0, 16);
	memcpy(ret, prefix, sizeof(prefix));
	ret[7] = (uint8_t)subnet_of(network);
	ret[14] = (uint8_t)(number / 100);
	ret[15] = (uint8_t)((number / 10 % 10) << 4 | number % 10);
}

static const char *ipv6(struct build *b, unsigned host)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	plan_net_address6(b->net.network, host, bytes);
	return plan_str(b, inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

static void mac_bytes(const struct build *b, uint8_t *ret)
{
	uint32_t address = b->net.network + b->net.number;

	ret[0] = 0x5a; /* locally administered */
	ret[1] = 0x53;
	for (int i = 0; i < 4; i++)
		ret[2 + i] = (uint8_t)(address >> (24 - 8 * i));
}

/* ---- the helper ---- */

static const char *hostname(const struct build *b)
{
	return b->spec->hostname ? b->spec->hostname : "sandbox";
}

/* A value is one line: what would end it is escaped as a key file has it. The rest is ASCII, or not
 * meant for us. */
static void put_text(GString *out, const char *key, const char *text)
{
	g_string_append_printf(out, "%s=", key);
	for (const char *c = text; *c; c++) {
		if (*c == '\n')
			g_string_append(out, "\\n");
		else if (*c == '\\')
			g_string_append(out, "\\\\");
		else if (*c == ' ' || *c == '\t' || *c == '\r')
			g_string_append(out, c == text ? "" : " ");
		else
			g_string_append_c(out, g_ascii_isgraph(*c) ? *c : '?');
	}
	g_string_append_c(out, '\n');
}

static void put_addresses(struct build *b, GString *out)
{
	uint8_t mac[6];

	mac_bytes(b, mac);
	g_string_append_printf(out, "[link]\nmtu=%d\nmac=%02x:%02x:%02x:%02x:%02x:%02x\n", MTU,
			       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	g_string_append_printf(out, "[ipv4]\naddress=%s\ngateway=%s\ndns=%s\nprefix=%d\n",
			       ipv4(b, b->net.number), ipv4(b, GATEWAY), ipv4(b, DNS), PREFIX);
	if (b->net.ipv6)
		g_string_append_printf(out, "[ipv6]\naddress=%s\ngateway=%s\ndns=%s\nprefix=%d\n",
				       ipv6(b, b->net.number), ipv6(b, GATEWAY), ipv6(b, DNS),
				       PREFIX6);
}

/* Texts of spec/netrule.c, in which nothing needs to be escaped. */
static void put_items(GString *out, const GPtrArray *list)
{
	for (unsigned i = 0; i < list->len; i++)
		g_string_append_printf(out, "%s;", (const char *)g_ptr_array_index(list, i));
	g_string_append_c(out, '\n');
}

static void put_list(GString *out, const char *key, const GPtrArray *list)
{
	if (list->len == 0)
		return;
	g_string_append_printf(out, "%s=", key);
	put_items(out, list);
}

/* The box's own name, then those of --add-host. */
static void put_hosts(struct build *b, GString *out)
{
	g_string_append_printf(out, "hosts=%s %s;", hostname(b), ipv4(b, b->net.number));
	if (b->net.ipv6)
		g_string_append_printf(out, "%s %s;", hostname(b), ipv6(b, b->net.number));
	put_items(out, b->spec->hosts);
}

static void put_dns(struct build *b, GString *out)
{
	g_string_append(out, "[dns]\n");
	put_text(out, "resolv", b->host->net.resolv ? b->host->net.resolv : "");
	put_list(out, "servers", b->spec->dns);
	put_hosts(b, out);
}

static void put_rules(struct build *b, GString *out)
{
	if (b->spec->net_rules->len == 0)
		return;
	g_string_append(out, "[egress]\n");
	put_list(out, "rules", b->spec->net_rules);
}

static void put_host_ports(struct build *b, GString *out)
{
	const GArray *ports = b->spec->host_ports;

	if (ports->len == 0)
		return;
	g_string_append(out, "[host]\nports=");
	for (unsigned i = 0; i < ports->len; i++) {
		const struct host_port *p = &g_array_index(ports, struct host_port, i);

		g_string_append_printf(out, "%u-%u/%s;", p->first, p->last, p->udp ? "udp" : "tcp");
	}
	g_string_append_c(out, '\n');
}

/* One entry a port, numbered as the rows of OP_PUBLISH are. */
static void put_published(struct build *b, GString *out)
{
	const GArray *list = b->spec->publish;

	if (list->len == 0)
		return;
	g_string_append(out, "[publish]\nports=");
	for (unsigned i = 0; i < list->len; i++) {
		const struct publish *p = &g_array_index(list, struct publish, i);

		for (unsigned k = 0; k <= p->last - p->first; k++)
			g_string_append_printf(out, "%s %u%s;", p->udp ? "udp" : "tcp",
					       p->inner + k, p->keep ? " keep" : "");
	}
	g_string_append_c(out, '\n');
}

static bool has_own_ip(const struct spec *spec, const struct publish *p)
{
	return p->unaddressed && spec->ip.kind == OWN_IP_AUTO;
}

static struct publish_at place_of(const struct spec *spec, const struct publish *p, unsigned k)
{
	const bool fixed = p->unaddressed && spec->ip.kind == OWN_IP_FIXED;
	struct publish_at at = { .ipv6 = fixed ? spec->ip.ipv6 : p->ipv6,
				 .udp = p->udp,
				 .port = p->first + k };

	memcpy(at.address, fixed ? spec->ip.address : p->address, sizeof(at.address));
	return at;
}

/* Where the search begins: a box gets the same address each time, if nobody else has it. The last
 * number is none that looks like a network's or a broadcast. */
static uint32_t first_own_ip(const struct build *b)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (const char *c = hostname(b); *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619U;
	hash %= OWN_IPS;
	return OWN_NET + (hash / OWN_IPS_ROW << 8) + hash % OWN_IPS_ROW + 1;
}

static void add_own_ip(struct build *b)
{
	const GArray *list = b->spec->publish;
	struct op *op;
	unsigned n = 0;

	if (b->spec->ip.kind == OWN_IP_FIXED)
		b->plan->ip = address_text(b, b->spec->ip.address, b->spec->ip.ipv6);
	if (b->spec->ip.kind != OWN_IP_AUTO)
		return;
	b->plan->own_ports = g_new0(struct publish_at, PUBLISH_MAX);
	for (unsigned i = 0; i < list->len; i++) {
		const struct publish *p = &g_array_index(list, struct publish, i);

		for (unsigned k = 0; p->unaddressed && k <= p->last - p->first; k++)
			b->plan->own_ports[n++] = place_of(b->spec, p, k);
	}
	op = plan_add(b, OP_OWN_IP, STAGE_PREPARE, b->spec->origin[OPT_IP]);
	op->u.own_ip.first = first_own_ip(b);
	op->u.own_ip.ports = b->plan->own_ports;
	op->u.own_ip.n = n;
}

static void add_published(struct build *b)
{
	const GArray *list = b->spec->publish;

	for (unsigned i = 0; i < list->len; i++) {
		const struct publish *p = &g_array_index(list, struct publish, i);

		for (unsigned k = 0; k <= p->last - p->first; k++) {
			struct op *op = plan_add(b, OP_PUBLISH, STAGE_PREPARE, p->origin);

			op->u.publish.at = place_of(b->spec, p, k);
			op->u.publish.inner = p->inner + k;
			op->u.publish.own = has_own_ip(b->spec, p);
			op->u.publish.keep = p->keep;
		}
	}
}

static const char *helper_config(struct build *b)
{
	g_autoptr(GString) out = g_string_new(NULL);

	put_addresses(b, out);
	put_dns(b, out);
	put_host_ports(b, out);
	put_published(b, out);
	put_rules(b, out);
	return plan_str(b, out->str);
}

static void add_peers(struct build *b)
{
	struct op *op = plan_add(b, OP_NET_PEERS, STAGE_PREPARE, b->spec->origin[OPT_NETWORK]);

	op->u.net_peers.name = b->plan->net_box = b->spec->net_box;
	op->u.net_peers.joined = b->host->net.box.network != 0;
	b->plan->net_address = ipv4(b, b->net.number);
	b->plan->net_address6 = b->net.ipv6 ? ipv6(b, b->net.number) : NULL;
}

int plan_net(struct build *b, struct err *err)
{
	uint32_t origin = b->spec->origin[OPT_NETWORK];
	int r;

	if (b->spec->net != NET_USER)
		return 0;
	b->net.user = true;
	r = choose_network(b, err);
	if (r == 0)
		r = choose_ipv6(b, err);
	if (r < 0)
		return r;
	plan_add(b, OP_NET_HELPER, STAGE_PREPARE, origin)->u.net_helper.config = helper_config(b);
	if (b->spec->net_box)
		add_peers(b);
	add_own_ip(b);
	add_published(b);
	(void)plan_add(b, OP_NET_READY, STAGE_LINK, origin);
	if (!(b->namespaces & CLONE_NEWNS))
		plan_notice(b, "the box shares the host's files, /etc/resolv.conf too: its servers "
			       "are reached only where they are not the host itself");
	return 0;
}

/* The first port with src=keep, or NULL. */
static const struct publish *keeps_source(const struct spec *spec)
{
	for (unsigned i = 0; i < spec->publish->len; i++)
		if (g_array_index(spec->publish, struct publish, i).keep)
			return &g_array_index(spec->publish, struct publish, i);
	return NULL;
}

void plan_net_rows(struct build *b)
{
	uint32_t origin = b->spec->origin[OPT_NETWORK];
	const struct publish *keep = keeps_source(b->spec);
	struct op *op;

	if (!b->net.user)
		return;
	op = plan_add(b, OP_LINK, STAGE_BUILD, origin);
	op->u.link.name = interface;
	op->u.link.mtu = MTU;
	mac_bytes(b, op->u.link.mac);
	op = plan_add(b, OP_ADDRESS, STAGE_BUILD, origin);
	op->u.address.name = interface;
	op->u.address.address = b->net.network + b->net.number;
	op->u.address.gateway = b->net.network + GATEWAY;
	op->u.address.prefix = PREFIX;
	op->u.address.ipv6 = b->net.ipv6;
	op->u.address.prefix6 = PREFIX6;
	plan_net_address6(b->net.network, b->net.number, op->u.address.address6);
	plan_net_address6(b->net.network, GATEWAY, op->u.address.gateway6);
	if (keep) {
		op = plan_add(b, OP_KEEP_SOURCE, STAGE_BUILD, keep->origin);
		op->u.keep_source.ipv6 = b->net.ipv6;
	}
	if (b->spec->publish->len)
		(void)plan_add(b, OP_NET_DOOR, STAGE_BUILD, b->spec->origin[OPT_PUBLISH]);
}

static void add_sysctl(struct build *b, const char *path, const char *value)
{
	struct op *op = plan_add(b, OP_SYSCTL, STAGE_BUILD, b->spec->origin[OPT_NETWORK]);

	op->u.sysctl.path = path;
	op->u.sysctl.value = value;
}

/* Every group inside from 0 on, or the command's own where there is no 0. */
static const char *ping_groups(struct build *b)
{
	const struct idmap *gids = &b->plan->gids;
	uint32_t next = 0;
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < gids->n; i++)
			if (gids->rows[i].inside == next && gids->rows[i].count) {
				next += gids->rows[i].count;
				more = next != 0;
			}
	}
	return next ? plan_printf(b, "0 %u", next - 1)
		    : plan_printf(b, "%u %u", (unsigned)b->gid, (unsigned)b->gid);
}

/* Of the box's own network namespace: port 80 without a capability, ping for every group that is
 * mapped, no addresses or routes by advertisement. */
void plan_net_sysctls(struct build *b)
{
	if (!b->net.user)
		return;
	add_sysctl(b, "sys/net/ipv4/ip_unprivileged_port_start", "0");
	add_sysctl(b, "sys/net/ipv4/ping_group_range", ping_groups(b));
	if (b->net.ipv6)
		add_sysctl(b, "sys/net/ipv6/conf/eth0/accept_ra", "0");
	if (!keeps_source(b->spec))
		return;
	add_sysctl(b, "sys/net/ipv4/tcp_fwmark_accept", "1"); /* ops/keep.c; of IPv6, too */
	add_sysctl(b, "sys/net/ipv4/fwmark_reflect", "1");
	if (b->net.ipv6)
		add_sysctl(b, "sys/net/ipv6/fwmark_reflect", "1");
}

/* ---- files ---- */

static void add_file(struct build *b, const char *dst, const char *text)
{
	struct op *op = plan_add(b, OP_DATA, STAGE_BUILD, b->spec->origin[OPT_NETWORK]);

	op->on_fail = FAIL_SKIP_PLACE;
	op->u.data.dst = dst;
	op->u.data.fd = -1;
	op->u.data.slot = -1;
	op->u.data.mode = 0644;
	op->u.data.text = text;
	op->u.data.len = strlen(text);
	op->u.data.make = view_makes_places(b);
}

static void put_added_hosts(struct build *b, GString *out)
{
	for (unsigned i = 0; i < b->spec->hosts->len; i++) {
		const char *text = g_ptr_array_index(b->spec->hosts, i);
		const char *space = strchr(text, ' ');

		g_string_append_printf(out, "%s\t%.*s\n", space + 1, (int)(space - text), text);
	}
}

/* The host's own names are kept in its own view; a root directory gets what every system has. */
static const char *hosts_text(struct build *b)
{
	static const char plain[] =
		"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
	const char *host = b->spec->view == VIEW_HOST ? b->host->net.hosts : NULL;
	g_autoptr(GString) out = g_string_new(NULL);

	g_string_append_printf(out, "%s\t%s\n", ipv4(b, b->net.number), hostname(b));
	if (b->net.ipv6)
		g_string_append_printf(out, "%s\t%s\n", ipv6(b, b->net.number), hostname(b));
	put_added_hosts(b, out);
	g_string_append(out, host ? host : plain);
	if (out->str[out->len - 1] != '\n')
		g_string_append_c(out, '\n');
	return plan_str(b, out->str);
}

/* Lines of the host's that mean something inside too: "search", "domain", and "options" less the
 * trust in a server that is not there. */
static void put_kept(GString *out, const char *line)
{
	static const char *const kept[] = { "search", "domain", "options" };
	g_auto(GStrv) words = NULL;

	for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++) {
		size_t len = strlen(kept[i]);

		if (strncmp(line, kept[i], len) != 0 || !strchr(" \t", line[len]) || !line[len])
			continue;
		words = g_strsplit_set(line, " \t\r", -1);
		g_string_append(out, kept[i]);
		for (char **w = words + 1; *w; w++)
			if (**w && strcmp(*w, "trust-ad") != 0)
				g_string_append_printf(out, " %s", *w);
		g_string_append_c(out, '\n');
		return;
	}
}

static const char *resolv_text(struct build *b)
{
	g_autoptr(GString) out = g_string_new("# the box's own network: sandbox-network(7)\n");
	g_auto(GStrv) lines = g_strsplit(b->host->net.resolv ? b->host->net.resolv : "", "\n", -1);

	g_string_append_printf(out, "nameserver %s\n", ipv4(b, DNS));
	for (char **line = lines; *line; line++)
		put_kept(out, *line);
	/* else "web" would be asked for with each domain of the search list first */
	if (b->spec->net_box)
		g_string_append(out, "options ndots:0\n");
	return plan_str(b, out->str);
}

void plan_net_files(struct build *b)
{
	const char *link = b->spec->view == VIEW_HOST ? b->host->resolv_target : NULL;

	if (!b->net.user)
		return;
	add_file(b, "/etc/hosts", hosts_text(b));
	add_file(b, link ? link : "/etc/resolv.conf", resolv_text(b));
}
