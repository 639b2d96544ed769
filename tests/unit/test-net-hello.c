// SPDX-License-Identifier: MIT
/* The server's name in the first bytes of TLS and HTTP, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "frame.h"
#include "hello.h"

/* A ClientHello with these extensions, in records of `cut` bytes. */
static GByteArray *tls(const uint8_t *ext, size_t len, size_t cut)
{
	uint8_t head[4 + 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2] = { 1 };
	g_autoptr(GByteArray) message = g_byte_array_new();
	GByteArray *out = g_byte_array_new();

	put16(head + 2, (unsigned)(sizeof(head) - 4 + len));
	put16(head + 4, 0x0303);
	put16(head + 39, 2); /* one cipher */
	head[43] = 1;        /* one compression */
	put16(head + 45, (unsigned)len);
	g_byte_array_append(message, head, sizeof(head));
	g_byte_array_append(message, ext, (guint)len);
	for (size_t at = 0; at < message->len; at += cut) {
		size_t n = MIN(cut, message->len - at);
		uint8_t record[5] = { 22, 3, 1 };

		put16(record + 3, (unsigned)n);
		g_byte_array_append(out, record, sizeof(record));
		g_byte_array_append(out, message->data + at, (guint)n);
	}
	return out;
}

static size_t server_name(uint8_t *out, const char *name)
{
	size_t n = strlen(name);

	put16(out, 0);
	put16(out + 2, (unsigned)(n + 5));
	put16(out + 4, (unsigned)(n + 3));
	out[6] = 0;
	put16(out + 7, (unsigned)n);
	memcpy(out + 9, name, n);
	return 9 + n;
}

/* Every beginning of it is to be continued, and nothing is read beyond. */
static void whole_only(const GByteArray *hello)
{
	char name[HELLO_NAME];

	for (guint n = 0; n < hello->len; n++) {
		g_autofree uint8_t *part = g_memdup2(hello->data, n);

		if (hello_tls(part, n, name) != HELLO_MORE)
			fail_msg("%u of %u bytes", n, hello->len);
	}
}

static void names_in_tls(void **state)
{
	static const size_t cuts[] = { 10000, 100, 7, 1 };
	uint8_t ext[256] = { 0xff, 1, 0, 1, 0 }; /* renegotiation, before it */
	size_t len = 5 + server_name(ext + 5, "Www.Example.org");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
		g_autoptr(GByteArray) hello = tls(ext, len, cuts[i]);
		char name[HELLO_NAME] = "";

		whole_only(hello);
		assert_int_equal(hello_tls(hello->data, hello->len, name), HELLO_FOUND);
		assert_string_equal(name, "www.example.org");
		g_byte_array_append(hello, (const uint8_t *)"more", 4);
		assert_int_equal(hello_tls(hello->data, hello->len, name), HELLO_FOUND);
	}
}

static void no_names_in_tls(void **state)
{
	static const char *const bad[] = { "", "a b", "a/b", "a\xff", "." };
	uint8_t ext[512];
	char name[HELLO_NAME];
	size_t len;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GByteArray) hello = tls(ext, server_name(ext, bad[i]), 10000);

		assert_int_equal(hello_tls(hello->data, hello->len, name), HELLO_NONE);
	}
	{
		g_autoptr(GByteArray) none = tls(ext, 0, 10000);

		assert_int_equal(hello_tls(none->data, none->len, name), HELLO_NONE);
	}
	len = server_name(ext, "a.org");
	len += server_name(ext + len, "b.org");
	{
		g_autoptr(GByteArray) two = tls(ext, len, 10000);

		assert_int_equal(hello_tls(two->data, two->len, name), HELLO_NONE);
	}
	assert_int_equal(hello_tls((const uint8_t *)"SSH-2.0-x\r\n", 11, name), HELLO_NONE);
	assert_int_equal(hello_tls((const uint8_t *)"\x16\x02\x00\x00\x05", 5, name), HELLO_NONE);
	assert_int_equal(hello_tls((const uint8_t *)"\x16\x03\x01\x00\x05\x02", 6, name),
			 HELLO_NONE);
}

static void http(void **state)
{
	/* clang-format off */
	static const struct { const char *text; enum hello result; const char *name; } rows[] = {
		{ "GET / HTTP/1.1\r\nHost: A.org\r\n\r\n", HELLO_FOUND, "a.org" },
		{ "GET / HTTP/1.1\r\nX: y\r\nhost:a.org:80  \r\n\r\nbody", HELLO_FOUND, "a.org" },
		{ "GET / HTTP/1.0\nHost: a.org\n\n", HELLO_FOUND, "a.org" },
		{ "OPTIONS * HTTP/1.1\r\nHost: a.org.\r\n\r\n", HELLO_FOUND, "a.org" },
		{ "GET http://a.org/x HTTP/1.1\r\nHost: a.org\r\n\r\n", HELLO_FOUND, "a.org" },
		{ "GET http://b.org/x HTTP/1.1\r\nHost: a.org\r\n\r\n", HELLO_NONE, NULL },
		{ "CONNECT b.org:443 HTTP/1.1\r\nHost: a.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET ftp://a.org/ HTTP/1.1\r\nHost: a.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.0\r\n\r\n", HELLO_NONE, NULL },
		{ "GET /\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nHost: a.org\r\nHost: b.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nHost : a.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nX: y\r\n Host: a.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nX: y\rHost: b.org\r\nHost: a.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nHost: a.org, b.org\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nHost: a.org:8x\r\n\r\n", HELLO_NONE, NULL },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", HELLO_NONE, NULL },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HELLO_NONE, NULL },
		{ "\x16\x03\x01", HELLO_NONE, NULL },
		{ "", HELLO_MORE, NULL },
		{ "GET / HT", HELLO_MORE, NULL },
		{ "GET / HTTP/1.1\r\nHost: a.org\r\n", HELLO_MORE, NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		size_t len = strlen(rows[i].text);
		g_autofree uint8_t *copy = g_memdup2(rows[i].text, len);
		char name[HELLO_NAME] = "";

		if (hello_http(copy, len, name) != rows[i].result)
			fail_msg("row %zu", i);
		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
	}
}

/* What never ends is given up. */
static void endless(void **state)
{
	g_autofree uint8_t *big = g_malloc(HELLO_MAX);
	char name[HELLO_NAME];

	(void)state;
	memset(big, 'A', HELLO_MAX);
	assert_int_equal(hello_http(big, HELLO_MAX, name), HELLO_NONE);
	for (size_t i = 0; i + 6 <= HELLO_MAX; i += 6)
		memcpy(big + i, "\x16\x03\x01\x00\x01\x01", 6);
	assert_int_equal(hello_tls(big, HELLO_MAX, name), HELLO_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_tls),
		cmocka_unit_test(no_names_in_tls),
		cmocka_unit_test(http),
		cmocka_unit_test(endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
