// SPDX-License-Identifier: MIT
/* What may be put into the box's tree, in every form that is accepted and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sandbox/spec.h>

#include "request-of.h"

#define NONE ((mode_t)-1)

struct accepted {
	const char *option, *value;
	struct volume volume;
};

static void check_text(const char *got, const char *expected, const char *value)
{
	if (g_strcmp0(got, expected) != 0)
		fail_msg("'%s': '%s' instead of '%s'", value, got ? got : "NULL",
			 expected ? expected : "NULL");
}

static void check_accepted(const struct accepted *row)
{
	const char *const pairs[] = { row->option, row->value, NULL };
	const struct volume *v, *e = &row->volume;
	struct request request;
	struct spec spec;
	struct err err;

	request_of(&request, pairs);
	if (spec_build(&spec, &request, &err) < 0)
		fail_msg("--%s '%s': %s: %s", row->option, row->value, err.what, err.cause);
	assert_int_equal(spec.volumes->len, 1);
	v = &g_array_index(spec.volumes, struct volume, 0);
	check_text(v->src, e->src, row->value);
	check_text(v->dst, e->dst, row->value);
	check_text(v->text, e->text, row->value);
	if (v->kind != e->kind || v->fd != e->fd || v->from_env != e->from_env ||
	    v->readonly != e->readonly || v->noexec != e->noexec || v->optional != e->optional ||
	    v->dev != e->dev || v->size != e->size || v->mode != e->mode || v->origin != 1)
		fail_msg("--%s '%s' was read wrongly", row->option, row->value);
	spec_clear(&spec);
	request_of_clear(&request);
}

#define BIND         .kind = VOLUME_BIND, .fd = -1, .mode = NONE
#define TMPFS        .kind = VOLUME_TMPFS, .fd = -1
#define TEXT         .kind = VOLUME_FILE, .fd = -1, .mode = NONE
#define SECRET       .kind = VOLUME_SECRET, .fd = -1, .mode = 0400, .readonly = true
#define COVER(which) .kind = VOLUME_##which, .fd = -1, .mode = NONE

static void test_accepted(void **state)
{
	/* clang-format off */
	static const struct accepted rows[] = {
		{ "volume", "/a:/b", { BIND, .src = "/a", .dst = "/b" } },
		{ "volume", "/a", { BIND, .src = "/a", .dst = "/a" } },
		{ "volume", "/a/:/b//c/./", { BIND, .src = "/a/", .dst = "/b/c" } },
		{ "volume", "/a/.//b", { BIND, .src = "/a/.//b", .dst = "/a/b" } },
		{ "volume", "/a:ro", { BIND, .src = "/a", .dst = "/a", .readonly = true } },
		{ "volume", "/a:/b:ro", { BIND, .src = "/a", .dst = "/b", .readonly = true } },
		{ "volume", "/a:/b:rw", { BIND, .src = "/a", .dst = "/b" } },
		{ "volume", "/a:/b:ro,noexec,optional,dev",
		  { BIND, .src = "/a", .dst = "/b", .readonly = true, .noexec = true, .optional = true,
		    .dev = true } },
		{ "volume", "./x:/x", { BIND, .src = "./x", .dst = "/x" } },
		{ "volume", "a/b", { BIND, .src = "a/b", .dst = "a/b" } },
		{ "volume", ".", { BIND, .src = ".", .dst = "." } },
		{ "volume", "..:/up", { BIND, .src = "..", .dst = "/up" } },
		{ "volume", "../x", { BIND, .src = "../x", .dst = "../x" } },
		{ "volume", "~/w:/w", { BIND, .src = "~/w", .dst = "/w" } },
		{ "volume", "~", { BIND, .src = "~", .dst = "~" } },
		{ "volume", "~/w:ro", { BIND, .src = "~/w", .dst = "~/w", .readonly = true } },
		{ "volume", "/a\\:b:/c\\:d:ro",
		  { BIND, .src = "/a:b", .dst = "/c:d", .readonly = true } },
		{ "volume", "/with space:/\xc3\xa9", { BIND, .src = "/with space", .dst = "/\xc3\xa9" } },
		{ "volume", "/:/host:ro", { BIND, .src = "/", .dst = "/host", .readonly = true } },
		{ "volume", "/dev/fuse:/dev/fuse:dev",
		  { BIND, .src = "/dev/fuse", .dst = "/dev/fuse", .dev = true } },
		{ "volume", "/a/../b:/c", { BIND, .src = "/a/../b", .dst = "/c" } },

		{ "tmpfs", "/t", { TMPFS, .dst = "/t", .mode = NONE } },
		{ "tmpfs", "/t:size=64M", { TMPFS, .dst = "/t", .mode = NONE, .size = 64 << 20 } },
		{ "tmpfs", "/t:mode=1777,size=65536k",
		  { TMPFS, .dst = "/t", .mode = 01777, .size = 64 << 20 } },
		{ "tmpfs", "/t/:ro,noexec",
		  { TMPFS, .dst = "/t", .mode = NONE, .readonly = true, .noexec = true } },
		{ "tmpfs", "/dev/shm", { TMPFS, .dst = "/dev/shm", .mode = NONE } },

		{ "file", "/f=text", { TEXT, .dst = "/f", .text = "text" } },
		{ "file", "/f=", { TEXT, .dst = "/f", .text = "" } },
		{ "file", "/f=a=b\nc:d", { TEXT, .dst = "/f", .text = "a=b\nc:d" } },
		{ "file", "/f\\=g=x", { TEXT, .dst = "/f=g", .text = "x" } },
		{ "file", "/f=@@x", { TEXT, .dst = "/f", .text = "@x" } },
		{ "file", "/f=@0", { .kind = VOLUME_FILE, .mode = NONE, .dst = "/f", .fd = 0 } },
		{ "file", "/f=@12", { .kind = VOLUME_FILE, .mode = NONE, .dst = "/f", .fd = 12 } },

		{ "secret", "k=/a/b", { SECRET, .src = "/a/b", .dst = "/run/secrets/k" } },
		{ "secret", "a.b_c-1=key", { SECRET, .src = "key", .dst = "/run/secrets/a.b_c-1" } },
		{ "secret", "k=~/a=b", { SECRET, .src = "~/a=b", .dst = "/run/secrets/k" } },
		{ "secret", "k=./env:X", { SECRET, .src = "./env:X", .dst = "/run/secrets/k" } },
		{ "secret", "k=env:TOKEN",
		  { SECRET, .text = "TOKEN", .from_env = true, .dst = "/run/secrets/k" } },

		{ "show", "/a/b/", { COVER(SHOW), .src = "/a/b/", .dst = "/a/b", .readonly = true } },
		{ "show", "data", { COVER(SHOW), .src = "data", .dst = "data", .readonly = true } },
		{ "show", "/dev/kvm", { COVER(SHOW), .src = "/dev/kvm", .dst = "/dev/kvm", .readonly = true } },
		{ "hide", "/etc//hosts", { COVER(HIDE), .dst = "/etc/hosts" } },
		{ "hide", ".env", { COVER(HIDE), .dst = ".env" } },
		{ "hide", "/proc/kcore", { COVER(HIDE), .dst = "/proc/kcore" } },
		{ "hide", "/sys/firmware", { COVER(HIDE), .dst = "/sys/firmware" } },
		{ "protect", ".git", { COVER(PROTECT), .dst = ".git" } },
		{ "protect", "~/.ssh", { COVER(PROTECT), .dst = "~/.ssh" } },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		check_accepted(&rows[i]);
}

