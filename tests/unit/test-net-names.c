// SPDX-License-Identifier: MIT
/* DNS queries and answers of helpers/sandbox-net: messages made byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "dnsmsg.h"
#include "frame.h"
#include "names.h"
#include "rules.h"

enum { TCP = 6, ID = 0x1234 };

struct message {
	uint8_t p[1024];
	size_t len;
};

static struct naddr addr(const char *text)
{
	struct naddr a;

	assert_true(naddr_parse(text, &a));
	return a;
}

static void put_name(struct message *m, const char *name)
{
	g_auto(GStrv) labels = g_strsplit(name, ".", -1);

	for (char **l = labels; *l && **l; l++) {
		m->p[m->len++] = (uint8_t)strlen(*l);
		memcpy(m->p + m->len, *l, strlen(*l));
		m->len += strlen(*l);
	}
	m->p[m->len++] = 0;
}

static struct message query(const char *name, unsigned type)
{
	struct message m = { .len = DNSMSG_HEADER };

	put16(m.p, ID);
	m.p[2] = 1; /* RD */
	put16(m.p + 4, 1);
	put_name(&m, name);
	put16(m.p + m.len, type);
	put16(m.p + m.len + 2, DNSMSG_IN);
	m.len += 4;
	return m;
}

static struct message answer(const char *name, unsigned type)
{
	struct message m = query(name, type);

	m.p[2] |= 0x80;
	m.p[3] |= 0x80;
	return m;
}

static void put_record(struct message *m, const char *owner, unsigned type, unsigned ttl)
{
	put_name(m, owner);
	put16(m->p + m->len, type);
	put16(m->p + m->len + 2, DNSMSG_IN);
	put32(m->p + m->len + 4, ttl);
	put16(m->p + m->len + 8, 0);
	m->len += 10;
	put16(m->p + 6, get16(m->p + 6) + 1U);
}

static void put_address(struct message *m, const char *owner, const char *to, unsigned ttl)
{
	struct naddr a = addr(to);
	size_t size = a.family == 4 ? 4 : 16;

	put_record(m, owner, a.family == 4 ? DNSMSG_A : DNSMSG_AAAA, ttl);
	put16(m->p + m->len - 2, (unsigned)size);
	memcpy(m->p + m->len, a.bytes, size);
	m->len += size;
}

static void put_alias(struct message *m, const char *owner, const char *to)
{
	size_t at;

	put_record(m, owner, DNSMSG_CNAME, 60);
	at = m->len;
	put_name(m, to);
	put16(m->p + at - 2, (unsigned)(m->len - at));
}

/* Names under "allow any a.org *; allow any *.a.org *", the host is 198.51.100.2. */
struct place {
	struct naddr host;
	struct filter filter;
	struct rules *rules;
	struct names *names;
	char refused[DNSMSG_NAME];
	enum names_why why;
};

static void on_refused(void *opaque, const char *name, const struct naddr *a, enum names_why why)
{
	struct place *p = opaque;

	assert_true((why == NAMES_BY_REBINDING) == (a != NULL));
	g_strlcpy(p->refused, name, sizeof(p->refused));
	p->why = why;
}

static void make_place(struct place *p, const char *rules, bool ipv6)
{
	static char *hosts[] = { (char *)"db 10.1.2.3", (char *)"db fd00::3", (char *)"db 10.1.2.4",
				 NULL };
	g_auto(GStrv) texts = g_strsplit(rules ? rules : "", ";", -1);
	const char *fault;
	struct names_setup setup = {
		.hosts = hosts, .filter = &p->filter, .refused = on_refused, .opaque = p
	};

	memset(p, 0, sizeof(*p));
	p->host = addr("198.51.100.2");
	p->filter.host = &p->host;
	p->filter.nhost = 1;
	if (ipv6)
		p->filter.net6 = addr("fd73::");
	p->rules = rules_new(texts, &fault);
	assert_null(fault);
	rules_tick(p->rules, 1);
	setup.rules = p->rules;
	p->names = names_new(&setup);
}

static void clear_place(struct place *p)
{
	names_free(p->names);
	rules_free(p->rules);
}

static bool allows(const struct place *p, const char *to)
{
	struct naddr a = addr(to);

	return rules_allow(p->rules, TCP, &a, 443);
}

static enum names_verdict ask(struct place *p, const char *name, unsigned type, struct message *out)
{
	struct message q = query(name, type);
	uint8_t full[NAMES_ANSWER_MAX];
	enum names_verdict v = names_query(p->names, q.p, q.len, full, &out->len);

