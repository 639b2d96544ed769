// SPDX-License-Identifier: MIT
#include "filter.h"

#include "checksum.h"
#include "peer.h"
#include "rules.h"
#include "talks.h"

enum {
	PORT_DNS = 53,
	PORT_BOOTP = 67,
	PORT_BOOTP_CLIENT = 68,
	PORT_TFTP = 69,
	PORT_DHCPV6_CLIENT = 546,
	PORT_DHCPV6 = 547,
	ICMP_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO_REQUEST = 8,
	ICMP_EXCEEDED = 11,
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_EXCEEDED = 3,
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_REPLY = 129,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	TCP_URGENT = 18, /* offsets in the TCP header */
	TCP_CHECKSUM = 16,
	TCP_OFFSET_FLAGS = 12,
	ARP_REQUEST = 1,
};

/* clang-format off */
static const struct { uint8_t family, prefix; uint8_t bytes[16]; } special[] = {
	{ 4, 8,  { 0 } },                /* "this" network: connect(2) takes it for loopback */
	{ 4, 8,  { 127 } },
	{ 4, 16, { 169, 254 } },         /* link-local, and the clouds' metadata services */
	{ 4, 32, { 100, 100, 100, 200 } }, /* metadata: Alibaba, Oracle, Azure */
	{ 4, 32, { 192, 0, 0, 192 } },
	{ 4, 32, { 168, 63, 129, 16 } },
	{ 4, 4,  { 224 } },              /* multicast */
	{ 4, 4,  { 240 } },              /* reserved, broadcast */
	{ 6, 96, { 0 } },                /* ::, ::1, and IPv4 in its oldest disguise */
	{ 6, 96, { [10] = 0xff, 0xff } }, /* ::ffff:127.0.0.1 is 127.0.0.1 to connect(2) */
	{ 6, 10, { 0xfe, 0x80 } },
	{ 6, 10, { 0xfe, 0xc0 } },       /* site-local, deprecated */
	{ 6, 8,  { 0xff } },
	{ 6, 128, { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 } }, /* metadata: Amazon, Google, Oracle */
	{ 6, 128, { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54 } },
	{ 6, 128, { 0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe } },
};

static const char *const reasons[_FILTER_REASON_MAX] = {
	[FILTER_BY_NOTHING] = "nothing",
	[FILTER_BY_FAULT]   = "a malformed frame",
	[FILTER_BY_SOURCE]  = "a source address that is not the box's",
	[FILTER_BY_KIND]    = "a kind of packet that is not passed on",
	[FILTER_BY_SPECIAL] = "loopback, link-local, metadata, multicast or reserved",
	[FILTER_BY_HOST]    = "an address of the host",
	[FILTER_BY_GATEWAY] = "a port of the host that --host-port does not name",
	[FILTER_BY_NETWORK] = "nobody has this address",
	[FILTER_BY_RULE]    = "not allowed",
	[FILTER_BY_IPV6]    = "the box has no IPv6",
	[FILTER_BY_PING]    = "the host does not let its users ping (net.ipv4.ping_group_range)",
	[FILTER_BY_PING6]   = "ping over IPv6 goes no further than the gateway",
	[FILTER_BY_TALK]    = "it has not been spoken to",
	[FILTER_BY_LIMIT]   = "too many connections at once",
	[FILTER_BY_SERVER]  = "it asks for this server, which is not allowed at this address",
};
/* clang-format on */

const char *filter_reason_text(enum filter_reason why)
{
	return reasons[why];
}

static bool is_special_itself(const struct naddr *a)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		struct naddr net = { .family = special[i].family };

		memcpy(net.bytes, special[i].bytes, sizeof(net.bytes));
		if (naddr_in(a, &net, special[i].prefix))
			return true;
	}
	return false;
}

bool filter_is_special(const struct naddr *a)
{
	struct naddr v4[NADDR_WITHIN];
	bool found = is_special_itself(a);

	for (unsigned n = naddr_within(a, v4); n-- > 0;)
		found |= is_special_itself(&v4[n]);
	return found;
}

