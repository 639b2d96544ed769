// SPDX-License-Identifier: MIT
/*
 * What comes from another box's helper (--network box:NAME). The first byte: 0 a hello, else a frame,
 * whose addresses bit 1 fills in, so that the rest is reached. What is accepted goes out by the filter
 * as well, with the box's addresses and the peer's exchanged.
 */
#include <netinet/in.h>

#include "filter.h"
#include "fuzz.h"
#include "../unit/net-place.h"
#include "peer.h"
#include "rules.h"

static void try_hello(const struct filter *f, const struct filter_box *box, const uint8_t *data,
		      size_t size)
{
	struct peer_hello hello;

	if (!peer_hello_parse((const char *)data, size, &hello))
		return;
	FUZZ_CHECK(hello.ipv4.family == 4 && strlen(hello.name) < PEER_NAME);
	FUZZ_CHECK(hello.ipv6.family == 0 || hello.ipv6.family == 6);
	if (peer_hello_fits(f, box, &hello))
		FUZZ_CHECK(naddr_in(&hello.ipv4, &f->net4, f->prefix4) &&
			   !naddr_equal(&hello.ipv4, &box->ipv4));
}

static void fill_in(uint8_t *p, size_t len, const struct peer_hello *from,
		    const struct filter_box *box, bool v4)
{
	if (len < 54)
		return;
	put16(p + 12, v4 ? 0x0800 : 0x86dd);
	if (v4) {
		p[14] = 0x45;
		put16(p + 16, (unsigned)(len - FRAME_ETH));
		put16(p + 20, 0);
		memcpy(p + 26, from->ipv4.bytes, 4);
		memcpy(p + 30, box->ipv4.bytes, 4);
	} else {
		p[14] = 0x60;
		put16(p + 18, (unsigned)(len - 54));
		memcpy(p + 22, from->ipv6.bytes, 16);
		memcpy(p + 38, box->ipv6.bytes, 16);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *texts[] = { (char *)"allow tcp 10.0.2.101/32 80-80", NULL };
	const char *fault = NULL;
	struct filter f = place_filter(1500);
	const struct filter_box box = place_box();
	const struct peer_hello who = { .ipv4 = addr("10.0.2.101"), .ipv6 = addr("fd73::101") };
	const struct filter_box other = { .ipv4 = who.ipv4, .ipv6 = who.ipv6 };
	struct peer_table *table;
	enum filter_reason why;
	struct frame frame;
	uint8_t *p;

	if (size < 1)
		return 0;
	if (data[0] == 0) {
		try_hello(&f, &box, data + 1, size - 1);
		return 0;
	}
	table = g_new0(struct peer_table, 1);
	p = g_memdup2(data + 1, size - 1);
	size--;
	f.rules = data[0] & 8 ? rules_new(texts, &fault) : NULL;
	f.peers = table;
	peer_set(table, 3, &who);
	if (data[0] & 2)
		fill_in(p, size, &who, &box, data[0] & 4);
	if (p && peer_accept(table, &f, &box, 3, p, size, &frame)) {
		FUZZ_CHECK(frame.end <= size && frame.kind != FRAME_ARP);
		FUZZ_CHECK(
			naddr_equal(&frame.src, frame.kind == FRAME_IPV4 ? &who.ipv4 : &who.ipv6));
		FUZZ_CHECK(
			naddr_equal(&frame.dst, frame.kind == FRAME_IPV4 ? &box.ipv4 : &box.ipv6));
		/* nobody else could have sent it */
		peer_unset(table, 3);
		FUZZ_CHECK(!peer_accept(table, &f, &other, 3, p, size, &frame));
		peer_set(table, 3, &who);
	}
	if (p && size >= 12) {
		memcpy(p + 6, box.mac, 6);
		if (data[0] & 2)
			fill_in(p, size, &(struct peer_hello){ .ipv4 = box.ipv4, .ipv6 = box.ipv6 },
				&other, data[0] & 4);
		if (filter_out(&f, &box, p, size, &frame, &why) == FILTER_NEIGHBOUR) {
			uint8_t out[PEER_NEIGHBOUR_MAX];

			FUZZ_CHECK(peer_neighbour(&box, p, &frame, out) <= sizeof(out));
		}
	}
	peer_unset(table, 3);
	rules_free(f.rules);
	g_free(p);
	g_free(table);
	return 0;
}
