// SPDX-License-Identifier: MIT
/* The frame filter of helpers/sandbox-net: frames made byte by byte, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "checksum.h"
#include "filter.h"
#include "net-place.h"
#include "reject.h"
#include "talks.h"

enum { ETH = 14, TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58 };

static const uint8_t mac[6] = { 0x5a, 0x53, 10, 0, 2, 100 };
static const uint8_t gateway_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };

/* A box as --network user makes them; the host is 192.0.2.2, 10.9.9.9 and 2001:db8::2; TCP 5432 and
 * UDP 53 and 69 of its loopback are open. */
struct place {
	struct filter filter;
	struct filter_box box;
	struct naddr host[3];
};

static void make_place(struct place *p)
{
	*p = (struct place){
		.filter = place_filter(65520),
		.box = place_box(),
		.host = { addr("10.9.9.9"), addr("192.0.2.2"), addr("2001:db8::2") },
	};
	p->filter.nhost = 3;
	p->filter.host = p->host;
	portset_add(&p->filter.host_tcp, 5432);
	portset_add(&p->filter.host_udp, 53);
	portset_add(&p->filter.host_udp, 69);
	p->filter.any_host_port = true;
	p->filter.ping = true;
}

/* ---- frames ---- */

static size_t put_eth(uint8_t *p, const uint8_t *from, unsigned type)
{
	memcpy(p, gateway_mac, 6);
	memcpy(p + 6, from, 6);
	put16(p + 12, type);
	return ETH;
}

/* A packet of `proto` with an L4 part of `len` bytes, zeroed but for ports, length and checksum. */
static size_t make_ip(uint8_t *p, const char *src, const char *dst, uint8_t proto, uint16_t port,
		      size_t len)
{
	struct naddr s = addr(src), d = addr(dst);
	bool v4 = d.family == 4;
	uint8_t *l3 = p + put_eth(p, mac, v4 ? 0x0800 : 0x86dd), *l4 = l3 + (v4 ? 20 : 40);

	memset(l3, 0, (v4 ? 20 : 40) + len);
	if (v4) {
		l3[0] = 0x45;
		put16(l3 + 2, (unsigned)(20 + len));
		l3[8] = 64;
		l3[9] = proto;
		memcpy(l3 + 12, s.bytes, 4);
		memcpy(l3 + 16, d.bytes, 4);
		put16(l3 + 10, checksum_fold(checksum_add(0, l3, 20)));
	} else {
		l3[0] = 0x60;
		put16(l3 + 4, (unsigned)len);
		l3[6] = proto;
		l3[7] = 255;
		memcpy(l3 + 8, s.bytes, 16);
		memcpy(l3 + 24, d.bytes, 16);
	}
	put16(l4, 40000);
	put16(l4 + 2, port);
	if (proto == TCP) {
		l4[12] = 5 << 4;
		l4[13] = FRAME_SYN;
	}
	if (proto == UDP)
		put16(l4 + 4, (unsigned)len);
	if (proto == ICMP || proto == ICMP6) {
		l4[0] = (uint8_t)port;
		l4[1] = l4[2] = l4[3] = 0;
	}
	checksum_l4(l3, l4, len);
	return (size_t)(l4 - p) + len;
}

static bool checksum_good(const uint8_t *p, size_t len)
{
	uint8_t copy[2048];
	size_t l3 = p[12] == 8 ? 20 : 40;

	memcpy(copy, p, len);
	checksum_l4(copy + ETH, copy + ETH + l3, len - ETH - l3);
	return memcmp(copy, p, len) == 0;
}

/* ---- destinations ---- */

