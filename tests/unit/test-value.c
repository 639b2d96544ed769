// SPDX-License-Identifier: MIT
/* The strict readers: every accepted form with its value, every refusal with its kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <string.h>

#include <sandbox/value.h>

#define UNTOUCHED 77777

struct row {
	const char *text;
	int r;
	uint64_t value;
};

static void check(const struct row *row, int r, uint64_t value)
{
	if (r != row->r || value != (row->r == 0 ? row->value : UNTOUCHED))
		fail_msg("'%s': %d, %llu instead of %d, %llu", row->text, r,
			 (unsigned long long)value, row->r, (unsigned long long)row->value);
}

static void test_u64(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "7", 0, 7 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "1000000000000000000000000000000", -ERANGE, 0 },
		{ "1000000000000000000000000000000x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ "x", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "\xd9\xa1", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t n = UNTOUCHED;
		int r = value_u64(rows[i].text, strlen(rows[i].text), UINT64_MAX, &n);

		check(&rows[i], r, n);
	}
}

static void test_u64_reads_no_further_than_len(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_int_equal(value_u64("123456", 3, UINT64_MAX, &n), 0);
	assert_int_equal(n, 123);
	assert_int_equal(value_u64("10", 2, 9, &n), -ERANGE);
}

static void test_id(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "4294967294", 0, 4294967294 },
		{ "4294967295", -ERANGE, 0 },
		{ "4294967296", -ERANGE, 0 },
		{ "18446744073709551617", -ERANGE, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint32_t n = UNTOUCHED;
		int r = value_id(rows[i].text, strlen(rows[i].text), &n);

		check(&rows[i], r, n);
	}
}

static void test_int(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		int r, value;
	} rows[] = {
		{ "0", 0, 0 },          { "19", 0, 19 },       { "-20", 0, -20 },
		{ "-0", 0, 0 },         { "20", -ERANGE, 0 },  { "-21", -ERANGE, 0 },
		{ "+5", -EINVAL, 0 },   { "-", -EINVAL, 0 },   { "", -EINVAL, 0 },
		{ "--5", -EINVAL, 0 },  { "5x", -EINVAL, 0 },  { "4294967296", -ERANGE, 0 },
		{ "2147483648", -ERANGE, 0 },                  { "-2147483648", -ERANGE, 0 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int n = UNTOUCHED;
		int r = value_int(rows[i].text, strlen(rows[i].text), -20, 19, &n);

		if (r != rows[i].r || n != (r == 0 ? rows[i].value : UNTOUCHED))
			fail_msg("'%s': %d, %d", rows[i].text, r, n);
	}
}

static void test_mode(void **state)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ "755", 0, 0755 },     { "0755", 0, 0755 },    { "1777", 0, 01777 },
		{ "7777", 0, 07777 },   { "10000", -ERANGE, 0 }, { "8", -EINVAL, 0 },
		{ "", -EINVAL, 0 },     { "u+x", -EINVAL, 0 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		unsigned n = UNTOUCHED;
		int r = value_mode(rows[i].text, strlen(rows[i].text), &n);

		check(&rows[i], r, n);
	}
}

static void test_size(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "4096b", 0, 4096 },
		{ "1k", 0, 1024 },
		{ "1K", 0, 1024 },
		{ "64kb", 0, 65536 },
		{ "512M", 0, 512ull << 20 },
		{ "1GiB", 0, 1ull << 30 },
		{ "1gib", 0, 1ull << 30 },
		{ "1GB", 0, 1ull << 30 },
		{ "2T", 0, 2ull << 40 },
		{ "1P", 0, 1ull << 50 },
		{ "7E", 0, 7ull << 60 },
		{ "8E", -ERANGE, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "9007199254740992K", -ERANGE, 0 },
		{ "17179869184G", -ERANGE, 0 },
		{ "1000000000000000000000000000000M", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "1 G", -EINVAL, 0 },
		{ "-1G", -EINVAL, 0 },
		{ "+1G", -EINVAL, 0 },
		{ "1Gi", -EINVAL, 0 },
		{ "1GiBx", -EINVAL, 0 },
		{ "1bb", -EINVAL, 0 },
		{ "1X", -EINVAL, 0 },
		{ "1\v", -EINVAL, 0 },
		{ "50%", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t n = UNTOUCHED;
		int r = value_size(rows[i].text, strlen(rows[i].text), &n, NULL);

		check(&rows[i], r, n);
	}
}

static void test_size_percent(void **state)
{
	unsigned permille = 5;
	uint64_t n = 5;

	(void)state;
	assert_int_equal(value_size("50%", 3, &n, &permille), 0);
	assert_int_equal(n, 0);
	assert_int_equal(permille, 500);
	assert_int_equal(value_size("1M", 2, &n, &permille), 0);
	assert_int_equal(n, 1 << 20);
	assert_int_equal(permille, 0);
	assert_int_equal(value_size("101%", 4, &n, &permille), -ERANGE);
	assert_int_equal(value_size("%", 1, &n, &permille), -EINVAL);
	assert_int_equal(value_size("1M%", 3, &n, &permille), -EINVAL);
}

static void test_time(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "30", 0, 30000 },
		{ "30s", 0, 30000 },
		{ "05s", 0, 5000 },
		{ "2m", 0, 120000 },
		{ "500ms", 0, 500 },
		{ "1h30m", 0, 5400000 },
		{ "1d2h3m4s5ms", 0, 93784005 },
		{ "1s500ms", 0, 1500 },
		{ "2147483647", 0, 2147483647000 },
		{ "2147483647s", 0, 2147483647000 },
		{ "2147483648", -ERANGE, 0 },
		{ "2147483647s1ms", -ERANGE, 0 },
		{ "24856d", -ERANGE, 0 },
		{ "99999999999999999999h", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "1h30", -EINVAL, 0 },
		{ "30m1h", -EINVAL, 0 },
		{ "1h1h", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1sec", -EINVAL, 0 },
		{ "1s ", -EINVAL, 0 },
		{ "5w", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t n = UNTOUCHED;
		int r = value_time(rows[i].text, strlen(rows[i].text), &n);

		check(&rows[i], r, n);
	}
}

static void test_signal(void **state)
{
	/* clang-format off */
	const struct {
		const char *text;
		int r, value;
	} rows[] = {
		{ "TERM", 0, SIGTERM },        { "SIGTERM", 0, SIGTERM },  { "term", 0, SIGTERM },
		{ "sigkill", 0, SIGKILL },     { "15", 0, 15 },            { "64", 0, 64 },
		{ "USR1", 0, SIGUSR1 },        { "RTMIN", 0, SIGRTMIN },   { "SIGRTMIN+3", 0, SIGRTMIN + 3 },
		{ "RTMAX-1", 0, SIGRTMAX - 1 }, { "RTMAX", 0, SIGRTMAX },  { "0", -ERANGE, 0 },
		{ "65", -ERANGE, 0 },          { "RTMIN+99", -ERANGE, 0 }, { "", -EINVAL, 0 },
		{ "SIG", -EINVAL, 0 },         { "TERMX", -EINVAL, 0 },    { "15x", -EINVAL, 0 },
		{ "-15", -EINVAL, 0 },         { "RTMIN-1", -EINVAL, 0 },  { "RTMIN+", -EINVAL, 0 },
		{ "RTMIN+-1", -EINVAL, 0 },    { "RTMAX+1", -EINVAL, 0 },  { "SIGSIGTERM", -EINVAL, 0 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int n = UNTOUCHED;
		int r = value_signal(rows[i].text, strlen(rows[i].text), &n);

		if (r != rows[i].r || n != (r == 0 ? rows[i].value : UNTOUCHED))
			fail_msg("'%s': %d, %d", rows[i].text, r, n);
	}
}

