// SPDX-License-Identifier: MIT
/* Egress rules of helpers/sandbox-net: which flow may begin, which name may be asked for, what is
 * learned and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "filter.h"
#include "net-place.h"
#include "rules.h"

enum { TCP = 6, UDP = 17, ICMP = 1 };

static struct rules *make(const char *list)
{
	g_auto(GStrv) texts = g_strsplit(list, ";", -1);
	const char *fault;
	struct rules *rules = rules_new(texts, &fault);

	assert_non_null(rules);
	assert_null(fault);
	rules_tick(rules, 1000000);
	return rules;
}

static bool allows(struct rules *rules, uint8_t proto, const char *to, uint16_t port)
{
	struct naddr a = addr(to);

	return rules_allow(rules, proto, &a, port);
}

static bool learn(struct rules *rules, const char *name, const char *to, uint32_t ttl)
{
	struct naddr a = addr(to);

	return rules_learn(rules, name, &a, ttl);
}

static bool match(const struct rules *rules, const char *to, uint16_t port, const char *name)
{
	struct naddr a = addr(to);

	return rules_names_match(rules, TCP, &a, port, name);
}

static enum rules_inspect inspect(const struct rules *rules, const char *to, uint16_t port)
{
	struct naddr a = addr(to);

	return rules_inspect(rules, TCP, &a, port);
}

static void why_not(const struct rules *rules, uint8_t proto, const char *to, uint16_t port,
		    const char *want)
{
	struct naddr a = addr(to);
	char out[RULES_WHY];

	assert_string_equal(rules_why(rules, proto, &a, port, false, out), want);
}

static void faults(void **state)
{
	static const char *const rows[] = {
		"",
		"allow",
		"allow any a.b",
		"permit any a.b *",
		"allow sctp a.b *",
		"allow any  *",
		"allow any *. *",
		"allow any a.b 1",
		"allow any a.b 0-1",
		"allow any a.b 2-1",
		"allow any a.b 1-65536",
		"allow any a.b 1-2,",
		"allow any a.b 1-2x",
		"allow any 10.0.0.0/33 *",
		"allow any 10.0.0/8 *",
		"allow any a.b * plainly",
		"allow any a.b * plain more",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *texts[] = { (char *)"allow any a.b *", (char *)rows[i], NULL };
		const char *fault = NULL;

		if (rules_new(texts, &fault) || fault != rows[i])
			fail_msg("'%s' was read", rows[i]);
	}
}

static void addresses(void **state)
{
	/* clang-format off */
	static const struct { const char *rules; uint8_t proto; const char *to; uint16_t port; bool allowed; } rows[] = {
		{ "allow any 192.0.2.0/24 *",                    TCP, "192.0.2.255", 1, true },
		{ "allow any 192.0.2.0/24 *",                    TCP, "192.0.3.0", 1, false },
		{ "allow any 192.0.2.0/24 *",                    ICMP, "192.0.2.1", 0, true },
		{ "allow any 192.0.2.0/24 *",                    TCP, "2001:db8::1", 1, false },
		{ "allow tcp 192.0.2.0/24 443-443,8000-8010",    TCP, "192.0.2.1", 443, true },
		{ "allow tcp 192.0.2.0/24 443-443,8000-8010",    TCP, "192.0.2.1", 8010, true },
		{ "allow tcp 192.0.2.0/24 443-443,8000-8010",    TCP, "192.0.2.1", 8011, false },
		{ "allow tcp 192.0.2.0/24 443-443,8000-8010",    UDP, "192.0.2.1", 443, false },
		{ "allow tcp 192.0.2.0/24 443-443,8000-8010",    ICMP, "192.0.2.1", 0, false },
		{ "allow any 2001:db8::/33 *",                   TCP, "2001:db8:7fff::1", 1, true },
		{ "allow any 2001:db8::/33 *",                   TCP, "2001:db8:8000::1", 1, false },
		{ "deny any lan *",                              TCP, "10.255.0.1", 1, false },
		{ "deny any lan *",                              UDP, "172.31.0.1", 1, false },
		{ "deny any lan *",                              TCP, "172.32.0.1", 1, true },
		{ "deny any lan *",                              TCP, "192.168.1.1", 1, false },
		{ "deny any lan *",                              TCP, "100.64.0.1", 1, false },
		{ "deny any lan *",                              TCP, "fd00::1", 1, false },
		{ "deny any lan *",                              TCP, "192.0.2.1", 53, true },
		{ "allow any 10.1.0.0/16 *;deny any lan *",      TCP, "10.1.2.3", 1, true },
		{ "deny any lan *;allow any 10.1.0.0/16 *",      TCP, "10.1.2.3", 1, false },
		{ "deny any 192.0.2.9/32 *;allow any 0.0.0.0/0 *", TCP, "192.0.2.9", 1, false },
		{ "deny any 192.0.2.9/32 *;allow any 0.0.0.0/0 *", TCP, "192.0.2.8", 1, true },
		{ "deny any 192.0.2.9/32 25-25",                 TCP, "192.0.2.9", 25, false },
		{ "deny any 192.0.2.9/32 25-25",                 TCP, "192.0.2.9", 26, true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct rules *rules = make(rows[i].rules);

		if (allows(rules, rows[i].proto, rows[i].to, rows[i].port) != rows[i].allowed)
			fail_msg("row %zu", i);
		rules_free(rules);
	}
	assert_true(allows(NULL, TCP, "10.0.0.1", 1));
}

