// SPDX-License-Identifier: MIT
#include "checksum.h"

#include <netinet/in.h>

#include "frame.h"

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t wide = sum;

	for (; len > 1; p += 2, len -= 2)
		wide += get16(p);
	if (len)
		wide += (uint32_t)*p << 8;
	while (wide >> 32)
		wide = (wide & 0xffffffff) + (wide >> 32);
	return (uint32_t)wide;
}

uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void checksum_update(uint8_t *field, uint16_t before, uint16_t after)
{
	uint32_t sum = (uint16_t)~get16(field);

	sum += (uint16_t)~before;
	sum += after;
	put16(field, checksum_fold(sum));
}

void checksum_l4(uint8_t *l3, uint8_t *l4, size_t len)
{
	bool v4 = l3[0] >> 4 == 4;
	uint8_t proto = v4 ? l3[9] : l3[6];
	size_t at = proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2;
	uint32_t sum = 0;
	uint16_t folded;

	if (proto != IPPROTO_ICMP) {
		sum = checksum_add(0, v4 ? l3 + 12 : l3 + 8, v4 ? 8 : 32);
		sum += proto + (uint32_t)len;
	}
	put16(l4 + at, 0);
	folded = checksum_fold(checksum_add(sum, l4, len));
	/* UDP: zero would say that there is none */
	put16(l4 + at, folded == 0 && proto == IPPROTO_UDP ? 0xffff : folded);
}
