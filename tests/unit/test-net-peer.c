// SPDX-License-Identifier: MIT
/* Frames between boxes of one network, and the line by which helpers meet (helpers/sandbox-net). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "filter.h"
#include "net-place.h"
#include "peer.h"
#include "rules.h"

enum { SLOT = 5, OTHER_SLOT = 6, TCP = 6, UDP = 17, ICMP = 1 };

struct world {
	struct filter f;
	struct filter_box box;
	struct peer_table table;
	struct peer_hello who;
};

static struct world *world(void)
{
	struct world *w = g_new0(struct world, 1);

	w->f = place_filter(1500);
	w->f.peers = &w->table;
	w->box = place_box();
	w->who.ipv4 = addr("10.0.2.101");
	w->who.ipv6 = addr("fd73::101");
	peer_set(&w->table, SLOT, &w->who);
	return w;
}

static void done(struct world *w)
{
	peer_unset(&w->table, SLOT);
	peer_unset(&w->table, OTHER_SLOT);
	g_free(w);
}

static enum filter_verdict out(struct world *w, const char *dst, unsigned proto, unsigned sport,
			       unsigned dport, unsigned flags)
{
	enum filter_reason why;
	struct frame frame;
	uint8_t p[PLACE_FRAME];

	place_frame(p, "10.0.2.100", dst, proto, sport, dport, flags);
	return filter_out(&w->f, &w->box, p, PLACE_FRAME, &frame, &why);
}

static bool in(struct world *w, const char *src, const char *dst, unsigned proto, unsigned sport,
	       unsigned dport, unsigned flags)
{
	struct frame frame;
	uint8_t p[PLACE_FRAME];

	place_frame(p, src, dst, proto, sport, dport, flags);
	return peer_accept(&w->table, &w->f, &w->box, SLOT, p, PLACE_FRAME, &frame);
}

/* The same from another peer than in()'s. */
static bool in_other(struct world *w, unsigned proto, unsigned sport, unsigned dport,
		     unsigned flags)
{
	struct frame frame;
	uint8_t p[PLACE_FRAME];

	place_frame(p, "10.0.2.102", "10.0.2.100", proto, sport, dport, flags);
	return peer_accept(&w->table, &w->f, &w->box, OTHER_SLOT, p, PLACE_FRAME, &frame);
}

static void test_hello(void **state)
{
	static const char *const bad[] = {
		"",
		"box1",
		"box2 10.0.2.101 - web",
		"box1 10.0.2.101 - ",
		"box1 10.0.2.101 web",
		"box1 fd73::101 - web",
		"box1 10.0.2.101 10.0.2.102 web",
		"box1  10.0.2.101 - web",
		"box1 10.0.2.101 - web x",
		"box1 10.0.2.101 - web\n",
		"box1 10.0.2.101 - we_b",
		"box1 10.0.2.101 - .web",
		" box1 10.0.2.101 - web",
		"box1 10.0.2.101 - we/b",
		"box1 10.0.2.101 - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	static const char good[] = "box1 10.0.2.101 fd73::101 Web.Lan";
	struct peer_hello hello;

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
		if (peer_hello_parse(bad[i], strlen(bad[i]), &hello))
			fail_msg("'%s' is a hello", bad[i]);
	assert_false(peer_hello_parse(good, sizeof(good), &hello)); /* with its NUL */
	assert_true(peer_hello_parse(good, strlen(good), &hello));
	assert_string_equal(hello.name, "web.lan");
	assert_true(peer_hello_parse("box1 10.0.2.101 - -", 19, &hello));
	assert_string_equal(hello.name, "");
	assert_int_equal(hello.ipv6.family, 0);
}

static void test_fits(void **state)
{
	static const char *const bad[][2] = {
		{ "10.0.3.101", NULL },        { "10.0.2.2", NULL },
		{ "10.0.2.3", NULL },          { "10.0.2.100", NULL },
		{ "10.0.2.0", NULL },          { "10.0.2.255", NULL },
		{ "127.0.0.1", NULL },         { "10.0.2.101", "::1" },
		{ "10.0.2.101", "fd73::100" }, { "10.0.2.101", "fd73::2" },
		{ "10.0.2.101", "fd73::" },
	};
	struct world *w = world();

	(void)state;
	assert_true(peer_hello_fits(&w->f, &w->box, &w->who));
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct peer_hello who = { .ipv4 = addr(bad[i][0]) };

		if (bad[i][1])
			who.ipv6 = addr(bad[i][1]);
		if (peer_hello_fits(&w->f, &w->box, &who))
			fail_msg("%s %s may join", bad[i][0], bad[i][1] ? bad[i][1] : "-");
	}
	done(w);
}

