// SPDX-License-Identifier: MIT
/* The strict readers of include/sandbox/value.h: the first byte chooses one. */
#include <errno.h>
#include <signal.h>

#include <sandbox/value.h>

#include "fuzz.h"

#define MARK UINT64_C(0xa5a5a5a5a5a5a5a5)

static void check_status(int r)
{
	FUZZ_CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
}

static void read_size(const char *text, size_t len)
{
	unsigned permille = 12345;
	uint64_t n = MARK;
	int r = value_size(text, len, &n, &permille);

	check_status(r);
	FUZZ_CHECK(r == 0 || (n == MARK && permille == 12345));
	FUZZ_CHECK(r < 0 || (n <= INT64_MAX && permille <= 1000 && (n == 0 || permille == 0)));
	n = MARK;
	r = value_size(text, len, &n, NULL);
	check_status(r);
	FUZZ_CHECK(r < 0 ? n == MARK : n <= INT64_MAX);
}

static void read_time(const char *text, size_t len)
{
	uint64_t n = MARK;
	int r = value_time(text, len, &n);

	check_status(r);
	FUZZ_CHECK(r < 0 ? n == MARK : n <= UINT64_C(2147483647) * 1000);
}

static void read_cpus(const char *text, size_t len)
{
	uint32_t n = 7;
	int r = value_cpus(text, len, &n);

	check_status(r);
	FUZZ_CHECK(r < 0 ? n == 7 : n >= 10 && n <= 16384000);
}

static void read_cpuset(const char *text, size_t len)
{
	uint64_t bits[4], all = 0;
	int r = value_cpuset(text, len, bits, 256);

	check_status(r);
	for (int i = 0; i < 4; i++)
		all |= bits[i];
	FUZZ_CHECK(r < 0 || all != 0);
}

static void read_numbers(const char *text, size_t len)
{
	g_autofree char *again = NULL;
	uint64_t n = MARK;
	uint32_t id = 7;
	unsigned mode = 7;
	int i = 7, r;

	r = value_u64(text, len, UINT64_MAX - 1, &n);
	check_status(r);
	FUZZ_CHECK(r == 0 || n == MARK);
	if (r == 0) {
		while (len > 1 && *text == '0')
			text++, len--;
		again = g_strdup_printf("%" G_GUINT64_FORMAT, n);
		FUZZ_CHECK(strlen(again) == len && memcmp(again, text, len) == 0);
	}
	check_status(r = value_id(text, len, &id));
	FUZZ_CHECK(r < 0 ? id == 7 : id < UINT32_MAX);
	check_status(r = value_mode(text, len, &mode));
	FUZZ_CHECK(r < 0 ? mode == 7 : mode <= 07777);
	check_status(r = value_int(text, len, -20, 19, &i));
	FUZZ_CHECK(r < 0 ? i == 7 : i >= -20 && i <= 19);
}

static void read_signal(const char *text, size_t len)
{
	int n = -7, r = value_signal(text, len, &n);

	check_status(r);
	FUZZ_CHECK(r < 0 ? n == -7 : n >= 1 && n <= SIGRTMAX);
}

static void read_path(char *text, size_t len)
{
	g_autofree char *once = NULL;

	(void)value_path_fault(text);
	value_path_clean(text);
	FUZZ_CHECK(strlen(text) <= len && !strstr(text, "//") && !strstr(text, "/./"));
	once = g_strdup(text);
	value_path_clean(text);
	FUZZ_CHECK(strcmp(once, text) == 0);
	for (int use = DEST_PLACE; use <= DEST_COVER; use++)
		if (!value_dest_fault(text, (enum dest_use)use))
			FUZZ_CHECK(text[0] == '/' && text[1] && !g_str_has_suffix(text, "/..") &&
				   !strstr(text, "/../") &&
				   (use == DEST_COVER || !g_str_has_prefix(text, "/proc/")));
}

static void read_names(const char *text, size_t len)
{
	if (!value_hostname_fault(text))
		FUZZ_CHECK(len > 0 && len <= 64 && !strpbrk(text, " /:\n"));
	if (!value_env_name_fault(text, len))
		FUZZ_CHECK(len > 0 && !memchr(text, '=', len) && !memchr(text, '\n', len));
}

static void read_words(char *text, size_t len)
{
	static const struct word table[] = {
		{ "noroot", 1 },
		{ "no-setuid-fixup", 2 },
		{ "keep_caps", 3 },
		{ NULL, 0 },
	};
	const char *list = text, *item;
	size_t item_len, total = 0;
	char *rest, *end;

	FUZZ_CHECK(!word_find(table, text, len) || word_nearest(table, text, len));
	while (value_list_next(&list, &item, &item_len)) {
		FUZZ_CHECK(item + item_len <= text + len);
		total += item_len + 1;
	}
	FUZZ_CHECK(total == strlen(text) + 1);
	end = text + len;
	for (; text; text = rest) {
		rest = value_split(text, ':');
		FUZZ_CHECK(!rest || (rest > text && rest <= end));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);
	char *rest = text + 1;
	size_t len;

	if (size < 1)
		return 0;
	len = strlen(rest);
	switch (text[0]) {
	case 's': read_size(rest, len); break;
	case 't': read_time(rest, len); break;
	case 'c': read_cpus(rest, len); break;
	case 'C': read_cpuset(rest, len); break;
	case 'n': read_numbers(rest, len); break;
	case 'g': read_signal(rest, len); break;
	case 'p': read_path(rest, len); break;
	case 'h': read_names(rest, len); break;
	case 'w': read_words(rest, len); break;
	default: break;
	}
	return 0;
}