	if (v == NAMES_ANSWER) {
		assert_true(out->len <= sizeof(out->p));
		memcpy(out->p, full, out->len);
		assert_true(out->p[2] & 0x80);
		assert_int_equal(get16(out->p), ID);
	}
	return v;
}

#define RULES "allow any a.org *;allow any *.a.org *"

static void names_of_messages(void **state)
{
	/* at 12: "A.b" 0, at 17: pointer to 12, at 19: "c" pointer to 12, at 23: pointer to itself */
	static const uint8_t p[] = { 0,  0,    0,   0, 0,   0, 0,    0,  0, 0,   0,
				     0,  1,    'A', 1, 'b', 0, 0xc0, 12, 1, 'c', 0xc0,
				     12, 0xc0, 23,  1, '.', 0, 0xc0, 40, 5, 'x' };
	char name[DNSMSG_NAME];

	(void)state;
	assert_int_equal(dnsmsg_name(p, sizeof(p), 12, name), 17);
	assert_string_equal(name, "a.b");
	assert_int_equal(dnsmsg_name(p, sizeof(p), 17, name), 19);
	assert_string_equal(name, "a.b");
	assert_int_equal(dnsmsg_name(p, sizeof(p), 19, name), 23);
	assert_string_equal(name, "c.a.b");
	assert_int_equal(dnsmsg_name(p, sizeof(p), 23, name), 0); /* to itself */
	assert_int_equal(dnsmsg_name(p, sizeof(p), 25, name), 28);
	assert_string_equal(name, "?"); /* a dot in a label is none between two */
	assert_int_equal(dnsmsg_name(p, sizeof(p), 28, name), 0); /* forwards */
	assert_int_equal(dnsmsg_name(p, sizeof(p), 30, name), 0); /* beyond the end */
	assert_int_equal(dnsmsg_name(p, 13, 12, name), 0);
	assert_int_equal(dnsmsg_name(p, 18, 17, name), 0);
}

static void hosts(void **state)
{
	struct message out;
	struct place p;

	(void)state;
	make_place(&p, NULL, true);
	assert_int_equal(ask(&p, "DB", DNSMSG_A, &out), NAMES_ANSWER);
	assert_int_equal(dnsmsg_answers(out.p), 2);
	assert_memory_equal(out.p + out.len - 4, ((uint8_t[]){ 10, 1, 2, 4 }), 4);
	assert_int_equal(ask(&p, "db", DNSMSG_AAAA, &out), NAMES_ANSWER);
	assert_int_equal(dnsmsg_answers(out.p), 1);
	assert_int_equal(ask(&p, "db", 15, &out), NAMES_ANSWER);
	assert_int_equal(dnsmsg_answers(out.p), 0);
	assert_int_equal(dnsmsg_rcode(out.p), DNSMSG_OK);
	assert_int_equal(ask(&p, "dbx", DNSMSG_A, &out), NAMES_FORWARD);
	clear_place(&p);
	make_place(&p, "allow any db *", false);
	assert_int_equal(ask(&p, "db", DNSMSG_AAAA, &out), NAMES_ANSWER);
	assert_int_equal(dnsmsg_answers(out.p), 0);
	assert_true(allows(&p, "10.1.2.3"));
	assert_false(allows(&p, "10.1.2.5"));
	clear_place(&p);
}

static void queries(void **state)
{
	struct message q = query("b.org", DNSMSG_A), out;
	uint8_t full[NAMES_ANSWER_MAX];
	struct place p;
	size_t len;

	(void)state;
	make_place(&p, RULES, true);
	assert_int_equal(ask(&p, "A.org", DNSMSG_A, &out), NAMES_FORWARD);
	assert_int_equal(ask(&p, "b.org", DNSMSG_A, &out), NAMES_ANSWER);
	assert_int_equal(dnsmsg_rcode(out.p), DNSMSG_REFUSED);
	assert_string_equal(p.refused, "b.org");
	assert_int_equal(ask(&p, "a.org", DNSMSG_HTTPS, &out), NAMES_ANSWER);
	assert_int_equal(dnsmsg_rcode(out.p), DNSMSG_OK);
	q.p[2] |= 0x80;
	assert_int_equal(names_query(p.names, q.p, q.len, full, &len), NAMES_DROP);
	q.p[2] = 0;
	assert_int_equal(names_query(p.names, q.p, 11, full, &len), NAMES_DROP);
	clear_place(&p);
}

