/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/* Taking Ethernet frames apart. Pure; every field is bounded by the length that was given. What
 * libslirp could misread is refused here, so there is one way to read a frame and it is ours. */

enum { FRAME_ETH = 14, FRAME_MAX = 65535 + FRAME_ETH };

enum frame_kind { FRAME_ARP, FRAME_IPV4, FRAME_IPV6 };

enum { FRAME_FIN = 1, FRAME_SYN = 2, FRAME_RST = 4, FRAME_PSH = 8, FRAME_ACK = 16, FRAME_URG = 32 };

struct frame {
	enum frame_kind kind;
	uint8_t proto; /* IPPROTO_*; 0 for ARP */
	uint8_t tcp_flags;
	uint8_t icmp_type, icmp_code;
	uint16_t l4, payload;  /* offsets from the frame's begin */
	uint16_t sport, dport; /* host byte order */
	uint32_t end;          /* offset behind the last byte of the packet; padding follows */
	struct naddr src, dst;
};

enum frame_fault {
	FRAME_OK,
	FRAME_SHORT,     /* it ends before its headers do */
	FRAME_ETHERTYPE, /* neither ARP, IPv4 nor IPv6 */
	FRAME_LENGTH,    /* its lengths contradict each other */
	FRAME_OPTIONS,   /* IPv4 options, IPv6 extension headers */
	FRAME_FRAGMENT,
	FRAME_PROTOCOL, /* neither TCP, UDP nor ICMP */
	FRAME_BAD_ARP,
	_FRAME_FAULT_MAX,
};

enum frame_fault frame_parse(const uint8_t *p, size_t len, struct frame *ret);

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}
