// SPDX-License-Identifier: MIT
/* The servers that resolv.conf(5) names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>
#include <cmocka.h>

#include <sandbox/resolv.h>

static unsigned index_of(const char *name)
{
	return strcmp(name, "eth0") == 0 ? 2 : strcmp(name, "eth0123456789ab") == 0 ? 4711 : 0;
}

/* "ADDRESS,SCOPE;" for each that can be asked, "!TEXT;" for others. */
static char *servers_of(const char *text, resolv_index index)
{
	GString *out = g_string_new(NULL);
	struct resolv_server s;

	while (resolv_next(&text, index, &s))
		if (s.why)
			g_string_append_printf(out, "!%s;", s.text);
		else
			g_string_append_printf(out, "%s,%u;", s.address, s.scope);
	return g_string_free(out, FALSE);
}

/* clang-format off */
static const struct { const char *text, *servers, *numbered; } rows[] = {
	{ "", "", NULL },
	{ "\n\n", "", NULL },
	{ "nameserver 192.0.2.1", "192.0.2.1,0;", NULL },
	{ "nameserver 192.0.2.1\nnameserver\t2001:db8::1 \r\n", "192.0.2.1,0;2001:db8::1,0;", NULL },
	{ "# nameserver 192.0.2.1\nsearch nameserver 192.0.2.2\nnameservers 192.0.2.3\nnameserver\nnameserver \n", "", NULL },
	{ "nameserver \n192.0.2.1\nnameserver192.0.2.1\n", "", NULL },
	{ "nameserver fe80::1%eth0\n", "fe80::1,2;", "nameserver fe80::1%2\n" },
	{ " nameserver  fe80::1%eth0 # it\nx", "fe80::1,2;", "nameserver fe80::1%2 # it\nx" },
	{ "nameserver fe80::1%2", "fe80::1,2;", "nameserver fe80::1%2" },
	{ "nameserver fe80::1%eth0123456789ab", "fe80::1,4711;", "nameserver fe80::1%4711" },
	{ "nameserver 2001:db8::1%eth0", "2001:db8::1,2;", "nameserver 2001:db8::1%2" },
	{ "nameserver fe80::1", "!fe80::1;", NULL },
	{ "nameserver febf::1", "!febf::1;", NULL },
	{ "nameserver fec0::1", "fec0::1,0;", NULL },
	{ "nameserver fe80::1%", "!fe80::1%;", NULL },
	{ "nameserver fe80::1%0", "!fe80::1%0;", NULL },
	{ "nameserver fe80::1%-1", "!fe80::1%-1;", NULL },
	{ "nameserver fe80::1%4294967297", "!fe80::1%4294967297;", NULL },
	{ "nameserver fe80::1%eth1\nnameserver 192.0.2.1", "!fe80::1%eth1;192.0.2.1,0;", NULL },
	{ "nameserver fe80::1%eth0%eth0", "!fe80::1%eth0%eth0;", NULL },
	{ "nameserver 192.0.2.1%eth0", "!192.0.2.1%eth0;", NULL },
	{ "nameserver one", "!one;", NULL },
	{ "nameserver %eth0", "!%eth0;", NULL },
	{ "nameserver 192.0.2.1222222222222222222222222222222222222222222222222222222222222", "!192.0.2.1222222222222222222222222222222222222222222222222222222;", NULL },
};
/* clang-format on */

static void servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = servers_of(rows[i].text, index_of);
		g_autofree char *numbered = resolv_number(rows[i].text, index_of);
		g_autofree char *later = servers_of(numbered, NULL);

		assert_string_equal(got, rows[i].servers);
		assert_string_equal(numbered, rows[i].numbered ? rows[i].numbered : rows[i].text);
		/* who cannot look up a name comes to the same */
		assert_string_equal(later, rows[i].servers);
	}
}

/* Without a look-up a name is none. */
static void names(void **state)
{
	g_autofree char *got = servers_of("nameserver fe80::1%eth0\nnameserver fe80::1%3\n", NULL);

	(void)state;
	assert_string_equal(got, "!fe80::1%eth0;fe80::1,3;");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(servers), cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
