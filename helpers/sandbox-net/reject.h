/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "filter.h"

/* Answers that we make ourselves. Pure. */

enum { REJECT_MAX = 160 };

/* The answer to a refused frame: RST to TCP, "administratively prohibited" to UDP and ICMP, from the
 * gateway. Returns its length in out[REJECT_MAX], 0 where none is due (a RST is not answered). */
size_t reject_build(const struct filter *f, const uint8_t *p, const struct frame *frame,
		    uint8_t *out);

/* A UDP frame with `len` bytes of payload already at out + reject_udp_offset(src); returns its
 * length. The hardware address it is from is libslirp's for that address. */
size_t reject_udp_offset(const struct naddr *src);
size_t reject_udp(const struct filter_box *box, const struct naddr *src, uint16_t sport,
		  const struct naddr *dst, uint16_t dport, uint8_t *out, size_t len);