static void by_name(void **state)
{
	struct rules *rules =
		make("deny any no.b.org *;allow any a.org 443-443;allow any *.b.org *");

	(void)state;
	assert_true(rules_by_name(rules));
	assert_true(rules_name_allowed(rules, "a.org"));
	assert_true(rules_name_allowed(rules, "A.org"));
	assert_true(rules_name_allowed(rules, "x.y.b.org"));
	assert_false(rules_name_allowed(rules, "b.org"));
	assert_false(rules_name_allowed(rules, "xb.org"));
	assert_false(rules_name_allowed(rules, "no.b.org"));
	assert_false(rules_name_allowed(rules, "a.org.evil"));
	assert_false(allows(rules, TCP, "192.0.2.1", 443));
	assert_true(learn(rules, "a.org", "192.0.2.1", 60));
	assert_true(allows(rules, TCP, "192.0.2.1", 443));
	assert_false(allows(rules, TCP, "192.0.2.1", 80));
	assert_false(allows(rules, TCP, "192.0.2.2", 443));
	assert_true(learn(rules, "x.b.org", "192.0.2.2", 60));
	assert_true(allows(rules, TCP, "192.0.2.2", 22));
	assert_string_equal(rules_name_of(rules, (struct naddr[]){ addr("192.0.2.2") }), "x.b.org");
	/* neither QUIC nor other resolvers */
	assert_false(allows(rules, UDP, "192.0.2.2", 443));
	assert_false(allows(rules, UDP, "192.0.2.1", 443));
	assert_false(allows(rules, TCP, "192.0.2.2", 853));
	assert_false(allows(rules, UDP, "192.0.2.2", 53));
	assert_true(allows(rules, UDP, "192.0.2.2", 123));
	rules_free(rules);
	rules = make(
		"allow udp a.org 443-443;allow any a.org 853-853;allow any 192.0.2.0/24 53-53");
	assert_true(learn(rules, "a.org", "192.0.2.1", 60));
	assert_true(allows(rules, UDP, "192.0.2.1", 443));
	assert_true(allows(rules, TCP, "192.0.2.1", 853));
	assert_true(allows(rules, UDP, "192.0.2.1", 53));
	rules_free(rules);
	/* nor by an address beside a name, but for the port itself; what is denied is denied */
	rules = make("deny any 192.0.2.9/32 *;allow any 192.0.2.0/24 *;allow any ::/0 1-1000;"
		     "allow any 198.51.100.0/24 50-60,853-853;allow any *.a.org *");
	assert_true(allows(rules, UDP, "192.0.2.1", 443));
	assert_false(allows(rules, UDP, "192.0.2.1", 53));
	assert_false(allows(rules, TCP, "192.0.2.1", 853));
	assert_false(allows(rules, UDP, "192.0.2.9", 53));
	assert_false(allows(rules, TCP, "2001:db8::1", 53));
	assert_true(allows(rules, TCP, "2001:db8::1", 54));
	assert_false(allows(rules, TCP, "198.51.100.1", 53));
	assert_true(allows(rules, TCP, "198.51.100.1", 853));
	why_not(rules, UDP, "192.0.2.1", 53,
		"another name server than the box's, under rules with names");
	why_not(rules, UDP, "192.0.2.9", 53, "--deny 192.0.2.9/32");
	rules_free(rules);
	/* without a name in the rules port 53 is one like any other */
	rules = make("allow any 192.0.2.0/24 *;allow any ::/0 1-1000");
	assert_true(allows(rules, UDP, "192.0.2.1", 53));
	assert_true(allows(rules, TCP, "2001:db8::1", 853));
	rules_free(rules);
	/* with a name denied and nothing allowed, resolvers that would tell it are refused */
	rules = make("deny any a.org *");
	assert_false(rules_name_allowed(rules, "a.org"));
	assert_true(rules_name_allowed(rules, "b.org"));
	assert_true(allows(rules, TCP, "192.0.2.1", 443));
	assert_false(allows(rules, UDP, "192.0.2.1", 53));
	rules_free(rules);
}

