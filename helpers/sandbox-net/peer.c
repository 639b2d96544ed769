// SPDX-License-Identifier: MIT
#include "peer.h"

#include <glib.h>
#include <stdio.h>

#include <sandbox/netctl.h>

#include "checksum.h"
#include "filter.h"

enum {
	ICMP_REPLY = 0,
	ICMP_REQUEST = 8,
	ICMP6_REQUEST = 128,
	ICMP6_REPLY = 129,
	ND_ADVERT = 136,
	ND_SOLICITED_OVERRIDE = 0x60,
	ND_TARGET_MAC = 2, /* option */
	ND_SIZE = 32,      /* an advertisement with that option */
	ND_TARGET = 8,     /* offset of the address that is asked for */
	IPV6_HEADER = 40,
	ARP_SIZE = 28,
	ARP_REPLY = 2,
	TYPE_ARP = 0x0806,
	TYPE_IPV6 = 0x86dd,
};

/* ---- who ---- */

/* As --hostname has them (spec/ident.c), in lower case. */
static bool take_name(const char *text, char *ret)
{
	size_t len = strlen(text);

	if (strcmp(text, "-") == 0) {
		*ret = '\0';
		return true;
	}
	if (len == 0 || len >= PEER_NAME || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (text[i] && !g_ascii_isalnum(text[i]) && text[i] != '-' && text[i] != '.')
			return false;
		ret[i] = g_ascii_tolower(text[i]);
	}
	return true;
}

/* Nothing of GLib that might look at the machine first: the confinement stands (g_strsplit() does,
 * where nothing else has used slices). */
bool peer_hello_parse(const char *text, size_t len, struct peer_hello *ret)
{
	char line[NETCTL_HELLO_MAX], again[NETCTL_HELLO_MAX + 16], v4[48], v6[48], name[PEER_NAME];

	*ret = (struct peer_hello){ 0 };
	if (len == 0 || len >= sizeof(line) || memchr(text, '\0', len))
		return false;
	memcpy(line, text, len);
	line[len] = '\0';
	if (sscanf(line, NETCTL_HELLO " %47s %47s %64s", v4, v6, name) != 3)
		return false;
	/* no other spaces, and nothing behind */
	(void)snprintf(again, sizeof(again), "%s %s %s %s", NETCTL_HELLO, v4, v6, name);
	if (strcmp(line, again) != 0 || !naddr_parse(v4, &ret->ipv4) || ret->ipv4.family != 4)
		return false;
	if (strcmp(v6, "-") != 0 && (!naddr_parse(v6, &ret->ipv6) || ret->ipv6.family != 6))
		return false;
	return take_name(name, ret->name);
}

bool peer_hello_fits(const struct filter *f, const struct filter_box *box,
		     const struct peer_hello *hello)
{
	const struct naddr *a = &hello->ipv4;
	uint8_t last = a->bytes[3];

	if (!naddr_in(a, &f->net4, f->prefix4) || naddr_equal(a, &f->gateway4) ||
	    naddr_equal(a, &f->dns4) || naddr_equal(a, &box->ipv4) || last == 0 || last == 255)
		return false;
	a = &hello->ipv6;
	if (a->family == 0 || f->net6.family == 0)
		return true;
	return naddr_in(a, &f->net6, f->prefix6) && !naddr_equal(a, &f->net6) &&
	       !naddr_equal(a, &f->gateway6) && !naddr_equal(a, &f->dns6) &&
	       !naddr_equal(a, &box->ipv6);
}

int peer_find(const struct peer_table *table, const struct naddr *a)
{
	for (unsigned i = 0; i < table->n; i++)
		if (table->list[i].used &&
		    naddr_equal(a, a->family == 4 ? &table->list[i].ipv4 : &table->list[i].ipv6))
			return (int)i;
	return -1;
}

void peer_set(struct peer_table *table, unsigned slot, const struct peer_hello *hello)
{
	table->n = MAX(table->n, slot + 1);
	table->list[slot].used = true;
	table->list[slot].ipv4 = hello->ipv4;
	table->list[slot].ipv6 = hello->ipv6;
}

/* ---- connections ---- */

/* 8 bits protocol, which is never 0, 16 the peer's port, 16 our own. An echo's identifier is both of
 * its ports. */
static uint64_t key_of(const uint8_t *p, const struct frame *frame, bool out)
{
	uint16_t theirs = out ? frame->dport : frame->sport,
		 ours = out ? frame->sport : frame->dport;

	if (frame->proto == IPPROTO_ICMP || frame->proto == IPPROTO_ICMPV6)
		theirs = ours = get16(p + frame->l4 + 4);
	return (uint64_t)frame->proto << 32 | (uint32_t)theirs << 16 | ours;
}

static bool is_tcp(uint64_t key)
{
	return key >> 32 == IPPROTO_TCP;
}

static struct peer_flow *bucket(struct peer_flows *flows, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
	struct peer_flow *all = is_tcp(key) ? flows->tcp : flows->other;

	return &all[(hash >> 40) % (PEER_FLOWS / PEER_FLOW_WAYS) * PEER_FLOW_WAYS];
}

/* A TCP connection is known until another one needs its place: one that is idle for hours is still
 * the same. */
static bool is_fresh(const struct peer_table *table, const struct peer_flow *flow)
{
	return is_tcp(flow->key) || table->now - flow->used < PEER_UDP_MS;
}

bool peer_flow_has(struct peer_table *table, unsigned slot, const uint8_t *p,
		   const struct frame *frame, bool out)
{
	struct peer_flows *flows = table->list[slot].flows;
	uint64_t key = key_of(p, frame, out);
	struct peer_flow *flow = flows ? bucket(flows, key) : NULL;

	for (int i = 0; flow && i < PEER_FLOW_WAYS; i++)
		if (flow[i].key == key && is_fresh(table, &flow[i])) {
			flow[i].used = table->now;
			return true;
		}
	return false;
}

