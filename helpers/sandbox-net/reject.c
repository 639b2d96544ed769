// SPDX-License-Identifier: MIT
#include "reject.h"

#include "checksum.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	HOP_LIMIT = 64,
	QUOTE = 64, /* of the refused packet behind its IP header: ports, and more than enough */
};

static size_t ip_size(const struct naddr *a)
{
	return a->family == 4 ? IPV4_HEADER : IPV6_HEADER;
}

/* libslirp's address for a host of the box's network: 52:55 and the IPv4 address. */
static void put_ethernet(uint8_t *out, const uint8_t *to, const struct naddr *from)
{
	static const uint8_t prefix[] = { 0x52, 0x55 };

	memcpy(out, to, 6);
	memcpy(out + 6, prefix, sizeof(prefix));
	memcpy(out + 8, from->family == 4 ? from->bytes : from->bytes + 12, 4);
	put16(out + 12, from->family == 4 ? TYPE_IPV4 : TYPE_IPV6);
}

static void put_ip(uint8_t *l3, const struct naddr *src, const struct naddr *dst, uint8_t proto,
		   size_t len)
{
	memset(l3, 0, ip_size(src));
	if (src->family == 6) {
		l3[0] = 0x60;
		put16(l3 + 4, (unsigned)len);
		l3[6] = proto;
		l3[7] = HOP_LIMIT;
		memcpy(l3 + 8, src->bytes, 16);
		memcpy(l3 + 24, dst->bytes, 16);
		return;
	}
	l3[0] = 0x45;
	put16(l3 + 2, (unsigned)(IPV4_HEADER + len));
	put16(l3 + 6, 0x4000); /* don't fragment */
	l3[8] = HOP_LIMIT;
	l3[9] = proto;
	memcpy(l3 + 12, src->bytes, 4);
	memcpy(l3 + 16, dst->bytes, 4);
	put16(l3 + 10, checksum_fold(checksum_add(0, l3, IPV4_HEADER)));
}

/* RFC 9293, 3.10.7.1: what answers a segment of a connection that does not exist. */
static size_t build_reset(const uint8_t *p, const struct frame *frame, uint8_t *out)
{
	const uint8_t *tcp = p + frame->l4;
	uint8_t *l3 = out + FRAME_ETH, *l4 = l3 + ip_size(&frame->src);
	uint32_t length = frame->end - frame->payload;

	if (frame->tcp_flags & FRAME_RST)
		return 0;
	length += (frame->tcp_flags & FRAME_SYN ? 1 : 0) + (frame->tcp_flags & FRAME_FIN ? 1 : 0);
	put_ip(l3, &frame->dst, &frame->src, IPPROTO_TCP, TCP_HEADER);
	memset(l4, 0, TCP_HEADER);
	put16(l4, frame->dport);
	put16(l4 + 2, frame->sport);
	if (frame->tcp_flags & FRAME_ACK)
		put32(l4 + 4, get32(tcp + 8));
	else
		put32(l4 + 8, get32(tcp + 4) + length);
	l4[12] = 5 << 4;
	l4[13] = frame->tcp_flags & FRAME_ACK ? FRAME_RST : FRAME_RST | FRAME_ACK;
	checksum_l4(l3, l4, TCP_HEADER);
	return (size_t)(l4 - out) + TCP_HEADER;
}

static size_t build_icmp(const struct naddr *from, const uint8_t *p, const struct frame *frame,
			 uint8_t *out)
{
	bool v4 = frame->kind == FRAME_IPV4;
	uint8_t *l3 = out + FRAME_ETH, *l4 = l3 + ip_size(&frame->src);
	size_t quote = frame->end - FRAME_ETH,
	       most = ip_size(&frame->src) + QUOTE - ICMP_HEADER * 2;

	if (quote > most)
		quote = most;
	memset(l4, 0, ICMP_HEADER);
	l4[0] = v4 ? 3 : 1;  /* destination unreachable, */
	l4[1] = v4 ? 13 : 1; /* communication administratively prohibited */
	memcpy(l4 + ICMP_HEADER, p + FRAME_ETH, quote);
	put_ip(l3, from, &frame->src, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, ICMP_HEADER + quote);
	checksum_l4(l3, l4, ICMP_HEADER + quote);
	return (size_t)(l4 - out) + ICMP_HEADER + quote;
}

size_t reject_build(const struct filter *f, const uint8_t *p, const struct frame *frame,
		    uint8_t *out)
{
	const struct naddr *from = frame->kind == FRAME_IPV4 ? &f->gateway4 : &f->gateway6;

	if (frame->kind == FRAME_ARP || !from->family)
		return 0;
	put_ethernet(out, p + 6, from);
	return frame->proto == IPPROTO_TCP ? build_reset(p, frame, out)
					   : build_icmp(from, p, frame, out);
}

size_t reject_udp_offset(const struct naddr *src)
{
	return FRAME_ETH + ip_size(src) + UDP_HEADER;
}

size_t reject_udp(const struct filter_box *box, const struct naddr *src, uint16_t sport,
		  const struct naddr *dst, uint16_t dport, uint8_t *out, size_t len)
{
	uint8_t *l3 = out + FRAME_ETH, *l4 = l3 + ip_size(src);

	put_ethernet(out, box->mac, src);
	put_ip(l3, src, dst, IPPROTO_UDP, UDP_HEADER + len);
	put16(l4, sport);
	put16(l4 + 2, dport);
	put16(l4 + 4, (unsigned)(UDP_HEADER + len));
	put16(l4 + 6, 0);
	checksum_l4(l3, l4, UDP_HEADER + len);
	return FRAME_ETH + ip_size(src) + UDP_HEADER + len;
}