static void check_refused(const char *option, const char *value, enum err_code code,
			  const char *says)
{
	const char *const pairs[] = { "quiet", NULL, option, value, NULL };
	struct request request;
	struct spec spec;
	struct err err;

	request_of(&request, pairs);
	if (spec_build(&spec, &request, &err) == 0)
		fail_msg("--%s '%s' was accepted", option, value);
	if (err.code != code || !err.cause[0] || !err.fix[0] || err.origin != 2 ||
	    strchr(err.what, '\n') || strchr(err.cause, '\n') ||
	    (says && !strstr(err.cause, says) && !strstr(err.fix, says)))
		fail_msg("--%s '%s': %s: %s (%s), from %u", option, value, err.what, err.cause,
			 err.fix, err.origin);
	request_of_clear(&request);
}

static void test_refused(void **state)
{
	static const struct {
		const char *option, *value;
		enum err_code code;
		const char *says;
	} rows[] = {
		{ "volume", "", ERR_VALUE, "empty" },
		{ "volume", ":/b", ERR_VALUE, "empty" },
		{ "volume", "data:/b", ERR_VALUE, "./data" },
		{ "volume", "data", ERR_VALUE, "./data" },
		{ "volume", "/a:b", ERR_VALUE, "'b' is neither" },
		{ "volume", "/a:./b", ERR_VALUE, "neither an absolute path" },
		{ "volume", "/a:~/b", ERR_VALUE, "neither an absolute path" },
		{ "volume", "/a:", ERR_VALUE, "neither" },
		{ "volume", "/a::ro", ERR_VALUE, "colons" },
		{ "volume", "/a:ro:/b", ERR_VALUE, "colons" },
		{ "volume", "/a:/b:ro:rw", ERR_VALUE, "colons" },
		{ "volume", "/a:/b:", ERR_VALUE, "neither" },
		{ "volume", "/a:/b:ro,", ERR_VALUE, "neither" },
		{ "volume", "/a:/b:RO", ERR_VALUE, "'RO'" },
		{ "volume", "/a:/b:z", ERR_VALUE, "'z'" },
		{ "volume", "/a:/b:ro,rw", ERR_VALUE, "both" },
		{ "volume", "/a:/b:overlay", ERR_OPTION_LATER, NULL },
		{ "volume", "/a:/", ERR_VALUE, "--rootfs" },
		{ "volume", "/", ERR_VALUE, "--rootfs" },
		{ "volume", "/a://", ERR_VALUE, "--rootfs" },
		{ "volume", "/a:/proc", ERR_VALUE, "/proc" },
		{ "volume", "/a:/proc/self", ERR_VALUE, "/proc" },
		{ "volume", "/a:/./proc/", ERR_VALUE, "/proc" },
		{ "volume", "/a:/sys/x", ERR_VALUE, "/sys" },
		{ "volume", "/a:/dev", ERR_VALUE, "/dev" },
		{ "volume", "/a:/b/../c", ERR_VALUE, "'..'" },
		{ "volume", "/a/..", ERR_VALUE, "'..'" },
		{ "volume", "/a\n:/b", ERR_VALUE, "control" },
		{ "volume", "/a:/b\x1b[2J", ERR_VALUE, "control" },

		{ "tmpfs", "", ERR_VALUE, "empty" },
		{ "tmpfs", "t", ERR_VALUE, "absolute" },
		{ "tmpfs", "/", ERR_VALUE, "--rootfs" },
		{ "tmpfs", "/proc/x", ERR_VALUE, "/proc" },
		{ "tmpfs", "/t:", ERR_VALUE, "none of" },
		{ "tmpfs", "/t:size=", ERR_VALUE, "missing" },
		{ "tmpfs", "/t:size=0", ERR_VALUE, "no limit" },
		{ "tmpfs", "/t:size=50%", ERR_VALUE, "form" },
		{ "tmpfs", "/t:size=1x", ERR_VALUE, "form" },
		{ "tmpfs", "/t:size=99999999999999999999", ERR_VALUE, "range" },
		{ "tmpfs", "/t:mode=999", ERR_VALUE, "form" },
		{ "tmpfs", "/t:mode=17777", ERR_VALUE, "range" },
		{ "tmpfs", "/t:uid=0", ERR_VALUE, "'uid=0'" },
		{ "tmpfs", "/t:/u", ERR_VALUE, "none of" },

		{ "file", "/f", ERR_VALUE, "'='" },
		{ "file", "=x", ERR_VALUE, "empty" },
		{ "file", "f=x", ERR_VALUE, "absolute" },
		{ "file", "/f=@", ERR_VALUE, "descriptor" },
		{ "file", "/f=@x", ERR_VALUE, "@@" },
		{ "file", "/f=@-1", ERR_VALUE, "descriptor" },
		{ "file", "/f=@4294967296", ERR_VALUE, "descriptor" },
		{ "file", "/proc/x=y", ERR_VALUE, "/proc" },

		{ "secret", "k", ERR_VALUE, "'='" },
		{ "secret", "=f", ERR_VALUE, "empty" },
		{ "secret", ".=f", ERR_VALUE, "'.'" },
		{ "secret", "..=f", ERR_VALUE, "'.'" },
		{ "secret", "a/b=f", ERR_VALUE, "letters" },
		{ "secret", "a b=f", ERR_VALUE, "letters" },
		{ "secret", "\xc3\xa9=f", ERR_VALUE, "letters" },
		{ "secret", "k=", ERR_VALUE, "empty" },
		{ "secret", "k=env:", ERR_VALUE, "empty" },
		{ "secret", "k=env:A=B", ERR_VALUE, "'='" },
		{ "secret", "k=/a\nb", ERR_VALUE, "control" },

		{ "show", "", ERR_VALUE, "empty" },
		{ "show", "/", ERR_VALUE, "--rootfs" },
		{ "show", "/proc/1", ERR_VALUE, "/proc" },
		{ "show", "/a/../b", ERR_VALUE, "'..'" },
		{ "hide", "/", ERR_VALUE, "--rootfs" },
		{ "hide", "/proc", ERR_VALUE, "/proc" },
		{ "hide", "/dev/", ERR_VALUE, "/dev" },
		{ "protect", "", ERR_VALUE, "empty" },
		{ "protect", "/sys", ERR_VALUE, "/sys" },
		{ "protect", "a\tb", ERR_VALUE, "control" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		check_refused(rows[i].option, rows[i].value, rows[i].code, rows[i].says);
}

static void test_long_paths(void **state)
{
	g_autofree char *name = g_strnfill(256, 'n'), *path = g_strnfill(4096, 'p'), *both;

	(void)state;
	for (size_t i = 0; i < 4096; i += 100)
		path[i] = '/';
	name[0] = path[0] = '/';
	check_refused("volume", path, ERR_VALUE, "4095");
	name[255] = '\0';
	both = g_strconcat(name, "n:/b", NULL);
	assert_int_equal(strlen(name), 255);
	check_refused("rootfs", path, ERR_VALUE, "4095");
	g_free(both);
	both = g_strconcat(name, "nn:/b", NULL);
	check_refused("volume", both, ERR_VALUE, "255");
}

/* Errors end in logs and reports. */
static void test_text_is_not_repeated(void **state)
{
	/* clang-format off */
	static const char *const rows[][2] = {
		{ "file", "/proc/x=hunter2" }, { "file", "/f=@hunter2" }, { "env", "=hunter2" },
		{ "env", "A\n=hunter2" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const pairs[] = { rows[i][0], rows[i][1], NULL };
		struct request request;
		struct spec spec;
		struct err err;

		request_of(&request, pairs);
		assert_true(spec_build(&spec, &request, &err) < 0);
		assert_non_null(strstr(err.what, "=...'"));
		assert_null(strstr(err.what, "hunter2"));
		assert_null(strstr(err.cause, "hunter2"));
		request_of_clear(&request);
	}
}

static void test_order_and_origin(void **state)
{
	static const char *const pairs[] = { "volume", "/a:/b", "tmpfs", "/c", "quiet",
					     NULL,     "hide",  "/d",    NULL };
	static const uint32_t origins[] = { 1, 2, 4 };
	struct request request;
	struct spec spec;
	struct err err;

	(void)state;
	request_of(&request, pairs);
	assert_int_equal(spec_build(&spec, &request, &err), 0);
	assert_int_equal(spec.volumes->len, 3);
	for (guint i = 0; i < 3; i++)
		assert_int_equal(g_array_index(spec.volumes, struct volume, i).origin, origins[i]);
	spec_clear(&spec);
	request_of_clear(&request);
}

static void test_last_secret_wins(void **state)
{
	static const char *const pairs[] = { "secret", "k=/a",    "secret", "l=/b",
					     "secret", "k=env:C", NULL };
	struct request request;
	struct spec spec;
	struct err err;

	(void)state;
	request_of(&request, pairs);
	assert_int_equal(spec_build(&spec, &request, &err), 0);
	assert_int_equal(spec.volumes->len, 2);
	assert_string_equal(g_array_index(spec.volumes, struct volume, 0).src, "/b");
	assert_string_equal(g_array_index(spec.volumes, struct volume, 1).text, "C");
	spec_clear(&spec);
	request_of_clear(&request);
}

static void test_too_many(void **state)
{
	struct request request;
	struct spec spec;
	struct err err;

	(void)state;
	request_of(&request, NULL);
	for (unsigned i = 0; i < 4096; i++)
		request_of_add(&request, "volume", "/a:/b");
	assert_int_equal(spec_build(&spec, &request, &err), 0);
	spec_clear(&spec);
	request_of_add(&request, "tmpfs", "/c");
	assert_true(spec_build(&spec, &request, &err) < 0);
	assert_int_equal(err.code, ERR_VALUE);
	assert_int_equal(err.origin, 4097);
	request_of_clear(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_text_is_not_repeated),
		cmocka_unit_test(test_order_and_origin),
		cmocka_unit_test(test_last_secret_wins),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