void peer_flow_add(struct peer_table *table, unsigned slot, const uint8_t *p,
		   const struct frame *frame, bool out)
{
	struct peer_flows **flows = &table->list[slot].flows;
	uint64_t key = key_of(p, frame, out);
	struct peer_flow *flow, *oldest;

	if (!*flows)
		*flows = g_new0(struct peer_flows, 1);
	flow = oldest = bucket(*flows, key);
	for (int i = 0; i < PEER_FLOW_WAYS; i++) {
		if (flow[i].key == key || flow[i].key == 0) {
			oldest = &flow[i];
			break;
		}
		if (flow[i].used < oldest->used)
			oldest = &flow[i];
	}
	*oldest = (struct peer_flow){ key, table->now };
}

void peer_unset(struct peer_table *table, unsigned slot)
{
	table->list[slot].used = false;
	g_clear_pointer(&table->list[slot].flows, g_free);
	while (table->n > 0 && !table->list[table->n - 1].used)
		table->n--;
}

/* ---- frames ---- */

bool peer_kind(const struct frame *frame)
{
	switch (frame->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP: return true;
	case IPPROTO_ICMP:
		return frame->icmp_code == 0 &&
		       (frame->icmp_type == ICMP_REQUEST || frame->icmp_type == ICMP_REPLY);
	case IPPROTO_ICMPV6:
		return frame->icmp_code == 0 &&
		       (frame->icmp_type == ICMP6_REQUEST || frame->icmp_type == ICMP6_REPLY);
	default: return false;
	}
}

/* What begins something: an answer to it is the box's good right, whatever its rules say. */
static bool begins(const struct frame *frame)
{
	if (frame->proto == IPPROTO_TCP)
		return (frame->tcp_flags & (FRAME_SYN | FRAME_ACK)) == FRAME_SYN;
	return frame->proto == IPPROTO_UDP || frame->icmp_type == ICMP_REQUEST ||
	       frame->icmp_type == ICMP6_REQUEST;
}

/* As libslirp and reject.c have them: 52:55 and four bytes of the address. */
static void put_mac(uint8_t *out, const struct naddr *a)
{
	out[0] = 0x52;
	out[1] = 0x55;
	memcpy(out + 2, a->family == 4 ? a->bytes : a->bytes + 12, 4);
}

bool peer_accept(struct peer_table *table, const struct filter *f, const struct filter_box *box,
		 unsigned slot, uint8_t *p, size_t len, struct frame *ret)
{
	const struct naddr *theirs, *ours;

	if (frame_parse(p, len, ret) != FRAME_OK || ret->kind == FRAME_ARP ||
	    ret->end > f->mtu + FRAME_ETH || !peer_kind(ret))
		return false;
	theirs = ret->kind == FRAME_IPV4 ? &table->list[slot].ipv4 : &table->list[slot].ipv6;
	ours = ret->kind == FRAME_IPV4 ? &box->ipv4 : &box->ipv6;
	if (!table->list[slot].used || !theirs->family || !ours->family ||
	    !naddr_equal(&ret->src, theirs) || !naddr_equal(&ret->dst, ours))
		return false;
	memcpy(p, box->mac, 6);
	put_mac(p + 6, theirs);
	if (f->rules && begins(ret))
		peer_flow_add(table, slot, p, ret, false);
	return true;
}

/* ---- neighbours ---- */

static size_t arp_reply(const struct filter_box *box, const struct frame *frame, uint8_t *out)
{
	static const uint8_t ours[] = { 0, 1, 8, 0, 6, 4, 0, ARP_REPLY };
	uint8_t *arp = out + FRAME_ETH;

	put16(out + 12, TYPE_ARP);
	memcpy(arp, ours, sizeof(ours));
	put_mac(arp + 8, &frame->dst);
	memcpy(arp + 14, frame->dst.bytes, 4);
	memcpy(arp + 18, box->mac, 6);
	memcpy(arp + 24, frame->src.bytes, 4);
	put_mac(out + 6, &frame->dst);
	return FRAME_ETH + ARP_SIZE;
}

static size_t advert(const struct naddr *target, const struct frame *frame, uint8_t *out)
{
	uint8_t *l3 = out + FRAME_ETH, *l4 = l3 + IPV6_HEADER;

	put16(out + 12, TYPE_IPV6);
	put_mac(out + 6, target);
	l3[0] = 0x60;
	put16(l3 + 4, ND_SIZE);
	l3[6] = IPPROTO_ICMPV6;
	l3[7] = 255;
	memcpy(l3 + 8, target->bytes, 16);
	memcpy(l3 + 24, frame->src.bytes, 16);
	l4[0] = ND_ADVERT;
	l4[4] = ND_SOLICITED_OVERRIDE;
	memcpy(l4 + ND_TARGET, target->bytes, 16);
	l4[24] = ND_TARGET_MAC;
	l4[25] = 1;
	put_mac(l4 + 26, target);
	checksum_l4(l3, l4, ND_SIZE);
	return FRAME_ETH + IPV6_HEADER + ND_SIZE;
}

size_t peer_neighbour(const struct filter_box *box, const uint8_t *p, const struct frame *frame,
		      uint8_t *out)
{
	struct naddr target;

	memset(out, 0, PEER_NEIGHBOUR_MAX);
	memcpy(out, box->mac, 6);
	if (frame->kind == FRAME_ARP)
		return arp_reply(box, frame, out);
	target = naddr6(p + frame->l4 + ND_TARGET);
	return advert(&target, frame, out);
}
