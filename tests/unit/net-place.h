/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <string.h>

#include "filter.h"

/* The network that the tests and fuzz targets of helpers/sandbox-net stand in: a box as --network user
 * makes it, on 10.0.2.0/24 and fd73::/64. */

static inline struct naddr addr(const char *text)
{
	struct naddr a;

	if (!naddr_parse(text, &a))
		g_error("not an address: %s", text);
	return a;
}

static inline struct filter place_filter(unsigned mtu)
{
	return (struct filter){ .gateway4 = addr("10.0.2.2"),
				.dns4 = addr("10.0.2.3"),
				.net4 = addr("10.0.2.0"),
				.prefix4 = 24,
				.gateway6 = addr("fd73::2"),
				.dns6 = addr("fd73::3"),
				.net6 = addr("fd73::"),
				.prefix6 = 64,
				.mtu = mtu };
}

static inline struct filter_box place_box(void)
{
	return (struct filter_box){ .mac = { 0x5a, 0x53, 10, 0, 2, 100 },
				    .ipv4 = addr("10.0.2.100"),
				    .ipv6 = addr("fd73::100") };
}

enum { PLACE_FRAME = 54 };

/* A frame of the box, or to it, by IPv4 without data. `flags` are of TCP; of ICMP the ports are type and
 * code. */
static inline void place_frame(uint8_t *p, const char *src, const char *dst, unsigned proto,
			       unsigned sport, unsigned dport, unsigned flags)
{
	struct naddr s = addr(src), d = addr(dst);

	memset(p, 0, PLACE_FRAME);
	memcpy(p + 6, place_box().mac, 6);
	put16(p + 12, 0x0800);
	p[14] = 0x45;
	put16(p + 16, PLACE_FRAME - FRAME_ETH);
	p[23] = (uint8_t)proto;
	memcpy(p + 26, s.bytes, 4);
	memcpy(p + 30, d.bytes, 4);
	put16(p + 34, sport);
	put16(p + 36, dport);
	if (proto == 6) {
		p[46] = 0x50;
		p[47] = (uint8_t)flags;
	} else if (proto == 17) {
		put16(p + 38, PLACE_FRAME - 34);
	} else {
		p[34] = (uint8_t)sport;
		p[35] = (uint8_t)dport;
	}
}