static void destinations(void **state)
{
	/* clang-format off */
	static const struct { const char *dst; uint8_t proto; uint16_t port; enum filter_verdict want; enum filter_reason why; } rows[] = {
		{ "198.51.100.1",    TCP, 80,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "198.51.100.1",    UDP, 53,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "2001:db8::1",     TCP, 443,  FILTER_PASS,   FILTER_BY_NOTHING },
		{ "10.0.3.1",        TCP, 80,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "10.0.1.255",      TCP, 80,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "198.51.100.1",    ICMP, 8,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "2001:db8::1",     ICMP6, 128, FILTER_REFUSE, FILTER_BY_PING6 },
		{ "fd73::2",         ICMP6, 128, FILTER_PASS,  FILTER_BY_NOTHING },
		/* our name server */
		{ "10.0.2.3",        UDP, 53,   FILTER_DNS,    FILTER_BY_NOTHING },
		{ "fd73::3",         UDP, 53,   FILTER_DNS,    FILTER_BY_NOTHING },
		{ "10.0.2.3",        TCP, 53,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "fd73::3",         TCP, 53,   FILTER_REFUSE, FILTER_BY_GATEWAY },
		{ "10.0.2.3",        TCP, 80,   FILTER_REFUSE, FILTER_BY_GATEWAY },
		{ "10.0.2.3",        UDP, 54,   FILTER_REFUSE, FILTER_BY_GATEWAY },
		/* the gateway, and what --host-port opened */
		{ "10.0.2.2",        TCP, 5432, FILTER_PASS,   FILTER_BY_NOTHING },
		{ "fd73::2",         TCP, 5432, FILTER_PASS,   FILTER_BY_NOTHING },
		{ "10.0.2.2",        UDP, 53,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "10.0.2.2",        TCP, 53,   FILTER_REFUSE, FILTER_BY_GATEWAY },
		{ "10.0.2.2",        UDP, 5432, FILTER_REFUSE, FILTER_BY_GATEWAY },
		{ "10.0.2.2",        TCP, 5433, FILTER_REFUSE, FILTER_BY_GATEWAY },
		{ "10.0.2.2",        ICMP, 8,   FILTER_PASS,   FILTER_BY_NOTHING },
		/* what libslirp answers by itself, opened or not */
		{ "10.0.2.2",        UDP, 69,   FILTER_DROP,   FILTER_BY_KIND },
		{ "10.0.2.2",        UDP, 67,   FILTER_DROP,   FILTER_BY_KIND },
		{ "fd73::2",         UDP, 547,  FILTER_DROP,   FILTER_BY_KIND },
		/* nobody */
		{ "10.0.2.100",      TCP, 80,   FILTER_REFUSE, FILTER_BY_NETWORK },
		{ "10.0.2.4",        TCP, 80,   FILTER_REFUSE, FILTER_BY_NETWORK },
		{ "10.0.2.255",      UDP, 80,   FILTER_REFUSE, FILTER_BY_NETWORK },
		{ "fd73::1234",      TCP, 80,   FILTER_REFUSE, FILTER_BY_NETWORK },
		/* the host */
		{ "192.0.2.2",       TCP, 80,   FILTER_REFUSE, FILTER_BY_HOST },
		{ "192.0.2.2",       UDP, 53,   FILTER_REFUSE, FILTER_BY_HOST },
		{ "192.0.2.2",       ICMP, 8,   FILTER_REFUSE, FILTER_BY_HOST },
		{ "192.0.2.3",       TCP, 80,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "10.9.9.9",        TCP, 5432, FILTER_REFUSE, FILTER_BY_HOST },
		{ "2001:db8::2",     TCP, 80,   FILTER_REFUSE, FILTER_BY_HOST },
		/* special */
		{ "127.0.0.1",       TCP, 5432, FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "127.255.255.254", TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "127.0.0.1",       UDP, 53,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "127.0.0.1",       ICMP, 8,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "0.0.0.0",         TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "0.1.2.3",         TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "169.254.169.254", TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "100.100.100.200", TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "168.63.129.16",   TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "192.0.0.192",     TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "100.100.100.201", TCP, 80,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "fd00:ec2::254",   TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "fd20:ce::254",    TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "fd00:c1::a9fe:a9fe", TCP, 80, FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "fd00:ec2::255",   TCP, 80,   FILTER_PASS,   FILTER_BY_NOTHING },
		{ "240.0.0.1",       TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "224.0.0.1",       UDP, 80,   FILTER_DROP,   FILTER_BY_SPECIAL },
		{ "255.255.255.255", UDP, 80,   FILTER_DROP,   FILTER_BY_SPECIAL },
		{ "255.255.255.255", TCP, 80,   FILTER_DROP,   FILTER_BY_SPECIAL },
		{ "::1",             TCP, 5432, FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "::",              TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "::127.0.0.1",     TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "::ffff:127.0.0.1", TCP, 80,  FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "::ffff:192.0.2.2", TCP, 80,  FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "fe80::1",         TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "febf::1",         TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "fec0::1",         TCP, 80,   FILTER_REFUSE, FILTER_BY_SPECIAL },
		{ "ff02::1",         UDP, 80,   FILTER_DROP,   FILTER_BY_SPECIAL },
	};
	/* clang-format on */
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *own = addr(rows[i].dst).family == 4 ? "10.0.2.100" : "fd73::100";
		uint8_t p[256];
		size_t len = make_ip(p, own, rows[i].dst, rows[i].proto, rows[i].port, 40);
		enum filter_reason why;
		struct frame frame;
		enum filter_verdict got =
			filter_out(&place.filter, &place.box, p, len, &frame, &why);

		if (got != rows[i].want || why != rows[i].why)
			fail_msg("%s %u:%u gives %d (%s)", rows[i].dst, rows[i].proto, rows[i].port,
				 got, filter_reason_text(why));
	}
}