static void test_out(void **state)
{
	struct world *w = world();

	(void)state;
	assert_int_equal(out(w, "10.0.2.101", TCP, 4000, 80, FRAME_SYN), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", UDP, 4000, 80, 0), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", ICMP, 8, 0, 0), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", ICMP, 5, 0, 0), FILTER_DROP); /* redirect */
	/* nobody, and a connection of somebody who has left */
	assert_int_equal(out(w, "10.0.2.102", TCP, 4000, 80, FRAME_SYN), FILTER_REFUSE);
	assert_int_equal(out(w, "10.0.2.102", TCP, 4000, 80, FRAME_ACK), FILTER_REFUSE);
	peer_unset(&w->table, SLOT);
	assert_int_equal(out(w, "10.0.2.101", TCP, 4000, 80, FRAME_ACK), FILTER_REFUSE);
	done(w);
}

static void test_in(void **state)
{
	struct world *w = world();

	(void)state;
	assert_true(in(w, "10.0.2.101", "10.0.2.100", TCP, 4000, 80, FRAME_SYN));
	assert_false(in(w, "10.0.2.102", "10.0.2.100", TCP, 4000, 80, FRAME_SYN));
	assert_false(in(w, "10.0.2.2", "10.0.2.100", UDP, 53, 80, 0));
	assert_false(in(w, "192.0.2.1", "10.0.2.100", UDP, 53, 80, 0));
	assert_false(in(w, "10.0.2.101", "192.0.2.1", TCP, 4000, 80, FRAME_SYN));
	assert_false(in(w, "10.0.2.101", "10.0.2.255", UDP, 53, 80, 0));
	assert_false(in(w, "10.0.2.101", "10.0.2.100", ICMP, 5, 0, 0));
	assert_false(in(w, "10.0.2.101", "10.0.2.100", 47, 0, 0, 0));
	done(w);
}

/* Rules are about what the box begins; "lan" is not about peers; a name counts as long as it has
 * the address. */
