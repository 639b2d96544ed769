/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The Internet checksum, RFC 1071. Sums are kept unfolded in 32 bits. */

uint32_t checksum_add(uint32_t sum, const void *data, size_t len); /* len even but for the last */
uint16_t checksum_fold(uint32_t sum); /* the complement, host byte order */

/* A 16-bit word of what is summed changed: RFC 1624. At `field` is the checksum. */
void checksum_update(uint8_t *field, uint16_t before, uint16_t after);

/* Fills in the checksum of a TCP, UDP or ICMP part of `len` bytes at l4, which belongs to the IP
 * header at l3. */
void checksum_l4(uint8_t *l3, uint8_t *l4, size_t len);
