// SPDX-License-Identifier: MIT
/* The host's addresses from the kernel's messages, in whichever order they come. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "hostlist.h"

enum { SEQ = 7 };

/* One datagram. */
struct datagram {
	_Alignas(NLMSG_ALIGNTO) uint8_t p[512];
	size_t len;
};

static struct nlmsghdr *put(struct datagram *d, uint16_t type, uint16_t flags, uint32_t seq,
			    const void *data, size_t len)
{
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
			      .nlmsg_type = type,
			      .nlmsg_flags = flags,
			      .nlmsg_seq = seq };
	uint8_t *at = d->p + d->len;

	memcpy(at, &h, sizeof(h));
	memcpy(at + NLMSG_HDRLEN, data, len);
	d->len += NLMSG_ALIGN(h.nlmsg_len);
	return (struct nlmsghdr *)(void *)at;
}

static size_t put_attr(uint8_t *at, uint16_t type, const char *text)
{
	struct rtattr a = { .rta_type = type };
	struct naddr addr;
	size_t size;

	assert_true(naddr_parse(text, &addr));
	size = addr.family == 4 ? 4 : 16;
	a.rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(at, &a, sizeof(a));
	memcpy(at + RTA_LENGTH(0), addr.bytes, size);
	return RTA_SPACE(size);
}

/* `peer`: the other side of a point-to-point link, or NULL. */
static void put_address(struct datagram *d, uint16_t type, uint16_t flags, unsigned index,
			const char *text, const char *peer)
{
	struct ifaddrmsg m = { .ifa_family = strchr(text, ':') ? AF_INET6 : AF_INET,
			       .ifa_prefixlen = (uint8_t)(index == 1 ? 32 : 24),
			       .ifa_index = index };
	uint8_t data[sizeof(m) + 64];
	size_t len = NLMSG_ALIGN(sizeof(m));

	memcpy(data, &m, sizeof(m));
	len += put_attr(data + len, IFA_ADDRESS, peer ? peer : text);
	if (peer || m.ifa_family == AF_INET)
		len += put_attr(data + len, IFA_LOCAL, text);
	(void)put(d, type, flags, flags & NLM_F_MULTI ? SEQ : 0, data, len);
}

static int take(struct hostlist *l, const struct datagram *d)
{
	return hostlist_take(l, d->p, d->len);
}

static int news(struct hostlist *l, uint16_t type, unsigned index, const char *text)
{
	struct datagram d = { .len = 0 };

	put_address(&d, type, 0, index, text, NULL);
	return take(l, &d);
}

static int part(struct hostlist *l, unsigned index, const char *text)
{
	struct datagram d = { .len = 0 };

	put_address(&d, RTM_NEWADDR, NLM_F_MULTI, index, text, NULL);
	return take(l, &d);
}

static int done(struct hostlist *l, uint16_t flags, int error, uint32_t seq)
{
	struct datagram d = { .len = 0 };

	(void)put(&d, NLMSG_DONE, NLM_F_MULTI | flags, seq, &error, sizeof(error));
	return take(l, &d);
}

static bool has(const struct hostlist *l, const char *text)
{
	struct naddr a;

	assert_true(naddr_parse(text, &a));
	for (size_t i = 0; i < l->now.n; i++)
		if (naddr_equal(&l->now.list[i], &a))
			return true;
	return false;
}

/* One that knows of 192.0.2.1 on two interfaces. */
static void make(struct hostlist *l)
{
	hostlist_init(l);
	assert_true(hostlist_must_ask(l));
	hostlist_asked(l, SEQ);
	assert_false(hostlist_must_ask(l));
	assert_int_equal(part(l, 1, "192.0.2.1"), 0);
	assert_int_equal(part(l, 2, "192.0.2.1"), 0);
	assert_int_equal(done(l, 0, 0, SEQ), 0);
	assert_int_equal(l->now.n, 1);
	assert_false(hostlist_must_ask(l));
}

/* One of two copies goes: the address is there all the time. */
static void twice(void **state)
{
	struct hostlist l;

	(void)state;
	make(&l);
	assert_int_equal(news(&l, RTM_DELADDR, 1, "192.0.2.1"), 0);
	assert_true(has(&l, "192.0.2.1"));
	assert_true(hostlist_must_ask(&l));
	hostlist_asked(&l, SEQ);
	assert_int_equal(part(&l, 2, "192.0.2.1"), 0);
	assert_true(has(&l, "192.0.2.1"));
	assert_int_equal(done(&l, 0, 0, SEQ), 0);
	assert_true(has(&l, "192.0.2.1"));
	assert_false(hostlist_must_ask(&l));
	/* and the other one */
	assert_int_equal(news(&l, RTM_DELADDR, 2, "192.0.2.1"), 0);
	hostlist_asked(&l, SEQ);
	assert_true(has(&l, "192.0.2.1"));
	assert_int_equal(done(&l, 0, 0, SEQ), 0);
	assert_int_equal(l.now.n, 0);
	hostlist_clear(&l);
}