static void lifetime(void **state)
{
	struct rules *rules = make("allow any a.org *");
	struct naddr a = addr("10.0.0.9");

	(void)state;
	assert_true(learn(rules, "a.org", "192.0.2.1", 0));
	assert_true(learn(rules, "a.org", "192.0.2.2", 7 * 24 * 3600));
	rules_tick(rules, 1000000 + RULES_TTL_MIN_MS - 1);
	assert_true(allows(rules, TCP, "192.0.2.1", 1));
	rules_tick(rules, 1000000 + RULES_TTL_MIN_MS);
	assert_false(allows(rules, TCP, "192.0.2.1", 1));
	assert_true(allows(rules, TCP, "192.0.2.2", 1));
	rules_tick(rules, 1000000 + RULES_TTL_MAX_MS);
	assert_false(allows(rules, TCP, "192.0.2.2", 1));
	rules_learn_host(rules, "a.org", &a);
	rules_tick(rules, INT64_MAX / 2);
	assert_true(allows(rules, TCP, "10.0.0.9", 1));
	rules_free(rules);
}

static enum filter_verdict send_tcp(const struct filter *f, unsigned flags)
{
	const struct filter_box box = place_box();
	enum filter_reason why;
	struct frame frame;
	uint8_t p[PLACE_FRAME];

	place_frame(p, "10.0.2.100", "192.0.2.1", TCP, 4000, 80, flags);
	return filter_out(f, &box, p, sizeof(p), &frame, &why);
}

/* A connection goes on past the name's time, and no other one begins. */
static void connections(void **state)
{
	struct filter f = place_filter(1500);

	(void)state;
	f.rules = make("allow any a.org *");
	assert_int_equal(send_tcp(&f, FRAME_SYN), FILTER_REFUSE);
	assert_true(learn(f.rules, "a.org", "192.0.2.1", 0));
	assert_int_equal(send_tcp(&f, FRAME_SYN), FILTER_PASS);
	rules_tick(f.rules, 1000000 + RULES_TTL_MIN_MS);
	assert_int_equal(send_tcp(&f, FRAME_ACK), FILTER_PASS);
	assert_int_equal(send_tcp(&f, FRAME_ACK | FRAME_FIN), FILTER_PASS);
	assert_int_equal(send_tcp(&f, FRAME_RST), FILTER_PASS);
	assert_int_equal(send_tcp(&f, FRAME_SYN), FILTER_REFUSE);
	rules_free(f.rules);
}