static void test_path_fault(void **state)
{
	g_autofree char *longest = g_strnfill(4095, 'x'), *longer = g_strnfill(4096, 'x');
	g_autofree char *name = g_strnfill(255, 'n'), *long_name = g_strnfill(256, 'n');

	(void)state;
	for (size_t i = 0; i < 4095; i += 200)
		longest[i] = longer[i] = '/';
	assert_null(value_path_fault("/"));
	assert_null(value_path_fault("a b/\xc3\xa9"));
	assert_null(value_path_fault(name));
	assert_null(value_path_fault(longest));
	assert_non_null(value_path_fault(longer));
	assert_non_null(value_path_fault(long_name));
	assert_non_null(value_path_fault(""));
	assert_non_null(value_path_fault("/a\nb"));
	assert_non_null(value_path_fault("/a\x1b[31m"));
	assert_non_null(value_path_fault("/a\x7f"));
}

static void test_path_clean(void **state)
{
	/* clang-format off */
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "/", "/" },           { "//", "/" },          { "/.", "/" },
		{ "/./.", "/" },        { "/a", "/a" },         { "/a/", "/a" },
		{ "//a///b//", "/a/b" }, { "/a/./b/.", "/a/b" }, { "/a/../b", "/a/../b" },
		{ "/.a/..b", "/.a/..b" }, { "./a", "./a" },     { "././a", "./a" },
		{ "a/", "a" },          { ".", "." },           { "./", "." },
		{ "..", ".." },         { "", "" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup(rows[i].in);

		value_path_clean(text);
		assert_string_equal(text, rows[i].out);
	}
}

