// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sandbox/json.h>

static void test_string(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *want; } rows[] = {
		{ NULL, "null" },
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\"" },
		{ "\001\033[m\177", "\"\\u0001\\u001b[m\\u007f\"" },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
		{ "\xe2\x80\xa8|\xe2\x80\xa9", "\"\\u2028|\\u2029\"" },
		{ "a\xff" "b", "\"a\\ufffdb\"" },               /* no UTF-8 at all */
		{ "\xc3", "\"\\ufffd\"" },                      /* cut off */
		{ "\xc3\"", "\"\\ufffd\\\"\"" },                /* must not swallow the quote */
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },           /* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* a surrogate */
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new("x");

		json_string(out, rows[i].text);
		assert_string_equal(out->str + 1, rows[i].want);
		assert_int_equal(out->str[0], 'x');
	}
}

static void test_pick(void **state)
{
	/* clang-format off */
	static const struct { const char *line, *key, *want; } rows[] = {
		{ "{\"a\":\"x\",\"b\":\"y\"}", "b", "y" },
		{ "{\"a\":\"\"}", "a", "" },
		{ "{\"a\":\"x\"}", "b", NULL },
		{ "{\"a\":7}", "a", NULL },
		{ "{\"a\":\"\\\"b\\\":\\\"no\",\"b\":\"yes\"}", "b", "yes" },
		{ "{\"a\":\"1\\n2\\t\\\\ \\\" \\u001b\"}", "a", "1\n2\t\\ \" \033" },
		{ "{\"a\":\"cut", "a", "cut" },
		{ "{\"a\":\"cut\\", "a", "cut\\" },
		{ "{\"a\":\"\\u00", "a", "" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = json_pick(rows[i].line, rows[i].key);

		if (i + 1 == G_N_ELEMENTS(rows))
			assert_non_null(got); /* cut off in an escape: anything, but bounded */
		else if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("%s: got '%s'", rows[i].line, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_pick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