/* What comes while an answer does is in force at once, and stays. */
static void meanwhile(void **state)
{
	struct hostlist l;

	(void)state;
	make(&l);
	hostlist_asked(&l, SEQ);
	assert_int_equal(news(&l, RTM_NEWADDR, 2, "2001:db8::1"), 0);
	assert_true(has(&l, "2001:db8::1"));
	assert_int_equal(part(&l, 2, "192.0.2.1"), 0);
	assert_int_equal(done(&l, 0, 0, SEQ), 0);
	assert_true(has(&l, "2001:db8::1"));
	assert_true(has(&l, "192.0.2.1"));
	assert_int_equal(l.now.n, 2);
	for (size_t i = 1; i < l.now.n; i++)
		assert_true(memcmp(&l.now.list[i - 1], &l.now.list[i], sizeof(*l.now.list)) < 0);
	hostlist_clear(&l);
}

/* An answer that may be wrong is not taken, and all is asked for again. */
static void unsure(void **state)
{
	struct hostlist l;

	(void)state;
	for (int how = 0; how < 5; how++) {
		static const int want[] = { 0, 0, 0, 0, -ENOMEM };
		struct datagram d = { .len = 0 };

		make(&l);
		hostlist_asked(&l, SEQ);
		if (how == 0)
			hostlist_lost(&l);
		if (how == 1)
			(void)news(&l, RTM_DELADDR, 3, "192.0.2.9");
		put_address(&d, RTM_NEWADDR, how == 2 ? NLM_F_MULTI | NLM_F_DUMP_INTR : NLM_F_MULTI,
			    2, "192.0.2.2", NULL);
		assert_int_equal(take(&l, &d), 0);
		assert_int_equal(done(&l, how == 3 ? NLM_F_DUMP_INTR : 0, how == 4 ? -ENOMEM : 0,
				      SEQ),
				 want[how]);
		assert_true(has(&l, "192.0.2.1"));
		assert_true(hostlist_must_ask(&l));
		hostlist_clear(&l);
	}
}

/* The end of another answer, or of none, is not the end of this one. */
static void another(void **state)
{
	struct hostlist l;

	(void)state;
	make(&l);
	assert_int_equal(done(&l, 0, 0, SEQ), 0);
	assert_true(has(&l, "192.0.2.1"));
	hostlist_asked(&l, SEQ);
	assert_int_equal(done(&l, 0, 0, SEQ - 1), 0);
	assert_true(has(&l, "192.0.2.1"));
	assert_int_equal(done(&l, 0, 0, SEQ), 0);
	assert_int_equal(l.now.n, 0);
	hostlist_clear(&l);
}

static void refusal(void **state)
{
	struct nlmsgerr e = { .error = -EBUSY };
	struct datagram d = { .len = 0 };
	struct hostlist l;

	(void)state;
	make(&l);
	hostlist_asked(&l, SEQ);
	(void)put(&d, NLMSG_ERROR, 0, SEQ, &e, sizeof(e));
	assert_int_equal(take(&l, &d), -EBUSY);
	assert_true(has(&l, "192.0.2.1"));
	assert_true(hostlist_must_ask(&l));
	hostlist_clear(&l);
}

static void messages(void **state)
{
	struct datagram d = { .len = 0 };
	struct ifaddrmsg other = { .ifa_family = AF_PACKET };
	struct hostlist l;

	(void)state;
	make(&l);
	/* ours, not the other side's; several in a datagram; what is cut short is none */
	put_address(&d, RTM_NEWADDR, 0, 3, "192.0.2.3", "192.0.2.4");
	(void)put(&d, RTM_NEWADDR, 0, 0, &other, sizeof(other));
	(void)put(&d, RTM_NEWADDR, 0, 0, &other, 1);
	put_address(&d, RTM_NEWADDR, 0, 3, "fe80::1", NULL);
	put_address(&d, RTM_NEWADDR, 0, 3, "fe80::2", NULL);
	d.len -= 4;
	assert_int_equal(take(&l, &d), 0);
	assert_true(has(&l, "192.0.2.3"));
	assert_false(has(&l, "192.0.2.4"));
	assert_true(has(&l, "fe80::1"));
	assert_false(has(&l, "fe80::2"));
	assert_int_equal(l.now.n, 3);
	hostlist_clear(&l);
}

/* As many as there are: none is left out. */
static void many(void **state)
{
	struct hostlist l;

	(void)state;
	make(&l);
	for (unsigned i = 0; i < 3000; i++) {
		g_autofree char *text =
			g_strdup_printf("10.%u.%u.1", i * 7 % 3000 / 256, i * 7 % 3000 % 256);

		assert_int_equal(news(&l, RTM_NEWADDR, 1, text), 0);
	}
	assert_int_equal(l.now.n, 3001);
	for (size_t i = 1; i < l.now.n; i++)
		assert_true(memcmp(&l.now.list[i - 1], &l.now.list[i], sizeof(*l.now.list)) < 0);
	hostlist_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice),   cmocka_unit_test(meanwhile), cmocka_unit_test(unsure),
		cmocka_unit_test(another), cmocka_unit_test(refusal),   cmocka_unit_test(messages),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
