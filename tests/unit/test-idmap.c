// SPDX-License-Identifier: MIT
/* The arithmetic of id maps, above all at the edge of 32 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <string.h>

#include <sandbox/idmap.h>

static void test_parse(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *formatted; /* NULL: refused */
	} rows[] = {
		{ "0:1000:1", "0 1000 1\n" },
		{ "0:1000:1,1:100000:65536", "0 1000 1\n1 100000 65536\n" },
		{ "5:7:3,0:0:5", "5 7 3\n0 0 5\n" },
		{ "0:0:4294967295", "0 0 4294967295\n" },         /* every id there is */
		{ "4294967294:0:1", "4294967294 0 1\n" },
		{ "0:4294967294:1", "0 4294967294 1\n" },
		{ "4294967294:0:2", NULL },                       /* ends on 2^32-1 */
		{ "0:4294967294:2", NULL },
		{ "1:0:4294967294", "1 0 4294967294\n" },
		{ "2:0:4294967294", NULL },                       /* ends past 2^32, wraps to 0 */
		{ "0:2:4294967294", NULL },
		{ "4294967295:0:1", NULL },
		{ "0:4294967295:1", NULL },
		{ "0:0:4294967296", NULL },
		{ "0:18446744073709551616:1", NULL },
		{ "0:1000:0", NULL },
		{ "", NULL },
		{ "0", NULL },
		{ "0:1", NULL },
		{ "0:1:", NULL },
		{ ":1:1", NULL },
		{ "0::1", NULL },
		{ "0:1:1:1", NULL },
		{ "0:1:1,", NULL },
		{ ",0:1:1", NULL },
		{ "0:1:1x", NULL },
		{ "-1:1:1", NULL },
		{ " 0:1:1", NULL },
		{ "0:1:1\n0:2:1", NULL },
		{ "0:1000:10,9:5000:1", NULL },                   /* inside 9 twice */
		{ "0:1000:10,10:1009:1", NULL },                  /* outside 1009 twice */
		{ "0:1000:10,10:1010:10", "0 1000 10\n10 1010 10\n" },
		{ "10:0:5,0:100:11", NULL },
		{ "4294967290:0:5,4294967294:10:1", NULL },       /* overlap at the very end */
	};
	/* clang-format on */
	char text[200];

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct idmap map = { NULL, 0 };
		struct err err = { 0 };
		int r = idmap_parse(&map, rows[i].text, &err);

		if ((r == 0) != (rows[i].formatted != NULL))
			fail_msg("'%s' gave %d", rows[i].text, r);
		if (r < 0) {
			assert_int_equal(err.code, ERR_IDMAP);
			assert_true(err.cause[0] && err.fix[0]);
			assert_null(strchr(err.what, '\n'));
			assert_null(map.rows);
			continue;
		}
		assert_int_equal(idmap_format(&map, text, sizeof(text)), strlen(rows[i].formatted));
		assert_string_equal(text, rows[i].formatted);
		idmap_clear(&map);
	}
}

static void test_parse_many(void **state)
{
	g_autoptr(GString) text = g_string_new("0:0:1");
	struct idmap map = { NULL, 0 };
	struct err err;

	(void)state;
	for (unsigned i = 1; i < IDMAP_MAX; i++)
		g_string_append_printf(text, ",%u:%u:1", 2 * i, 3 * i);
	assert_int_equal(idmap_parse(&map, text->str, &err), 0);
	assert_int_equal(map.n, IDMAP_MAX);
	idmap_clear(&map);
	g_string_append(text, ",100000:100000:1");
	assert_int_equal(idmap_parse(&map, text->str, &err), -EINVAL);
	assert_non_null(strstr(err.cause, "340"));
}

static void test_auto(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t own;
		struct subid_range ranges[3];
		size_t n;
		const char *formatted;
	} rows[] = {
		{ 1000, { { 0 } }, 0, "0 1000 1\n" },
		{ 1000, { { 100000, 65536 } }, 1, "0 1000 1\n1 100000 65536\n" },
		{ 1000, { { 100000, 10 }, { 200000, 5 } }, 2, "0 1000 1\n1 100000 10\n11 200000 5\n" },
		{ 1000, { { 100000, 0 }, { 200000, 5 } }, 2, "0 1000 1\n1 200000 5\n" },
		/* one's own id inside a range: mapping it twice is EINVAL */
		{ 1000, { { 998, 5 } }, 1, "0 1000 1\n1 998 2\n3 1001 2\n" },
		{ 1000, { { 1000, 5 } }, 1, "0 1000 1\n1 1001 4\n" },
		{ 1000, { { 996, 5 } }, 1, "0 1000 1\n1 996 4\n" },
		/* lines that overlap */
		{ 0, { { 100, 10 }, { 105, 10 } }, 2, "0 0 1\n1 100 10\n11 110 5\n" },
		{ 0, { { 105, 10 }, { 100, 30 } }, 2, "0 0 1\n1 105 10\n11 100 5\n16 115 15\n" },
		{ 0, { { 100, 10 }, { 100, 10 } }, 2, "0 0 1\n1 100 10\n" },
		/* past the last id */
		{ 1000, { { 4294967290, 100 } }, 1, "0 1000 1\n1 4294967290 5\n" },
		{ 1000, { { 4294967295, 1 } }, 1, "0 1000 1\n" },
		{ 0, { { 1, 4294967295 } }, 1, "0 0 1\n1 1 4294967294\n" },
		{ 4294967294, { { 4294967290, 10 } }, 1, "0 4294967294 1\n1 4294967290 4\n" },
	};
	/* clang-format on */
	char text[200];

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct idmap map;
		struct err err;

		assert_int_equal(idmap_auto(&map, rows[i].own, rows[i].ranges, rows[i].n, &err), 0);
		assert_true(idmap_format(&map, text, sizeof(text)) > 0);
		assert_string_equal(text, rows[i].formatted);
		idmap_clear(&map);
	}
}