/* The second lock: addresses as libslirp gives them to the kernel. */
static void sockets(void **state)
{
	/* clang-format off */
	static const struct { const char *dst; uint8_t proto; uint16_t port; bool want; } rows[] = {
		{ "198.51.100.1", TCP, 80, true },   { "2001:db8::1", UDP, 53, true },
		{ "127.0.0.1", TCP, 5432, true },    { "::1", TCP, 5432, true },
		{ "127.0.0.1", TCP, 5433, false },   { "127.0.0.1", UDP, 5432, false },
		{ "127.0.0.1", UDP, 53, true },      { "127.0.0.1", UDP, 69, false },
		{ "127.0.0.2", TCP, 5432, false },   { "0.0.0.0", TCP, 5432, false },
		{ "192.0.2.2", TCP, 5432, false },   { "10.0.2.2", TCP, 5432, false },
		{ "10.0.2.3", UDP, 53, false },      { "10.0.2.3", TCP, 53, false },
		{ "::ffff:127.0.0.1", TCP, 5432, false }, { "169.254.169.254", TCP, 80, false },
		{ "127.0.0.1", ICMP, 0, false },     { "198.51.100.1", ICMP, 0, true },
	};
	/* clang-format on */
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct naddr dst = addr(rows[i].dst);

		if (filter_socket(&place.filter, rows[i].proto, &dst, rows[i].port) != rows[i].want)
			fail_msg("%s %u:%u", rows[i].dst, rows[i].proto, rows[i].port);
	}
}

static void without_ipv6(void **state)
{
	struct place place;
	enum filter_reason why;
	struct frame frame;
	uint8_t p[256];
	size_t len;

	(void)state;
	make_place(&place);
	place.box.ipv6.family = 0;
	memset(&place.filter.net6, 0, sizeof(struct naddr));
	memset(&place.filter.gateway6, 0, sizeof(struct naddr));
	memset(&place.filter.dns6, 0, sizeof(struct naddr));
	len = make_ip(p, "fd73::100", "2001:db8::1", TCP, 80, 20);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_DROP);
	assert_int_equal(why, FILTER_BY_IPV6);
	len = make_ip(p, "::", "2001:db8::1", TCP, 80, 20);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_DROP);
}

/* ---- whose frames ---- */

static void sources(void **state)
{
	static const char *const strange[] = { "10.0.2.2",  "10.0.2.101",   "127.0.0.1",
					       "192.0.2.2", "198.51.100.1", "0.0.0.0" };
	struct place place;
	enum filter_reason why;
	struct frame frame;
	uint8_t p[256];
	size_t len;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(strange); i++) {
		len = make_ip(p, strange[i], "198.51.100.1", UDP, 80, 20);
		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 FILTER_DROP);
		assert_int_equal(why, FILTER_BY_SOURCE);
	}
	len = make_ip(p, "10.0.2.100", "198.51.100.1", UDP, 80, 20);
	p[6] ^= 1;
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_DROP);
	assert_int_equal(why, FILTER_BY_SOURCE);
}

/* ---- malformed ---- */

/* Changes of one or two bytes of a good frame (at an offset behind the Ethernet header), and what is
 * wrong with it then. */
