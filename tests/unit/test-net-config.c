// SPDX-License-Identifier: MIT
/* The configuration of helpers/sandbox-net: what is read, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "netconfig.h"

#define LINK "[link]\nmtu=65520\nmac=5a:53:0a:00:02:64\n"
#define IPV4 "[ipv4]\naddress=10.0.2.100\ngateway=10.0.2.2\ndns=10.0.2.3\nprefix=24\n"
#define IPV6 "[ipv6]\naddress=fd73::100\ngateway=fd73::2\ndns=fd73::3\nprefix=64\n"

static int parse(const char *text, struct config *ret, char *fault, size_t size)
{
	return config_parse(ret, text, strlen(text), fault, size);
}

static void whole(void **state)
{
	struct config c;
	char fault[128] = "";

	(void)state;
	assert_int_equal(parse(LINK IPV4 IPV6 "[dns]\nresolv=nameserver 127.0.0.53\\n\n"
					      "[host]\nports=80-81/tcp;53-53/udp;\n",
			       &c, fault, sizeof(fault)),
			 0);
	assert_int_equal(c.mtu, 65520);
	assert_int_equal(c.box.mac[5], 0x64);
	assert_int_equal(c.box.ipv4.bytes[3], 100);
	assert_int_equal(c.box.ipv6.family, 6);
	assert_int_equal(c.prefix6, 64);
	assert_string_equal(c.resolv, "nameserver 127.0.0.53\n");
	assert_int_equal(c.nhost_ports, 2);
	assert_int_equal(c.host_ports[0].last, 81);
	assert_true(c.host_ports[1].udp);
	assert_int_equal(c.tcp_flows, 1024);
	config_clear(&c);
	assert_int_equal(parse(LINK IPV4, &c, fault, sizeof(fault)), 0);
	assert_int_equal(c.box.ipv6.family, 0);
	config_clear(&c);
}

static void refused(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *fault; } rows[] = {
		{ "", "missing in the configuration: [link] mtu" },
		{ "mtu=1\n", "no key file" },
		{ LINK, "missing in the configuration: [ipv4] address" },
		{ LINK IPV4 "[ipv6]\naddress=fd73::100\n", "missing in the configuration: [ipv6] gateway" },
		{ LINK IPV4 "[nosuch]\n", "unknown group in the configuration: [nosuch]" },
		{ LINK "colour=red\n" IPV4, "unknown key in the configuration: [link] colour" },
		{ "[link]\nmtu=65521\nmac=5a:53:0a:00:02:64\n" IPV4, "bad value in the configuration: [link] mtu" },
		{ "[link]\nmtu=1279\nmac=5a:53:0a:00:02:64\n" IPV4, "[link] mtu" },
		{ "[link]\nmtu=1500\nmac=5b:53:0a:00:02:64\n" IPV4, "[link] mac" }, /* a group's */
		{ "[link]\nmtu=1500\nmac=5a:53:0a:00:02\n" IPV4, "[link] mac" },
		{ "[link]\nmtu=1500\nmac=5a:53:0a:00:02:64:1\n" IPV4, "[link] mac" },
		{ LINK "[ipv4]\naddress=fd73::1\ngateway=10.0.2.2\ndns=10.0.2.3\nprefix=24\n", "[ipv4] address" },
		{ LINK "[ipv4]\naddress=10.0.2.1\ngateway=10.0.2.2\ndns=10.0.2.3\nprefix=31\n", "[ipv4] prefix" },
		{ LINK IPV4 "[host]\nports=0-1/tcp;\n", "[host] ports" },
		{ LINK IPV4 "[host]\nports=2-1/tcp;\n", "[host] ports" },
		{ LINK IPV4 "[host]\nports=1-65536/tcp;\n", "[host] ports" },
		{ LINK IPV4 "[host]\nports=1-2/sctp;\n", "[host] ports" },
		{ LINK IPV4 "[host]\nports=1-2/tcpx;\n", "[host] ports" },
		{ LINK IPV4 "[limits]\ntcp-flows=0\n", "[limits] tcp-flows" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct config c;
		char fault[256] = "";

		assert_true(parse(rows[i].text, &c, fault, sizeof(fault)) < 0);
		if (!strstr(fault, rows[i].fault))
			fail_msg("row %zu: %s", i, fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(whole), cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