/* Nothing but a question that can be read is passed on, with rules or without. */
static void operations(void **state)
{
	static const char *const rules[] = { NULL, RULES, "allow any 192.0.2.0/24 *" };
	struct message q = query("a.org", DNSMSG_A);
	uint8_t full[NAMES_ANSWER_MAX];
	struct place p;
	size_t len;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
		make_place(&p, rules[i], true);
		put16(q.p + 4, 1);
		for (unsigned op = 0; op < 16; op++) {
			q.p[2] = (uint8_t)(op << 3 | 1);
			assert_int_equal(names_query(p.names, q.p, q.len, full, &len),
					 op ? NAMES_ANSWER : NAMES_FORWARD);
			if (op == 0)
				continue;
			assert_int_equal(len, DNSMSG_HEADER);
			assert_int_equal(get16(full), ID);
			assert_true(dnsmsg_is_response(full));
			assert_int_equal(dnsmsg_opcode(full), op);
			assert_int_equal(dnsmsg_rcode(full), DNSMSG_NOTIMP);
			/* a response of that operation is none of a query */
			q.p[2] |= 0x80;
			assert_int_equal(names_query(p.names, q.p, q.len, full, &len), NAMES_DROP);
		}
		q.p[2] = 1;
		for (unsigned n = 0; n < 3; n++) { /* questions; one, but cut short */
			put16(q.p + 4, n);
			assert_int_equal(names_query(p.names, q.p, q.len - 1, full, &len),
					 NAMES_ANSWER);
			assert_int_equal(len, DNSMSG_HEADER);
			assert_int_equal(dnsmsg_rcode(full), DNSMSG_FORMERR);
		}
		clear_place(&p);
	}
}

static size_t give(struct place *p, const char *name, unsigned type, struct message *a)
{
	struct message q = query(name, type);

	a->len = names_answer(p->names, q.p, q.len, a->p, a->len);
	return a->len;
}

/* Aliases in any order; what stands beside the chain is not learned. */
static void chains(void **state)
{
	struct message a = answer("A.org", DNSMSG_A);
	struct place p;

	(void)state;
	make_place(&p, RULES, true);
	put_address(&a, "z.net", "192.0.2.1", 100000);
	put_alias(&a, "y.net", "z.net");
	put_alias(&a, "a.org", "Y.net");
	put_address(&a, "other.net", "192.0.2.2", 60);
	put_alias(&a, "other.net", "a.org");
	assert_int_not_equal(give(&p, "a.org", DNSMSG_A, &a), 0);
	assert_int_equal(dnsmsg_rcode(a.p), DNSMSG_OK);
	assert_true(allows(&p, "192.0.2.1"));
	assert_false(allows(&p, "192.0.2.2"));
	clear_place(&p);
	/* a ring of aliases ends */
	make_place(&p, RULES, true);
	a = answer("a.org", DNSMSG_A);
	put_alias(&a, "a.org", "b.net");
	put_alias(&a, "b.net", "a.org");
	assert_int_not_equal(give(&p, "a.org", DNSMSG_A, &a), 0);
	clear_place(&p);
}

static void rebinding(void **state)
{
	static const char *const bad[] = { "127.0.0.1",
					   "10.0.0.1",
					   "169.254.169.254",
					   "198.51.100.2",
					   "0.0.0.0",
					   "::1",
					   "fd00::1",
					   "fe80::1",
					   "::ffff:10.0.0.1",
					   "::10.0.0.1",
					   "64:ff9b::10.0.0.1",
					   "64:ff9b::127.0.0.1",
					   "64:ff9b:1::169.254.169.254",
					   "64:ff9b::198.51.100.2",
					   "2002:c0a8:101::1" };
	struct place p;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		unsigned type = strchr(bad[i], ':') ? DNSMSG_AAAA : DNSMSG_A;
		struct message a = answer("a.org", type);

		make_place(&p, RULES, true);
		put_address(&a, "a.org", "192.0.2.1", 60);
		put_address(&a, "a.org", bad[i], 60);
		assert_int_not_equal(give(&p, "a.org", type, &a), 0);
		assert_int_equal(dnsmsg_rcode(a.p), DNSMSG_REFUSED);
		assert_int_equal(dnsmsg_answers(a.p), 0);
		assert_int_equal(p.why, NAMES_BY_REBINDING);
		assert_string_equal(p.refused, "a.org");
		assert_false(allows(&p, "192.0.2.1"));
		clear_place(&p);
	}
	make_place(&p, RULES ";allow any 10.0.0.0/8 *", true);
	{
		struct message a = answer("a.org", DNSMSG_A);

		put_address(&a, "a.org", "10.0.0.1", 60);
		assert_int_not_equal(give(&p, "a.org", DNSMSG_A, &a), 0);
		assert_int_equal(dnsmsg_answers(a.p), 1);
	}
	clear_place(&p);
}