static void test_auto_limits(void **state)
{
	g_autofree struct subid_range *many = g_new0(struct subid_range, 500);
	struct idmap map = { NULL, 0 };
	struct err err;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		many[i] = (struct subid_range){ 100000 + 10 * i, 5 };
	assert_int_equal(idmap_auto(&map, 1000, many, 500, &err), 0);
	assert_int_equal(map.n, IDMAP_MAX);
	idmap_clear(&map);
	assert_true(idmap_auto(&map, UINT32_MAX, NULL, 0, &err) < 0);
	assert_int_equal(err.code, ERR_IDMAP);
	assert_null(map.rows);
}

static void test_lookup(void **state)
{
	struct idrange rows[] = { { 0, 1000, 1 }, { 1, 100000, 65536 }, { 4294967294, 7, 1 } };
	const struct idmap map = { rows, 3 };
	uint32_t id = 42;

	(void)state;
	assert_true(idmap_outside(&map, 0, &id) && id == 1000);
	assert_true(idmap_outside(&map, 1, &id) && id == 100000);
	assert_true(idmap_outside(&map, 65536, &id) && id == 165535);
	assert_true(idmap_outside(&map, 4294967294, &id) && id == 7);
	id = 42;
	assert_false(idmap_outside(&map, 65537, &id));
	assert_false(idmap_outside(&map, UINT32_MAX, &id));
	assert_int_equal(id, 42);
	assert_true(idmap_inside(&map, 165535, &id) && id == 65536);
	assert_true(idmap_inside(&map, 7, &id) && id == 4294967294);
	assert_false(idmap_inside(&map, 165536, &id));
	assert_false(idmap_inside(&map, 999, &id));
}

static void test_allowed(void **state)
{
	static const struct subid_range ranges[] = { { 100, 10 }, { 110, 10 }, { 4294967290, 5 } };
	/* clang-format off */
	static const struct {
		struct idrange row;
		bool allowed;
		uint32_t bad;
	} rows[] = {
		{ { 0, 1000, 1 }, true, 0 },
		{ { 0, 1001, 1 }, false, 1001 },
		{ { 0, 999, 2 }, false, 999 },
		{ { 0, 1000, 2 }, false, 1001 },
		{ { 0, 100, 20 }, true, 0 },          /* across two adjacent ranges */
		{ { 0, 100, 21 }, false, 120 },
		{ { 0, 99, 2 }, false, 99 },
		{ { 0, 4294967290, 5 }, true, 0 },
		{ { 0, 4294967289, 6 }, false, 4294967289 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct idrange row = rows[i].row;
		const struct idmap map = { &row, 1 };
		uint32_t bad = 0;

		assert_int_equal(idmap_allowed(&map, 1000, ranges, 3, &bad), rows[i].allowed);
		assert_int_equal(bad, rows[i].bad);
	}
}

static void test_single_and_format(void **state)
{
	struct idmap map;
	char text[16];

	(void)state;
	idmap_single(&map, 0, 4294967294);
	assert_int_equal(idmap_format(&map, text, sizeof(text)), 15);
	assert_int_equal(idmap_format(&map, text, 15), -EOVERFLOW);
	assert_int_equal(idmap_format(&map, text, 0), -EOVERFLOW);
	idmap_clear(&map);
	idmap_single(&map, 0, 1000);
	assert_int_equal(idmap_format(&map, text, 9), -EOVERFLOW);
	assert_int_equal(idmap_format(&map, text, 10), 9);
	assert_string_equal(text, "0 1000 1\n");
	idmap_clear(&map);
	idmap_clear(&map);
	assert_int_equal(idmap_format(&map, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void test_read_back(void **state)
{
	struct idrange two[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
	const struct idmap map = { two, 2 };
	/* clang-format off */
	static const struct { const char *text; bool same; } rows[] = {
		{ "         0       1000          1\n         1     100000      65536\n", true },
		{ "0 1000 1\n1 100000 65536\n", true },
		{ "1 100000 65536\n0 1000 1\n", true },  /* sorted by the kernel */
		{ "", false },
		{ "0 1000 1\n", false },
		{ "0 1000 1\n1 100000 65536", false },
		{ "0 1000 1\n1 100000 65537\n", false },
		{ "0 1000 1\n1 100001 65536\n", false },
		{ "0 0 1\n1 100000 65536\n", false },
		{ "0 1000 1\n1 100000 65536\n65537 0 1\n", false },
		{ "0 1000 4294967297\n1 100000 65536\n", false },
		{ "0 1000\n1 100000 65536\n", false },
		{ "0 1000 1 1\n1 100000 65536\n", false },
		{ "x", false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (idmap_is(&map, rows[i].text) != rows[i].same)
			fail_msg("row %zu: %s", i, rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_many),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_auto_limits),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_single_and_format),
		cmocka_unit_test(test_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