static void test_rules(void **state)
{
	char *texts[] = { (char *)"allow tcp db 80-80", (char *)"allow any lan *", NULL };
	const char *fault = NULL;
	struct world *w = world();

	(void)state;
	w->f.rules = rules_new(texts, &fault);
	assert_non_null(w->f.rules);
	assert_int_equal(out(w, "10.0.2.101", TCP, 4000, 80, FRAME_SYN), FILTER_REFUSE);
	rules_learn_host(w->f.rules, "db", &w->who.ipv4);
	assert_int_equal(out(w, "10.0.2.101", TCP, 4000, 80, FRAME_SYN), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", TCP, 4000, 81, FRAME_SYN), FILTER_REFUSE);
	rules_forget(w->f.rules, &w->who.ipv4);
	assert_int_equal(out(w, "10.0.2.101", TCP, 4001, 80, FRAME_SYN), FILTER_REFUSE);
	/* an answer needs no rule, whether of TCP, UDP or echo; without a question there is none */
	assert_int_equal(out(w, "10.0.2.101", TCP, 443, 5000, FRAME_SYN | FRAME_ACK),
			 FILTER_REFUSE);
	assert_true(in(w, "10.0.2.101", "10.0.2.100", TCP, 5000, 443, FRAME_SYN));
	assert_int_equal(out(w, "10.0.2.101", TCP, 443, 5000, FRAME_SYN | FRAME_ACK), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", UDP, 443, 5000, 0), FILTER_REFUSE);
	assert_true(in(w, "10.0.2.101", "10.0.2.100", UDP, 5000, 443, 0));
	assert_int_equal(out(w, "10.0.2.101", UDP, 443, 5000, 0), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", UDP, 443, 5001, 0), FILTER_REFUSE);
	assert_int_equal(out(w, "10.0.2.101", ICMP, 0, 0, 0), FILTER_REFUSE);
	assert_true(in(w, "10.0.2.101", "10.0.2.100", ICMP, 8, 0, 0));
	assert_int_equal(out(w, "10.0.2.101", ICMP, 0, 0, 0), FILTER_PEER);
	/* who comes next at this address is somebody else */
	peer_unset(&w->table, SLOT);
	peer_set(&w->table, SLOT, &w->who);
	assert_int_equal(out(w, "10.0.2.101", UDP, 443, 5000, 0), FILTER_REFUSE);
	rules_free(w->f.rules);
	done(w);
}

/* Whoever floods the box loses what is its own: never what another peer has begun, nor, by datagrams, a
 * stream. */
static void test_flood(void **state)
{
	char *texts[] = { (char *)"allow tcp 192.0.2.1/32 *", NULL };
	const struct peer_hello other = { .ipv4 = addr("10.0.2.102"), .ipv6 = addr("fd73::102") };
	const char *fault = NULL;
	struct world *w = world();

	(void)state;
	w->f.rules = rules_new(texts, &fault);
	peer_set(&w->table, OTHER_SLOT, &other);
	for (unsigned port = 1; port <= 100; port++) {
		assert_true(in_other(w, TCP, port, 80, FRAME_SYN));
		assert_true(in_other(w, UDP, port, 53, 0));
		assert_true(in(w, "10.0.2.101", "10.0.2.100", TCP, port, 80, FRAME_SYN));
	}
	w->table.now++;
	for (unsigned n = 0; n < 24000; n++) {
		assert_true(in(w, "10.0.2.101", "10.0.2.100", UDP, 5000, 10000 + n, 0));
		assert_true(in(w, "10.0.2.101", "10.0.2.100", ICMP, 8, 0, 0));
	}
	assert_int_equal(out(w, "10.0.2.101", UDP, 33999, 5000, 0), FILTER_PEER);
	assert_int_equal(out(w, "10.0.2.101", UDP, 10000, 5000, 0), FILTER_REFUSE);
	for (unsigned port = 1; port <= 100; port++) {
		assert_int_equal(out(w, "10.0.2.101", TCP, 80, port, FRAME_ACK), FILTER_PEER);
		assert_int_equal(out(w, "10.0.2.102", TCP, 80, port, FRAME_ACK), FILTER_PEER);
		assert_int_equal(out(w, "10.0.2.102", UDP, 53, port, 0), FILTER_PEER);
	}
	w->table.now++;
	for (unsigned n = 0; n < 24000; n++)
		assert_true(in(w, "10.0.2.101", "10.0.2.100", TCP, 5000, 10000 + n, FRAME_SYN));
	assert_int_equal(out(w, "10.0.2.101", TCP, 80, 1, FRAME_ACK), FILTER_REFUSE);
	for (unsigned port = 1; port <= 100; port++)
		assert_int_equal(out(w, "10.0.2.102", TCP, 80, port, FRAME_ACK), FILTER_PEER);
	/* who comes next in this place has begun nothing */
	peer_unset(&w->table, OTHER_SLOT);
	peer_set(&w->table, OTHER_SLOT, &other);
	assert_int_equal(out(w, "10.0.2.102", TCP, 80, 1, FRAME_ACK), FILTER_REFUSE);
	rules_free(w->f.rules);
	done(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello), cmocka_unit_test(test_fits),
		cmocka_unit_test(test_out),   cmocka_unit_test(test_in),
		cmocka_unit_test(test_rules), cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