static bool is_host_itself(const struct filter *f, const struct naddr *a)
{
	size_t low = 0, high = f->nhost;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = memcmp(&f->host[mid], a, sizeof(*a));

		if (order == 0)
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool filter_is_host(const struct filter *f, const struct naddr *a)
{
	struct naddr v4[NADDR_WITHIN];
	bool host = is_host_itself(f, a);

	for (unsigned n = naddr_within(a, v4); n-- > 0;)
		host |= is_host_itself(f, &v4[n]);
	return host;
}

/* ---- where to ---- */

static bool is_gateway(const struct filter *f, const struct naddr *a)
{
	return naddr_equal(a, &f->gateway4) || (f->gateway6.family && naddr_equal(a, &f->gateway6));
}

static bool is_dns(const struct filter *f, const struct naddr *a)
{
	return naddr_equal(a, &f->dns4) || (f->dns6.family && naddr_equal(a, &f->dns6));
}

static bool is_own_network(const struct filter *f, const struct naddr *a)
{
	return naddr_in(a, &f->net4, f->prefix4) ||
	       (f->net6.family && naddr_in(a, &f->net6, f->prefix6));
}

static bool is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* What libslirp would answer by itself, from code that nobody needs. */
static bool is_boot_service(uint8_t proto, uint16_t port)
{
	return proto == IPPROTO_UDP &&
	       (port == PORT_BOOTP || port == PORT_BOOTP_CLIENT || port == PORT_TFTP ||
		port == PORT_DHCPV6 || port == PORT_DHCPV6_CLIENT);
}

static bool host_port_open(const struct filter *f, uint8_t proto, uint16_t port)
{
	if (is_boot_service(proto, port))
		return false;
	if (proto == IPPROTO_TCP)
		return portset_has(&f->host_tcp, port);
	return proto == IPPROTO_UDP && portset_has(&f->host_udp, port);
}

static enum filter_verdict refuse(enum filter_reason *why, enum filter_reason reason)
{
	*why = reason;
	return FILTER_REFUSE;
}

static enum filter_verdict by_rules(const struct filter *f, uint8_t proto, const struct naddr *dst,
				    uint16_t port, enum filter_reason *why)
{
	if (f->rules && !rules_allow(f->rules, proto, dst, port))
		return refuse(why, FILTER_BY_RULE);
	return FILTER_PASS;
}

enum filter_verdict filter_destination(const struct filter *f, uint8_t proto,
				       const struct naddr *dst, uint16_t port,
				       enum filter_reason *why)
{
	*why = FILTER_BY_NOTHING;
	if (dst->family == 6 && !f->net6.family)
		return refuse(why, FILTER_BY_IPV6);
	if (is_dns(f, dst) && port == PORT_DNS && proto == IPPROTO_UDP)
		return FILTER_DNS;
	/* outlet.c leads it to dns.c; of IPv6 libslirp would make the host's own ::1 before that */
	if (naddr_equal(dst, &f->dns4) && port == PORT_DNS && proto == IPPROTO_TCP)
		return FILTER_PASS;
	if (is_gateway(f, dst) && (is_icmp(proto) || host_port_open(f, proto, port)))
		return FILTER_PASS;
	if (is_gateway(f, dst) || is_dns(f, dst))
		return refuse(why, FILTER_BY_GATEWAY);
	if (is_own_network(f, dst))
		return refuse(why, FILTER_BY_NETWORK);
	if (filter_is_special(dst))
		return refuse(why, FILTER_BY_SPECIAL);
	if (filter_is_host(f, dst))
		return refuse(why, FILTER_BY_HOST);
	return by_rules(f, proto, dst, port, why);
}

bool filter_socket(const struct filter *f, uint8_t proto, const struct naddr *dst, uint16_t port)
{
	static const uint8_t loopback4[4] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
	const struct naddr lo4 = naddr4(loopback4), lo6 = naddr6(loopback6);
	enum filter_reason why;

	if (naddr_equal(dst, &lo4) || naddr_equal(dst, &lo6))
		return host_port_open(f, proto, port);
	if (is_own_network(f, dst))
		return false;
	return filter_destination(f, proto, dst, port, &why) == FILTER_PASS;
}

/* ---- from the box ---- */

static enum filter_verdict drop(enum filter_reason *why, enum filter_reason reason)
{
	*why = reason;
	return FILTER_DROP;
}

/* sosendoob() trusts the urgent pointer of a frame (CVE-2026-9539), and nothing that matters uses
 * it: the flag and the pointer go, and the checksum follows. */
static void clear_urgent(uint8_t *p, struct frame *frame)
{
	uint8_t *tcp = p + frame->l4, *sum = tcp + TCP_CHECKSUM;
	uint16_t flags = get16(tcp + TCP_OFFSET_FLAGS);
	uint16_t pointer = get16(tcp + TCP_URGENT);

	if (pointer) {
		put16(tcp + TCP_URGENT, 0);
		checksum_update(sum, pointer, 0);
	}
	if (flags & FRAME_URG) {
		put16(tcp + TCP_OFFSET_FLAGS, flags & ~(unsigned)FRAME_URG);
		checksum_update(sum, flags, (uint16_t)(flags & ~FRAME_URG));
		frame->tcp_flags &= (uint8_t)~FRAME_URG;
	}
}

/* ---- to other boxes ---- */

/* Any address of the network that is nobody's so far: its frames are switched by address, or refused
 * at once, which is better than no answer. */
static bool is_neighbour(const struct filter *f, const struct naddr *a)
{
	return f->peers && is_own_network(f, a) && !is_gateway(f, a) && !is_dns(f, a);
}

/* Whether a neighbour is still there is asked of its own address. */
static bool is_discovery(const struct frame *frame)
{
	return frame->proto == IPPROTO_ICMPV6 &&
	       (frame->icmp_type == ND_SOLICIT || frame->icmp_type == ND_ADVERT);
}

/* Rules are asked about what the box begins, and not about its answers. */
static enum filter_verdict out_peer(const struct filter *f, unsigned slot, const uint8_t *p,
				    const struct frame *frame, enum filter_reason *why)
{
	if (!peer_kind(frame))
		return drop(why, FILTER_BY_KIND);
	if (!f->rules || peer_flow_has(f->peers, slot, p, frame, true))
		return FILTER_PEER;
	if (!rules_allow_peer(f->rules, frame->proto, &frame->dst, frame->dport))
		return refuse(why, FILTER_BY_RULE);
	peer_flow_add(f->peers, slot, p, frame, true);
	return FILTER_PEER;
}

/* ---- to the world ---- */

static enum filter_verdict out_arp(const struct filter *f, const struct filter_box *box,
				   const uint8_t *p, const struct frame *frame,
				   enum filter_reason *why)
{
	/* the sender's hardware address in the packet; and who is asked or answered */
	if (memcmp(p + FRAME_ETH + 8, box->mac, 6) != 0 || !naddr_equal(&frame->src, &box->ipv4))
		return drop(why, FILTER_BY_SOURCE);
	if (is_neighbour(f, &frame->dst) && get16(p + FRAME_ETH + 6) == ARP_REQUEST &&
	    !naddr_equal(&frame->dst, &box->ipv4))
		return FILTER_NEIGHBOUR;
	return naddr_equal(&frame->dst, &f->gateway4) || naddr_equal(&frame->dst, &f->dns4)
		       ? FILTER_PASS
		       : drop(why, FILTER_BY_NETWORK);
}

/* Neighbour discovery goes to the gateway or to the multicast address that stands for it. */
static enum filter_verdict out_neighbour(const struct filter *f, const uint8_t *p,
					 const struct frame *frame, enum filter_reason *why)
{
	enum { TARGET = 8, TARGET_END = 24, HOP_LIMIT = 7 };
	struct naddr target;

	if (frame->icmp_code != 0 || frame->end - frame->l4 < TARGET_END ||
	    p[FRAME_ETH + HOP_LIMIT] != 255)
		return drop(why, FILTER_BY_KIND);
	if (!is_own_network(f, &frame->dst) && frame->dst.bytes[0] != 0xff)
		return drop(why, FILTER_BY_KIND);
	target = naddr6(p + frame->l4 + TARGET);
	if (is_neighbour(f, &target) && frame->icmp_type == ND_SOLICIT &&
	    !naddr_equal(&target, &frame->src))
		return FILTER_NEIGHBOUR;
	return is_own_network(f, &target) ? FILTER_PASS : drop(why, FILTER_BY_NETWORK);
}

/* libslirp answers for the gateway, and sends others by a socket of ICMP. Without one it would send a
 * datagram to their port 7, and to IPv6 nothing at all: better said than waited for. */
static enum filter_verdict out_echo(const struct filter *f, const struct frame *frame,
				    enum filter_reason *why)
{
	enum filter_verdict verdict = filter_destination(f, frame->proto, &frame->dst, 0, why);

	if (verdict != FILTER_PASS || is_gateway(f, &frame->dst))
		return verdict;
	if (frame->kind == FRAME_IPV6)
		return refuse(why, FILTER_BY_PING6);
	return f->ping ? FILTER_PASS : refuse(why, FILTER_BY_PING);
}

static enum filter_verdict out_icmp(const struct filter *f, const uint8_t *p,
				    const struct frame *frame, enum filter_reason *why)
{
	if (frame->kind == FRAME_IPV6 &&
	    (frame->icmp_type == ND_SOLICIT || frame->icmp_type == ND_ADVERT))
		return out_neighbour(f, p, frame, why);
	if (frame->icmp_type !=
	    (frame->kind == FRAME_IPV4 ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST))
		return drop(why, FILTER_BY_KIND);
	return out_echo(f, frame, why);
}

/* A TCP connection begins with a SYN, and libslirp makes no socket for anything else: the rules are
 * asked once a connection, and one that was allowed stays when a name's time has run out. */
static enum filter_verdict out_tcp(const struct filter *f, uint8_t *p, struct frame *frame,
				   enum filter_reason *why)
{
	clear_urgent(p, frame);
	if (frame->tcp_flags & FRAME_SYN)
		return filter_destination(f, IPPROTO_TCP, &frame->dst, frame->dport, why);
	if (filter_is_special(&frame->dst))
		return drop(why, FILTER_BY_SPECIAL);
	if (is_neighbour(f, &frame->dst)) /* it was there when the connection began */
		return refuse(why, FILTER_BY_NETWORK);
	return filter_is_host(f, &frame->dst) ? drop(why, FILTER_BY_HOST) : FILTER_PASS;
}

static bool is_broadcast(const struct naddr *a)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	return (a->family == 4 && ((a->bytes[0] & 0xf0) == 224 || memcmp(a->bytes, all, 4) == 0)) ||
	       (a->family == 6 && a->bytes[0] == 0xff);
}