static void faults(void **state)
{
	/* clang-format off */
	static const struct { uint8_t proto; bool v6; int at; unsigned value; enum frame_fault want; } rows[] = {
		{ TCP, false, -2, 0x0806, FRAME_BAD_ARP },
		{ TCP, false, -2, 0x88f8, FRAME_ETHERTYPE },  /* NCSI */
		{ TCP, false, -2, 0x8100, FRAME_ETHERTYPE },  /* VLAN */
		{ TCP, false, -2, 0x86dd, FRAME_ETHERTYPE },  /* IPv4 said to be IPv6 */
		{ TCP, true,  -2, 0x0800, FRAME_ETHERTYPE },
		{ TCP, false, 0, 0x4400, FRAME_LENGTH },
		{ TCP, false, 0, 0x4600, FRAME_OPTIONS },
		{ TCP, false, 0, 0x4f00, FRAME_OPTIONS },
		{ TCP, false, 2, 19, FRAME_LENGTH },
		{ TCP, false, 2, 61, FRAME_LENGTH },          /* more than there is */
		{ TCP, false, 2, 39, FRAME_SHORT },           /* half a TCP header */
		{ TCP, false, 6, 0x2000, FRAME_FRAGMENT },
		{ TCP, false, 6, 0x0001, FRAME_FRAGMENT },
		{ TCP, false, 6, 0x4000, FRAME_OK },          /* "don't fragment" */
		{ TCP, false, 8, 64 << 8 | 2, FRAME_PROTOCOL },  /* IGMP */
		{ TCP, false, 8, 64 << 8 | 132, FRAME_PROTOCOL },
		{ TCP, false, 8, 64 << 8 | 41, FRAME_PROTOCOL }, /* IPv6 inside */
		{ TCP, false, 8, 64 << 8 | 58, FRAME_PROTOCOL }, /* ICMPv6 over IPv4 */
		{ TCP, false, 8, 64 << 8 | 0, FRAME_OPTIONS },
		{ TCP, false, 32, 4 << 12 | 2, FRAME_LENGTH },
		{ TCP, false, 32, 11 << 12 | 2, FRAME_LENGTH },
		{ UDP, false, 24, 7, FRAME_LENGTH },
		{ UDP, false, 24, 41, FRAME_LENGTH },
		{ UDP, false, 24, 39, FRAME_LENGTH },
		{ TCP, true, 4, 41, FRAME_LENGTH },
		{ TCP, true, 4, 19, FRAME_SHORT },
		{ TCP, true, 6, 0 << 8 | 255, FRAME_OPTIONS },
		{ TCP, true, 6, 43 << 8 | 255, FRAME_OPTIONS },
		{ TCP, true, 6, 44 << 8 | 255, FRAME_FRAGMENT },
		{ TCP, true, 6, 60 << 8 | 255, FRAME_OPTIONS },
		{ TCP, true, 6, 59 << 8 | 255, FRAME_PROTOCOL },
		{ TCP, true, 6, 1 << 8 | 255, FRAME_PROTOCOL },
		{ TCP, true, 6, 51 << 8 | 255, FRAME_PROTOCOL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct frame frame;
		uint8_t p[256];
		size_t len =
			rows[i].v6
				? make_ip(p, "fd73::100", "2001:db8::1", rows[i].proto, 80, 40)
				: make_ip(p, "10.0.2.100", "198.51.100.1", rows[i].proto, 80, 40);

		put16(p + ETH + rows[i].at, rows[i].value);
		if (frame_parse(p, len, &frame) != rows[i].want)
			fail_msg("row %zu gives %d", i, frame_parse(p, len, &frame));
	}
}

/* Every shorter frame is refused, none is read beyond its end (each is on the heap by itself, which
 * the sanitizers watch). */
static void truncated(void **state)
{
	static const uint8_t protos[] = { TCP, UDP, ICMP };
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(protos); i++) {
		uint8_t whole[256];
		size_t len = make_ip(whole, "10.0.2.100", "198.51.100.1", protos[i], 8, 20);

		for (size_t n = 0; n < len; n++) {
			g_autofree uint8_t *p = g_memdup2(whole, n ? n : 1);
			enum filter_reason why;
			struct frame frame;

			assert_int_equal(filter_out(&place.filter, &place.box, p, n, &frame, &why),
					 FILTER_DROP);
			assert_int_equal(filter_in(&place.filter, &place.box, p, n, &why),
					 FILTER_DROP);
		}
	}
}