static void test_dest_fault(void **state)
{
	/* clang-format off */
	static const struct {
		const char *path;
		bool place, cover;
	} rows[] = {
		{ "/mnt", true, true },          { "/", false, false },
		{ "/proc", false, false },       { "/proc/kcore", false, true },
		{ "/sys", false, false },        { "/sys/firmware", false, true },
		{ "/dev", false, false },        { "/dev/fuse", true, true },
		{ "/process", true, true },      { "/system/x", true, true },
		{ "mnt", false, false },         { "", false, false },
		{ "/a/../proc", false, false },  { "/a/..", false, false },
		{ "/a/..b/c..", true, true },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!value_dest_fault(rows[i].path, DEST_PLACE) != rows[i].place ||
		    !value_dest_fault(rows[i].path, DEST_COVER) != rows[i].cover)
			fail_msg("%s", rows[i].path);
	}
}

static void test_env_name(void **state)
{
	(void)state;
	assert_null(value_env_name_fault("PATH", 4));
	assert_null(value_env_name_fault("a.b", 3));
	assert_null(value_env_name_fault("A=b", 1));
	assert_non_null(value_env_name_fault("", 0));
	assert_non_null(value_env_name_fault("A=b", 3));
	assert_non_null(value_env_name_fault("A\nB", 3));
}