static enum filter_verdict out_ip(const struct filter *f, const struct filter_box *box, uint8_t *p,
				  struct frame *frame, enum filter_reason *why)
{
	const struct naddr *own = frame->kind == FRAME_IPV4 ? &box->ipv4 : &box->ipv6;
	int slot;

	if (!own->family)
		return drop(why, FILTER_BY_IPV6);
	if (!naddr_equal(&frame->src, own))
		return drop(why, FILTER_BY_SOURCE);
	slot = f->peers && !is_discovery(frame) ? peer_find(f->peers, &frame->dst) : -1;
	if (slot >= 0)
		return out_peer(f, (unsigned)slot, p, frame, why);
	if (is_icmp(frame->proto))
		return out_icmp(f, p, frame, why);
	/* what goes to everybody is never answered by an error (RFC 1122, 3.2.2) */
	if (is_broadcast(&frame->dst))
		return drop(why, FILTER_BY_SPECIAL);
	if (is_boot_service(frame->proto, frame->dport) && is_own_network(f, &frame->dst))
		return drop(why, FILTER_BY_KIND);
	if (frame->proto == IPPROTO_TCP)
		return out_tcp(f, p, frame, why);
	return filter_destination(f, frame->proto, &frame->dst, frame->dport, why);
}

enum filter_verdict filter_out(const struct filter *f, const struct filter_box *box, uint8_t *p,
			       size_t len, struct frame *ret, enum filter_reason *why)
{
	*why = FILTER_BY_NOTHING;
	if (frame_parse(p, len, ret) != FRAME_OK || ret->end > f->mtu + FRAME_ETH)
		return drop(why, FILTER_BY_FAULT);
	if (memcmp(p + 6, box->mac, 6) != 0)
		return drop(why, FILTER_BY_SOURCE);
	return ret->kind == FRAME_ARP ? out_arp(f, box, p, ret, why) : out_ip(f, box, p, ret, why);
}