/* What follows the packet is not a part of it. */
static void padding(void **state)
{
	struct place place;
	enum filter_reason why;
	struct frame frame;
	uint8_t p[256];
	size_t len = make_ip(p, "10.0.2.100", "198.51.100.1", UDP, 80, 12);

	(void)state;
	make_place(&place);
	memset(p + len, 0xaa, 20);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len + 20, &frame, &why),
			 FILTER_PASS);
	assert_int_equal(frame.end, len);
}

static void too_long(void **state)
{
	g_autofree uint8_t *p = g_malloc0(70000);
	struct place place;
	enum filter_reason why;
	struct frame frame;
	size_t len;

	(void)state;
	make_place(&place);
	len = make_ip(p, "10.0.2.100", "198.51.100.1", TCP, 80, 65520 - 20);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_PASS);
	len = make_ip(p, "10.0.2.100", "198.51.100.1", TCP, 80, 65521 - 20);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_DROP);
	assert_int_equal(frame_parse(p, 70000, &frame), FRAME_LENGTH);
}

/* ---- TCP ---- */

static void urgent(void **state)
{
	static const uint8_t flags[] = { FRAME_URG, FRAME_URG | FRAME_ACK, FRAME_URG | FRAME_SYN,
					 FRAME_ACK | FRAME_PSH };
	static const uint16_t pointers[] = { 0, 1, 0x7fff, 0xffff };
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(flags) * G_N_ELEMENTS(pointers); i++) {
		uint8_t p[256];
		size_t len = make_ip(p, "10.0.2.100", "198.51.100.1", TCP, 80, 33);
		enum filter_reason why;
		struct frame frame;

		p[ETH + 20 + 13] = flags[i / 4];
		put16(p + ETH + 20 + 18, pointers[i % 4]);
		checksum_l4(p + ETH, p + ETH + 20, 33);
		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 FILTER_PASS);
		assert_int_equal(p[ETH + 20 + 13], flags[i / 4] & ~FRAME_URG);
		assert_int_equal(frame.tcp_flags, flags[i / 4] & ~FRAME_URG);
		assert_int_equal(get16(p + ETH + 20 + 18), 0);
		assert_true(checksum_good(p, len));
	}
}

/* Segments of connections are not asked about again, but never reach the host either. */
static void established(void **state)
{
	static const struct {
		const char *dst;
		enum filter_verdict want;
	} rows[] = { { "198.51.100.1", FILTER_PASS },
		     { "127.0.0.1", FILTER_DROP },
		     { "192.0.2.2", FILTER_DROP } };
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint8_t p[256];
		size_t len = make_ip(p, "10.0.2.100", rows[i].dst, TCP, 80, 20);
		enum filter_reason why;
		struct frame frame;

		p[ETH + 20 + 13] = FRAME_ACK;
		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 rows[i].want);
	}
}

/* ---- ARP, neighbour discovery, ICMP ---- */

static size_t make_arp(uint8_t *p, unsigned op, const char *sender, const char *target)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4 };
	uint8_t *a = p + put_eth(p, mac, 0x0806);

	memset(a, 0, 28);
	memcpy(a, head, sizeof(head));
	put16(a + 6, op);
	memcpy(a + 8, mac, 6);
	memcpy(a + 14, addr(sender).bytes, 4);
	memcpy(a + 24, addr(target).bytes, 4);
	return ETH + 28;
}

static void arp(void **state)
{
	/* clang-format off */
	static const struct { unsigned op; const char *sender, *target; enum filter_verdict want; } rows[] = {
		{ 1, "10.0.2.100", "10.0.2.2", FILTER_PASS },
		{ 2, "10.0.2.100", "10.0.2.2", FILTER_PASS },
		{ 1, "10.0.2.100", "10.0.2.3", FILTER_PASS },
		{ 1, "10.0.2.100", "10.0.2.9", FILTER_DROP },
		{ 1, "10.0.2.2",   "10.0.2.2", FILTER_DROP },  /* somebody else's name */
		{ 2, "10.0.2.3",   "10.0.2.2", FILTER_DROP },
		{ 3, "10.0.2.100", "10.0.2.2", FILTER_DROP },  /* RARP */
	};
	/* clang-format on */
	struct place place;
	enum filter_reason why;
	struct frame frame;
	uint8_t p[64];
	size_t len;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		len = make_arp(p, rows[i].op, rows[i].sender, rows[i].target);
		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 rows[i].want);
	}
	len = make_arp(p, 1, "10.0.2.100", "10.0.2.2");
	p[ETH + 8] ^= 1; /* the hardware address it tells is another one */
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_DROP);
}

