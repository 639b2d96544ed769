// SPDX-License-Identifier: MIT
/* What a filter does with a call, and the cache's readers and writers. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <sandbox/fd.h>
#include <sandbox/filter.h>

#include "ops/filter-cache.h"

enum { CALL = 59, OTHER = 60 };

#define NR               BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARCH             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch))
#define ARG(n)           BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define RET(a)           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##a)
#define JEQ(k, yes, no)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define JGE(k, yes, no)  BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, k, yes, no)
#define JSET(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, yes, no)
#define AND(k)           BPF_STMT(BPF_ALU | BPF_AND | BPF_K, k)
#define JA(k)            BPF_STMT(BPF_JMP | BPF_JA, k)

struct row {
	const char *what;
	struct sock_filter insns[12];
	unsigned n;
	enum filter_verdict verdict;
};

/* clang-format off */
static const struct row rows[] = {
	{ "allow", { RET(ALLOW) }, 1, FILTER_LETS },
	{ "log", { RET(LOG) }, 1, FILTER_LETS },
	{ "errno", { RET(ERRNO) }, 1, FILTER_REFUSES },
	{ "kill", { RET(KILL_PROCESS) }, 1, FILTER_REFUSES },
	{ "trace", { RET(TRACE) }, 1, FILTER_REFUSES },
	{ "this call", { NR, JEQ(CALL, 0, 1), RET(ERRNO), RET(ALLOW) }, 4, FILTER_REFUSES },
	{ "another", { NR, JEQ(OTHER, 0, 1), RET(ERRNO), RET(ALLOW) }, 4, FILTER_LETS },
	{ "range", { NR, JGE(CALL, 0, 2), JGE(CALL + 1, 1, 0), RET(ERRNO), RET(ALLOW) }, 5, FILTER_REFUSES },
	{ "architecture", { ARCH, JEQ(1, 0, 1), RET(ERRNO), RET(ALLOW) }, 4, FILTER_LETS },
	{ "argument", { ARG(1), JEQ(7, 0, 1), RET(ERRNO), RET(ALLOW) }, 4, FILTER_DEPENDS },
	{ "argument, masked", { ARG(0), AND(0xff), JSET(1, 0, 1), RET(ERRNO), RET(ALLOW) }, 5, FILTER_DEPENDS },
	{ "argument, either way", { ARG(0), JEQ(7, 0, 1), RET(ALLOW), RET(LOG) }, 4, FILTER_LETS },
	{ "argument of another", { NR, JEQ(OTHER, 0, 3), ARG(0), JEQ(7, 0, 1), RET(ERRNO), RET(ALLOW) }, 6, FILTER_LETS },
	{ "jump", { JA(1), RET(ERRNO), RET(ALLOW) }, 3, FILTER_LETS },
	{ "no end", { NR }, 1, FILTER_BROKEN },
	{ "no end on one way", { ARG(0), JEQ(7, 0, 5), RET(ALLOW) }, 3, FILTER_BROKEN },
	{ "jump too far", { JA(9), RET(ALLOW) }, 2, FILTER_BROKEN },
	{ "jump around", { JA(0xffffffff), RET(ALLOW) }, 2, FILTER_BROKEN },
	{ "nothing", { RET(ALLOW) }, 0, FILTER_BROKEN },
};
/* clang-format on */

static void test_judge(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		enum filter_verdict v =
			filter_judge(rows[i].insns, rows[i].n, filter_native_arch(), CALL);

		if (v != rows[i].verdict)
			fail_msg("%s: %d, wanted %d", rows[i].what, (int)v, (int)rows[i].verdict);
	}
}

/* As many ways as there are, and still an end. */
static void test_judge_bounded(void **state)
{
	enum { PAIRS = 2000 };
	struct sock_filter *insns = g_new0(struct sock_filter, 2 * PAIRS + 1);

	(void)state;
	for (unsigned i = 0; i < PAIRS; i++) {
		insns[2 * i] = (struct sock_filter)ARG(0);
		insns[2 * i + 1] = (struct sock_filter)JEQ(i, 0, 0);
	}
	insns[2 * PAIRS] = (struct sock_filter)RET(ALLOW);
	assert_int_equal(filter_judge(insns, 2 * PAIRS + 1, filter_native_arch(), CALL),
			 FILTER_BROKEN);
	g_free(insns);
}

static void test_notify(void **state)
{
	struct sock_filter insns[] = {
		NR,        JEQ(CALL, 0, 1), RET(KILL_PROCESS), JEQ(OTHER, 0, 1), RET(KILL_THREAD),
		RET(ALLOW)
	};

	(void)state;
	assert_true(filter_kills(insns, G_N_ELEMENTS(insns)));
	filter_notify(insns, G_N_ELEMENTS(insns));
	assert_false(filter_kills(insns, G_N_ELEMENTS(insns)));
	assert_int_equal(insns[2].k, SECCOMP_RET_USER_NOTIF);
	assert_int_equal(insns[4].k, SECCOMP_RET_USER_NOTIF);
	assert_int_equal(insns[5].k, SECCOMP_RET_ALLOW);
}

static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void assert_stored(int dir, const char *want)
{
	g_autoptr(GBytes) got = cache_read(dir, key);

	if (!want) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_int_equal(g_bytes_get_size(got), strlen(want));
	assert_memory_equal(g_bytes_get_data(got, NULL), want, strlen(want));
}

static void test_cache(void **state)
{
	char base[] = "/tmp/test-filter.XXXXXX";
	g_autoptr(GBytes) one = g_bytes_new_static("one", 3), two = g_bytes_new_static("two", 3);
	g_autofree char *ours = NULL, *dir = NULL;
	autofd int fd = -EBADF;

	(void)state;
	assert_non_null(mkdtemp(base));
	ours = g_build_filename(base, "sandbox", NULL);
	dir = g_build_filename(ours, "seccomp", NULL);
	fd = cache_open(base);
	assert_true(fd >= 0);
	assert_stored(fd, NULL);
	cache_write(fd, key, one);
	assert_stored(fd, "one");
	cache_write(fd, key, two);
	assert_stored(fd, "two");
	assert_int_equal(fchmodat(fd, key, 0622, 0), 0);
	assert_stored(fd, NULL);
	assert_int_equal(chmod(ours, 0777), 0);
	assert_int_equal(cache_open(base), -EACCES);
	assert_int_equal(cache_open("relative"), -EINVAL);
	assert_int_equal(unlinkat(fd, key, 0), 0);
	assert_int_equal(rmdir(dir) | rmdir(ours), 0);
	assert_int_equal(symlink("/tmp", ours), 0);
	assert_true(cache_open(base) < 0);
	assert_int_equal(unlink(ours) | rmdir(base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_judge_bounded),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