static void test_hostname(void **state)
{
	static const char *const good[] = { "a", "box-1", "Box.Example.org", "0x", "3com" };
	static const char *const bad[] = { "",   "-a",   "a-",  "a.-b", "a-.b", ".a",
					   "a.", "a..b", "a_b", "a b",  "a\n",  "\xc3\xa9" };
	g_autofree char *sixty_four = g_strnfill(64, 'a'), *sixty_five = g_strnfill(65, 'a');

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		assert_null(value_hostname_fault(good[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_non_null(value_hostname_fault(bad[i]));
	assert_non_null(value_hostname_fault(sixty_four)); /* one part, and a part has at most 63 */
	sixty_four[31] = sixty_five[31] = '.';
	assert_null(value_hostname_fault(sixty_four));
	assert_non_null(value_hostname_fault(sixty_five));
}

static void test_words(void **state)
{
	static const struct word table[] = { { "no-root", 1 }, { "keep_caps", 2 }, { NULL, 0 } };

	(void)state;
	assert_int_equal(word_find(table, "no_root", 7)->value, 1);
	assert_int_equal(word_find(table, "keep-caps,x", 9)->value, 2);
	assert_null(word_find(table, "no-roo", 6));
	assert_null(word_find(table, "no-rootx", 8));
	assert_null(word_find(table, "", 0));
	assert_int_equal(word_nearest(table, "keep-cap", 8)->value, 2);
	assert_null(word_nearest(table, "zzz", 3));
}

static void test_distance(void **state)
{
	g_autofree char *big = g_strnfill(100, 'a');

	(void)state;
	assert_int_equal(value_distance("kitten", 6, "sitting", 7), 3);
	assert_int_equal(value_distance("ABC", 3, "abc", 3), 0);
	assert_int_equal(value_distance("", 0, "abc", 3), 3);
	assert_true(value_distance(big, 100, "a", 1) == UINT_MAX);
}

static void test_list(void **state)
{
	const char *list = "a,,bc,", *item;
	static const char *const items[] = { "a", "", "bc", "" };
	size_t len, n = 0;

	(void)state;
	while (value_list_next(&list, &item, &len)) {
		assert_true(n < G_N_ELEMENTS(items));
		assert_int_equal(len, strlen(items[n]));
		assert_memory_equal(item, items[n], len);
		n++;
	}
	assert_int_equal(n, 4);
}

static void test_split(void **state)
{
	/* clang-format off */
	static const struct {
		const char *in, *head, *tail;
	} rows[] = {
		{ "a:b", "a", "b" },           { "a", "a", NULL },       { "", "", NULL },
		{ ":b", "", "b" },             { "a:", "a", "" },        { "a:b:c", "a", "b:c" },
		{ "a\\:b:c", "a:b", "c" },     { "a\\:b", "a:b", NULL }, { "a\\b:c", "a\\b", "c" },
		{ "a\\:\\:b", "a::b", NULL },  { "a\\", "a\\", NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup(rows[i].in);
		const char *tail = value_split(text, ':');

		assert_string_equal(text, rows[i].head);
		assert_true(!tail == !rows[i].tail);
		if (tail)
			assert_string_equal(tail, rows[i].tail);
	}
}

static void test_cpus(void **state)
{
	static const struct row rows[] = {
		{ "0.5", 0, 500 },       { "50%", 0, 500 },
		{ "2", 0, 2000 },        { "200%", 0, 2000 },
		{ "1%", 0, 10 },         { "0.01", 0, 10 },
		{ "12.5%", 0, 125 },     { "16384", 0, 16384000 },
		{ "0.250", 0, 250 },     { "0", -ERANGE, 0 },
		{ "0%", -ERANGE, 0 },    { "0.001", -ERANGE, 0 },
		{ "16385", -ERANGE, 0 }, { "", -EINVAL, 0 },
		{ "%", -EINVAL, 0 },     { ".5", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },    { "1.2345", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },    { "abc", -EINVAL, 0 },
		{ "50%%", -EINVAL, 0 },  { "1000000000000000000000000000000", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint32_t n = UNTOUCHED;
		int r = value_cpus(rows[i].text, strlen(rows[i].text), &n);

		check(&rows[i], r, n);
	}
}

static void test_cpuset(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t low, high;
	} rows[] = {
		{ "0", 0, 1, 0 },
		{ "0-3,5", 0, 0x2f, 0 },
		{ "63-64", 0, 1ull << 63, 1 },
		{ "127", 0, 0, 1ull << 63 },
		{ "128", -ERANGE, 0, 0 },
		{ "3-1", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "1,", -EINVAL, 0, 0 },
		{ "a", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t bits[2];
		int r = value_cpuset(rows[i].text, strlen(rows[i].text), bits, 128);

		assert_int_equal(r, rows[i].r);
		if (r == 0) {
			assert_true(bits[0] == rows[i].low);
			assert_true(bits[1] == rows[i].high);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_u64_reads_no_further_than_len),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_cpuset),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_size_percent),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_path_fault),
		cmocka_unit_test(test_path_clean),
		cmocka_unit_test(test_dest_fault),
		cmocka_unit_test(test_env_name),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
