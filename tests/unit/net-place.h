/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

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