/* Datagrams go on past the name's time, until they pause for too long; streams begin anew each time. */
static void datagrams(void **state)
{
	struct rules *rules = make("allow any a.org 1-1000");
	int64_t now = 1000000;

	(void)state;
	assert_true(learn(rules, "a.org", "192.0.2.1", 0));
	assert_true(allows(rules, UDP, "192.0.2.1", 500));
	for (int i = 0; i < 10; i++) {
		now += RULES_UDP_IDLE_MS - 1;
		rules_tick(rules, now);
		assert_true(allows(rules, UDP, "192.0.2.1", 500));
		assert_false(allows(rules, UDP, "192.0.2.1", 501));
		assert_false(allows(rules, UDP, "192.0.2.2", 500));
		assert_false(allows(rules, TCP, "192.0.2.1", 500));
	}
	rules_tick(rules, now + RULES_UDP_IDLE_MS);
	assert_false(allows(rules, UDP, "192.0.2.1", 500));
	/* more at once than there is place for: they are forgotten, not mixed up */
	assert_true(learn(rules, "a.org", "192.0.2.3", 0));
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(allows(rules, UDP, "192.0.2.3", (uint16_t)i),
				 i >= 1 && i <= 1000 && i != 53 && i != 443 && i != 853);
	rules_free(rules);
	rules = make("deny any 192.0.2.0/24 *;allow any a.org *");
	assert_true(learn(rules, "a.org", "192.0.2.1", 0));
	assert_false(allows(rules, UDP, "192.0.2.1", 500));
	rules_free(rules);
}

/* Addresses of IPv4 in those of IPv6: denied as themselves, and allowed by nothing but IPv6. */
static void translated(void **state)
{
	static const char *const lan[] = {
		"64:ff9b::10.1.2.3",         "64:ff9b::192.168.0.1", "64:ff9b:1::10.1.2.3",
		"64:ff9b:1:a01:2:300::",     "64:ff9b:1:a:1:203::",  "64:ff9b:1:7:a:102:300::",
		"64:ff9b:1:a01:2:300::dead", "::ffff:0:10.1.2.3",    "2002:a01:203::1",
	};
	static const char *const other[] = { "64:ff9b::192.0.2.1", "64:ff9b:1::192.0.2.1",
					     "2002:c000:201::1", "64:ff9b:2::10.1.2.3" };
	struct rules *rules = make("deny any 10.0.0.0/8 *;deny any 192.168.0.0/16 *");
	struct rules *allowing = make("allow any 10.0.0.0/8 *");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(lan); i++) {
		assert_true(rules_is_lan((struct naddr[]){ addr(lan[i]) }));
		assert_false(allows(rules, TCP, lan[i], 80));
		assert_false(allows(allowing, TCP, lan[i], 80));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(other); i++) {
		assert_false(rules_is_lan((struct naddr[]){ addr(other[i]) }));
		assert_true(allows(rules, TCP, other[i], 80));
	}
	rules_free(rules);
	rules_free(allowing);
}

static void reasons(void **state)
{
	struct rules *rules =
		make("deny tcp 10.0.0.0/8 443-443,8000-8010;deny any 2001:db8::/32 22-22;"
		     "deny any lan *;allow any a.org *;deny udp *.b.org *");
	struct naddr peer = addr("10.1.2.3");
	char out[RULES_WHY];

	(void)state;
	assert_true(learn(rules, "a.org", "192.0.2.1", 60));
	why_not(rules, TCP, "10.1.2.3", 8001, "--deny tcp://10.0.0.0/8:443,8000-8010");
	why_not(rules, TCP, "2001:db8::1", 22, "--deny [2001:db8::/32]:22");
	why_not(rules, UDP, "10.1.2.3", 443, "--deny lan");
	assert_string_equal(rules_why(rules, UDP, &peer, 443, true, out), "no --allow for it");
	assert_string_equal(rules_why(rules, TCP, &peer, 443, true, out),
			    "--deny tcp://10.0.0.0/8:443,8000-8010");
	why_not(rules, TCP, "192.0.2.2", 80, "no --allow for it");
	why_not(rules, UDP, "192.0.2.1", 443, "QUIC, under a rule with a name");
	why_not(rules, TCP, "192.0.2.1", 853,
		"another name server than the box's, under rules with names");
	rules_tick(rules, 1000000 + 61000);
	why_not(rules, TCP, "192.0.2.1", 80, "its name was looked up too long ago");
	assert_string_equal(rules_why_name(rules, "x.b.org", out), "no --allow for this name");
	rules_free(rules);
	rules = make("deny any *.b.org *;allow any b.org *");
	assert_string_equal(rules_why_name(rules, "x.b.org", out), "--deny *.b.org");
	rules_free(rules);
}