static void icmp_kinds(void **state)
{
	struct place place;

	(void)state;
	make_place(&place);
	for (unsigned type = 0; type < 256; type++) {
		enum filter_reason why;
		struct frame frame;
		uint8_t p[256];
		size_t len = make_ip(p, "10.0.2.100", "198.51.100.1", ICMP, (uint16_t)type, 16);

		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 type == 8 ? FILTER_PASS : FILTER_DROP);
		len = make_ip(p, "fd73::100", "2001:db8::1", ICMP6, (uint16_t)type, 16);
		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 type == 128 ? FILTER_REFUSE : FILTER_DROP);
	}
}

static void neighbours(void **state)
{
	/* clang-format off */
	static const struct { const char *dst, *target; uint8_t type, hops; enum filter_verdict want; } rows[] = {
		{ "ff02::1:ff00:2", "fd73::2", 135, 255, FILTER_PASS },
		{ "fd73::2",        "fd73::2", 135, 255, FILTER_PASS },
		{ "fd73::2",        "fd73::100", 136, 255, FILTER_PASS },
		{ "fd73::2",        "fd73::2", 135, 64, FILTER_DROP },
		{ "2001:db8::1",    "fd73::2", 135, 255, FILTER_DROP },
		{ "fd73::2",        "2001:db8::1", 136, 255, FILTER_DROP },
		{ "ff02::2",        "fd73::2", 133, 255, FILTER_DROP },  /* asks for a router */
		{ "ff02::1",        "fd73::2", 134, 255, FILTER_DROP },  /* says it is one */
		{ "fd73::2",        "fd73::2", 137, 255, FILTER_DROP },  /* redirect */
	};
	/* clang-format on */
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		enum filter_reason why;
		struct frame frame;
		uint8_t p[256];
		size_t len = make_ip(p, "fd73::100", rows[i].dst, ICMP6, rows[i].type, 24);

		p[ETH + 7] = rows[i].hops;
		memcpy(p + ETH + 40 + 8, addr(rows[i].target).bytes, 16);
		if (filter_out(&place.filter, &place.box, p, len, &frame, &why) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

/* ---- to the box ---- */

static void inward(void **state)
{
	/* clang-format off */
	static const struct { const char *src, *dst; uint8_t proto; uint16_t type; enum filter_verdict want; } rows[] = {
		{ "198.51.100.1", "10.0.2.100", TCP, 80, FILTER_PASS },
		{ "10.0.2.2",     "10.0.2.100", UDP, 80, FILTER_PASS },
		{ "198.51.100.1", "10.0.2.101", TCP, 80, FILTER_DROP },
		{ "198.51.100.1", "255.255.255.255", UDP, 68, FILTER_DROP }, /* DHCP */
		{ "127.0.0.1",    "10.0.2.100", TCP, 80, FILTER_DROP },
		{ "2001:db8::1",  "fd73::100", TCP, 80, FILTER_PASS },
		{ "10.0.2.2",     "10.0.2.100", ICMP, 0, FILTER_PASS },
		{ "10.0.2.2",     "10.0.2.100", ICMP, 3, FILTER_PASS },
		{ "10.0.2.2",     "10.0.2.100", ICMP, 5, FILTER_DROP },   /* redirect */
		{ "fd73::2",      "fd73::100", ICMP6, 135, FILTER_PASS },
		{ "fe80::2",      "ff02::1", ICMP6, 134, FILTER_DROP },   /* router advertisement */
		{ "fd73::2",      "fd73::100", ICMP6, 137, FILTER_DROP },
	};
	/* clang-format on */
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		enum filter_reason why;
		uint8_t p[256];
		size_t len = make_ip(p, rows[i].src, rows[i].dst, rows[i].proto, rows[i].type, 32);

		if (filter_in(&place.filter, &place.box, p, len, &why) != rows[i].want)
			fail_msg("row %zu: %s", i, filter_reason_text(why));
	}
}

/* Where the host lets nobody ping, the gateway still answers. */
static void no_ping(void **state)
{
	struct place place;
	enum filter_reason why;
	struct frame frame;
	uint8_t p[256];
	size_t len;

	(void)state;
	make_place(&place);
	place.filter.ping = false;
	len = make_ip(p, "10.0.2.100", "198.51.100.1", ICMP, 8, 40);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
			 FILTER_REFUSE);
	assert_int_equal(why, FILTER_BY_PING);
	len = make_ip(p, "10.0.2.100", "10.0.2.2", ICMP, 8, 40);
	assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why), FILTER_PASS);
}

