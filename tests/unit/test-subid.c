// SPDX-License-Identifier: MIT
/* /etc/subuid as shadow reads it: owners by name and number, several lines, junk between them. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "host/subid.h"

#define OWN 1000u

static void check_ranges(const char *label, const char *want, struct subid_range *ranges, size_t n)
{
	g_autoptr(GString) got = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(got, "%s%u+%u", i > 0 ? " " : "", ranges[i].start,
				       ranges[i].count);
	if (strcmp(got->str, want) != 0)
		fail_msg("%s: got '%s', not '%s'", label, got->str, want);
	assert_true((n == 0) == (ranges == NULL));
	g_free(ranges);
}

static void test_parse(void **state)
{
	/* clang-format off */
	static const struct { const char *label, *text, *want; } rows[] = {
		{ "empty file",            "", "" },
		{ "by name",               "alice:100000:65536\n", "100000+65536" },
		{ "by number",             "1000:100000:65536\n", "100000+65536" },
		{ "no newline at the end", "alice:100000:65536", "100000+65536" },
		{ "others",                "bob:100000:65536\n1001:200000:65536\n", "" },
		{ "a longer name",         "alice2:100000:65536\nalic:200000:10\n", "" },
		{ "a number as prefix",    "10001:100000:65536\n100:200000:10\n", "" },
		{ "several lines",         "alice:100000:10\nbob:5:5\nalice:300000:10\n",
		  "100000+10 300000+10" },
		{ "order of the file",     "alice:300000:10\nalice:100000:10\n",
		  "300000+10 100000+10" },
		{ "name and number",       "alice:100000:10\n1000:200000:10\n",
		  "100000+10 200000+10" },
		{ "adjacent",              "alice:100000:10\nalice:100010:10\n", "100000+20" },
		{ "the same twice",        "alice:100000:10\nalice:100000:10\n", "100000+10" },
		{ "overlap above",         "alice:100000:10\nalice:100005:10\n", "100000+15" },
		{ "overlap below",         "alice:100005:10\nalice:100000:10\n",
		  "100005+10 100000+5" },
		{ "one inside another",    "alice:100000:100\nalice:100010:10\n", "100000+100" },
		{ "one around another",    "alice:100010:10\nalice:100000:100\n",
		  "100010+10 100000+10 100020+80" },
		{ "around two",            "alice:20:10\nalice:50:10\nalice:10:100\n",
		  "20+10 50+10 10+10 30+20 60+50" },
		{ "the own id at the start", "alice:1000:10\n", "1001+9" },
		{ "the own id at the end", "alice:991:10\n", "991+9" },
		{ "the host's root",       "alice:0:1\n", "" },
		{ "from the host's root on", "alice:0:100\n", "1+99" },
		{ "the own id inside",     "alice:1:65535\n", "1+999 1001+64535" },
		{ "nothing but the own id", "alice:1000:1\n", "" },
		{ "comments and blanks",   "# alice:1:2\n\n  \n#\nalice:100000:10\n", "100000+10" },
		{ "too few fields",        "alice:100000\nalice\n:\nalice::\n", "" },
		{ "too many fields",       "alice:100000:10:\nalice:1:2:3\n", "" },
		{ "no owner",              ":100000:65536\n", "" },
		{ "no numbers",            "alice:x:10\nalice:10:x\nalice::10\nalice:10:\n", "" },
		{ "signs",                 "alice:-1:10\nalice:+1:10\nalice:100000:-5\n", "" },
		{ "spaces",                "alice: 1:10\nalice:1:10 \n alice:1:10\n", "" },
		{ "hexadecimal",           "alice:0x10:10\n", "" },
		{ "count zero",            "alice:100000:0\n", "" },
		{ "the last id",           "alice:4294967294:1\n", "4294967294+1" },
		{ "past the last id",      "alice:4294967294:2\nalice:4294967295:1\n", "" },
		{ "sums that wrap",        "alice:4294967290:4294967290\n", "" },
		{ "numbers beyond 64 bits", "alice:18446744073709551617:10\n"
					    "alice:10:18446744073709551617\n", "" },
		{ "carriage return",       "alice:100000:10\r\n", "" },
		{ "junk, then good",       "alice:junk\nalice:100000:10\n", "100000+10" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct subid_range *ranges = NULL;
		size_t n = 99;

		subid_parse(rows[i].text, "alice", OWN, OWN, &ranges, &n);
		check_ranges(rows[i].label, rows[i].want, ranges, n);
	}
}

/* A user known by number alone must not take the lines of a name that looks like another's. */
static void test_parse_without_name(void **state)
{
	struct subid_range *ranges = NULL;
	size_t n = 0;

	(void)state;
	subid_parse("alice:1:2\n1000:100000:10\n", NULL, OWN, OWN, &ranges, &n);
	check_ranges("no name", "100000+10", ranges, n);
	subid_parse("1000:100000:10\n2000:200000:10\n", "1000", 2000, 2000, &ranges, &n);
	check_ranges("a name of digits", "100000+10 200000+10", ranges, n);
}

static void test_getsubids(void **state)
{
	/* clang-format off */
	static const struct { const char *label, *text, *want; } rows[] = {
		{ "one",       "0: alice 100000 65536\n", "100000+65536" },
		{ "two",       "0: alice 100000 10\n1: alice 200000 10\n", "100000+10 200000+10" },
		{ "a domain's user", "0: EX\\alice smith 100000 10\n", "100000+10" },
		{ "an error",  "Error fetching ranges\n", "" },
		{ "no number", "0: alice 100000 x\n", "" },
		{ "nothing",   "", "" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct subid_range *ranges = NULL;
		size_t n = 99;

		subid_parse_getsubids(rows[i].text, OWN, &ranges, &n);
		check_ranges(rows[i].label, rows[i].want, ranges, n);
	}
}

static void test_elsewhere(void **state)
{
	/* clang-format off */
	static const struct { const char *text; bool want; } rows[] = {
		{ "", false },
		{ "passwd: files sss\n", false },
		{ "subid: files\n", false },
		{ "subid:\n", false },
		{ "# subid: sss\n", false },
		{ "subid: # sss\n", false },
		{ "passwd: files\nsubid: sss\n", true },
		{ "  subid:sss", true },
		{ "subid:\tldap # files", true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(subid_elsewhere(rows[i].text), rows[i].want);
}

static void test_free_ids(void **state)
{
	/* clang-format off */
	static const struct { const char *text; uint32_t count, want; } rows[] = {
		{ "", 65536, 100000 },
		{ "a:100000:65536\n", 65536, 165536 },
		{ "b:165536:65536\na:100000:65536\n", 65536, 231072 },
		{ "a:165536:65536\n", 65536, 100000 },
		{ "a:165535:65536\n", 65536, 231071 },
		{ "a:1:99999\n", 65536, 100000 },
		{ "a:1:100000\n", 65536, 100001 },
		{ "a:100000:4294867295\n", 65536, 0 },
		{ "a:100000:4294801759\n", 65536, 4294901759u },
		{ "junk\na:b:c\n", 65536, 100000 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint32_t got = subid_free(rows[i].text, rows[i].count);

		if (got != rows[i].want)
			fail_msg("row %zu: got %u, not %u", i, got, rows[i].want);
	}
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_without_name),
		cmocka_unit_test(test_getsubids),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_free_ids),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
