// SPDX-License-Identifier: MIT
/*
 * What the launcher takes from helpers/sandbox-seccomp and from its cache. The first byte: 'a' an answer,
 * 'i' instructions below a good head, 'f' a fault, 'c' an entry of the cache, 'C' the content of one.
 */
#include "fuzz.h"

/* what they are made of is theirs alone */
#define check cache_check
#include "../../src/ops/filter-cache.c"
#undef check
#include "../../src/ops/filter.c"

static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void judge(struct filter *f)
{
	FUZZ_CHECK(f->n > 0 && f->n <= BPF_MAXINSNS && f->notes);
	for (int nr = 0; nr < 60; nr += 59) {
		enum filter_verdict verdict =
			filter_judge(f->insns, f->n, filter_native_arch(), nr);

		FUZZ_CHECK(verdict == FILTER_LETS || verdict == FILTER_DEPENDS ||
			   verdict == FILTER_REFUSES || verdict == FILTER_BROKEN);
	}
	FUZZ_CHECK(f->kills == filter_kills(f->insns, f->n));
	filter_notify(f->insns, f->n);
	FUZZ_CHECK(!filter_kills(f->insns, f->n));
	filter_clear(f);
}

static void answer(const char *head, const void *data, size_t size)
{
	g_autoptr(GByteArray) whole = g_byte_array_new();
	g_autoptr(GBytes) bytes = NULL;
	struct filter f = { 0 };

	g_byte_array_append(whole, (const guint8 *)head, (guint)strlen(head));
	g_byte_array_append(whole, data, (guint)size);
	bytes = g_byte_array_free_to_bytes(g_steal_pointer(&whole));
	if (take_answer(&f, bytes))
		judge(&f);
}

/* A head for so many instructions that names a file which is there. */
static void instructions(const void *data, size_t size)
{
	size_t n = size / sizeof(struct sock_filter);
	g_autofree char *head = NULL;
	struct stat st;

	FUZZ_CHECK(stat("/etc/passwd", &st) == 0);
	head = g_strdup_printf(
		"sandbox-seccomp 1 %zu 0\nlibrary %llu %llu %llu %llu /etc/passwd\n\n", n,
		(unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		(unsigned long long)st.st_size, (unsigned long long)st.st_mtime);
	answer(head, data, n * sizeof(struct sock_filter));
}

static void content(const char *data, size_t size)
{
	g_autofree char *whole = g_malloc(sizeof(struct header) + size);
	g_autoptr(GBytes) bytes = NULL;
	struct header head = { .len = size };

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(head.key, key, KEY_LEN);
	digest_of(data, size, head.digest);
	memcpy(whole, &head, sizeof(head));
	memcpy(whole + sizeof(head), data, size);
	bytes = cache_check(whole, sizeof(head) + size, key);
	FUZZ_CHECK(bytes && g_bytes_get_size(bytes) == size);
	/* any other byte of it makes it nobody's */
	if (size) {
		whole[sizeof(head) + size / 2] ^= 1;
		FUZZ_CHECK(!cache_check(whole, sizeof(head) + size, key));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);
	struct err err = { 0 };
	unsigned at = 0;
	GBytes *entry;

	if (size < 1)
		return 0;
	switch (text[0]) {
	case 'a': answer("", text + 1, size - 1); break;
	case 'i': instructions(text + 1, size - 1); break;
	case 'f':
		take_fault(text + 1, &at, &err);
		fuzz_check_err(&err);
		break;
	case 'c':
		entry = cache_check(text + 1, size - 1, key);
		if (entry)
			g_bytes_unref(entry);
		break;
	case 'C': content(text + 1, size - 1); break;
	default: break;
	}
	return 0;
}