/* ---- who may answer ---- */

/* The box's port is 40000 (make_ip()), or `port`. */
static size_t make_answer(uint8_t *p, const char *src, uint16_t sport, uint16_t port)
{
	size_t len =
		make_ip(p, src, addr(src).family == 4 ? "10.0.2.100" : "fd73::100", UDP, port, 20);

	put16(p + len - 20, sport);
	return len;
}

static void talk_to(struct talks *talks, const char *dst, uint16_t port)
{
	struct frame frame;
	uint8_t p[256];
	size_t len =
		make_ip(p, addr(dst).family == 4 ? "10.0.2.100" : "fd73::100", dst, UDP, port, 20);

	assert_int_equal(frame_parse(p, len, &frame), FRAME_OK);
	talks_add(talks, &frame);
	assert_true(talks_has(talks, &frame, true));
}

/* Datagrams come from whom the box has sent one, to the port that it came from; by address and port. */
static void strangers(void **state)
{
	/* clang-format off */
	static const struct { const char *src; uint16_t sport, port; bool want; } rows[] = {
		{ "198.51.100.1", 7777, 40000, true },  { "2001:db8::1", 7777, 40000, true },
		{ "198.51.100.1", 7778, 40000, false }, { "198.51.100.1", 7777, 40001, false },
		{ "198.51.100.2", 7777, 40000, false }, { "2001:db8::3", 7777, 40000, false },
		{ "198.51.100.1", 40000, 7777, false }, { "10.0.2.2", 7777, 40000, false },
	};
	/* clang-format on */
	g_autofree struct talks *talks = g_new0(struct talks, 1);
	enum filter_reason why;
	struct place place;
	uint8_t p[256];
	size_t len;

	(void)state;
	make_place(&place);
	place.filter.talks = talks;
	talks->now = 1;
	talk_to(talks, "198.51.100.1", 7777);
	talk_to(talks, "2001:db8::1", 7777);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		len = make_answer(p, rows[i].src, rows[i].sport, rows[i].port);
		if ((filter_in(&place.filter, &place.box, p, len, &why) == FILTER_PASS) !=
		    rows[i].want)
			fail_msg("row %zu: %s", i, filter_reason_text(why));
		assert_int_equal(why, rows[i].want ? FILTER_BY_NOTHING : FILTER_BY_TALK);
	}
	/* both sides keep it going; then its time runs out */
	len = make_answer(p, "198.51.100.1", 7777, 40000);
	talks->now += TALKS_MS - 1;
	assert_int_equal(filter_in(&place.filter, &place.box, p, len, &why), FILTER_PASS);
	talks->now += TALKS_MS - 1;
	assert_int_equal(filter_in(&place.filter, &place.box, p, len, &why), FILTER_PASS);
	talks->now += TALKS_MS;
	assert_int_equal(filter_in(&place.filter, &place.box, p, len, &why), FILTER_DROP);
}

/* However many there are, the last ones are known, and no place is written but those of the table. */
static void many_talks(void **state)
{
	g_autofree struct talks *talks = g_new0(struct talks, 1);
	enum filter_reason why;
	struct place place;
	uint8_t p[256];
	unsigned known = 0;

	(void)state;
	make_place(&place);
	place.filter.talks = talks;
	for (unsigned port = 1; port < 60000; port++) {
		talks->now = port;
		talk_to(talks, "198.51.100.1", (uint16_t)port);
	}
	for (unsigned port = 1; port < 60000; port++) {
		size_t len = make_answer(p, "198.51.100.1", (uint16_t)port, 40000);

		known += filter_in(&place.filter, &place.box, p, len, &why) == FILTER_PASS;
	}
	assert_in_range(known, TALKS * 3 / 4, TALKS);
}

/* ---- our answers ---- */