/* ---- to the box ---- */

static bool in_icmp_known(const struct frame *frame)
{
	switch (frame->icmp_type) {
	case ICMP_REPLY:
	case ICMP_UNREACHABLE: /* ICMP6_EXCEEDED has its number */
	case ICMP_EXCEEDED: return frame->kind == FRAME_IPV4 || frame->icmp_type == ICMP6_EXCEEDED;
	case ICMP6_UNREACHABLE:
	case ICMP6_TOO_BIG:
	case ICMP6_REPLY:
	case ND_SOLICIT:
	case ND_ADVERT: return frame->kind == FRAME_IPV6;
	default: return false; /* advertisements of routers, redirects: the box is set up by us */
	}
}

enum filter_verdict filter_in(const struct filter *f, const struct filter_box *box,
			      const uint8_t *p, size_t len, enum filter_reason *why)
{
	struct frame frame;
	const struct naddr *own;

	*why = FILTER_BY_NOTHING;
	if (frame_parse(p, len, &frame) != FRAME_OK)
		return drop(why, FILTER_BY_FAULT);
	if (frame.kind == FRAME_ARP)
		return is_own_network(f, &frame.src) ? FILTER_PASS : drop(why, FILTER_BY_SOURCE);
	own = frame.kind == FRAME_IPV4 ? &box->ipv4 : &box->ipv6;
	if (is_icmp(frame.proto))
		return in_icmp_known(&frame) ? FILTER_PASS : drop(why, FILTER_BY_KIND);
	if (!own->family || !naddr_equal(&frame.dst, own))
		return drop(why, FILTER_BY_NETWORK);
	if (filter_is_special(&frame.src))
		return drop(why, FILTER_BY_SPECIAL);
	if (frame.proto == IPPROTO_UDP && f->talks && !talks_has(f->talks, &frame, false))
		return drop(why, FILTER_BY_TALK);
	return FILTER_PASS;
}