static void answers(void **state)
{
	struct message a = answer("a.org", DNSMSG_AAAA);
	struct place p;

	(void)state;
	make_place(&p, RULES, false);
	put_address(&a, "a.org", "2001:db8::1", 60);
	assert_int_not_equal(give(&p, "a.org", DNSMSG_AAAA, &a), 0);
	assert_int_equal(dnsmsg_answers(a.p), 0); /* no IPv6 */
	a = answer("b.org", DNSMSG_A);
	assert_int_equal(give(&p, "a.org", DNSMSG_A, &a), 0); /* to another question */
	a = query("a.org", DNSMSG_A);
	assert_int_equal(give(&p, "a.org", DNSMSG_A, &a), 0); /* no answer at all */
	a = answer("a.org", DNSMSG_A);
	put_address(&a, "a.org", "192.0.2.1", 60);
	a.len -= 1; /* cut off */
	assert_int_not_equal(give(&p, "a.org", DNSMSG_A, &a), 0);
	assert_int_equal(dnsmsg_rcode(a.p), DNSMSG_SERVFAIL);
	assert_false(allows(&p, "192.0.2.1"));
	a = answer("a.org", DNSMSG_A);
	put_address(&a, "a.org", "192.0.2.1", 60);
	put_address(&a, "a.org", "192.0.2.2", 60);
	a.p[2] |= 2; /* said to be cut off: the rest comes over TCP */
	a.len -= 1;
	assert_int_not_equal(give(&p, "a.org", DNSMSG_A, &a), 0);
	assert_true(allows(&p, "192.0.2.1"));
	a = answer("a.org", DNSMSG_A);
	a.len = DNSMSG_HEADER;
	put16(a.p + 4, 0);
	a.p[3] = 1; /* FORMERR without the question */
	assert_int_equal(give(&p, "a.org", DNSMSG_A, &a), DNSMSG_HEADER);
	clear_place(&p);
}

/* A query with an EDNS record for answers of that size. */
static struct message query_edns(unsigned size)
{
	struct message m = query("a.org", DNSMSG_A);

	memset(m.p + m.len, 0, 11);
	m.p[m.len + 2] = DNSMSG_OPT;
	put16(m.p + m.len + 3, size);
	m.len += 11;
	put16(m.p + 10, 1);
	return m;
}

static void sizes(void **state)
{
	/* clang-format off */
	static const struct { unsigned asked, room, sent; } rows[] = {
		{ 0, 512, 0 }, { 511, 512, 511 }, { 512, 512, 512 }, { 1232, 1232, 1232 },
		{ 1233, 1232, 1232 }, { 65535, 1232, 1232 },
	};
	/* clang-format on */
	struct message m = query("a.org", DNSMSG_A), a = answer("a.org", DNSMSG_A);

	(void)state;
	assert_int_equal(dnsmsg_room(m.p, m.len), DNSMSG_PLAIN);
	dnsmsg_lower(m.p, m.len);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		m = query_edns(rows[i].asked);
		assert_int_equal(dnsmsg_room(m.p, m.len), rows[i].room);
		dnsmsg_lower(m.p, m.len);
		assert_int_equal(get16(m.p + m.len - 8), rows[i].sent);
		m.len--; /* cut off: none that can be read */
		assert_int_equal(dnsmsg_room(m.p, m.len), DNSMSG_PLAIN);
	}
	put_address(&a, "a.org", "192.0.2.1", 60);
	a.p[3] |= DNSMSG_NXDOMAIN;
	a.len = dnsmsg_cut(a.p, a.len);
	assert_int_equal(a.len, query("a.org", DNSMSG_A).len);
	assert_true(dnsmsg_is_truncated(a.p));
	assert_true(dnsmsg_is_response(a.p));
	assert_int_equal(dnsmsg_answers(a.p), 0);
	assert_int_equal(dnsmsg_rcode(a.p), DNSMSG_NXDOMAIN);
	assert_int_equal(dnsmsg_cut(a.p, DNSMSG_HEADER), DNSMSG_HEADER);
}

static void failure(void **state)
{
	struct message q = query("a.org", DNSMSG_A);
	uint8_t out[NAMES_ANSWER_MAX];

	(void)state;
	assert_int_equal(names_failure(q.p, q.len, out), q.len);
	assert_int_equal(dnsmsg_rcode(out), DNSMSG_SERVFAIL);
	assert_true(out[2] & 1); /* RD stays */
	assert_int_equal(names_failure(q.p, DNSMSG_HEADER, out), DNSMSG_HEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_messages), cmocka_unit_test(hosts),
		cmocka_unit_test(queries),           cmocka_unit_test(chains),
		cmocka_unit_test(rebinding),         cmocka_unit_test(answers),
		cmocka_unit_test(failure),           cmocka_unit_test(sizes),
		cmocka_unit_test(operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