/* An answer is a frame that the filter lets in, with checksums as they should be. */
static void answers(void **state)
{
	static const uint8_t protos[] = { TCP, UDP };
	struct place place;

	(void)state;
	make_place(&place);
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(protos); i++) {
		bool v6 = i % 2;
		uint8_t p[256], out[REJECT_MAX];
		size_t len = make_ip(p, v6 ? "fd73::100" : "10.0.2.100", v6 ? "::1" : "127.0.0.1",
				     protos[i / 2], 80, 100);
		enum filter_reason why;
		struct frame frame, back;

		assert_int_equal(filter_out(&place.filter, &place.box, p, len, &frame, &why),
				 FILTER_REFUSE);
		len = reject_build(&place.filter, p, &frame, out);
		assert_in_range(len, 54, REJECT_MAX);
		assert_true(checksum_good(out, len));
		assert_int_equal(frame_parse(out, len, &back), FRAME_OK);
		assert_int_equal(back.end, len);
		assert_memory_equal(out, mac, 6);
		assert_true(naddr_equal(&back.dst, v6 ? &place.box.ipv6 : &place.box.ipv4));
		if (protos[i / 2] == UDP) {
			assert_int_equal(back.icmp_type, v6 ? 1 : 3);
			assert_int_equal(back.icmp_code, v6 ? 1 : 13);
			assert_int_equal(filter_in(&place.filter, &place.box, out, len, &why),
					 FILTER_PASS);
			continue;
		}
		assert_int_equal(back.tcp_flags, FRAME_RST | FRAME_ACK);
		assert_int_equal(back.sport, 80);
		assert_int_equal(back.dport, 40000);
		assert_int_equal(get32(out + back.l4 + 8), 81); /* 0 + SYN + 80 bytes */
	}
}

static void no_answer_to_reset(void **state)
{
	struct place place;
	enum filter_reason why;
	struct frame frame;
	uint8_t p[256], out[REJECT_MAX];
	size_t len = make_ip(p, "10.0.2.100", "127.0.0.1", TCP, 80, 20);

	(void)state;
	make_place(&place);
	p[ETH + 20 + 13] = FRAME_RST | FRAME_SYN;
	(void)filter_out(&place.filter, &place.box, p, len, &frame, &why);
	assert_int_equal(reject_build(&place.filter, p, &frame, out), 0);
}

static void udp_frames(void **state)
{
	struct place place;

	(void)state;
	make_place(&place);
	for (int v6 = 0; v6 < 2; v6++) {
		const struct naddr *dst = v6 ? &place.box.ipv6 : &place.box.ipv4;
		struct naddr src = addr(v6 ? "fd73::3" : "10.0.2.3");
		enum filter_reason why;
		struct frame frame;
		uint8_t out[256];
		size_t at = reject_udp_offset(&src), len;

		memcpy(out + at, "hello", 5);
		len = reject_udp(&place.box, &src, 53, dst, 1234, out, 5);
		assert_int_equal(len, at + 5);
		assert_true(checksum_good(out, len));
		assert_int_equal(frame_parse(out, len, &frame), FRAME_OK);
		assert_int_equal(frame.payload, at);
		assert_int_equal(frame.sport, 53);
		assert_int_equal(filter_in(&place.filter, &place.box, out, len, &why), FILTER_PASS);
	}
}

/* ---- checksums ---- */

static void updates(void **state)
{
	uint8_t data[20];
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint8_t field[2];
		uint16_t before, after;

		for (int i = 0; i < 20; i++)
			data[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		put16(field, checksum_fold(checksum_add(0, data, 20)));
		before = get16(data + 6);
		after = (uint16_t)(seed >> 8);
		put16(data + 6, after);
		checksum_update(field, before, after);
		assert_int_equal(get16(field), checksum_fold(checksum_add(0, data, 20)));
	}
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destinations), cmocka_unit_test(sockets), cmocka_unit_test(without_ipv6),
		cmocka_unit_test(sources), cmocka_unit_test(faults), cmocka_unit_test(truncated),
		cmocka_unit_test(padding), cmocka_unit_test(too_long), cmocka_unit_test(urgent),
		cmocka_unit_test(established), cmocka_unit_test(arp), cmocka_unit_test(icmp_kinds),
		cmocka_unit_test(neighbours), cmocka_unit_test(inward), cmocka_unit_test(no_ping),
		cmocka_unit_test(strangers), cmocka_unit_test(many_talks), cmocka_unit_test(answers),
		cmocka_unit_test(no_answer_to_reset), cmocka_unit_test(udp_frames), cmocka_unit_test(updates),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