/* As many as there is place for: the one that ends first goes, those that are for ever stay. */
static void full(void **state)
{
	struct rules *rules = make("allow any *.org *");
	struct naddr host = addr("192.0.2.9");

	(void)state;
	rules_learn_host(rules, "host.org", &host);
	for (unsigned i = 0; i < RULES_LEARNED_MAX + 10; i++) {
		g_autofree char *to = g_strdup_printf("198.18.%u.%u", i >> 8, i & 255);

		assert_true(learn(rules, "a.org", to, 60 + i / 1000));
	}
	assert_true(allows(rules, TCP, "192.0.2.9", 1));
	assert_false(allows(rules, TCP, "198.18.0.0", 1));
	assert_true(allows(rules, TCP, "198.18.32.9", 1));
	rules_free(rules);
}

static void rebinding(void **state)
{
	struct rules *rules = make("allow any a.org *;allow any 10.1.0.0/16 *");

	(void)state;
	assert_false(learn(rules, "a.org", "10.2.0.1", 60));
	assert_false(learn(rules, "a.org", "192.168.0.1", 60));
	assert_false(learn(rules, "a.org", "fd00::1", 60));
	assert_false(allows(rules, TCP, "10.2.0.1", 1));
	assert_true(learn(rules, "a.org", "10.1.0.1", 60));
	assert_true(learn(rules, "a.org", "192.0.2.1", 60));
	rules_free(rules);
	rules = make(
		"deny any lan *"); /* nothing by name: the filter refuses it, the answer does not matter */
	assert_true(learn(rules, "a.org", "10.2.0.1", 60));
	rules_free(rules);
}

static void server_names(void **state)
{
	struct rules *rules =
		make("deny any no.a.org *;allow any *.a.org 443-443;allow any p.org * plain;"
		     "allow any 192.0.2.128/25 *");

	(void)state;
	assert_true(learn(rules, "x.a.org", "192.0.2.1", 60));
	assert_true(learn(rules, "y.a.org", "192.0.2.1", 60));
	assert_true(learn(rules, "p.org", "192.0.2.3", 60));
	assert_true(learn(rules, "evil.org", "192.0.2.1", 60));
	assert_int_equal(inspect(rules, "192.0.2.1", 443), RULES_NAME);
	assert_int_equal(inspect(rules, "192.0.2.3", 443), RULES_PLAIN);
	assert_int_equal(inspect(rules, "192.0.2.3", 22), RULES_PLAIN);
	assert_int_equal(inspect(rules, "192.0.2.200", 443), RULES_PLAIN);
	assert_true(match(rules, "192.0.2.1", 443, "x.a.org"));
	assert_true(match(rules, "192.0.2.1", 443, "Y.A.org"));
	assert_false(match(rules, "192.0.2.1", 443, "z.a.org")); /* not resolved to it */
	assert_false(match(rules, "192.0.2.1", 443, "no.a.org"));
	assert_false(match(rules, "192.0.2.1", 443, "evil.org")); /* not allowed */
	assert_false(match(rules, "192.0.2.1", 443, ""));
	rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults),       cmocka_unit_test(addresses),
		cmocka_unit_test(by_name),      cmocka_unit_test(lifetime),
		cmocka_unit_test(full),         cmocka_unit_test(rebinding),
		cmocka_unit_test(server_names), cmocka_unit_test(datagrams),
		cmocka_unit_test(translated),   cmocka_unit_test(reasons),
		cmocka_unit_test(connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
