// SPDX-License-Identifier: MIT
/*
 * Frames of a box, as helpers/sandbox-net sees them before libslirp does. The first byte: bit 0 fills
 * in the box's own addresses, so that the rest of the filter is reached; bit 1 and 2 the kind of frame.
 */
#include <netinet/in.h>

#include "filter.h"
#include "fuzz.h"
#include "../unit/net-place.h"
#include "reject.h"

/* What a box would write into a frame of its own: kinds ARP, TCP and UDP by IPv4, UDP by IPv6. */
static void fill_in(uint8_t *p, size_t len, const struct filter_box *box, unsigned kind)
{
	static const uint16_t types[] = { 0x0806, 0x0800, 0x0800, 0x86dd };

	if (len < 54)
		return;
	memcpy(p + 6, box->mac, 6);
	put16(p + 12, types[kind]);
	if (kind == 1 || kind == 2) {
		p[14] = 0x45;
		put16(p + 16, (unsigned)(len - FRAME_ETH));
		put16(p + 20, 0);
		p[23] = kind == 1 ? IPPROTO_TCP : IPPROTO_UDP;
		memcpy(p + 26, box->ipv4.bytes, 4);
		if (kind == 2)
			put16(p + 38, (unsigned)(len - 34));
		else
			p[46] = (uint8_t)(0x50 | (p[46] & 0xf));
	} else if (kind == 3) {
		p[14] = 0x60;
		put16(p + 18, (unsigned)(len - 54));
		p[20] = IPPROTO_UDP;
		memcpy(p + 22, box->ipv6.bytes, 16);
	}
}

static bool is_discovery(const struct frame *frame)
{
	enum { ND_SOLICIT = 135, ND_ADVERT = 136 };

	return frame->proto == IPPROTO_ICMPV6 &&
	       (frame->icmp_type == ND_SOLICIT || frame->icmp_type == ND_ADVERT);
}

/* In words of this file: filter_is_special() is part of what is tried. */
static bool is_loopback(const struct naddr *a)
{
	return a->family == 4 ? a->bytes[0] == 127
			      : naddr_equal(a, &(struct naddr){ 6, { [15] = 1 } });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct naddr host[] = { addr("10.9.9.9"), addr("192.0.2.2"), addr("2001:db8::2") };
	struct filter filter = place_filter(1500);
	const struct filter_box box = place_box();
	unsigned mode = size ? data[0] : 0;
	g_autofree uint8_t *p = NULL;
	uint8_t out[REJECT_MAX];
	enum filter_reason why = FILTER_BY_NOTHING;
	enum filter_verdict verdict;
	struct frame frame;

	if (size < 1)
		return 0;
	filter.host = host;
	filter.nhost = 3;
	size--;
	p = malloc(size ? size : 1);
	FUZZ_CHECK(p);
	memcpy(p, data + 1, size);
	(void)filter_in(&filter, &box, p, size, &why);
	if (mode & 1)
		fill_in(p, size, &box, mode >> 1 & 3);
	verdict = filter_out(&filter, &box, p, size, &frame, &why);
	(void)filter_reason_text(why);
	if (verdict == FILTER_DROP)
		return 0;
	FUZZ_CHECK(frame.end <= size && frame.l4 <= frame.end && frame.payload <= frame.end);
	if (verdict == FILTER_REFUSE)
		FUZZ_CHECK(reject_build(&filter, p, &frame, out) <= sizeof(out));
	if (verdict != FILTER_PASS || frame.kind == FRAME_ARP)
		return 0;
	/* what passes is the box's own and goes to no place that is the host's */
	FUZZ_CHECK(naddr_equal(&frame.src, frame.kind == FRAME_IPV4 ? &box.ipv4 : &box.ipv6));
	FUZZ_CHECK(!filter_is_host(&filter, &frame.dst) && !is_loopback(&frame.dst));
	if (is_discovery(&frame)) /* by multicast as well */
		FUZZ_CHECK(frame.dst.bytes[0] == 0xff ||
			   naddr_in(&frame.dst, &filter.net6, filter.prefix6));
	else
		FUZZ_CHECK(!filter_is_special(&frame.dst));
	return 0;
}
