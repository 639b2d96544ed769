// SPDX-License-Identifier: MIT
#include "frame.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IPV6 = 0x86dd,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	ARP_SIZE = 28,
	IPV4_MORE_OR_OFFSET = 0x3fff,
};

/* ---- the fourth layer: from ret->l4 to ret->end ---- */

static enum frame_fault parse_tcp(const uint8_t *p, struct frame *ret)
{
	unsigned size = ret->end - ret->l4, header;

	if (size < TCP_HEADER)
		return FRAME_SHORT;
	p += ret->l4;
	header = (unsigned)(p[12] >> 4) * 4;
	if (header < TCP_HEADER || header > size)
		return FRAME_LENGTH;
	ret->sport = get16(p);
	ret->dport = get16(p + 2);
	ret->tcp_flags = p[13];
	ret->payload = (uint16_t)(ret->l4 + header);
	return FRAME_OK;
}

static enum frame_fault parse_udp(const uint8_t *p, struct frame *ret)
{
	unsigned size = ret->end - ret->l4, said;

	if (size < UDP_HEADER)
		return FRAME_SHORT;
	p += ret->l4;
	said = get16(p + 4);
	if (said != size)
		return FRAME_LENGTH;
	ret->sport = get16(p);
	ret->dport = get16(p + 2);
	ret->payload = (uint16_t)(ret->l4 + UDP_HEADER);
	return FRAME_OK;
}

static enum frame_fault parse_icmp(const uint8_t *p, struct frame *ret)
{
	if (ret->end - ret->l4 < ICMP_HEADER)
		return FRAME_SHORT;
	ret->icmp_type = p[ret->l4];
	ret->icmp_code = p[ret->l4 + 1];
	ret->payload = (uint16_t)(ret->l4 + ICMP_HEADER);
	return FRAME_OK;
}

static enum frame_fault parse_l4(const uint8_t *p, struct frame *ret)
{
	switch (ret->proto) {
	case IPPROTO_TCP: return parse_tcp(p, ret);
	case IPPROTO_UDP: return parse_udp(p, ret);
	case IPPROTO_ICMP: return ret->kind == FRAME_IPV4 ? parse_icmp(p, ret) : FRAME_PROTOCOL;
	case IPPROTO_ICMPV6: return ret->kind == FRAME_IPV6 ? parse_icmp(p, ret) : FRAME_PROTOCOL;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS: return FRAME_OPTIONS;
	case IPPROTO_FRAGMENT: return FRAME_FRAGMENT;
	default: return FRAME_PROTOCOL;
	}
}

/* ---- the third ---- */

static enum frame_fault parse_ipv4(const uint8_t *p, size_t len, struct frame *ret)
{
	unsigned total;

	if (len < FRAME_ETH + IPV4_HEADER)
		return FRAME_SHORT;
	p += FRAME_ETH;
	total = get16(p + 2);
	if (p[0] >> 4 != 4)
		return FRAME_ETHERTYPE;
	if ((p[0] & 15) < 5 || total < IPV4_HEADER || total > len - FRAME_ETH)
		return FRAME_LENGTH;
	if ((p[0] & 15) != 5)
		return FRAME_OPTIONS;
	ret->src = naddr4(p + 12);
	ret->dst = naddr4(p + 16);
	ret->proto = p[9];
	if (get16(p + 6) & IPV4_MORE_OR_OFFSET)
		return FRAME_FRAGMENT;
	ret->end = FRAME_ETH + total;
	ret->l4 = FRAME_ETH + IPV4_HEADER;
	return parse_l4(p - FRAME_ETH, ret);
}

static enum frame_fault parse_ipv6(const uint8_t *p, size_t len, struct frame *ret)
{
	unsigned total;

	if (len < FRAME_ETH + IPV6_HEADER)
		return FRAME_SHORT;
	p += FRAME_ETH;
	total = get16(p + 4);
	if (p[0] >> 4 != 6)
		return FRAME_ETHERTYPE;
	if (total > len - FRAME_ETH - IPV6_HEADER)
		return FRAME_LENGTH;
	ret->src = naddr6(p + 8);
	ret->dst = naddr6(p + 24);
	ret->proto = p[6];
	ret->end = FRAME_ETH + IPV6_HEADER + total;
	ret->l4 = FRAME_ETH + IPV6_HEADER;
	return parse_l4(p - FRAME_ETH, ret);
}

/* Ethernet and IPv4, a request or a reply. */
static enum frame_fault parse_arp(const uint8_t *p, size_t len, struct frame *ret)
{
	static const uint8_t ours[] = { 0, 1, 8, 0, 6, 4, 0 };

	if (len < FRAME_ETH + ARP_SIZE)
		return FRAME_SHORT;
	p += FRAME_ETH;
	if (memcmp(p, ours, sizeof(ours)) != 0 || p[7] < 1 || p[7] > 2)
		return FRAME_BAD_ARP;
	ret->src = naddr4(p + 14);
	ret->dst = naddr4(p + 24);
	ret->l4 = FRAME_ETH;
	ret->payload = FRAME_ETH;
	ret->end = FRAME_ETH + ARP_SIZE;
	return FRAME_OK;
}

enum frame_fault frame_parse(const uint8_t *p, size_t len, struct frame *ret)
{
	*ret = (struct frame){ .kind = FRAME_ARP };
	if (len < FRAME_ETH)
		return FRAME_SHORT;
	if (len > FRAME_MAX)
		return FRAME_LENGTH;
	switch (get16(p + 12)) {
	case TYPE_ARP: return parse_arp(p, len, ret);
	case TYPE_IPV4: ret->kind = FRAME_IPV4; return parse_ipv4(p, len, ret);
	case TYPE_IPV6: ret->kind = FRAME_IPV6; return parse_ipv6(p, len, ret);
	default: return FRAME_ETHERTYPE;
	}
}
